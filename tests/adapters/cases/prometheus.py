from __future__ import annotations

import json
from datetime import datetime
from urllib.parse import parse_qs

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "prom-s3cr3t"
SERIES = [
    (at("2026-11-20T10:00"), 0.5),
    (at("2026-11-20T10:01"), 4.0),
    (at("2026-11-20T11:00"), 9.0),
]
ALERTS = {
    "HighErrorRate": (at("2026-11-20T10:02"), [at("2026-11-20T10:05"), at("2026-11-20T10:06")]),
    "Later": (at("2026-11-20T10:40"), [at("2026-11-20T10:41"), at("2026-11-20T11:00")]),
}


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def api(asked: Asked) -> Reply:
    """Answers range queries as Prometheus does: both ends belong to the range."""
    form = parse_qs(asked.body.decode())
    start, end = _epoch(form["start"][0]), _epoch(form["end"][0])

    def values(samples: list[tuple[datetime, float]]) -> list[list[object]]:
        return [[t.timestamp(), str(v)] for t, v in samples if start <= t.timestamp() <= end]

    if "ALERTS" in form["query"][0]:
        result = [
            {
                "metric": {"alertname": name, "service": "checkout", "severity": "critical"},
                "values": values([(moment, began.timestamp()) for moment in seen]),
            }
            for name, (began, seen) in ALERTS.items()
        ]
    else:
        result = [{"metric": {"service": "checkout"}, "values": values(SERIES)}]
    result = [one for one in result if one["values"]]
    return Reply(
        json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})
    )


def configured(url: str) -> Config:
    queries = {"error_rate": 'sum by (service) (rate(errors_total{service="$service"}[5m]))'}
    return {"url": url, "token": SECRET, "queries": queries}


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T05:00"), until=at("2026-11-20T06:00"))
METRICS = Case(
    group="metric_sources",
    type="prometheus",
    script=api,
    configure=configured,
    searches=("/api/v1/query_range",),
    service="checkout",
    window=WINDOW,
    expect=(
        ("error_rate", "checkout", at("2026-11-20T10:00"), 0.5),
        ("error_rate", "checkout", at("2026-11-20T10:01"), 4.0),
    ),
    empty=EMPTY,
    secret=SECRET,
    link="{url}/graph?g0.expr=sum+by+%28service%29+%28rate%28errors_total%7Bservice%3D%22checkout%22%7D%5B5m%5D%29%29"
    "&g0.tab=0&g0.range_input=3600s&g0.end_input=2026-11-20+11%3A00%3A00",
)
FIRED = Case(
    group="alert_sources",
    type="prometheus",
    script=api,
    configure=configured,
    searches=("/api/v1/query_range",),
    service="checkout",
    window=WINDOW,
    expect=(
        ("HighErrorRate", "checkout", at("2026-11-20T10:02")),
        ("Later", "checkout", at("2026-11-20T10:40")),
    ),
    empty=EMPTY,
    secret=SECRET,
)
CASES = (METRICS, FIRED)
