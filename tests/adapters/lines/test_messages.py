"""Sources that hand over messages one by one, with fields of their own."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from adapters.kit.lines import Source, read_messages
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA
from tests.adapters.lines.reading import NOON

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


def read_rows(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    batch = read_messages(pl.DataFrame(rows), Source("api", Calendar(NOON), "stream", "fallback"))
    assert batch.frame.schema == pl.Schema(LOG_SCHEMA)
    return batch.frame.to_dicts()


def test_the_fields_of_the_system_win_over_those_of_the_message() -> None:
    (event,) = read_rows(
        [
            {
                "text": "2026-11-21 04:00:00,000 ERROR shop: boom",
                "time": AT,
                "service": "pay",
                "host": "pod-1",
                "trace": "5f1ab3c2",
                "origin": "pay-log",
                "level": "info",
            }
        ]
    )
    assert event == {
        "text": "shop: boom",
        "time": AT,
        "level": "error",
        "service": "pay",
        "host": "pod-1",
        "trace": "5f1ab3c2",
        "status": None,
        "origin": "pay-log",
        "line": None,
    }


def test_a_message_may_be_json_and_a_level_may_come_from_the_system() -> None:
    events = read_rows(
        [
            {"text": '{"msg":"boom","status_code":502}', "time": AT, "level": "error"},
            {"text": "plain", "time": AT, "level": "warn"},
        ]
    )
    assert [(e["text"], e["level"], e["status"]) for e in events] == [
        ("boom", "error", 502),
        ("plain", "warn", None),
    ]
    assert events[0]["service"] == "fallback"
    assert events[0]["origin"] == "stream"


def test_a_trace_that_came_as_many_messages_is_one_event() -> None:
    lines = [
        "started",
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "    g()",
        "ValueError: x",
        "next",
    ]
    events = read_rows([{"text": line, "time": AT, "service": "pay"} for line in lines])
    assert [e["text"] for e in events] == ["started", "\n".join(lines[1:5]), "next"]
    assert events[1]["level"] == "error"


def test_messages_of_several_services_stay_in_order() -> None:
    rows: list[dict[str, object]] = [
        {"text": f"n {n}", "time": AT, "service": "ab"[n % 2]} for n in range(6)
    ]
    assert [e["text"] for e in read_rows(rows)] == [f"n {n}" for n in range(6)]


def test_messages_may_be_missing() -> None:
    assert [
        e["text"] for e in read_rows([{"text": None, "time": AT}, {"text": "a", "time": AT}])
    ] == ["a"]


def test_no_messages_are_an_empty_batch() -> None:
    frame = pl.DataFrame(schema={"text": pl.String, "time": LOG_SCHEMA["time"]})
    assert len(read_messages(frame, Source("api", Calendar(NOON)))) == 0
