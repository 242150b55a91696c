"""Stores what Slack delivers before Slack hears that we have it.

Bolt acknowledges an event before its listener runs, and Slack never delivers a command twice. So everything
that must survive a crash is stored here, in a global middleware: the id of the delivery, against doubles, and
what it asks for, in one transaction. Listeners run afterwards and only speak.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog
from slack_bolt.context.async_context import AsyncBoltContext
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.errors import UserError
from bot.slack.blocks.notes import BUSY
from bot.slack.blocks.text import escaped
from bot.slack.delivery import SILENCE, Delivery, Json, Me, Outcome, Step, identify
from bot.slack.errors import NotStoredError
from bot.slack.surroundings import Surroundings
from storage import inbox
from storage.db import BusyError, Database

DEADLINE_S = 1.0
"""Slack waits three seconds; what is not stored in one is refused, so that Slack or the person tries again."""
GRACE_S = 0.5
"""What was begun within the deadline may still be committed in this time; what was not is never begun."""
THREADS = 8
WAITING = 1_000
OUTCOME = "outcome"

log = structlog.get_logger()


class Admission:
    """The middleware and its own threads.

    Args:
        db: where everything goes.
        read: turns a delivery into what has to be stored, None for nothing; raises `UserError` for words that
            make no sense.
        notify: tells the queue about a job, after the commit.
        surroundings: what Slack knows of the person and the channel, asked only where a decision needs it.
        seconds: how long storing may take.
    """

    def __init__(
        self,
        db: Database,
        read: Callable[[Delivery], Step | None],
        notify: Callable[[str], None],
        surroundings: Surroundings,
        seconds: float = DEADLINE_S,
    ) -> None:
        self._db = db
        self._read = read
        self._notify = notify
        self._surroundings = surroundings
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="slack-admission")
        self._waiting = 0

    async def admit(
        self, body: Json, context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> None:
        """The middleware. Leaves the `Outcome` in the context for the listener."""
        delivery = identify(
            body,
            workspace=context.team_id or context.enterprise_id or "",
            user=context.user_id or "",
            channel=context.channel_id or "",
            me=Me(
                context.bot_user_id or "", context.bot_id or "", str(body.get("api_app_id") or "")
            ),
            home=(context.authorize_result.url if context.authorize_result else None) or "",
        )
        context[OUTCOME] = SILENCE
        if delivery is not None:
            try:
                known = await self._surroundings.of(context.client, delivery)
                context[OUTCOME] = await self.store(known)
            except NotStoredError:
                if delivery.kind == "event":  # no acknowledgement: Slack delivers it again
                    raise
                context[OUTCOME] = Outcome(BUSY)
        await next_()

    async def store(self, delivery: Delivery) -> Outcome:
        """Store one delivery, once.

        Raises:
            NotStoredError: not within the deadline, or too many are waiting already.
        """
        if self._waiting >= WAITING:
            raise NotStoredError
        until = time.monotonic() + self._seconds
        self._waiting += 1
        try:
            stored = asyncio.get_running_loop().run_in_executor(
                self._threads, self._store, delivery, until
            )
            outcome = await asyncio.wait_for(stored, self._seconds + GRACE_S)
        except (TimeoutError, BusyError, OperationalError):
            log.warning("delivery_not_stored", kind=delivery.kind, event_id=delivery.event_id)
            raise NotStoredError from None
        finally:
            self._waiting -= 1
        if outcome is None:
            log.warning("delivery_too_late", kind=delivery.kind, event_id=delivery.event_id)
            raise NotStoredError
        return outcome

    def _store(self, delivery: Delivery, until: float) -> Outcome | None:
        """What came of it; None when its turn came too late and nothing was written."""
        if time.monotonic() > until:
            return None
        try:
            step = self._read(delivery)
        except UserError as error:
            return Outcome(escaped(str(error)))
        if step is None:
            return SILENCE

        def work(session: Session) -> Outcome | None:
            if (
                time.monotonic() > until
            ):  # they were told to try again, so it must not happen after all
                return None
            now: datetime = self._db.now(session)
            if not inbox.remember(session, delivery.source, delivery.event_id, now):
                return SILENCE
            return step(session, now)

        outcome = self._db.together(work)
        for job_id in outcome.jobs if outcome is not None else ():
            self._notify(job_id)
        return outcome
