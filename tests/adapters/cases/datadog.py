from __future__ import annotations

import json
from datetime import datetime

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "dd-s3cr3t"
SEARCHES = ("/api/v2/logs/events/search", "/api/v2/events/search")
WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T05:00"), until=at("2026-11-20T06:00"))


def log(number: int, moment: str, text: str, status: str = "info") -> dict[str, object]:
    attributes = {"timestamp": moment, "status": status, "service": "checkout", "message": text}
    return {"id": f"L{number}", "type": "log", "attributes": attributes}


def event(number: int, moment: str, title: str) -> dict[str, object]:
    inside = {
        "title": title,
        "service": "checkout",
        "status": "error",
        "evt": {"id": f"E{number}"},
        "monitor": {"id": 7, "name": title, "groups": ["service:checkout"]},
    }
    tags = ["env:prod", "version:1.2.3"]
    return {
        "id": f"E{number}",
        "type": "event",
        "attributes": {"timestamp": moment, "tags": tags, "message": "text", "attributes": inside},
    }


LOGS = [
    log(1, "2026-11-20T10:00:00.000Z", "first"),
    log(2, "2026-11-20T10:30:00.000Z", "broken", "critical"),
    log(3, "2026-11-20T10:30:00.000Z", "its twin", "ok"),
    log(4, "2026-11-20T11:00:00.000Z", "on the border"),
]
EVENTS = [
    event(1, "2026-11-20T10:05:00.000Z", "Errors are high"),
    event(2, "2026-11-20T10:25:00.000Z", "Latency is high"),
    event(3, "2026-11-20T11:00:00.000Z", "On the border"),
]


def searched(asked: Asked, found: list[dict[str, object]], size: int) -> Reply:
    """Pages by cursor, both ends of the range inclusive: the adapter must filter again."""
    body = json.loads(asked.body)
    begin, end = (datetime.fromisoformat(body["filter"][name]) for name in ("from", "to"))

    def moment(one) -> datetime:
        return datetime.fromisoformat(one["attributes"]["timestamp"])

    wanted = [one for one in found if begin <= moment(one) <= end]
    wanted.sort(key=moment, reverse=body["sort"].startswith("-"))
    start = int(body["page"].get("cursor", "0"))
    page = {"page": {"after": str(start + size)}} if start + size < len(wanted) else {}
    return Reply(json.dumps({"data": wanted[start : start + size], "meta": page}))


def metric(asked: Asked) -> Reply:
    begin, end = int(asked.query["from"][0]), int(asked.query["to"][0])
    samples = [("10:00", 2.0), ("10:01", None), ("10:02", 9.0), ("11:00", 9.0)]
    timed = [(at(f"2026-11-20T{t}").timestamp(), value) for t, value in samples]
    points = [[t * 1000, value] for t, value in timed if begin <= t <= end]
    series = [
        {"metric": "trace.errors", "tag_set": ["env:prod"], "pointlist": points, "unit": [None]}
    ]
    return Reply(json.dumps({"status": "ok", "series": series if points else []}))


def api(asked: Asked) -> Reply:
    match asked.path:
        case "/api/v2/logs/events/search":
            return searched(asked, LOGS, 2)
        case "/api/v2/events/search":
            return searched(asked, EVENTS, 1)
        case "/api/v1/query":
            return metric(asked)
        case _:
            return Reply('{"valid": true}')


def configured(url: str) -> Config:
    queries = {"error_rate": "sum:trace.errors{service:$service}.as_rate()"}
    return {
        "url": url,
        "site": "datadoghq.eu",
        "api_key": SECRET,
        "app_key": SECRET,
        "queries": queries,
    }


def _case(group: str, expect: tuple[tuple[object, ...], ...], link: str) -> Case:
    return Case(
        group=group,
        type="datadog",
        script=api,
        configure=configured,
        searches=SEARCHES,
        service="checkout",
        window=WINDOW,
        expect=expect,
        empty=EMPTY,
        secret=SECRET,
        link=link,
    )


CASES = (
    _case(
        "log_sources",
        (
            ("first", at("2026-11-20T10:00"), "info", "checkout"),
            ("broken", at("2026-11-20T10:30"), "fatal", "checkout"),
            ("its twin", at("2026-11-20T10:30"), "info", "checkout"),
        ),
        "https://app.datadoghq.eu/logs?query=service%3A%22checkout%22&from_ts=1795168800000&to_ts=1795172400000&live=false",
    ),
    _case(
        "metric_sources",
        (
            ("error_rate", "checkout", at("2026-11-20T10:00"), 2.0),
            ("error_rate", "checkout", at("2026-11-20T10:02"), 9.0),
        ),
        "https://app.datadoghq.eu/metric/explorer?exp_query=sum%3Atrace.errors%7Bservice%3Acheckout%7D.as_rate%28%29"
        "&start=1795168800&end=1795172400&live=false",
    ),
    _case(
        "alert_sources",
        (
            ("Errors are high", "checkout", at("2026-11-20T10:05")),
            ("Latency is high", "checkout", at("2026-11-20T10:25")),
        ),
        "https://app.datadoghq.eu/monitors/7",
    ),
    _case(
        "deploy_sources",
        (
            ("Latency is high", "checkout", "1.2.3", at("2026-11-20T10:25")),
            ("Errors are high", "checkout", "1.2.3", at("2026-11-20T10:05")),
        ),
        "https://app.datadoghq.eu/event/event?id=E1",
    ),
)
