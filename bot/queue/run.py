"""One attempt at one job: claim, work, and say how it ended. Every executor ends here.

The handler works in a thread of its own. The caller's thread keeps the lease, and decides: when the job is
cancelled, out of time or to be handed over, the call in flight is abandoned where it is. The fence makes that safe:
an abandoned thread finds its next write refused.
"""

from __future__ import annotations

import contextvars
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.errors import UserError
from bot.queue import Handler, InterruptedJob
from bot.queue.context import JobContext
from bot.queue.endings import OnEnd, begun, over, waiting
from storage import jobs
from storage.db import BusyError, Database
from storage.jobs import Ending, Limits, LostLease
from storage.models import Job

log = structlog.get_logger()


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds.

    Attributes:
        lease_s: after it, a job whose worker is silent belongs to others. Not below 10 outside tests: a busy
            interpreter delays heartbeats.
        heartbeat_s: a third of the lease.
        look_s: how often the wish to cancel is looked for.
        limit_s: an attempt that takes longer has failed.
        polite_s: how long a cancelled handler may take to end by itself before it is abandoned.
        backoff_s: the first pause before another attempt; each further one is three times as long, up to a minute.
    """

    lease_s: float = 30.0
    heartbeat_s: float = 10.0
    look_s: float = 0.5
    limit_s: float = 900.0
    polite_s: float = 0.2
    backoff_s: float = 2.0


class Desk:
    """The attempts going on in this process, and the way to reach them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: set[_Attempt] = set()
        self._draining = False

    def look(self, job_id: str) -> None:
        """Somebody may want this job cancelled: look now."""
        self._each(lambda attempt: attempt.wake.set(), job_id)

    def drain(self) -> None:
        """Begin no further stage; hand over at the next boundary."""
        self._draining = True
        self._each(lambda attempt: attempt.context.draining.set())

    def abandon(self) -> None:
        """Hand over at once, whatever is going on."""
        self._each(lambda attempt: attempt.abandon())

    def enter(self, attempt: _Attempt) -> None:
        with self._lock:
            self._attempts.add(attempt)
            if self._draining:
                attempt.context.draining.set()

    def leave(self, attempt: _Attempt) -> None:
        with self._lock:
            self._attempts.discard(attempt)

    def _each(self, act: Callable[[_Attempt], None], job_id: str | None = None) -> None:
        with self._lock:
            for attempt in self._attempts:
                if job_id in {None, attempt.job.id}:
                    act(attempt)


def run_job(  # noqa: PLR0913 - what an executor knows
    db: Database,
    job_id: str | None,
    handlers: Mapping[str, Handler],
    *,
    owner: str,
    limits: Limits,
    timing: Timing = Timing(),
    on_dead: OnEnd | None = None,
    desk: Desk | None = None,
) -> bool:
    """Claim a job (the next one, or just `job_id`) and work on it; False when there is nothing to claim.

    Safe to call for a job that is done, running elsewhere or unknown: doubled and late hints are harmless.

    Args:
        owner: unique over all processes; names the worker in the job's row.
        on_dead: the messages for a job that ends without its handler having said so: dead, failed, cancelled.
        desk: where the attempt can be reached while it runs.
    """
    job = _claim(db, job_id, handlers, owner, limits, timing)
    if job is None:
        return False
    attempt = _Attempt(db, job, handlers[job.kind], timing, on_dead)
    desk = desk or Desk()
    desk.enter(attempt)
    with structlog.contextvars.bound_contextvars(
        job_id=job.id, job_kind=job.kind, investigation_id=job.investigation_id
    ):
        try:
            attempt.go()
        finally:
            desk.leave(attempt)
    return True


def _claim(
    db: Database,
    job_id: str | None,
    handlers: Mapping[str, Handler],
    owner: str,
    limits: Limits,
    timing: Timing,
) -> Job | None:
    with db.read() as session:  # looking costs nobody a lock
        if not jobs.due(session, db.now(session)):
            return None
    with db.write() as session:
        now = db.now(session)
        job = jobs.claim(
            session,
            owner=owner,
            lease_s=timing.lease_s,
            now=now,
            limits=limits,
            job_id=job_id,
            kinds=tuple(handlers),
        )
        if job is not None:
            begun(session, job, now)
    return job


