from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.grafana import Adapter, Settings
from adapters.kit.capabilities import EventQuery, MetricQuery
from adapters.kit.errors import AdapterError, Reason
from tests.adapters.cases import grafana as case
from tests.adapters.languages import go_literals
from tests.adapters.loopback import Reply, in_turn, serving

WINDOW = case.CASES[0].window


def made(url: str, **some: object) -> Adapter:
    return Adapter("grafana", Settings.model_validate({**case.configured(url), **some}))


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=30))
def test_a_service_cannot_leave_its_literal(service):
    with serving(case.api) as server:
        list(made(server.url).metrics(MetricQuery(window=WINDOW, service=service or "x")))
        body = json.loads(server.asked[0].body)
    skeleton, literals = go_literals(body["queries"][0]["expr"])
    assert skeleton == "rate(errors{service=S}[5m])"
    assert literals == [(service or "x").encode("utf-8", "replace").decode()]


def test_a_query_with_the_service_outside_of_double_quotes_is_refused():
    with pytest.raises(ValidationError, match="within double quotes"):
        made("http://grafana", queries={"q": {"datasource": "p", "expr": "x{service=$service}"}})


def test_a_data_source_that_fails_within_a_good_answer_is_an_error():
    reply = Reply(
        json.dumps({"results": {"A": {"status": 500, "error": "secret of the data source"}}})
    )
    with serving(in_turn(reply)) as server, pytest.raises(AdapterError) as caught:
        list(made(server.url).metrics(MetricQuery(window=WINDOW, service="checkout")))
    assert caught.value.reason is Reason.BAD_REQUEST
    assert "secret of" not in str(caught.value)


def test_more_annotations_than_a_page_holds_are_read_by_their_times():
    some = [case.annotation(n, f"2026-11-20T10:{n % 60:02d}", f"Deploy {n}") for n in range(1200)]
    with serving(lambda asked: case.listed(asked, some)) as server:
        (page,) = made(server.url).deploys(EventQuery(window=WINDOW, limit=5000))
        assert len(server.asked) > 2
    assert len({one.title for one in page.items}) == 1200
    assert page.truncated == ""


def test_more_annotations_of_one_moment_than_a_page_holds_are_said_to_be_missing():
    some = [case.annotation(n, "2026-11-20T10:30", f"Deploy {n}") for n in range(600)]
    with serving(lambda asked: case.listed(asked, some)) as server:
        (page,) = made(server.url).deploys(EventQuery(window=WINDOW, limit=5000))
    assert len(page.items) == 500
    assert "Only 500" in page.truncated
