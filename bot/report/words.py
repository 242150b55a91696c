"""How moments, numbers and foreign text are written for people, the same in every form of a report."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from bot.report.models import Conclusion

CONCLUSIONS: dict[Conclusion, str] = {
    "confirmed": "Confirmed",
    "likely": "Likely",
    "inconclusive": "Inconclusive",
    "not_an_incident": "Not an incident",
}

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|.)?")
# C0 and C1 but tab and newline; bidirectional overrides and isolates; zero-width and line separators.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def plain(text: str) -> str:
    """The text without what could move a cursor, colour a terminal or turn the reading order around."""
    return _INVISIBLE.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n"))).expandtabs(4)


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, cut with an ellipsis when it is longer than `limit`."""
    line = " ".join(plain(text[: limit * 8]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def quoted(text: str, limit: int = 160) -> str:
    """The text as a quotation inside a sentence; quotation marks of its own become single ones."""
    inner = re.sub('["`\u201c\u201d\u201e\u201f\u00ab\u00bb]', "'", one_line(text, limit))
    return f"“{inner}”"


def percent(share: float) -> str:
    """A share as a whole percentage; never 0 % or 100 % for what is only nearly so."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{share * 100:.0f} %"


def moment(at: datetime, tz: tzinfo = UTC, *, beside: datetime | None = None) -> str:
    """A moment to the second with its zone; the date is left out when `beside` is on the same day."""
    local = at.astimezone(tz)
    same_day = beside is not None and beside.astimezone(tz).date() == local.date()
    name = local.tzname() or "UTC"
    return f"{local:%H:%M:%S} {name}" if same_day else f"{local:%Y-%m-%d %H:%M:%S} {name}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 line`, `1,520 lines`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `2 h 5 min`, `45 s`."""
    seconds = max(0, round(length.total_seconds()))
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, name in units:
        if seconds >= size and len(parts) < 2:
            parts.append(f"{seconds // size} {name}")
            seconds %= size
    return " ".join(parts) or "0 s"


def short_sha(sha: str) -> str:
    """As much of a commit id as people copy."""
    return sha[:10]
