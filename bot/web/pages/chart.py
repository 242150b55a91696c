"""The incident over time as inline SVG: errors per service, the onset, the suspects. The script adds reading values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.analysis.findings import Series
from bot.redact import redact
from bot.report import Report

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 260, 46, 28, 30
BARS = 120
SERVICES = 6


@dataclass(frozen=True)
class Curve:
    """One service: its line, and its values for the script (`time=value`, parted by spaces)."""

    name: str
    points: str
    values: str
    place: int


@dataclass(frozen=True)
class Mark:
    x: float
    label: str
    kind: str
    y: float


@dataclass(frozen=True)
class Chart:
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]
    what: str
    summary: str


def chart(report: Report) -> Chart | None:
    """None where no line had a time."""
    erring = [one for one in report.series if any(one.errors)]
    what = "errors" if erring else "events"
    chosen = (erring or list(report.series))[:SERVICES]
    if not chosen:
        return None
    begin = min(one.start for one in chosen)
    end = max(one.start + timedelta(seconds=one.bucket_s * len(one.total)) for one in chosen)
    rates = [_rates(one, one.errors if erring else one.total) for one in chosen]
    top = max((rate for line in rates for _, rate in line), default=0.0) or 1.0

    def x(at: datetime) -> float:
        share = (at - begin) / (end - begin) if end > begin else 0.0
        return round(LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - 24), 1)

    def y(rate: float) -> float:
        return round(HEIGHT - BOTTOM - rate / top * (HEIGHT - BOTTOM - TOP), 1)

    curves = tuple(
        Curve(
            name=redact(one.service)[:60] or "log",
            points=" ".join(f"{x(at)},{y(rate)}" for at, rate in line),
            values=" ".join(f"{at:%H:%M}={rate:g}" for at, rate in line),
            place=place,
        )
        for place, (one, line) in enumerate(zip(chosen, rates, strict=True))
    )
    ticks = tuple(
        (x(begin + (end - begin) * part / 6), f"{begin + (end - begin) * part / 6:%H:%M}")
        for part in range(7)
    )
    levels = tuple((y(top * part / 4), f"{top * part / 4:.3g}") for part in range(5))
    named = ", ".join(curve.name for curve in curves)
    began = f"; it began at {report.onset.at:%H:%M:%S} UTC" if report.onset else ""
    summary = f"{what.capitalize()} per minute of {named}, at most {top:.3g}{began}."
    marks = tuple(
        Mark(x(at), label, kind, 12 + 13 * (place % 2))
        for place, (at, label, kind) in enumerate(_marks(report, begin))
    )
    return Chart(curves, marks, ticks, levels, what, summary)


def _rates(series: Series, counts: tuple[int, ...]) -> list[tuple[datetime, float]]:
    together = max(1, -(-len(counts) // BARS))
    found = []
    for place in range(0, len(counts), together):
        part = counts[place : place + together]
        at = series.start + timedelta(seconds=series.bucket_s * place)
        found.append((at, round(sum(part) * 60 / (len(part) * series.bucket_s), 3)))
    return found


def _marks(report: Report, begin: datetime) -> Iterator[tuple[datetime, str, str]]:
    if report.onset is not None:
        yield report.onset.at, "onset", "onset"
    for suspect in report.suspects[:3]:
        at = suspect.deployed_at or suspect.committed_at
        early = " (earlier)" if at < begin else ""
        yield at, f"{suspect.id} {suspect.probability:.0%}{early}", "suspect"
