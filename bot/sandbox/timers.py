"""Deadlines on a clock that tests can turn."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import TypeVar

T = TypeVar("T")


class Timers:
    """Runs things when the given clock says that it is time.

    With the real clock `run()` sleeps until the next deadline. A test that passes its own clock moves it
    and calls `fire_due()`: three seconds then cost nothing.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._earlier = asyncio.Event()

    def now(self) -> float:
        """Seconds since the epoch by the clock in use."""
        return self._clock().timestamp()

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has moved on by `seconds`."""
        await self._after(seconds)

    async def within(self, answer: asyncio.Future[T], seconds: float) -> bool:
        """Whether `answer` came before the clock had moved on by `seconds`. Does not cancel it."""
        alarm = self._after(seconds)
        pending: list[asyncio.Future[T] | asyncio.Future[None]] = [answer, alarm]
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        return answer.done()

    def fire_due(self) -> None:
        """Wake everybody whose time has come."""
        now = self.now()
        while self._heap and self._heap[0][0] <= now:
            alarm = heapq.heappop(self._heap)[2]
            if not alarm.done():
                alarm.set_result(None)

    async def run(self) -> None:
        """Wake sleepers on the real clock until cancelled."""
        while True:
            self._earlier.clear()
            self.fire_due()
            wait_s = max(self._heap[0][0] - self.now(), 0.01) if self._heap else None
            try:
                async with asyncio.timeout(wait_s):
                    await self._earlier.wait()
            except TimeoutError:
                continue

    def _after(self, seconds: float) -> asyncio.Future[None]:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._heap, (self.now() + seconds, next(self._numbers), alarm))
        self._earlier.set()
        return alarm
