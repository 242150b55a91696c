"""The words people use for time, in one place: Slack, the command line and the web read them alike.

Pure: the clock and the zone are passed in. Everything that comes out is aware and in UTC. Everything that
makes no sense is a `UserError` that says what to type instead.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.errors import UserError

LONGEST = timedelta(days=366)
"""No question reaches further back: sources rarely keep more, and a typo must not ask for a century."""

EXAMPLES = "`30m`, `2h`, `1d`, `14:00` or `2026-11-21T14:00+01:00`"

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_UNIT_NAMES = {"sec": "s", "secs": "s", "min": "m", "mins": "m", "hr": "h", "hrs": "h"}
_DURATION = re.compile(r"(?:\d{1,6}(?:secs?|mins?|hrs?|[smhdw]))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d{1,6})([a-z]+)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?))?\s?([Zz]|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_SHOWN = 40


def parse_duration(text: str) -> timedelta:
    """Read `45s`, `30m`, `2h`, `1d`, `2w` or a chain such as `1h30m`; always more than zero.

    Raises:
        UserError: it is none of these, is zero, or is longer than `LONGEST`.
    """
    word = text.strip().lower()
    if not _DURATION.fullmatch(word):
        raise UserError(f"I cannot read {_quoted(text)} as a duration. Try `30m`, `2h` or `1d`.")
    total = timedelta()
    for number, unit in _DURATION_PART.findall(word):
        total += int(number) * _UNITS[_UNIT_NAMES.get(unit, unit)]
    if not total:
        raise UserError("A duration must be longer than zero. Try `30m`, `2h` or `1d`.")
    if total > LONGEST:
        raise UserError(f"{_quoted(text)} is more than {LONGEST.days} days. Try a shorter one.")
    return total


def parse_moment(text: str, *, tz: tzinfo, now: datetime) -> datetime:
    """Read a moment: a duration (so long ago), a clock time, an ISO date or date and time, or `now`.

    A clock time is the latest one that has passed: today's, or yesterday's when today's lies ahead. A time
    without a zone is in `tz`.

    Args:
        tz: the zone of the person who asks.
        now: aware.

    Returns:
        An aware datetime in UTC, never after `now` and at most `LONGEST` before it unless a full date
        says so.

    Raises:
        UserError: it cannot be read, does not exist, or lies in the future.
    """
    word = text.strip()
    moment = _read(word, tz, now)
    if moment > now:
        raise UserError(f"{_quoted(text)} lies in the future. Try {EXAMPLES}.")
    return moment


def is_zone_free(text: str) -> bool:
    """Whether the moment means the same in every zone, so that nobody's zone needs to be known."""
    word = text.strip()
    iso = _ISO.fullmatch(word)
    if iso:
        return iso[3] is not None
    return not _CLOCK.fullmatch(word)


def parse_zone(name: str) -> tzinfo:
    """Find a zone by its IANA name (`Europe/Amsterdam`) or `UTC`.

    Raises:
        UserError: there is no such zone.
    """
    if name.strip().upper() in {"UTC", "Z", "GMT"}:
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):  # unknown, malformed ("../x"), or the name of a folder
        raise UserError(
            f"I know no time zone {_quoted(name)}. Use a name such as `Europe/Amsterdam` or `UTC`."
        ) from None


def check_order(since: datetime | None, until: datetime | None) -> None:
    """Refuse a window that ends before it begins; an open end is fine.

    Raises:
        UserError: both are given and `since` is not before `until`.
    """
    if since is not None and until is not None and since >= until:
        raise UserError(
            f"`since` ({_iso(since)}) must be before `until` ({_iso(until)}). "
            "Try `since:2h until:30m`, or leave `until` out for now."
        )


def _read(word: str, tz: tzinfo, now: datetime) -> datetime:
    if word.lower() == "now":
        return now.astimezone(UTC)
    if _DURATION.fullmatch(word.lower()):
        return now.astimezone(UTC) - parse_duration(word)
    clock = _CLOCK.fullmatch(word)
    if clock:
        return _clock(clock, word, tz, now)
    iso = _ISO.fullmatch(word)
    if iso:
        return _iso_moment(iso, word, tz)
    raise UserError(f"I cannot read {_quoted(word)} as a time. Try {EXAMPLES}.")


def _clock(match: re.Match[str], word: str, tz: tzinfo, now: datetime) -> datetime:
    try:
        at = time(int(match[1]), int(match[2]), int(match[3] or 0))
    except ValueError:
        raise UserError(f"{_quoted(word)} is not a time of day. Try `14:00`.") from None
    today = now.astimezone(tz).date()
    moment = datetime.combine(today, at, tz).astimezone(UTC)
    if moment > now:
        moment = datetime.combine(today - timedelta(days=1), at, tz).astimezone(UTC)
    return moment


def _iso_moment(match: re.Match[str], word: str, tz: tzinfo) -> datetime:
    day, clock, zone = match[1], match[2], match[3]
    try:
        # A fraction finer than a microsecond is cut; `fromisoformat` of 3.11 would refuse it.
        fraction = re.sub(r"[.,](\d{1,6})\d*", r".\1", clock or "00:00")
        moment = datetime.fromisoformat(f"{day}T{fraction}{(zone or '').upper()}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=tz)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(f"{_quoted(word)} is not a date that exists. Try {EXAMPLES}.") from None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _quoted(text: str) -> str:
    """Show what was typed: short, on one line, and unable to end its own code span."""
    word = " ".join(text.split()).replace("`", "'")
    return f"`{word[:_SHOWN]}{'…' if len(word) > _SHOWN else ''}`" if word else "nothing"
