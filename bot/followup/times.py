"""Moments and spans as people write them in a thread: they mean the time around the report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.ask import parse_duration, parse_moment
from bot.errors import UserError
from bot.report import ReportWindow

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_MOMENT = r"(?:\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?)"
SPAN = re.compile(rf"({_MOMENT})\s*(?:-|–|—|to|until|\.\.)\s*({_MOMENT})", re.IGNORECASE | re.ASCII)
AT = re.compile(
    rf"{_MOMENT}|\d{{1,6}}\s?(?:s|m|h|d|min|mins|minutes|hours|hrs?)\b", re.IGNORECASE | re.ASCII
)
_LONG_UNITS = (
    ("minutes", "m"),
    ("mins", "m"),
    ("min", "m"),
    ("hours", "h"),
    ("hrs", "h"),
    ("hr", "h"),
)


def moment_near(text: str, window: ReportWindow, tz: tzinfo) -> datetime:
    """Read a moment: a clock time is the one nearest to the window, a duration counts back from its end.

    Raises:
        UserError: it cannot be read.
    """
    word = text.strip()
    clock = _CLOCK.fullmatch(word)
    if clock:
        return min(_candidates(clock, window, tz), key=lambda at: (_distance(at, window), at))
    for long, short in _LONG_UNITS:
        word = re.sub(rf"(?<=\d)\s?{long}$", short, word, flags=re.IGNORECASE)
    if word[-1:].isalpha() and word[:1].isdigit() and "T" not in word.upper():
        return window.until - parse_duration(word.replace(" ", ""))
    return parse_moment(word, tz=tz, now=window.until + timedelta(days=366))


def _candidates(clock: re.Match[str], window: ReportWindow, tz: tzinfo) -> Iterator[datetime]:
    try:
        at = time(int(clock[1]), int(clock[2]), int(clock[3] or 0))
    except ValueError:
        raise UserError(f"{clock[0]} is not a time of day. Try 14:00.") from None
    first = window.since.astimezone(tz).date() - timedelta(days=1)
    days = (window.until.astimezone(tz).date() - first).days + 1
    for shift in range(min(days, 400) + 1):
        yield datetime.combine(first + timedelta(days=shift), at, tz).astimezone(UTC)


def _distance(at: datetime, window: ReportWindow) -> timedelta:
    return max(window.since - at, at - window.until, timedelta())
