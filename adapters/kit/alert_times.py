"""When an alert began, as vendors write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from adapters.kit.slack_message import Message

_START_FIELDS = (
    "started", "started at", "startedat", "start", "start time", "starttime", "startsat", "starts at", "start at",
    "triggered at", "triggered", "fired at", "firing since", "since", "opened at", "opened", "opened on", "incident start",
    "event time", "problem started", "problem start", "state change time", "statechangetime", "down since", "violation started",
    "fired date time", "fireddatetime", "fired time", "active since", "activated at", "activated", "incident started", "first seen",
    "issue created", "created at", "created", "date/time", "date time", "problem time", "last triggered",
)  # fmt: skip
_NAIVE = (
    "%Y-%m-%d %H:%M:%S", "%Y.%m.%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%a %b %d %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y",
    "%A %d %B, %Y %H:%M:%S", "%b %d, %Y %H:%M:%S", "%b %d %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p", "%b %d, %Y, %I:%M %p", "%b %d, %Y %I:%M %p",
    "%b %d, %Y at %I:%M%p", "%b %d, %Y at %I:%M %p", "%d %b %Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S",
    "%A %d %B %Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%b %d, %Y at %H:%M:%S", "%b %d, %Y at %H:%M", "%b %d, %Y %H:%M", "%B %d, %Y %H:%M:%S",
    "%B %d, %Y %I:%M %p", "%B %d, %Y at %I:%M %p", "%d %B %Y %H:%M:%S",
)  # fmt: skip
_UTC_WORDS = re.compile(r"\s*\(?\b(?:UTC|GMT|Z)\)?(?=\s\d{4}$|[\s).]*$)|(?<=\d)Z$")


def moment(text: str, *, posted: datetime | None = None, local: bool = False) -> datetime | None:
    """A time that a vendor wrote, in UTC; None where it is none or its zone cannot be told.

    Args:
        text: ISO 8601, RFC 2822, epoch seconds or milliseconds, or one of the vendors' formats.
        posted: when the message was posted.
        local: the vendor writes the time of its own server without a zone, right when the event happens; the
            zone is then the number of half hours by which it differs from `posted`.
    """
    words = text.strip(" *`.()[]")[:80]
    if re.fullmatch(r"\d{10}(?:\.\d{1,9})?|\d{13}", words):
        return datetime.fromtimestamp(int(words[:10]), UTC)
    iso: datetime | None
    try:
        iso = datetime.fromisoformat(
            re.sub(r"(?<=\d)[ ](?=[+-]\d{2}:?\d{2}$)", "", words).replace(" UTC", "+00:00")
        )
    except ValueError:
        iso = _named_zone(words)
    if iso is None:
        return None
    if iso.tzinfo is not None:
        return _sane(iso)
    if local and posted is not None:
        return _shifted(iso.replace(tzinfo=UTC), posted)
    if iso.time() == datetime.min.time():
        return None  # a day is not a moment
    assumed = iso.replace(tzinfo=UTC)
    elsewhere = posted is not None and assumed > posted + timedelta(minutes=2)
    return None if elsewhere else assumed


def _named_zone(words: str) -> datetime | None:
    bare = _UTC_WORDS.sub("", words).strip()
    zoned = bare != words
    for shape in _NAIVE:
        try:
            found = datetime.strptime(bare, shape)  # noqa: DTZ007 - the zone is settled by the caller
        except ValueError:
            continue
        return found.replace(tzinfo=UTC) if zoned else found
    try:
        return parsedate_to_datetime(words) if "," in words else None
    except (ValueError, TypeError, IndexError):
        return None


def _sane(when: datetime) -> datetime | None:
    try:
        return when.astimezone(UTC) if 2000 < when.year < 2200 else None
    except OverflowError:
        return None


def _shifted(naive: datetime, posted: datetime) -> datetime | None:
    halves = round((posted - naive) / timedelta(minutes=30))
    shifted = naive + halves * timedelta(minutes=30)
    near = timedelta(minutes=-1) <= posted - shifted <= timedelta(minutes=5)
    return shifted if near and abs(halves) <= 28 else None


def started(message: Message, *, local: bool = False) -> datetime | None:
    """When the alert began, where a field of the message says so."""
    for name in _START_FIELDS:
        value = message.fields.get(name, "")
        found = moment(value, posted=message.at, local=local) if value else None
        if found is not None:
            return found
    return None
