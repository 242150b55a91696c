"""Reads JSON of another party: what has the wrong shape is a `BAD_RESPONSE`, never a `TypeError` somewhere later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.kit.errors import AdapterError, Reason

Json = Mapping[str, Any]


def _wrong(system: str, what: str) -> AdapterError:
    return AdapterError(
        system,
        Reason.BAD_RESPONSE,
        f"answered without the {what} that its interface documents; is this the right URL?",
    )


def mapping(system: str, value: object, what: str) -> Json:
    """The value, which must be an object.

    Raises:
        AdapterError: BAD_RESPONSE.
    """
    if not isinstance(value, dict):
        raise _wrong(system, what)
    return value


def objects(system: str, value: object, what: str) -> list[Json]:
    """The value, which must be a list of objects.

    Raises:
        AdapterError: BAD_RESPONSE.
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _wrong(system, what)
    return value


def inner(value: object, *path: str) -> Json:
    """The object at a path of keys; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Json]:
    """The objects of a list; nothing where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def word(value: object, *path: str, limit: int = 20_000) -> str:
    """The text (or number) at a path of keys, cut; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:limit]


def words(value: object, limit: int = 60) -> dict[str, str]:
    """A flat object of texts, numbers included; anything else is left out."""
    pairs = value.items() if isinstance(value, dict) else ()
    flat = {str(key)[:200]: word(one, limit=2_000) for key, one in pairs}
    return dict(list({key: one for key, one in flat.items() if one}.items())[:limit])


def moment(value: object) -> datetime | None:
    """An ISO 8601 text as an aware time; None where it is none, and for Go's zero time."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC) if found.year > 1 else None


def epoch(seconds: object) -> datetime | None:
    """Seconds since 1970 as an aware time; None where they are none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
