"""`compare 13:00-13:30 14:00-14:30`: what happened more or less often in one span than in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import UserError
from bot.followup.case import Answer, Case
from bot.followup.times import SPAN, moment_near
from bot.followup.views import shown
from bot.report.words import one_line

_USAGE = "Name two spans, for example: compare 13:00-13:30 14:00-14:30."


@dataclass(frozen=True, slots=True)
class _Span:
    since: datetime
    until: datetime

    def share(self, start: datetime, length: timedelta) -> float:
        """How much of a bucket lies in the span."""
        overlap = min(self.until, start + length) - max(self.since, start)
        return max(0.0, overlap / length)


def compare(case: Case) -> Answer:
    """Counts per pattern and service in two spans, from the numbers behind the picture; no log is read again.

    Raises:
        UserError: there are not two spans, or they lie outside of what was looked at.
    """
    spans = [_span(case, *match) for match in SPAN.findall(case.question)][:2]
    if len(spans) < 2:
        raise UserError(_USAGE)
    window = case.report.window
    if any(s.until <= window.since or s.since >= window.until for s in spans):
        raise UserError(
            f"I have counts from {shown(case, window.since)} to {shown(case, window.until)} only. "
            f"For another time, say: rerun since {spans[0].since.astimezone(case.tz):%H:%M}."
        )
    if not case.report.series:
        raise UserError("The log lines carry no times, so there are no counts to compare.")
    first, second = spans
    rows = list(_rows(case, first, second))
    names = [f"{shown(case, s.since)} to {shown(case, s.until)}" for s in spans]
    width = max(len(name) for name, _, _ in rows)
    listing = [f"{'':<{width}}  {'first':>9}  {'second':>9}"]
    listing += [f"{name:<{width}}  {a:>9,.0f}  {b:>9,.0f}" for name, a, b in rows]
    cites = [p.id for p in case.report.patterns if p.counts]
    note = (
        ""
        if _same_length(first, second)
        else "The spans differ in length; compare rates, not counts."
    )
    return case.say(f"First: {names[0]}. Second: {names[1]}.", note, cites=cites, listing=listing)


def _span(case: Case, since: str, until: str) -> _Span:
    begin = moment_near(since, case.report.window, case.tz)
    end = moment_near(until, case.report.window, case.tz)
    if end <= begin:
        raise UserError(f"{since}-{until} ends before it begins. {_USAGE}")
    return _Span(begin, end)


def _same_length(first: _Span, second: _Span) -> bool:
    return abs((first.until - first.since) - (second.until - second.since)) < timedelta(seconds=1)


def _rows(case: Case, first: _Span, second: _Span) -> list[tuple[str, float, float]]:
    report = case.report
    axis = report.series[0]
    width = timedelta(seconds=axis.bucket_s)

    def total(counts: Sequence[int], span: _Span) -> float:
        return sum(n * span.share(axis.start + width * i, width) for i, n in enumerate(counts) if n)

    rows: list[tuple[str, float, float]] = []
    for series in report.series:
        name = one_line(series.service, 30) or "logs"
        rows.append((f"{name}: events", total(series.total, first), total(series.total, second)))
        rows.append((f"{name}: errors", total(series.errors, first), total(series.errors, second)))
    for pattern in report.patterns:
        if pattern.counts:
            name = f"{pattern.id} {one_line(pattern.template, 60)}"
            rows.append((name, total(pattern.counts, first), total(pattern.counts, second)))
    return rows
