"""Faults on order, and the rate limits that Slack applies to each method.

Tiers: https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.methods.desk import Method


@dataclass(slots=True)
class Fault:
    """What shall go wrong, on which method (`*` is any), after how many good calls, how many times."""

    method: str
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    after: int = 0
    times: int = 1
    accept_then_drop: bool = False
    hang: bool = False


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Plan nothing any more."""
        self._faults.clear()

    def due(self, method: str) -> Fault | None:
        """The fault that strikes this call, if any; counts the call.

        Faults of the same method strike one after the other: the second one waits until the first is over.
        """
        waiting: set[str] = set()
        for fault in self._faults:
            if fault.method not in (method, "*") or fault.method in waiting:
                continue
            if fault.after > 0:
                fault.after -= 1
                waiting.add(fault.method)
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
            return fault
        return None


class RateLimits:
    """Token buckets: per method, and one message a second and channel with a short burst."""

    BURST = 5

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def wait_s(self, name: str, method: Method, channel: str) -> int:
        """Seconds until the call is allowed; 0: now, and it counts."""
        if name == "chat.postMessage":
            return self._take((name, channel), 1.0, self.BURST)
        if method.per_minute == 0:
            return 0
        return self._take((name, ""), method.per_minute / 60, method.per_minute)

    def _take(self, key: tuple[str, str], per_s: float, burst: float) -> int:
        now = self._now()
        tokens, since = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - since) * per_s)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            return max(1, round((1 - tokens) / per_s))
        self._buckets[key] = (tokens - 1, now)
        return 0
