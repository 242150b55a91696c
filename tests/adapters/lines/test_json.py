"""JSON records of the loggers and collectors in use: what becomes of one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.adapters.lines.reading import events_of

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
MS = AT + timedelta(milliseconds=123)
US = AT + timedelta(microseconds=123456)

JSON: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "zerolog": ({"level": "error", "time": 1795230245, "message": "boom", "service": "pay"}, {"time": AT, "level": "error", "service": "pay", "text": "boom"}),
    "zap": ({"level": "error", "ts": 1795230245.123, "msg": "boom", "error": "timeout"}, {"time": MS, "text": "boom: timeout"}),
    "pino": (
        {"level": 50, "time": 1795230245123, "pid": 1, "hostname": "web1", "name": "pay", "msg": "boom", "err": {"message": "timeout", "stack": "Error: timeout\n    at x (a.js:1:2)"}},
        {"time": MS, "level": "error", "host": "web1", "service": "pay", "text": "boom\nError: timeout\n    at x (a.js:1:2)"},
    ),
    "winston": ({"level": "warn", "message": "slow", "timestamp": "2026-11-21T03:04:05.123Z"}, {"time": MS, "level": "warn", "text": "slow"}),
    "structlog": ({"event": "charge failed", "level": "error", "timestamp": "2026-11-21T03:04:05.123456Z", "order": 3}, {"time": US, "text": "charge failed", "level": "error"}),
    "ecs nested": (
        {"@timestamp": "2026-11-21T03:04:05.123Z", "log": {"level": "ERROR"}, "message": "boom", "service": {"name": "pay"}, "trace": {"id": "5f1ab3c2d4e5f607"}, "host": {"name": "web1"}, "http": {"response": {"status_code": 502}}, "error": {"stack_trace": "java.lang.X: y\n\tat a.B.c(B.java:1)"}},
        {"time": MS, "level": "error", "service": "pay", "host": "web1", "trace": "5f1ab3c2d4e5f607", "status": 502, "text": "boom\njava.lang.X: y\n\tat a.B.c(B.java:1)"},
    ),
    "ecs dotted": (
        {"@timestamp": "2026-11-21T03:04:05.123Z", "log.level": "ERROR", "message": "boom", "service.name": "pay", "trace.id": "5f1ab3c2"},
        {"time": MS, "level": "error", "service": "pay", "trace": "5f1ab3c2"},
    ),
    "logback encoder": (
        {"@timestamp": "2026-11-21T04:04:05.123+01:00", "@version": "1", "message": "boom", "logger_name": "com.shop.Pay", "level": "ERROR", "stack_trace": "x.Y: z\n\tat q.r(S.java:1)"},
        {"time": MS, "level": "error", "text": "boom\nx.Y: z\n\tat q.r(S.java:1)"},
    ),
    "log4j 2": ({"instant": {"epochSecond": 1795230245, "nanoOfSecond": 1}, "level": "FATAL", "message": "boom"}, {"time": AT, "level": "fatal"}),
    "serilog compact": ({"@t": "2026-11-21T03:04:05.1230000Z", "@mt": "Charge {Id} failed", "@l": "Error", "@x": "System.X: y\n   at A.B()"}, {"time": MS, "level": "error", "text": "Charge {Id} failed: System.X: y\n   at A.B()"}),
    "a request in fields": (
        {"time": 1795230245, "level": "info", "msg": "request", "method": "POST", "path": "/api/cart?x=1", "status": 503},
        {"time": AT, "status": 503, "text": "request POST /api/cart status=503"},
    ),
    "a request that the message tells": (
        {"time": 1795230245, "level": "info", "msg": "POST /api/cart took 3 ms", "method": "POST", "url": "/api/cart", "status": 200},
        {"time": AT, "text": "POST /api/cart took 3 ms"},
    ),
    "mongodb": ({"t": {"$date": "2026-11-21T03:04:05.123+00:00"}, "s": "E", "c": "NETWORK", "msg": "boom"}, {"time": MS, "level": "error", "text": "boom"}),
    "gelf": ({"version": "1.1", "host": "web1", "short_message": "boom", "timestamp": 1795230245.123, "level": 3}, {"time": MS, "level": "error", "host": "web1", "text": "boom"}),
    "journald": ({"MESSAGE": "boom", "__REALTIME_TIMESTAMP": "1795230245123456", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "pay", "_HOSTNAME": "web1"}, {"time": US, "level": "error", "service": "pay", "host": "web1", "text": "boom"}),
    "datadog": (
        {"id": "x", "attributes": {"timestamp": "2026-11-21T03:04:05.123Z", "status": "error", "service": "pay", "host": "web1", "message": "boom"}},
        {"time": MS, "level": "error", "service": "pay", "host": "web1", "text": "boom"},
    ),
    "datadog agent": ({"timestamp": 1795230245123, "status": "warn", "service": "pay", "hostname": "web1", "message": "slow", "dd": {"trace_id": "1234567890"}}, {"time": MS, "level": "warn", "trace": "1234567890"}),
    "google cloud": (
        {"insertId": "x", "severity": "ERROR", "timestamp": "2026-11-21T03:04:05.123456789Z", "textPayload": "boom", "trace": "projects/p/traces/5f1ab3c2", "resource": {"type": "k8s_container", "labels": {"container_name": "pay", "pod_name": "pay-1"}}},
        {"time": US, "level": "error", "service": "pay", "host": "pay-1", "trace": "5f1ab3c2", "text": "boom"},
    ),
    "google cloud, structured": (
        {"severity": "ERROR", "timestamp": "2026-11-21T03:04:05Z", "jsonPayload": {"message": "boom", "service": "pay"}, "httpRequest": {"status": 503}},
        {"time": AT, "level": "error", "status": 503, "service": "pay", "text": "boom"},
    ),
    "cloudwatch": ({"timestamp": 1795230245123, "message": "[ERROR] 2026-11-21T03:04:05.123Z boom", "ingestionTime": 1795230246000}, {"time": MS, "level": "error", "text": "boom"}),
    "cloudwatch around json": ({"timestamp": 1795230245123, "message": '{"level":"error","msg":"boom","service":"pay"}'}, {"time": MS, "level": "error", "service": "pay", "text": "boom"}),
    "docker": ({"log": "2026-11-21 04:04:05 ERROR boom\n", "stream": "stdout", "time": "2026-11-21T03:04:05.123456789Z"}, {"time": US, "level": "error", "text": "boom"}),
    "fluent bit": (
        {"date": 1795230245.123, "log": "boom", "stream": "stderr", "kubernetes": {"pod_name": "pay-1", "container_name": "app", "labels": {"app": "pay"}}},
        {"time": MS, "service": "pay", "host": "pay-1", "text": "boom"},
    ),
    "open telemetry": (
        {"Timestamp": "1795230245123456000", "SeverityText": "ERROR", "Body": "boom", "TraceId": "5f1ab3c2", "Resource": {"service.name": "pay"}},
        {"time": US, "level": "error", "service": "pay", "trace": "5f1ab3c2", "text": "boom"},
    ),
    "an access log": (
        {"time": "2026-11-21T03:04:05Z", "request": "GET /pay", "status": 503, "bytes": 12},
        {"time": AT, "status": 503, "level": "error", "text": "request=GET /pay status=503 bytes=12"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_a_json_line_is_read_by_the_names_of_its_fields(name: str) -> None:
    record, expected = JSON[name]
    (event,) = events_of(json.dumps(record) + "\n")
    assert {key: event[key] for key in expected} == expected


def test_all_kinds_of_json_may_stand_in_one_stream() -> None:
    records = [record for record, _ in JSON.values()] * 20
    events = events_of("\n".join(json.dumps(record) for record in records))
    assert len(events) == len(records)
    for event, (_, expected) in zip(events, list(JSON.values()) * 20, strict=True):
        assert event["text"] == expected.get("text", event["text"])
        assert event["time"] == expected["time"]


def test_lines_that_only_look_like_json_are_text() -> None:
    lines = [
        '{"level":"info","msg":"up"}',
        "{broken}",
        '{"level":"error","msg":"boom"}',
        '{"a": [}',
        "[1, 2]",
    ]
    events = events_of("\n".join(lines))
    assert [event["text"] for event in events] == ["up", "{broken}", "boom", '{"a": [}', "[1, 2]"]


@pytest.mark.parametrize("depth", [900, 5_000, 100_000])
def test_json_may_be_nested_without_end(depth: int) -> None:
    deep = '{"msg":"deep","a":' + "[" * depth + "]" * depth + "}"
    events = events_of((deep + '\n{"msg":"flat","a":{"b":1}}\n') * 3)
    assert [event["text"] for event in events][1::2] == ["flat"] * 3
