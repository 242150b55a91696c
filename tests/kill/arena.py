"""Load, murder and the inquest: investigations come in, processes and servers are killed, the books must balance."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, func, select
from typing_extensions import override

from bot.queue.submit import submit
from bot.queue.threads import ThreadQueue
from bot.sandbox import LocalSlack
from storage.db import BusyError, Database
from storage.investigations import NewInvestigation
from storage.models import Investigation, Job, OutboxMessage
from tests.kill.actor import CHANNEL, SECTIONS, Part, act, draft, executor
from tests.servers import Server

T = TypeVar("T")
AT_ONCE = 10
PATIENCE_S = 90.0

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.kill.actor"])


@dataclass
class Outcome:
    """What is left when the smoke has cleared. Times are seconds from a kill until somebody had the job again."""

    kills: Counter[str]
    asked: int
    dead: int
    lost: list[str]
    twice: list[str]
    missing: list[str]
    adopted: int
    recovery: list[float]
    seconds: float

    def line(self, name: str) -> str:
        times = sorted(self.recovery) or [0.0]
        middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
        kills = ", ".join(f"{count} {what}" for what, count in sorted(self.kills.items()))
        return (
            f"{name}: {sum(self.kills.values())} kills ({kills}) in {self.seconds:.0f} s, "
            f"{self.asked} investigations, {len(self.lost)} lost, {self.dead} out of attempts, "
            f"{len(self.twice)} messages twice, {len(self.missing)} missing; "
            f"{len(self.recovery)} orphaned jobs taken up after {middle:.1f} s (median), "
            f"{late:.1f} s (p95), {times[-1]:.1f} s (longest)"
        )


class Actor:
    """One process that is started again whenever it dies."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.start()

    def start(self) -> None:
        self._ready, theirs = processes.Pipe(duplex=False)
        self.process = processes.Process(target=act, args=(self.part, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self._is_ready = False

    @property
    def ready(self) -> bool:
        if not self._is_ready and self._ready.poll():
            self._is_ready = self._told(self._ready)
        return self._is_ready and self.process.is_alive()

    def kill(self) -> int:
        pid = self.process.pid or 0
        self.process.kill()
        self.process.join(10)
        self.process.close()
        self._ready.close()
        return pid

    @staticmethod
    def _told(ready: Connection) -> bool:
        try:
            return bool(ready.recv())
        except EOFError:
            return False


class Unreliable(ThreadQueue):
    """The harness's own queue: of its hints every fourth is lost and every fourth comes three times."""

    def __init__(self, part: Part, db: Database, rng: random.Random) -> None:
        super().__init__(db, {}, 0)
        self._behind = executor(replace(part, jobs=0), db) if part.broker else None
        self._rng = rng
        if self._behind is not None:
            self._behind.start()

    @override
    def notify(self, job_id: str) -> None:
        for _ in range(self._rng.choice((0, 1, 1, 3))):
            if self._behind is not None:
                self._behind.notify(job_id)

    @override
    def stop(self, grace_s: float) -> None:
        if self._behind is not None:
            self._behind.stop(grace_s)


@dataclass
class Arena:
    """One combination of executor and database under fire; `seed` decides every choice."""

    parts: Sequence[Part]
    slack: LocalSlack
    seed: int
    redis: Server | None = None
    postgres: Server | None = None
    kills: Counter[str] = field(default_factory=Counter)
    orphans: dict[str, tuple[int, float]] = field(default_factory=dict)
    recovery: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def run(self, kills: int) -> Outcome:
        rng = random.Random(self.seed)
        begun = time.monotonic()
        self._db = Database(self.parts[0].url)
        await asyncio.to_thread(self._db.migrate)
        self._queue = Unreliable(self.parts[0], self._db, rng)
        actors = [Actor(part) for part in self.parts]
        watching = asyncio.create_task(self._watch())
        try:
            while sum(self.kills.values()) < kills:
                await self._feed()
                await asyncio.sleep(rng.uniform(0.05, 0.4))
                if rng.random() < 0.3:
                    self.slack.inject("chat.postMessage", accept_then_drop=True)
                await asyncio.to_thread(self._strike, rng, actors)
            until = time.monotonic() + PATIENCE_S
            while await self._unsettled() and time.monotonic() < until:
                for actor in actors:
                    if not actor.process.is_alive():
                        actor.kill()
                        actor.start()
                await asyncio.sleep(0.2)
        finally:
            watching.cancel()
            for actor in actors:
                actor.kill()
            await asyncio.to_thread(self._queue.stop, 1)
        outcome = await asyncio.to_thread(self._inquest, time.monotonic() - begun)
        self._db.close()
        return outcome

    async def _feed(self) -> None:
        """Keep some investigations open, each asked for until the database has taken it."""
        running = await self._asking(self._open)
        for _ in range(AT_ONCE - running):
            origin = f"o{len(self.asked)}"
            new = NewInvestigation(workspace="T1", origin=origin, door="slash", channel=CHANNEL)
            await self._asking(partial(self._submit, new))
            self.asked.append(origin)

    async def _asking(self, act: Callable[[], T]) -> T:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(act)
            except (SQLAlchemyError, BusyError):
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)

    def _submit(self, new: NewInvestigation) -> None:
        submit(self._db, self._queue, new, drafts=[draft("root", 0)])

    def _open(self) -> int:
        with self._db.read() as session:
            query = select(func.count()).where(col(Investigation.state).in_(("queued", "running")))
            return session.exec(query).one()

    def _strike(self, rng: random.Random, actors: list[Actor]) -> None:
        chance = rng.random()
        if self.redis is not None and chance < 0.12:
            self.redis.kill()
            time.sleep(rng.uniform(0, 0.5))
            self.redis.start()
            self.kills["redis"] += 1
        elif self.postgres is not None and chance > 0.93:
            self.postgres.kill()
            time.sleep(rng.uniform(0, 0.3))
            self.postgres.start()
            self.kills["postgres"] += 1
        else:
            self._kill_one(rng.choice(actors))

    def _kill_one(self, actor: Actor) -> None:
        until = time.monotonic() + 20
        while not actor.ready and time.monotonic() < until:
            if not actor.process.is_alive():  # it began while its database was away
                actor.kill()
                actor.start()
            time.sleep(0.01)
        held = self._held_by(actor.process.pid or 0)
        actor.kill()
        now = time.monotonic()
        self.orphans.update({job_id: (fence, now) for job_id, fence in held})
        self.kills["worker" if actor.part.jobs else "bot"] += 1
        actor.start()

    def _held_by(self, pid: int) -> list[tuple[str, int]]:
        try:
            with self._db.read() as session:
                mine = col(Job.owner).like(f"%:{pid}:%")
                query = select(Job.id, Job.fence).where(Job.state == "running", mine)
                return list(session.exec(query).all())
        except SQLAlchemyError:
            return []

    async def _watch(self) -> None:
        """Note when each orphaned job has been claimed again."""
        while True:
            await asyncio.sleep(0.05)
            if self.orphans:
                await self._asking(self._look)

    def _look(self) -> None:
        with self._db.read() as session:
            query = select(Job.id, Job.fence, Job.state).where(col(Job.id).in_(list(self.orphans)))
            rows = session.exec(query).all()
        for job_id, fence, state in rows:
            known, at = self.orphans.get(job_id, (fence, 0.0))
            if fence > known:
                self.recovery.append(time.monotonic() - at)
            if fence > known or state not in {"running", "queued"}:
                self.orphans.pop(job_id, None)

    async def _unsettled(self) -> bool:
        def look() -> bool:
            with self._db.read() as session:
                waiting = select(func.count()).where(OutboxMessage.state == "pending")
                return bool(self._open() or session.exec(waiting).one())

        return await self._asking(look)

    def _inquest(self, seconds: float) -> Outcome:
        with self._db.read() as session:
            cases = {c.origin: c for c in session.exec(select(Investigation)).all()}
        shown: Counter[tuple[str, str]] = Counter()
        for root in self.slack.messages(CHANNEL):
            key = _key(root)
            shown[key] += 1
            replies = self.slack.messages(CHANNEL, str(root["ts"]))
            shown.update(_key(reply) for reply in replies if reply["ts"] != root["ts"])
        whole = [cases[o] for o in self.asked if o in cases and cases[o].state == "done"]
        expected = {(f"{case.id}", section) for case in whole for section in SECTIONS}
        dead = sum(1 for case in cases.values() if case.state == "failed")
        return Outcome(
            kills=self.kills,
            asked=len(self.asked),
            dead=dead,
            lost=[
                o for o in self.asked if o not in cases or cases[o].state not in {"done", "failed"}
            ],
            twice=[str(key) for key, count in shown.items() if count > 1],
            missing=[str(key) for key in expected if key not in shown],
            adopted=len(self.slack.calls("conversations.replies")),
            recovery=self.recovery,
            seconds=seconds,
        )


def _key(message: dict[str, object]) -> tuple[str, str]:
    metadata = message.get("metadata")
    payload = metadata.get("event_payload", {}) if isinstance(metadata, dict) else {}
    number, _, section = str(payload.get("key", "")).rpartition("-")
    return number.split("-")[-1], section
