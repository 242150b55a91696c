"""Recognises the subcommands of `/investigate`. Whatever is not exactly one of them is a question.

status | list | help | watch | unwatch | stop [#3] | delete #3 | debug [#3]
settings [watch:on] [shared:off] [per-hour:10] | mute [service:x] for:2h | unmute [service:x]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from bot.errors import UserError

PLAIN = frozenset({"help", "status", "list", "watch", "unwatch"})
NUMBERED = frozenset({"stop", "delete", "debug"})
OPTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "settings": frozenset({"watch", "shared", "per-hour"}),
        "mute": frozenset({"service", "for"}),
        "unmute": frozenset({"service"}),
    }
)
LONGEST_MUTE = timedelta(days=14)

_NUMBERED = re.compile(r"([a-z]+)(?:\s+#?(\d{1,9}))?", re.IGNORECASE | re.ASCII)
_OPTION = re.compile(r"([a-z-]{2,12}):(\S{1,200})", re.IGNORECASE | re.ASCII)
_SPAN = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE | re.ASCII)
_UNITS = {"m": 60, "min": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One subcommand, the number of the investigation where one was given, and its options."""

    name: str
    number: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def subcommand(text: str) -> Subcommand | None:
    """Recognise a subcommand; "help me find out why ..." is a question and gives None.

    Raises:
        UserError: it is one with an option that it does not have.
    """
    words = text.strip()[:1_000]
    match = _NUMBERED.fullmatch(words)
    if match is not None:
        name = match[1].lower()
        number = int(match[2]) if match[2] else None
        if name in NUMBERED or (number is None and (name in PLAIN or name in OPTIONS)):
            return Subcommand(name, number)
    first, _, rest = words.partition(" ")
    known = OPTIONS.get(first.lower())
    if known is None:
        return None
    found = [_OPTION.fullmatch(word) for word in rest.split()]
    if not all(found):
        return None
    options = {one[1].lower(): one[2] for one in found if one is not None}
    for key in options:
        if key not in known:
            there = ", ".join(f"`{one}:`" for one in sorted(known))
            raise UserError(f"`{first}` has no option `{key}:`. It has {there}.")
    return Subcommand(first.lower(), options=options)


def span(text: str) -> timedelta:
    """How long, such as `30m`, `2h` or `1d`.

    Raises:
        UserError: it is none, or longer than two weeks.
    """
    match = _SPAN.fullmatch(text.strip())
    length = timedelta(seconds=int(match[1]) * _UNITS[match[2].lower()]) if match else timedelta()
    if not timedelta() < length <= LONGEST_MUTE:
        raise UserError("Say how long as `30m`, `2h` or `3d`, at most `14d`.")
    return length


def switch(key: str, text: str) -> bool:
    """`on` or `off`.

    Raises:
        UserError: it is neither.
    """
    lowered = text.lower()
    if lowered not in {"on", "off"}:
        raise UserError(f"`{key}:` is `on` or `off`.")
    return lowered == "on"


def count(key: str, text: str, most: int = 1_000) -> int:
    """A whole number from 0.

    Raises:
        UserError: it is none, or too large.
    """
    if not text.isascii() or not text.isdigit() or int(text[:9]) > most:
        raise UserError(f"`{key}:` is a number from 0 to {most:,}.")
    return int(text)
