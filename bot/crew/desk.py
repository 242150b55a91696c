"""What a narrator may use beside the findings: the sources for fresh questions, earlier investigations, a way to say how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.collect import Ask
from bot.sources import Sources

Status = Literal["in_progress", "complete", "error"]
Told = Callable[[str, Status, str], None]
"""Told `(who, status, what)` in people's words; called from the thread that called the narrator."""


@dataclass(frozen=True, slots=True)
class Past:
    """An investigation that was finished before: evidence `P1`, `P2` ... of a new one."""

    number: int
    at: datetime
    question: str
    service: str
    conclusion: str
    summary: str
    same_alert: bool = False

    @property
    def text(self) -> str:
        """What is seen of it, as claims are compared with it."""
        return "\n".join(
            (
                f"investigation #{self.number} at {self.at.isoformat()}",
                f"question: {self.question}",
                f"service: {self.service}",
                "the same alert" if self.same_alert else "",
                f"conclusion: {self.conclusion}",
                f"summary: {self.summary}",
            )
        )


def _nobody(_who: str, _status: Status, _what: str) -> None:
    """Nobody follows the progress."""


def _nothing() -> Sequence[Past]:
    return ()


@dataclass(frozen=True, slots=True)
class Desk:
    """One investigation's means.

    Attributes:
        cancelled: set when somebody pressed Stop.
        past: earlier investigations of the same service or alert, most alike first.
    """

    ask: Ask
    sources: Sources
    cancelled: threading.Event = field(default_factory=threading.Event)
    told: Told = _nobody
    past: Callable[[], Sequence[Past]] = _nothing
