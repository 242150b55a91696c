from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from adapters.kit.records import Window
from tests.adapters.cases.loki import ns
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "es-s3cr3t"
Doc = tuple[int, str, str, str]


def _nanos(text: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{whole}+00:00").timestamp()) * 10**9 + int(
        fraction.ljust(9, "0")
    )


def _matches(clause: dict[str, Any], doc: Doc) -> bool:
    """The few clauses that we send; everything else is refused as the server would."""
    ((kind, body),) = clause.items()
    if kind == "bool":
        assert set(body) == {"should", "minimum_should_match"}
        return any(_matches(one, doc) for one in body["should"])
    ((field, value),) = body.items()
    if kind == "range":
        assert set(value) <= {"gte", "gt", "lt", "format"}
        low = "gt" if "gt" in value else "gte"
        after = doc[0] > _nanos(value[low]) if low == "gt" else doc[0] >= _nanos(value[low])
        return bool(after and doc[0] < _nanos(value["lt"]))
    if kind == "term":
        return bool(field == "service.name" and value == "checkout")
    assert kind == "match_phrase"
    return str(value).casefold() in doc[2].casefold()


def answering(docs: list[Doc]):
    """A strict search over documents (nanoseconds, id, text, level): unknown keys are refused."""

    def script(asked: Asked) -> Reply:
        if asked.path == "/":
            return Reply('{"version": {"number": "2.11.0", "distribution": "opensearch"}}')
        body = json.loads(asked.body)
        assert set(body) == {"size", "timeout", "track_total_hits", "query", "sort"}
        assert set(body["query"]) == {"bool"}
        assert set(body["query"]["bool"]) == {"filter"}
        if not 0 < body["size"] <= 10_000:
            return Reply('{"error": "Result window is too large"}', 400)
        wanted = [
            doc for doc in docs if all(_matches(c, doc) for c in body["query"]["bool"]["filter"])
        ]
        wanted.sort(key=lambda doc: doc[0])
        hits = [
            {
                "_index": "logs-app-1",
                "_id": key,
                "_source": {"message": text, "log": {"level": level}, "service.name": "checkout"},
                "sort": [moment],
            }
            for moment, key, text, level in wanted[: body["size"]]
        ]
        return Reply(
            json.dumps({"timed_out": False, "_shards": {"failed": 0}, "hits": {"hits": hits}})
        )

    return script


DOCS: list[Doc] = [
    (ns("2026-11-20T09:59:59", 999_999_999), "a", "before", "INFO"),
    (ns("2026-11-20T10:00"), "b", "first", "INFO"),
    (ns("2026-11-20T10:30"), "c", "broken", "ERROR"),
    (ns("2026-11-20T10:30"), "d", "its twin", "WARNING"),
    (ns("2026-11-20T11:00"), "e", "on the border", "INFO"),
]


def configured(url: str) -> Config:
    return {
        "url": url,
        "token": SECRET,
        "index": ["logs-app-*"],
        "page_size": 2,
        "kibana_url": "https://kibana.example.com",
        "data_view": "it's",
    }


CASE = Case(
    group="log_sources",
    type="elasticsearch",
    script=answering(DOCS),
    configure=configured,
    searches=(r"/logs-app-\*/_search",),
    service="checkout",
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(
        ("first", at("2026-11-20T10:00"), "info", "checkout"),
        ("broken", at("2026-11-20T10:30"), "error", "checkout"),
        ("its twin", at("2026-11-20T10:30"), "warn", "checkout"),
    ),
    empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
    secret=SECRET,
    link="https://kibana.example.com/app/discover#/?_g=%28time%3A%28from%3A%272026-11-20T10%3A00%3A00%2B00%3A00%27%2Cto%3A"
    "%272026-11-20T11%3A00%3A00%2B00%3A00%27%29%29&_a=%28dataView%3A%27it%21%27s%27%2Cquery%3A%28language%3Akuery%2Cquery%3A"
    "%27service.name%20%3A%20%22checkout%22%27%29%29",
)
