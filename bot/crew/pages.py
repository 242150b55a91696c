"""How a tool's answer looks: short numbered lines up to a bound, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.report.words import plain

MOST_CHARS = 15_000
LONGEST_LINE = 600


def page(title: str, lines: Sequence[str], *, skip: int = 0, numbered: bool = False) -> str:
    """As many lines as fit, after a title; the rest is counted and can be asked for with `skip`.

    Args:
        numbered: put the line's place before it.
    """
    shown: list[str] = [title] if title else []
    left = MOST_CHARS - len(title)
    told = skip
    for number, line in enumerate(lines[skip:], start=skip + 1):
        text = cut(f"{number}. {line}" if numbered else line)
        left -= len(text) + 1
        if left < 0:
            break
        shown.append(text)
        told = number
    if told < len(lines):
        shown.append(f"... {len(lines) - told} more; ask again with skip={told}")
    return "\n".join(shown)


def cut(line: str) -> str:
    """One line, without control characters, cut where it is too long."""
    text = plain(line).replace("\n", " ")
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def split(texts: Iterable[str]) -> list[str]:
    """All lines of some texts."""
    return [line for text in texts for line in text.splitlines()]


def at(moment: datetime | None) -> str:
    """A moment as agents see it: UTC to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "no time"
