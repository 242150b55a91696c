"""A circuit breaker: stop asking a system that keeps failing, and look again after a while.

Closed: everything passes. Open: everything is refused at once, so that an investigation loses no time on a system
that is down. Half-open: one caller may try; its luck decides for all. Nygard, "Release It!", chapter 5.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum


class State(StrEnum):
    """Whether calls pass; also a label of the metrics, the health page and the report."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts consecutive failures of one system. Thread-safe.

    Args:
        threshold: so many failures in a row open it.
        rest_s: how long it stays open before one caller may try; doubled by each failed try, up to ten times.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        threshold: int = 5,
        rest_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._rest_s = rest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._tries = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        with self._lock:
            if self._open_until is None:
                return State.CLOSED
            return State.OPEN if self._clock() < self._open_until else State.HALF_OPEN

    def allows(self) -> bool:
        """Whether a call may be made now. Whoever is allowed must say how it went."""
        with self._lock:
            if self._open_until is None:
                return True
            if self._clock() < self._open_until or self._trying:
                return False
            self._trying = True
            return True

    def succeeded(self) -> None:
        """The system answered, whatever it said."""
        with self._lock:
            self._failures = self._tries = 0
            self._open_until = None
            self._trying = False

    def failed(self) -> None:
        """The system gave no answer, or one that says it is not well."""
        with self._lock:
            self._failures += 1
            if self._trying or self._failures >= self._threshold:
                self._tries += 1
                rest = self._rest_s * min(10, 2 ** (self._tries - 1))
                self._open_until = self._clock() + rest
            self._trying = False

    def given_back(self) -> None:
        """An allowed call was not made, or was abandoned: neither luck nor failure."""
        with self._lock:
            self._trying = False
