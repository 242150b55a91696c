"""What one run may spend and has spent: time, calls, tokens and money, by role, with a reserve for the Commander."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from bot.crew.models import COMMANDER, Model, Models
from bot.report import Spent, Usage

SPECIALISTS_SHARE = 0.75
"""Of calls, tokens and money: what is left is the Commander's, so that a spent budget still gets a verdict."""


@dataclass(slots=True)
class _Used:
    calls: int = 0
    prompt: int = 0
    completion: int = 0


class Day:
    """What was spent on a UTC day by all investigations of this database. Thread-safe.

    Args:
        before: US dollars that were spent today as far as reports say; asked when a run begins.
        today: the UTC day.
    """

    def __init__(
        self,
        before: Callable[[], float] = lambda: 0.0,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._before = before
        self._today = today
        self._lock = threading.Lock()
        self._running: dict[int, float] = {}
        self._unreported: dict[date, float] = {}

    def spent(self) -> float:
        """US dollars, those of runs under way and of answers in threads included."""
        with self._lock:
            here = sum(self._running.values()) + self._unreported.get(self._today(), 0.0)
        return self._before() + here

    def note(self, run: int, cost: float) -> None:
        """What a running investigation has spent so far."""
        with self._lock:
            self._running[run] = cost

    def over(self, run: int, *, reported: bool) -> None:
        """A run has ended; when a report carries its cost from now on, it is forgotten here."""
        with self._lock:
            cost = self._running.pop(run, 0.0)
            if not reported and cost:
                today = self._today()
                self._unreported = {today: self._unreported.get(today, 0.0) + cost}


@dataclass(slots=True)
class Budget:
    """One run's limits and spending. Thread-safe.

    Attributes:
        deadline: monotonic seconds at which the run must have answered.
        stop: set when somebody pressed Stop.
        spent_today: US dollars that others had spent when the run began.
    """

    models: Models
    deadline: float
    stop: threading.Event
    spent_today: float = 0.0
    told: Callable[[float], None] = lambda _cost: None
    specialists_over: threading.Event = field(default_factory=threading.Event)
    _used: dict[str, _Used] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def refusal(self, role: str) -> str:
        """Why this role may do nothing more; empty when it may."""
        if self.stop.is_set():
            return "stopped"
        if self.left() <= 0:
            return "out of time"
        if role != COMMANDER and self.specialists_over.is_set():
            return "out of time"
        return self._overdrawn(role)

    def _overdrawn(self, role: str) -> str:
        limits = self.models.limits
        share = 1.0 if role == COMMANDER else SPECIALISTS_SHARE
        with self._lock:
            calls = sum(used.calls for used in self._used.values())
            tokens = sum(used.prompt + used.completion for used in self._used.values())
        if calls >= max(1, round(limits.calls * share)):
            return "all model calls of this investigation are used up"
        if tokens >= limits.tokens * share:
            return "all tokens of this investigation are used up"
        cost = self._cost() or 0.0
        if limits.cost and cost >= limits.cost * share:
            return "the money for this investigation is used up"
        if limits.cost_per_day and self.spent_today + cost >= limits.cost_per_day:
            return "the money for today is used up"
        return ""

    def called(self, role: str) -> None:
        """A request is about to be sent for this role."""
        with self._lock:
            self._used.setdefault(role, _Used()).calls += 1

    def used(self, role: str, prompt: int, completion: int) -> None:
        """What a call of this role used, in tokens."""
        with self._lock:
            used = self._used.setdefault(role, _Used())
            used.prompt += max(0, prompt)
            used.completion += max(0, completion)
        self.told(self._cost() or 0.0)

    def usage(self) -> Usage:
        """What was spent, by role; the cost is None as soon as one price is unknown."""
        with self._lock:
            used = {role: _Used(u.calls, u.prompt, u.completion) for role, u in self._used.items()}
        roles = tuple(
            Spent(
                role=role,
                model=self.models.of(role).name,
                llm_calls=u.calls,
                prompt_tokens=u.prompt,
                completion_tokens=u.completion,
                cost=_cost_of(self.models.of(role), u),
            )
            for role, u in sorted(used.items())
        )
        costs = [spent.cost for spent in roles]
        return Usage(
            llm_calls=sum(spent.llm_calls for spent in roles),
            tokens=sum(spent.prompt_tokens + spent.completion_tokens for spent in roles),
            cost=None if None in costs else round(sum(c for c in costs if c is not None), 6),
            roles=roles,
        )

    def _cost(self) -> float | None:
        with self._lock:
            costs = [_cost_of(self.models.of(role), used) for role, used in self._used.items()]
        return sum(cost for cost in costs if cost is not None)


def _cost_of(model: Model, used: _Used) -> float | None:
    return model.price.of(used.prompt, used.completion) if model.price else None
