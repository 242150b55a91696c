"""Log streams for tests, written as what is said how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from adapters.kit.records import LOG_SCHEMA, LogBatch, Window
from bot.analysis.engine import Case

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def at(clock: str, day: datetime = DAY) -> datetime:
    """A moment of the test day, or of another: `at("10:30:00")`."""
    hour, minute, second = map(int, clock.split(":"))
    return day + timedelta(hours=hour, minutes=minute, seconds=second)


@dataclass(frozen=True, slots=True)
class Said:
    """One message, said every so many seconds between two moments; `{n}` in it counts."""

    text: str
    since: datetime
    until: datetime
    every_s: float = 10.0
    times: int = 1
    service: str | None = None
    level: str | None = None
    trace: str | None = None

    def rows(self) -> list[dict[str, object]]:
        moments: list[datetime] = []
        moment = self.since
        while moment < self.until:
            moments.extend([moment] * self.times)
            moment += timedelta(seconds=self.every_s)
        return [
            {
                "text": self.text.replace("{n}", str(1000 + number * 7)),
                "time": moment,
                "level": self.level,
                "service": self.service,
                "trace": None if self.trace is None else f"{self.trace}-{number}",
                "origin": "app.log",
            }
            for number, moment in enumerate(moments)
        ]


def batches(said: Iterable[Said], size: int = 5_000) -> list[LogBatch]:
    """All that was said, in the order of time."""
    rows = [row for one in said for row in one.rows()]
    return in_batches(sorted(rows, key=lambda row: (row["time"], row["service"] or "")), size)


def in_batches(rows: Sequence[dict[str, object]], size: int = 5_000) -> list[LogBatch]:
    numbered = [{**row, "line": number} for number, row in enumerate(rows, 1)]
    frame = pl.DataFrame(
        [[row.get(name) for name in LOG_SCHEMA] for row in numbered],
        schema=dict(LOG_SCHEMA),
        orient="row",
    )
    return [LogBatch("test", frame[i : i + size]) for i in range(0, frame.height, size)]


def plain(lines: Sequence[str]) -> list[LogBatch]:
    """Lines without times."""
    return in_batches([{"text": line, "origin": "app.log"} for line in lines])


def case(
    logs: Iterable[LogBatch],
    baseline: Iterable[LogBatch] = (),
    *,
    window: Window | None = None,
    service: str = "",
    symptom: str = "something is wrong",
    alert: datetime | None = None,
) -> Case:
    window = window or Window(since=at("10:00:00"), until=at("11:00:00"))
    return Case(
        window=window,
        service=service,
        symptom=symptom,
        alert_started_at=alert,
        as_of=window.until,
        logs=logs,
        baseline=baseline,
    )
