"""How a payload reaches the app: what both transports share, and Slack's retries of events.

Retries: https://docs.slack.dev/apis/events-api#retries (at once, after a minute, after five).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from bot.sandbox.errors import Json
from bot.sandbox.timers import Timers

log = structlog.get_logger()

ACK_WITHIN_S = 3.0
RETRY_AFTER_S = (0.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to deliver: `kind` is events_api, slash_commands or interactive; `attempt` counts from 0."""

    kind: str
    payload: Json
    attempt: int = 0
    reason: str = ""
    """Why the attempt before failed, in the words of `X-Slack-Retry-Reason`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `failed` is empty, or why nothing did; `body` is what the app answered with its ack."""

    body: Json | str | None = None
    failed: str = ""
    no_retry: bool = False


class Transport(Protocol):
    """Socket Mode or signed HTTP."""

    async def attempt(self, one: Try) -> Reply: ...


class Delivery:
    """Sends payloads over the transport in use, and events again when they were not acknowledged."""

    def __init__(self, transport: Transport, timers: Timers) -> None:
        self.transport = transport
        self.log: deque[Try] = deque(maxlen=5_000)
        """Every attempt, oldest first; the last 5,000."""
        self._timers = timers
        self._tasks: set[asyncio.Task[Any]] = set()

    def send_event(self, payload: Json) -> None:
        """Deliver an Events API payload in the background, with retries."""
        first = Try("events_api", payload)
        self.log.append(first)
        self.spawn(self._until_acknowledged(first))

    async def send_again(self, one: Try) -> Reply:
        """Repeat an event that may have been acknowledged already."""
        again = replace(one, attempt=1, reason="timeout")
        self.log.append(again)
        return await self.transport.attempt(again)

    async def send_once(self, kind: str, payload: Json) -> Reply:
        """Deliver a command or an interaction: Slack does not repeat those."""
        only = Try(kind, payload)
        self.log.append(only)
        return await self.transport.attempt(only)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something in the background until it ends or `stop` is called."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is still under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until_acknowledged(self, first: Try) -> None:
        reply = await self.transport.attempt(first)
        for attempt, pause in enumerate(RETRY_AFTER_S, start=1):
            if not reply.failed or reply.no_retry:
                return
            await self._timers.sleep(pause)
            again = replace(first, attempt=attempt, reason=reply.failed)
            self.log.append(again)
            reply = await self.transport.attempt(again)
        if reply.failed:
            log.warning(
                "sandbox_event_lost", event_id=first.payload.get("event_id"), reason=reply.failed
            )
