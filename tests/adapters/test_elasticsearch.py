from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.elasticsearch import Adapter, Settings, kql_string, rison
from adapters.kit.capabilities import LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Window
from tests.adapters.cases.elasticsearch import answering
from tests.adapters.cases.loki import ns
from tests.adapters.conformance import at
from tests.adapters.languages import backslashed
from tests.adapters.loopback import Reply, in_turn, serving

HOUR = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))


def read(script, query: LogQuery | None = None, **some: object):
    with serving(script) as server:
        config = {"url": server.url, "index": ["logs-*"], **some}
        adapter = Adapter("es", Settings.model_validate(config))
        return list(adapter.logs(query or LogQuery(window=HOUR))), server.asked


def texts(batches) -> list[str]:
    return [text for batch in batches for text in batch.frame.get_column("text")]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 9))
def test_events_of_one_moment_are_neither_lost_nor_doubled_at_a_page_border(times, size):
    docs = [(ns("2026-11-20T10:00", t), f"id{n}", f"line {n}", "info") for n, t in enumerate(times)]
    batches, _ = read(answering(docs), page_size=size)
    assert sorted(texts(batches)) == sorted(f"line {n}" for n in range(len(times)))
    assert not any(batch.truncated for batch in batches)


def test_more_events_of_one_moment_than_a_search_shows_are_said_to_be_missing():
    docs = [(ns("2026-11-20T10:00"), f"id{n}", f"line {n}", "info") for n in range(10_005)]
    docs.append((ns("2026-11-20T10:01"), "after", "after", "info"))
    batches, _ = read(answering(docs))
    assert texts(batches)[-1] == "after"
    assert len(texts(batches)) == 10_001
    assert any("same time" in batch.truncated for batch in batches)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_services_and_texts_are_values_and_never_query_syntax(service, value, text):
    adapter = Adapter("es", Settings(url="http://es", index=("logs",)))
    filters = adapter._filters(LogQuery(window=HOUR, service=service, contains=(text,)))
    assert {"match_phrase": {"message": text}} in filters
    assert "query_string" not in {key for one in filters for key in one}
    (only,) = adapter._filters(LogQuery(window=HOUR, service=service, selector={"app": value}))
    assert only["bool"]["should"][0] == {"term": {"app": value}}


@given(st.text(max_size=40))
def test_links_hold_the_service_as_one_string(service):
    skeleton, literals = backslashed(kql_string(service))
    assert (skeleton, literals) == ("S", [service])
    inside = rison(service)[1:-1]
    plain, escaped = [], False
    for character in inside:
        assert escaped or character != "'"
        if escaped or character != "!":
            plain.append(character)
        escaped = character == "!" and not escaped
    assert "".join(plain) == service


@pytest.mark.parametrize(
    "name", ["*", "a,b", "-secret", "<logs-{now/d}>", "_all", "../x", "A", "a*b"]
)
def test_an_index_that_could_mean_others_is_refused(name):
    with pytest.raises(ValidationError, match="no name of an index"):
        Settings(url="http://es", index=(name,))


def test_a_selector_that_is_no_field_is_refused():
    with pytest.raises(AdapterError) as caught:
        read(in_turn(Reply()), LogQuery(window=HOUR, selector={"a b": "x"}))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_a_phrase_that_is_not_the_text_is_left_out():
    docs = [
        (ns("2026-11-20T10:00"), "a", "pool exhausted", "info"),
        (ns("2026-11-20T10:00"), "b", "pool", "info"),
    ]
    batches, _ = read(answering(docs), LogQuery(window=HOUR, contains=("pool exhausted",)))
    assert texts(batches) == ["pool exhausted"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"timed_out": True}, "in part"),
        ({"_shards": {"failed": 2}}, "2 shards"),
        ({"terminated_early": True}, "in part"),
    ],
)
def test_a_partial_answer_with_200_is_said(more, said):
    batches, _ = read(in_turn(Reply(json.dumps({"hits": {"hits": []}, **more}))))
    assert any(said in batch.truncated for batch in batches)


def test_events_without_a_message_are_read_from_what_they_hold_and_stacks_are_kept():
    hits = [
        {"_id": "1", "_source": {"error": {"stack_trace": "at A.b(A.java:1)"}, "message": "x"}, "sort": [ns("2026-11-20T10:00")]},
        {"_id": "2", "_source": {"msg": "hello", "level": "warn"}, "sort": [ns("2026-11-20T10:01")]},
    ]  # fmt: skip
    batches, _ = read(in_turn(Reply(json.dumps({"hits": {"hits": hits}}))))
    assert texts(batches) == ["x\nat A.b(A.java:1)", "hello"]


def test_the_vendors_own_example_of_an_answer_is_understood_as_far_as_it_is_ours(shared_data):
    folder = shared_data / "contracts/elasticsearch/es-spec-examples/specification/_global/search"
    example = yaml.safe_load(
        (folder / "examples/200_response/SearchResponseExample1.yaml").read_text()
    )
    answer = json.loads(example["value"]) if isinstance(example["value"], str) else example["value"]
    for hit in answer["hits"]["hits"]:
        hit["sort"] = [ns("2026-11-20T10:00")]
    batches, _ = read(in_turn(Reply(json.dumps(answer))))
    assert sum(map(len, batches)) == len(answer["hits"]["hits"])


def test_a_hundred_thousand_events_are_read_in_bounded_batches():
    def script(asked):
        body = json.loads(asked.body)
        begin = body["query"]["bool"]["filter"][0]["range"]["@timestamp"]["gte"]
        clock, fraction = begin[11:].removesuffix("Z").split(".")
        hours, minutes, seconds = map(int, clock.split(":"))
        first = ((hours - 10) * 3600 + minutes * 60 + seconds) * 1000 + int(fraction) // 1_000_000
        some = range(first, min(first + body["size"], 100_000))
        hits = [
            {
                "_id": str(n),
                "_source": {"message": f"request {n}"},
                "sort": [ns("2026-11-20T10:00", n * 1_000_000)],
            }
            for n in some
        ]
        return Reply(json.dumps({"hits": {"hits": hits}}))

    batches, _ = read(script, page_size=10_000)
    assert sum(map(len, batches)) == 100_000
    assert max(map(len, batches)) <= 40_000
