"""A small incident and a crew to put on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.analysis.findings import Findings
from bot.collect import Ask
from bot.crew.desk import Desk, Past, Status
from bot.crew.models import Limits, Model, Models, Price
from bot.crew.narrator import CrewNarrator, Means
from bot.report import Narrative, Records
from bot.sources import Sources
from tests.report.cases import findings, seen

FINDINGS = findings()
RECORDS = seen()


@dataclass
class Told:
    """What the crew said about its progress."""

    lines: list[tuple[str, Status, str]] = field(default_factory=list)

    def __call__(self, who: str, status: Status, what: str) -> None:
        self.lines.append((who, status, what))

    def of(self, who: str) -> list[str]:
        return [what for name, _, what in self.lines if name == who]


def ask(found: Findings = FINDINGS, question: str = "why does checkout return 500?") -> Ask:
    return Ask(question, found.window, as_of=found.window.until, service=found.service)


def desk(
    told: Told | None = None,
    *,
    sources: Sources | None = None,
    cancelled: threading.Event | None = None,
    past: Callable[[], Sequence[Past]] = lambda: (),
) -> Desk:
    return Desk(
        ask=ask(),
        sources=sources or Sources(),
        cancelled=cancelled or threading.Event(),
        told=told or Told(),
        past=past,
    )


def means(url: str, folder: Path, *, stream: bool = True, **limits: float) -> Means:
    model = Model("openai/scripted", base_url=url, api_key="sk-the-key-of-the-model", stream=stream)
    given = Limits(**{"call_seconds": 5.0, **limits})  # type: ignore[arg-type]
    return Means(Models(model, model, given), folder)


def narrate(
    used: Means,
    at: Desk,
    *,
    seconds: float = 20.0,
    found: Findings = FINDINGS,
    records: Records = RECORDS,
) -> Narrative:
    return CrewNarrator(used).narrate(at.ask.question, found, records, seconds=seconds, desk=at)


def priced(used: Means, price: Price) -> Means:
    """The same models with a price."""
    model = replace(used.models.specialist, price=price)
    return replace(used, models=replace(used.models, specialist=model, commander=model))
