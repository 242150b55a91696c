from __future__ import annotations

import json

from adapters.kit.entries import micros
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "glsa-s3cr3t"


def ms(text: str) -> int:
    return micros(at(text)) // 1000


def annotation(number: int, moment: str, text: str, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "time": ms(moment),
        "timeEnd": ms(moment),
        "text": text,
        "tags": [],
        **more,
    }


ALERTS = [
    annotation(
        3, "2026-11-20T11:00", "On the border {service=checkout} - A=1", newState="Alerting"
    ),
    annotation(
        2,
        "2026-11-20T10:30",
        "Latency {alertname=Latency, service=checkout} - B=1",
        newState="Normal",
    ),
    annotation(
        1,
        "2026-11-20T10:10",
        "Errors {alertname=Errors, service=checkout, severity=critical} - A=1",
        newState="Alerting",
        dashboardUID="abc",
        panelId=4,
    ),
]
DEPLOYS = [
    annotation(7, "2026-11-20T11:00", "On the border", tags=["deploy", "service:checkout"]),
    annotation(
        6, "2026-11-20T10:20", "Deployed 2", tags=["deploy", "service:checkout", "version:2"]
    ),
    annotation(
        5, "2026-11-20T10:05", "<b>Deployed 1</b>", tags=["deploy", "service=checkout", "version=1"]
    ),
    annotation(4, "2026-11-20T10:05", "Another service", tags=["deploy", "service:cart"]),
]


def listed(asked: Asked, found: list[dict[str, object]]) -> Reply:
    begin, end, limit = (int(asked.query[name][0]) for name in ("from", "to", "limit"))
    wanted = [one for one in found if begin <= int(str(one["time"])) <= end]
    return Reply(json.dumps(sorted(wanted, key=lambda one: -int(str(one["time"])))[:limit]))


def queried(asked: Asked) -> Reply:
    body = json.loads(asked.body)
    samples = [("10:00", 1.0), ("10:01", None), ("10:02", 8.0), ("11:00", 9.0)]
    rows = [(ms(f"2026-11-20T{t}"), v) for t, v in samples]
    rows = [row for row in rows if int(body["from"]) <= row[0] <= int(body["to"])]
    fields = [
        {"name": "Time", "type": "time"},
        {"name": "Value", "type": "number", "labels": {"env": "prod"}},
    ]
    frame = {
        "schema": {"fields": fields},
        "data": {"values": [[t for t, _ in rows], [v for _, v in rows]]},
    }
    return Reply(json.dumps({"results": {"A": {"status": 200, "frames": [frame]}}}))


def api(asked: Asked) -> Reply:
    if asked.path == "/api/ds/query":
        return queried(asked)
    return listed(asked, ALERTS if asked.query["type"] == ["alert"] else DEPLOYS)


def configured(url: str) -> Config:
    query = {"datasource": "prom", "expr": 'rate(errors{$label="$service"}[5m])'}
    return {"url": url, "token": SECRET, "queries": {"error_rate": query}}


def _case(group: str, expect: tuple[tuple[object, ...], ...], link: str = "") -> Case:
    return Case(
        group=group,
        type="grafana",
        script=api,
        configure=configured,
        searches=("/api/ds/query",),
        service="checkout",
        window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
        expect=expect,
        empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
        secret=SECRET,
        link=link,
    )


CASES = (
    _case(
        "metric_sources",
        (
            ("error_rate", "checkout", at("2026-11-20T10:00"), 1.0),
            ("error_rate", "checkout", at("2026-11-20T10:02"), 8.0),
        ),
    ),
    _case(
        "alert_sources",
        (
            ("Errors", "checkout", at("2026-11-20T10:10")),
            ("Latency", "checkout", at("2026-11-20T10:30")),
        ),
        "{url}/d/abc?from=1795167600000&to=1795171200000&viewPanel=4",
    ),
    _case(
        "deploy_sources",
        (
            ("Deployed 2", "checkout", "2", at("2026-11-20T10:20")),
            ("Deployed 1", "checkout", "1", at("2026-11-20T10:05")),
        ),
        "{url}",
    ),
)
