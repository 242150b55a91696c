from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.capabilities import LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Window
from adapters.loki import Adapter, Settings
from tests.adapters.cases.loki import answering, ns
from tests.adapters.conformance import at
from tests.adapters.languages import go_literals
from tests.adapters.loopback import Reply, in_turn, serving

HOUR = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))


def read(script, query: LogQuery | None = None, **some):
    with serving(script) as server:
        adapter = Adapter("loki", Settings.model_validate({"url": server.url, **some}))
        return list(adapter.logs(query or LogQuery(window=HOUR))), server.asked


def texts(batches) -> list[str]:
    return [text for batch in batches for text in batch.frame.get_column("text")]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["a", "b"])), max_size=25),
    st.integers(8, 12),
)
def test_entries_of_one_nanosecond_are_neither_lost_nor_doubled_at_a_page_border(times, size):
    entries = [
        (ns("2026-11-20T10:00", moment), {"app": stream}, f"line {number % 5}")
        for number, (moment, stream) in enumerate(times)
    ]
    at_once = max((sum(t == m for t, _ in times) for m, _ in times), default=0)
    batches, _ = read(answering(entries), page_size=max(size, at_once + 1))
    assert sorted(texts(batches)) == sorted(text for _, _, text in entries)
    assert not any(batch.truncated for batch in batches)


def test_more_entries_of_one_nanosecond_than_a_page_holds_are_said_to_be_missing():
    entries = [(ns("2026-11-20T10:00"), {"app": "a"}, f"line {n}") for n in range(9)]
    entries.append((ns("2026-11-20T10:01"), {"app": "a"}, "after"))
    batches, _ = read(answering(entries), page_size=4)
    assert texts(batches)[-1] == "after"
    assert any("same nanosecond" in batch.truncated for batch in batches)


@given(st.text(max_size=40), st.text(max_size=40))
def test_services_and_texts_cannot_leave_their_literals(service, text):
    adapter = Adapter("loki", Settings(url="http://loki"))
    query = LogQuery(window=HOUR, service=service or "s", contains=(text, text))
    skeleton, literals = go_literals(adapter._logql(query))
    assert skeleton == "{service_name=S} |= S |= S"
    meant = [one.encode("utf-8", "replace").decode() for one in (service or "s", text, text)]
    assert literals == meant


@pytest.mark.parametrize("name", ['a="b"} or {c', "", "1a", "a b", "ä"])
def test_a_selector_whose_name_is_no_label_is_refused(name):
    with pytest.raises(AdapterError) as caught:
        read(in_turn(Reply()), LogQuery(window=HOUR, selector={name: "x"}))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_the_operators_selector_replaces_the_service_label():
    query = LogQuery(window=HOUR, service="checkout", selector={"app": "co"})
    _, asked = read(answering([]), query, selector={"env": "prod"})
    assert asked[0].query["query"] == ['{app="co", env="prod"}']


def test_without_any_selector_every_stream_with_a_service_is_read():
    _, asked = read(answering([]))
    assert asked[0].query["query"] == ['{service_name=~".+"}']


def test_levels_hosts_and_traces_come_from_labels_and_levels_of_texts_win():
    labels = {"app": "a", "detected_level": "unknown", "pod": "a-1", "trace_id": "abcdef0123456789"}
    entries = [
        (ns("2026-11-20T10:00"), labels, "2026-11-20T09:00:00Z ERROR disk full"),
        (ns("2026-11-20T10:01"), {**labels, "detected_level": "warning"}, "hm"),
    ]
    batches, _ = read(answering(entries))
    rows = batches[0].frame.select("text", "time", "level", "service", "host", "trace").rows()
    assert rows == [
        ("disk full", at("2026-11-20T10:00"), "error", "a", "a-1", "abcdef0123456789"),
        ("hm", at("2026-11-20T10:01"), "warn", "a", "a-1", "abcdef0123456789"),
    ]


def test_a_window_of_days_is_asked_for_in_slices():
    days = Window(since=at("2026-11-01T00:00"), until=at("2026-11-04T12:00"))
    _, asked = read(answering([]), LogQuery(window=days))
    spans = [(int(one.query["start"][0]), int(one.query["end"][0])) for one in asked]
    assert len(spans) == 4
    assert spans[0][0] == ns("2026-11-01T00:00")
    assert spans[-1][1] == ns("2026-11-04T12:00")
    assert all(a[1] == b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize(
    "name", ["query_range_page1", "query_range_structured", "query_range_json", "detected_level"]
)
def test_recorded_answers_are_read(shared_data, name):
    recorded = json.loads((shared_data / f"contracts/loki/real-v3/{name}.json").read_text())
    window = Window(since=at("2026-11-21T00:00"), until=at("2026-11-21T23:00"))
    body = json.dumps(recorded["response"]["body"])
    batches, _ = read(in_turn(Reply(body)), LogQuery(window=window))
    wanted = sum(len(s["values"]) for s in recorded["response"]["body"]["data"]["result"])
    frame = batches[0].frame
    assert frame.height == wanted > 0
    assert frame.get_column("time").is_sorted()
    assert frame.get_column("level").null_count() == 0
    assert set(frame.get_column("service")) <= {"checkout", "payments"}


@pytest.mark.parametrize("name", ["bad_query", "limit_too_big", "range_too_big", "empty_matcher"])
def test_recorded_refusals_are_refused_queries(shared_data, name):
    recorded = json.loads((shared_data / f"contracts/loki/real-v3/{name}.json").read_text())[
        "response"
    ]
    with pytest.raises(AdapterError) as caught:
        read(in_turn(Reply(recorded["body"], recorded["status"])))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_a_hundred_thousand_lines_stay_in_bounded_memory():
    def script(asked):
        start, limit = int(asked.query["start"][0]), int(asked.query["limit"][0])
        first = (start - ns("2026-11-20T10:00")) // 1000
        some = range(first, min(first + limit, 100_000))
        values = [
            [str(ns("2026-11-20T10:00", n * 1000)), f"request {n} took {n % 97} ms"] for n in some
        ]
        result = [{"stream": {"service_name": "checkout"}, "values": values}]
        return Reply(json.dumps({"data": {"resultType": "streams", "result": result}}))

    with serving(script) as server:
        adapter = Adapter("loki", Settings(url=server.url, page_size=5000))
        tracemalloc.start()
        try:
            lines = sum(len(batch) for batch in adapter.logs(LogQuery(window=HOUR)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert lines == 100_000
    assert peak < 40_000_000
