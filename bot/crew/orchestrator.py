"""Lets agents work side by side in threads, and never waits for one of them beyond the deadline or a Stop.

One agent's failure costs its own part only. A thread that is given up dies at its next gate (`bot.crew.framework.scope`);
it is a daemon, so that a call in flight does not keep the process alive. Progress is told by the calling thread: agents
only put it into a queue.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from bot.crew.budget import Budget
from bot.crew.desk import Status, Told
from bot.crew.failures import ModelError

log = structlog.get_logger()

Answer = TypeVar("Answer")
LOOK_S = 0.05
"""How often the waiting thread looks at Stop and the clock."""

Tell = Callable[[str], None]
Job = Callable[[Tell], Answer]
"""An agent's work; it is given a way to say what it does."""


@dataclass(slots=True)
class Outcome(Generic[Answer]):
    """What came of the agents: answers, and in words for people why others gave none."""

    answers: dict[str, Answer] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Line:
    who: str
    status: Status
    what: str


@dataclass(slots=True)
class _Slot(Generic[Answer]):
    """Where a thread puts its answer."""

    answer: Answer | None = None
    failure: str = ""
    done: threading.Event = field(default_factory=threading.Event)


def together(
    jobs: Mapping[str, Job[Answer]], budget: Budget, told: Told, *, until: float
) -> Outcome[Answer]:
    """Run the agents at once; returns when all have answered, at `until`, or at a Stop.

    Args:
        until: monotonic seconds.
    """
    lines: queue.SimpleQueue[_Line] = queue.SimpleQueue()
    slots = {who: _start(who, job, lines) for who, job in jobs.items()}
    pending, outcome = dict(slots), Outcome[Answer]()
    while pending and not budget.stop.is_set():
        left = until - time.monotonic()
        if left <= 0:
            break
        next(iter(pending.values())).done.wait(min(left, LOOK_S))
        for who in [who for who, slot in pending.items() if slot.done.is_set()]:
            _settle(who, pending.pop(who), outcome, lines)
        _drain(lines, told, budget)
    for who in pending:
        outcome.failures[who] = "stopped" if budget.stop.is_set() else "out of time"
        lines.put(_Line(who, "error", f"gave no answer: {outcome.failures[who]}"))
    _drain(lines, told, budget)
    return outcome


def _start(who: str, job: Job[Answer], lines: queue.SimpleQueue[_Line]) -> _Slot[Answer]:
    slot: _Slot[Answer] = _Slot()

    def tell(what: str) -> None:
        lines.put(_Line(who, "in_progress", what))

    def work() -> None:
        try:
            slot.answer = job(tell)
        except BaseException as error:  # noqa: BLE001 - a named edge: one agent's failure is its own
            slot.failure = _words(error)
            log.info("agent_failed", role=who, reason=slot.failure, error=type(error).__name__)
        slot.done.set()

    lines.put(_Line(who, "in_progress", "begins"))
    context = contextvars.copy_context()
    threading.Thread(
        target=context.run, args=(work,), name=f"crew-{who.replace(' ', '-').lower()}", daemon=True
    ).start()
    return slot


def _settle(
    who: str, slot: _Slot[Answer], outcome: Outcome[Answer], lines: queue.SimpleQueue[_Line]
) -> None:
    if slot.answer is None:
        outcome.failures[who] = slot.failure or "its answer was empty"
        lines.put(_Line(who, "error", f"gave no answer: {outcome.failures[who]}"))
        return
    outcome.answers[who] = slot.answer
    lines.put(_Line(who, "complete", "is done"))


def _drain(lines: queue.SimpleQueue[_Line], told: Told, budget: Budget) -> None:
    while not budget.stop.is_set():
        try:
            line = lines.get_nowait()
        except queue.Empty:
            return
        try:
            told(line.who, line.status, line.what)
        except Exception:  # a named edge: that progress cannot be shown must not cost the report
            log.warning("progress_not_told", exc_info=True)


def _words(error: BaseException) -> str:
    """Why an agent gave no answer. Only our own words are shown; others may quote what was sent."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, ModelError):
            return str(link)
        if type(link).__name__ == "HookAborted":
            return str(getattr(link, "reason", "")) or "stopped"
        if type(link).__name__ == "ToolExecutionFailedError":
            return "it went round in circles"
        link = link.__cause__ or link.__context__
    if isinstance(error, ValueError) and "None or empty" in str(error):
        return "its answer was empty"
    return "its answer could not be read"
