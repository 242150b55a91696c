"""What happens by the clock: forgetting, the weekly digest, investigations on a schedule, checks of the sources.

Each tick only enqueues a job, and only in one process of the cluster: the one that writes its row first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.config import Routine, Settings
from bot.errors import ConfigError
from bot.queue.chores import DIGEST, FORGET, HEALTH
from bot.queue.submit import Submitted, place
from storage import jobs, ticks
from storage.db import BusyError, Database
from storage.investigations import NewInvestigation
from storage.outbox import Draft

log = structlog.get_logger()

SOON = timedelta(seconds=50)
"""Replicas whose clocks differ by less than this share a tick of a routine; cron's own grain is a minute."""
DAILY = timedelta(hours=1)
LOWEST = 9
"""The priority of chores: after everybody who waits for an answer."""

Announce = Callable[[Submitted, Routine], Sequence[Draft]]


class Schedule:
    """The periodic things of one process.

    Args:
        notify: the queue's hint.
        announce: the first messages of a scheduled investigation.
        workspace: of routines that name none.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        notify: Callable[[str], None],
        announce: Announce,
        workspace: str,
    ) -> None:
        self._db = db
        self._settings = settings
        self._notify = notify
        self._announce = announce
        self._workspace = workspace
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "misfire_grace_time": 300, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin to tick.

        Raises:
            ConfigError: a time or zone makes no sense.
        """
        add = self._scheduler.add_job
        add(self.chore, _cron("17 3 * * *"), args=[FORGET, DAILY], id=FORGET)
        if self._settings.digest_channel:
            add(self.chore, _cron(self._settings.digest_cron), args=[DIGEST, DAILY], id=DIGEST)
        add(self.chore, _cron("*/10 * * * *"), args=[HEALTH, SOON], id=HEALTH)
        for number, routine in enumerate(self._settings.routines):
            at = _cron(routine.cron, routine.tz)
            add(self.routine, at, args=[routine], id=f"routine-{number}")
        self._scheduler.start()

    def stop(self) -> None:
        """No further ticks; one that is enqueuing finishes."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def chore(self, kind: str, gap: timedelta) -> str | None:
        """Enqueue a chore if this tick is ours; the job's id."""

        def work(session: Session, now: datetime) -> str | None:
            if not ticks.take(session, kind, now, gap):
                return None
            return jobs.enqueue(
                session,
                kind=kind,
                workspace=self._workspace,
                payload={"channel": self._settings.digest_channel, "workspace": self._workspace},
                now=now,
                dedupe_key=kind,
                priority=LOWEST,
            ).id

        return self._tick(kind, work)

    def routine(self, routine: Routine) -> str | None:
        """Ask a scheduled question if this tick is ours; the job's id."""
        name = f"routine:{routine.name}"

        def work(session: Session, now: datetime) -> str | None:
            if not ticks.take(session, name, now, SOON):
                return None
            new = NewInvestigation(
                workspace=routine.workspace or self._workspace,
                origin=f"{name}:{now:%Y-%m-%dT%H:%M}",
                door="schedule",
                requested_by="schedule",
                channel=routine.channel,
                question=routine.question,
                service=routine.service,
                since=now - timedelta(hours=routine.hours),
                until=now,
                tz=routine.tz,
            )
            return place(session, new, now, lambda s: self._announce(s, routine)).job_id

        return self._tick(name, work)

    def _tick(self, name: str, work: Callable[[Session, datetime], str | None]) -> str | None:
        try:
            with self._db.write() as session:
                job_id = work(session, self._db.now(session))
        except (SQLAlchemyError, BusyError):
            log.warning("tick_lost", tick=name, exc_info=True)
            return None
        if job_id is not None:
            log.info("tick", tick=name, job_id=job_id)
            self._notify(job_id)
        return job_id


def _cron(text: str, tz: str = "UTC") -> CronTrigger:
    try:
        return CronTrigger.from_crontab(text, timezone=tz)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigError([f"the schedule {text!r} ({tz}): {error}"]) from None
