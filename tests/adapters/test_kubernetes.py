from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.kit.capabilities import EventQuery, LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Window
from adapters.kubernetes import Adapter, Settings, _tag
from tests.adapters.cases import kubernetes as case
from tests.adapters.conformance import at
from tests.adapters.loopback import Reply, in_turn, serving

DAY = Window(since=at("2026-11-21T00:00"), until=at("2026-11-22T00:00"))


def read(script, query: LogQuery, **some: object):
    with serving(script) as server:
        adapter = Adapter("k8s", Settings.model_validate({**case.configured(server.url), **some}))
        return list(adapter.logs(query)), server.asked


def texts(batches) -> list[str]:
    return [text for batch in batches for text in batch.frame.get_column("text")]


def recorded(shared_data, name: str) -> Reply:
    one = json.loads((shared_data / f"contracts/kubernetes/real/{name}.json").read_text())[
        "response"
    ]
    body = one["body"]
    return Reply(body if isinstance(body, str) else json.dumps(body), one["status"])


def test_a_pod_that_is_gone_costs_only_its_own_lines():
    def script(asked):
        return Reply("{}", 404) if asked.path.endswith("/log") else case.api(asked)

    batches, _ = read(script, LogQuery(window=case.WINDOW, service="checkout"))
    assert len(texts(batches)) == 2
    assert any("prod/checkout-1/app" in note for batch in batches for note in batch.notes)


def test_a_list_that_expires_between_pages_is_said_to_be_cut():
    def script(asked):
        return Reply("{}", 410) if "continue" in asked.query else case.api(asked)

    batches, _ = read(script, LogQuery(window=case.WINDOW, service="checkout"))
    assert any("changed while it was read" in batch.truncated for batch in batches)


def test_a_list_without_an_end_is_left():
    endless = json.dumps({"items": [], "metadata": {"continue": "x"}})
    with serving(in_turn(Reply(endless))) as server:
        adapter = Adapter("k8s", Settings.model_validate(case.configured(server.url)))
        (page,) = adapter.deploys(EventQuery(window=case.WINDOW))
        assert len(server.asked) == 40
    assert "Only 0 objects" in page.truncated


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_a_hostile_service_never_reaches_a_label_selector(service):
    with serving(in_turn(Reply('{"items": []}'))) as server:
        adapter = Adapter("k8s", Settings.model_validate(case.configured(server.url)))
        adapter._pods("prod", LogQuery(window=case.WINDOW, service=service))
        for asked in server.asked:
            (selector,) = asked.query.get("labelSelector", [""])
            assert not set(selector.partition("=")[2]) & set(",=!() \n")


@pytest.mark.parametrize("name", ["../kube-system", "a/b", "A", "", "a b"])
def test_a_namespace_that_is_no_name_is_refused(name):
    with pytest.raises(ValidationError, match="no name of a namespace"):
        Settings(namespaces=(name,))


def test_a_selector_that_is_no_label_is_refused():
    with pytest.raises(AdapterError) as caught:
        read(case.api, LogQuery(window=case.WINDOW, selector={"app": "a,b!=c"}))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_a_token_that_was_exchanged_is_read_again(tmp_path):
    token = tmp_path / "token"
    with serving(case.api) as server:
        config = {**case.configured(server.url), "token": None, "token_file": str(token)}
        adapter = Adapter("k8s", Settings.model_validate(config))
        with pytest.raises(AdapterError, match="token_file"):
            adapter.check()
        for value in ("one", "two"):
            token.write_text(value)
            assert adapter.check().version == "v1.36.0"
        sent = {one.headers["authorization"] for one in server.asked}
    assert sent == {"Bearer one", "Bearer two"}


def test_a_permission_that_is_missing_is_named_by_the_check():
    def script(asked):
        return Reply("{}", 403) if asked.path.endswith("/pods") else case.api(asked)

    with serving(script) as server:
        check = Adapter("k8s", Settings.model_validate(case.configured(server.url))).check()
    assert (check.ok, check.missing) == (False, ("list pods in prod",))


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("shop/app:1.2", "1.2"),
        ("host:5000/app", ""),
        ("host:5000/app:3@sha256:ab", "3"),
        ("app@sha256:ab", "sha256:ab"),
    ],
)
def test_the_version_is_the_images_tag(image, tag):
    assert _tag(image) == tag


def test_recorded_revisions_are_rollouts(shared_data):
    with serving(in_turn(recorded(shared_data, "replicasets"))) as server:
        adapter = Adapter("k8s", Settings.model_validate(case.configured(server.url)))
        (page,) = adapter.deploys(EventQuery(window=DAY, service="checkout"))
    assert {deploy.version for deploy in page.items} == {"1", "2"}
    assert {deploy.service for deploy in page.items} == {"checkout"}


def test_recorded_events_and_an_unscheduled_pod_are_read(shared_data):
    def script(asked):
        if asked.path.endswith("/pods"):
            return recorded(shared_data, "pods_by_label")
        if asked.path.endswith("/log"):
            return recorded(shared_data, "pod_log_no_node")
        return recorded(
            shared_data, "events_page2" if "continue" in asked.query else "events_page1"
        )

    batches, _ = read(script, LogQuery(window=DAY, service="checkout"))
    assert len(texts(batches)) >= 3
    assert all("checkout" in text for text in texts(batches))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unauthorized_401", Reason.AUTH),
        ("forbidden_403", Reason.AUTH),
        ("events_bad_field", Reason.BAD_REQUEST),
        ("deploy_404", Reason.NOT_FOUND),
    ],
)
def test_recorded_refusals_have_their_reasons(shared_data, name, reason):
    with pytest.raises(AdapterError) as caught:
        read(in_turn(recorded(shared_data, name)), LogQuery(window=DAY))
    assert caught.value.reason is reason
