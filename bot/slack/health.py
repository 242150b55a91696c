"""Whether the configured sources answer: checked in the background, shown at once from what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.slack.blocks.home import SourceHealth

FRESH = timedelta(minutes=5)
CHECK_S = 15.0

Check = Callable[[], tuple[bool, str]]
"""Asks one source the cheapest thing it answers; blocks. Returns whether all is well, and a word about it."""


class Health:
    """The last results, and a way to renew them.

    Args:
        checks: by the source's name; None for one that cannot be checked.
        clock: aware.
    """

    def __init__(
        self, checks: Sequence[tuple[str, Check | None]], clock: Callable[[], datetime]
    ) -> None:
        self._checks = checks
        self._clock = clock
        self._turn = asyncio.Lock()
        self.results: tuple[SourceHealth, ...] = tuple(
            SourceHealth(name, None if check else True, "" if check else "configured")
            for name, check in checks
        )
        self.checked_at: datetime | None = None

    async def renew(self) -> bool:
        """Check all at once unless that was done lately; whether there is news."""
        async with self._turn:
            if self.checked_at is not None and self._clock() - self.checked_at < FRESH:
                return False
            self.results = tuple(
                await asyncio.gather(*(_checked(name, check) for name, check in self._checks))
            )
            self.checked_at = self._clock()
            return True


async def _checked(name: str, check: Check | None) -> SourceHealth:
    if check is None:
        return SourceHealth(name, ok=True, detail="configured")
    try:
        async with asyncio.timeout(CHECK_S):
            ok, detail = await asyncio.to_thread(check)
    except TimeoutError:
        return SourceHealth(name, ok=False, detail=f"no answer within {CHECK_S:.0f} s")
    return SourceHealth(name, ok, detail)
