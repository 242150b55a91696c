"""The processes that get killed: the product's own executor and publisher around an investigation of milliseconds."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from typing_extensions import override

import storage.db
from bot.queue import Context, Handler
from bot.queue.celery import CeleryQueue
from bot.queue.threads import ThreadQueue
from bot.slack.limiter import Limiter
from bot.slack.publisher import Publisher
from storage.db import Database
from storage.jobs import Limits
from storage.models import Job
from storage.outbox import Draft
from tests.queue.test_run import Note

CHANNEL = "alerts"
LEASE_S = 2.0
LIMITS = Limits(total=8, per_workspace=8)
STAGES = ("look", "reason", "report")
SECTIONS = ("root", *STAGES)


@dataclass(frozen=True)
class Part:
    """What one process is: `jobs` at once, or none; `skew_s` is how wrong its clock goes."""

    url: str
    broker: str
    name: str
    slack: str
    token: str
    jobs: int
    publishes: bool
    skew_s: float


def draft(section: str, seq: int) -> Draft:
    body = {"text": section}
    if section == "root":
        return Draft(section, seq, "root", CHANNEL, body, thread=False)
    return Draft(section, seq, "message", CHANNEL, body)


def investigate(context: Context) -> None:
    """Stages of 20 to 80 ms, each with a message."""
    for seq, name in enumerate(STAGES, 1):

        def step(name: str = name) -> Note:
            context.emit("begun", {"stage": name})
            time.sleep(random.uniform(0.02, 0.08))
            return Note(text=name)

        context.stage(name, step, Note, lambda note, seq=seq: [draft(note.text, seq)])  # type: ignore[misc]


def obituary(job: Job) -> Sequence[Draft]:
    del job
    return [draft("dead", 9)]


HANDLERS: dict[str, Handler] = {"investigate": investigate}


class Unhurried(Limiter):
    """No waiting for rates: the local Slack has none here."""

    @override
    def wait_s(self, *wanted: object) -> float:
        return 0.0


def executor(part: Part, db: Database) -> ThreadQueue | CeleryQueue:
    if part.broker:
        return CeleryQueue(
            db,
            HANDLERS,
            part.jobs,
            broker_url=part.broker,
            limits=LIMITS,
            name=part.name,
            lease_s=LEASE_S,
            heartbeat_s=LEASE_S / 4,
            sweep_s=0.5,
            backoff_s=0.1,
            on_dead=obituary,
        )
    return ThreadQueue(
        db,
        HANDLERS,
        part.jobs,
        limits=LIMITS,
        lease_s=LEASE_S,
        heartbeat_s=LEASE_S / 4,
        sweep_s=0.5,
        poll_s=0.1,
        backoff_s=0.1,
        on_dead=obituary,
    )


def act(part: Part, ready: Connection) -> None:
    """Run until killed."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    true = storage.db.utcnow
    storage.db.utcnow = lambda: true() + timedelta(seconds=part.skew_s)
    db = Database(part.url)
    queue = executor(part, db)
    queue.start()
    ready.send("ready")
    if part.publishes:
        asyncio.run(_publish(part, db, queue.owner))
    time.sleep(3_600)


async def _publish(part: Part, db: Database, owner: str) -> None:
    client = AsyncWebClient(token=part.token, base_url=part.slack, timeout=5, retry_handlers=[])
    publisher = Publisher(
        db, client, owner=owner, limiter=Unhurried(time.monotonic), lease_s=LEASE_S * 3
    )
    await publisher.run(asyncio.Event())
