from __future__ import annotations

import json

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from adapters.kit.capabilities import EventQuery
from adapters.kit.records import Window
from adapters.pagerduty import Adapter, Settings
from tests.adapters.cases import pagerduty as case
from tests.adapters.conformance import at
from tests.adapters.loopback import Asked, Reply, in_turn, serving

HOUR = EventQuery(window=case.WINDOW, service="checkout")


def incidents(script, query=HOUR, **some):
    with serving(script) as server:
        adapter = Adapter("pd", Settings.model_validate({"url": server.url, "token": "t", **some}))
        return list(adapter.incidents(query)), server.asked


def test_what_people_noted_comes_with_the_incident():
    pages, _ = incidents(case.api)
    incident = pages[0].items[0]
    assert incident.notes == ("On call at level 1: Bob", "2026-11-20 10:15 UTC: Ann: Rolled back")
    assert (incident.severity, incident.state) == ("critical", "resolved")


def test_a_detail_that_the_plan_does_not_have_costs_only_itself():
    pages, _ = incidents(case.api)
    assert "past incidents" in pages[0].truncated


def test_without_details_only_the_list_is_read():
    _, asked = incidents(case.api, details=0)
    assert {one.path for one in asked} == {"/services", "/incidents"}


def test_a_service_of_another_name_is_found_by_its_id():
    _, asked = incidents(case.api, services={"checkout": "PXYZ"}, details=0)
    assert asked[0].query["service_ids[]"] == ["PXYZ"]


def test_a_service_that_it_does_not_know_is_said_and_nothing_is_guessed():
    pages, _ = incidents(case.api, EventQuery(window=case.WINDOW, service="unheard-of"))
    assert [page.items for page in pages] == [()]
    assert "no service named like" in pages[0].truncated


def test_lists_that_never_end_end_where_the_interface_does():
    def endless(asked: Asked) -> Reply:
        offset = int(asked.query["offset"][0])
        found = [
            case._incident(f"P{offset + n}", "again", "2026-11-20T10:00:00Z") for n in range(100)
        ]
        return Reply(json.dumps({"incidents": found, "more": True}))

    pages, asked = incidents(endless, EventQuery(window=case.WINDOW, limit=50_000), details=0)
    assert len(asked) == 100
    assert "10,000" in pages[-1].truncated


def test_a_server_that_repeats_a_page_for_ever_is_left():
    same = json.dumps(
        {"incidents": [case._incident("P1", "x", "2026-11-20T10:00:00Z")], "more": True}
    )
    pages, asked = incidents(in_turn(Reply(same)), EventQuery(window=case.WINDOW), details=0)
    assert len(asked) == 2
    assert sum(len(page.items) for page in pages) == 1


@pytest.fixture(scope="module")
def specification(shared_data):
    return json.loads((shared_data / "contracts/pagerduty/rest-openapi-trimmed.json").read_text())


def _example(specification, path: str) -> dict[str, object]:
    content = specification["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    value: dict[str, object] = content["examples"]["response"]["value"]
    return value


def test_requests_are_those_of_the_specification(specification):
    _, asked = incidents(case.api, services={})
    with serving(case.api) as server:
        adapter = Adapter("pd", Settings(url=server.url, token="t"))
        list(adapter.deploys(HOUR))
        adapter.check()
        asked = [*asked, *server.asked]
    for parameter in specification["paths"]["/change_events"]["get"]["parameters"]:
        parameter.get("schema", {}).pop("pattern", None)  # "YYYY-MM-DD" is a picture, no expression
    for parameter in specification["components"]["parameters"].values():
        parameter.get("schema", {}).pop("pattern", None)
    openapi = OpenAPI.from_dict(specification, config=Config(spec_validator_cls=None))  # type: ignore[arg-type]
    for one in asked:
        query = {name: ",".join(values) for name, values in one.query.items()}
        headers = {"Accept": one.headers["accept"], "Content-Type": one.headers["content-type"]}
        request = MockRequest(
            "https://api.pagerduty.com",
            "get",
            one.path,
            args=query,
            headers={**headers, "Authorization": one.headers["authorization"]},
            content_type="application/json",
        )
        openapi.validate_request(request)
    assert len({one.path for one in asked}) > 8


def test_the_specifications_own_examples_are_read(specification):
    example = _example(specification, "/incidents")
    window = Window(since=at("2015-10-01T00:00"), until=at("2015-11-01T00:00"))
    script = in_turn(Reply(json.dumps({**example, "more": False})))
    pages, _ = incidents(script, EventQuery(window=window), details=0)
    (incident,) = pages[0].items
    assert incident.key == "PT4KHLK"
    assert incident.url == "https://subdomain.pagerduty.com/incidents/PT4KHLK"
    assert incident.severity == "error"
    change = _example(specification, "/change_events")
    wide = Window(since=at("2000-01-01T00:00"), until=at("2030-01-01T00:00"))
    with serving(in_turn(Reply(json.dumps({**change, "more": False})))) as server:
        (page,) = Adapter("pd", Settings(url=server.url, token="t")).deploys(
            EventQuery(window=wide)
        )
    assert [one.title for one in page.items] == [one["summary"] for one in change["change_events"]]  # type: ignore[attr-defined]