class _Attempt:
    """The lease on one job while its handler works."""

    def __init__(
        self, db: Database, job: Job, handler: Handler, timing: Timing, on_dead: OnEnd | None
    ) -> None:
        self.job = job
        self.context = JobContext(db, job)
        self.wake = threading.Event()
        self._db = db
        self._handler = handler
        self._timing = timing
        self._on_dead = on_dead
        self._settle: Callable[[Session], None] | None = None
        self._done = False
        self._abandoned = False

    def abandon(self) -> None:
        self._abandoned = True
        self.wake.set()

    def go(self) -> None:
        # A daemon: an abandoned call must not keep the process alive.
        worker = contextvars.copy_context()
        threading.Thread(
            target=worker.run, args=(self._work,), name=f"job-{self.job.id[:8]}", daemon=True
        ).start()
        try:
            settle = self._watch()
            with self._db.write() as session:
                settle(session)
        except LostLease:
            self.context.cancelled.set()
            log.warning("job_lost", attempt=self.job.attempt)

    def _work(self) -> None:
        """Run the handler and note how the job is to be settled."""
        try:
            self._handler(self.context)
        except (InterruptedJob, LostLease):
            self._settle = self._release
        except UserError as error:
            text = str(error)
            self._settle = lambda session: self._end(session, "failed", text)
        except BaseException as error:
            log.exception("job_broke", attempt=self.job.attempt)
            reason = type(error).__name__
            self._settle = lambda session: self._again(session, reason)
        else:
            self._settle = lambda session: self._end(session, "done")
            self._done = True
        self.wake.set()

    def _watch(self) -> Callable[[Session], None]:
        """Keep the lease until there is something to settle.

        Raises:
            LostLease: somebody else has the job.
        """
        begun_at = beaten_at = time.monotonic()
        while self._settle is None:
            self.wake.wait(self._timing.look_s)
            self.wake.clear()
            now = time.monotonic()
            if self._settle is not None:
                break
            if self._abandoned:
                self.context.cancelled.set()
                return self._release
            if now - begun_at > self._timing.limit_s:
                self.context.cancelled.set()
                log.error("job_out_of_time", seconds=self._timing.limit_s)
                return lambda session: self._again(session, "TimeoutError")
            due = now - beaten_at >= self._timing.heartbeat_s
            try:
                wanted = self._beat() if due else self._wanted()
                beaten_at = now if due else beaten_at
            except (SQLAlchemyError, BusyError):
                log.warning("heartbeat_failed", exc_info=True)
                if now - beaten_at > self._timing.lease_s:
                    raise LostLease(self.job.id) from None
                continue
            if not wanted and not self._finished_politely():
                return lambda session: self._end(session, "cancelled")
        return self._settle

    def _beat(self) -> bool:
        job = self.job
        with self._db.write() as session:
            now = self._db.now(session)
            beat = jobs.heartbeat(
                session, job.id, job.owner or "", job.fence, self._timing.lease_s, now
            )
        if not beat.alive:
            raise LostLease(job.id)
        return not beat.cancel_requested

    def _wanted(self) -> bool:
        with self._db.read() as session:
            return not jobs.cancel_requested(session, self.job.id, self.job.fence)

    def _finished_politely(self) -> bool:
        """Ask the handler to stop; whether it came to its proper end instead, in the last moment."""
        self.context.cancelled.set()
        self.wake.wait(self._timing.polite_s)
        return self._done

    def _end(self, session: Session, state: Ending, error: str = "") -> None:
        now = self._db.now(session)
        job = jobs.finish(session, self.job.id, self.job.fence, state, error, now=now)
        over(session, job, now, self._on_dead)
        log.info("job_over", state=state, attempt=job.attempt)

    def _again(self, session: Session, reason: str) -> None:
        if self.job.attempt >= self.job.max_attempts:
            self._end(session, "dead", reason)
            return
        now = self._db.now(session)
        pause = min(60.0, self._timing.backoff_s * 3 ** (self.job.attempt - 1))
        at = now + timedelta(seconds=pause * random.uniform(0.75, 1.25))
        waiting(session, jobs.retry_later(session, self.job.id, self.job.fence, at, reason), now)

    def _release(self, session: Session) -> None:
        now = self._db.now(session)
        waiting(session, jobs.release(session, self.job.id, self.job.fence), now)


def sweep(db: Database, on_dead: OnEnd | None = None) -> Sequence[str]:
    """Put jobs of dead workers back into the queue and close the books on those that have no attempt left.

    Returns:
        the ids that can be claimed again. Any number of sweepers may run.
    """
    with db.read() as session:
        if not jobs.expired(session, db.now(session)):
            return ()
    with db.write() as session:
        now = db.now(session)
        swept = jobs.sweep(session, now)
        for job in swept.dead:
            over(session, job, now, on_dead)
    log.warning("jobs_swept", requeued=len(swept.requeued), dead=len(swept.dead))
    return swept.requeued
