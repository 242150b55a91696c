from __future__ import annotations

import json

from adapters.kit.entries import micros
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "loki-s3cr3t"


def ns(text: str, more: int = 0) -> int:
    return micros(at(text)) * 1000 + more


Entry = tuple[int, dict[str, str], str]
CHECKOUT = {"service_name": "checkout", "detected_level": "info", "pod": "checkout-1"}
FAILING = {"service_name": "checkout", "detected_level": "error", "pod": "checkout-2"}
ENTRIES: list[Entry] = [
    (ns("2026-11-20T09:59:59", 999_999_999), CHECKOUT, "before the window"),
    (ns("2026-11-20T10:00"), CHECKOUT, "first"),
    (ns("2026-11-20T10:30"), FAILING, "broken\n  at Pay.charge(Pay.java:12)"),
    (ns("2026-11-20T10:59:59", 999_999_999), CHECKOUT, "last"),
    (ns("2026-11-20T11:00"), CHECKOUT, "on the border"),
]


def answering(entries: list[Entry]):
    """A Loki with these entries: `start` inclusive, `end` exclusive, `limit` over all streams together."""

    def script(asked: Asked) -> Reply:
        start, end, limit = (int(asked.query[name][0]) for name in ("start", "end", "limit"))
        assert asked.query["direction"] == ["forward"]
        wanted = sorted((one for one in entries if start <= one[0] < end), key=lambda one: one[0])
        streams: dict[str, list[Entry]] = {}
        for one in wanted[:limit]:
            streams.setdefault(json.dumps(one[1], sort_keys=True), []).append(one)
        result = [
            {"stream": json.loads(labels), "values": [[str(t), text] for t, _, text in some]}
            for labels, some in streams.items()
        ]
        return Reply(
            json.dumps({"status": "success", "data": {"resultType": "streams", "result": result}})
        )

    return script


def configured(url: str) -> Config:
    return {
        "url": url,
        "token": SECRET,
        "page_size": 2,
        "grafana_url": "https://grafana.example.com",
        "grafana_datasource": "abc",
    }


CASE = Case(
    group="log_sources",
    type="loki",
    script=answering(ENTRIES),
    configure=configured,
    service="checkout",
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(
        ("first", at("2026-11-20T10:00"), "info", "checkout"),
        ("broken\n  at Pay.charge(Pay.java:12)", at("2026-11-20T10:30"), "error", "checkout"),
        ("last", at("2026-11-20T10:59:59").replace(microsecond=999_999), "info", "checkout"),
    ),
    empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
    secret=SECRET,
)
