from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.datadog import Adapter, Settings
from adapters.datadog.api import tag_value
from adapters.kit.capabilities import EventQuery, LogQuery, MetricQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Window
from tests.adapters.cases import datadog as case
from tests.adapters.conformance import at
from tests.adapters.languages import backslashed
from tests.adapters.loopback import Reply, in_turn, serving


def made(url: str, **some: object) -> Adapter:
    keys = {"url": url, "site": "datadoghq.com", "api_key": "a", "app_key": "b"}
    return Adapter("dd", Settings.model_validate({**keys, **some}))


def read(script, query: LogQuery | None = None, **some: object):
    with serving(script) as server:
        return list(
            made(server.url, **some).logs(query or LogQuery(window=case.WINDOW))
        ), server.asked


def texts(batches) -> list[str]:
    return [text for batch in batches for text in batch.frame.get_column("text")]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 7))
def test_logs_of_one_millisecond_are_neither_lost_nor_doubled_at_a_page_border(times, size):
    logs = [
        case.log(number, f"2026-11-20T10:00:00.00{moment}Z", f"line {number}")
        for number, moment in enumerate(times)
    ]
    batches, _ = read(lambda asked: case.searched(asked, logs, size))
    assert sorted(texts(batches)) == sorted(f"line {number}" for number in range(len(times)))


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_services_and_texts_cannot_leave_their_literals(service, text):
    search = made("http://dd")._search(
        LogQuery(window=case.WINDOW, service=service, contains=(text,), min_level="error")
    )
    skeleton, literals = backslashed(search)
    assert skeleton == "service:S S status:(error OR critical OR alert OR emergency)"
    assert [len(one) for one in literals] == [len(service), len(text)]


@given(st.text(max_size=60))
def test_a_service_cannot_leave_the_scope_of_a_metric_query(service):
    assert not set(tag_value(service)) & set("{},! *()\"' \n")


def test_a_selector_that_is_no_facet_is_refused():
    with pytest.raises(AdapterError) as caught:
        read(in_turn(Reply()), LogQuery(window=case.WINDOW, selector={"a OR b": "x"}))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_a_partial_answer_with_200_is_said():
    reply = Reply(json.dumps({"data": case.LOGS[:1], "meta": {"status": "timeout"}}))
    batches, _ = read(in_turn(reply))
    assert any("ran out of time" in batch.truncated for batch in batches)


def test_cursors_that_never_end_end_after_the_configured_pages():
    count = iter(range(1000))

    def endless(_asked):
        body = {"data": case.LOGS[:1], "meta": {"page": {"after": f"c{next(count)}"}}}
        return Reply(json.dumps(body))

    batches, asked = read(endless, max_pages=5)
    assert len(asked) == 5
    assert any("first 5 pages" in batch.truncated for batch in batches)


def test_a_cursor_that_repeats_itself_is_not_followed_for_ever():
    reply = Reply(json.dumps({"data": case.LOGS[:1], "meta": {"page": {"after": "same"}}}))
    _, asked = read(in_turn(reply))
    assert len(asked) == 2


def test_a_metric_query_that_datadog_refuses_with_200_is_a_refused_query():
    reply = Reply('{"status": "error", "error": "Rule \'x\' did not parse", "series": []}')
    with serving(in_turn(reply)) as server, pytest.raises(AdapterError) as caught:
        list(made(server.url).metrics(MetricQuery(window=case.WINDOW, service="checkout")))
    assert caught.value.reason is Reason.BAD_REQUEST
    assert "did not parse" not in str(caught.value)


def recorded(shared_data, name: str) -> list[dict[str, Any]]:
    folder = shared_data / "contracts/datadog/vcr"
    version, _, test = name.partition("/")
    path = folder / version / "cassettes/test_scenarios" / f"test_{test}.yaml"
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())["interactions"]
    return found


def test_recorded_pages_of_logs_are_read(shared_data):
    pages = recorded(shared_data, "v2/search_logs_returns_ok_response_with_pagination")
    replies = [Reply(one["response"]["body"]["string"]) for one in pages]
    window = Window(since=at("2022-04-11T00:00"), until=at("2022-04-12T00:00"))
    batches, asked = read(in_turn(*replies), LogQuery(window=window))
    assert len(asked) == 3
    sent = [json.loads(one.body)["page"].get("cursor") for one in asked]
    assert sent == [json.loads(one["request"]["body"])["page"].get("cursor") for one in pages]
    frame = batches[0].frame
    assert frame.height == 3
    assert frame.get_column("time")[0] == datetime(2022, 4, 11, 16, 29, 47, tzinfo=UTC)
    assert frame.get_column("status")[0] == 200
    assert set(frame.get_column("level")) == {"info"}


def test_a_recorded_metric_is_read(shared_data):
    (one,) = recorded(shared_data, "v1/query_timeseries_points_returns_ok_response")
    window = Window(
        since=datetime.fromtimestamp(1641343852, UTC), until=datetime.fromtimestamp(1641430252, UTC)
    )
    with serving(in_turn(Reply(one["response"]["body"]["string"]))) as server:
        adapter = made(server.url, queries={"idle": "system.cpu.idle{*}"})
        (page,) = adapter.metrics(MetricQuery(window=window))
        (asked,) = server.asked
    (series,) = page.items
    assert asked.query == {
        "from": ["1641343852"],
        "to": ["1641430252"],
        "query": ["system.cpu.idle{*}"],
    }
    assert len(series.points) == 288
    assert series.points[0].value == pytest.approx(91.458384)


def test_requests_and_answers_are_those_of_the_vendors_own_client():
    from datadog_api_client.configuration import Configuration
    from datadog_api_client.model_utils import validate_and_convert_types
    from datadog_api_client.v2.model.events_list_request import EventsListRequest
    from datadog_api_client.v2.model.events_list_response import EventsListResponse
    from datadog_api_client.v2.model.logs_list_request import LogsListRequest
    from datadog_api_client.v2.model.logs_list_response import LogsListResponse

    def fits(value: object, model: type) -> bool:
        configuration = Configuration()
        found = validate_and_convert_types(value, (model,), ["body"], True, True, configuration)
        return not found._unparsed

    query = LogQuery(window=case.WINDOW, service="checkout", min_level="warn", contains=('a "b"',))
    _, logs = read(case.api, query, indexes=("main",))
    with serving(case.api) as server:
        list(made(server.url).alerts(EventQuery(window=case.WINDOW)))
        list(made(server.url).deploys(EventQuery(window=case.WINDOW)))
        events = server.asked
    assert all(fits(json.loads(one.body), LogsListRequest) for one in logs)
    assert all(fits(json.loads(one.body), EventsListRequest) for one in events)
    assert fits({"data": case.LOGS}, LogsListResponse)
    assert fits({"data": case.EVENTS}, EventsListResponse)
