"""How fast work is taken in, how fast progress is kept, how soon a worker has a job: on the database of your choice."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from sqlmodel import func, select

from bot.queue import Context
from bot.queue.submit import submit
from bot.queue.threads import ThreadQueue
from storage import events, jobs
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from storage.models import Job
from storage.outbox import Draft

WRITERS = 16
UNBOUNDED = Limits(total=1_000_000, per_workspace=1_000_000)

Figures = dict[str, float]


def run(
    url: str = "", seconds: float = 3.0, writers: int = WRITERS, starts: int = 50
) -> dict[str, object]:
    """Measure on `url`, or on an SQLite file made for the purpose. The database is left full of what was measured.

    Returns:
        rates a second and latencies in milliseconds, by what was done.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        db = Database(url or f"sqlite:///{Path(folder) / 'bench.db'}")
        db.migrate()
        try:
            return {
                "database": db.dialect,
                "writers": writers,
                "submit": _submits(db, seconds, writers),
                "event": _events(db, seconds, writers),
                "claim": _claims(db, seconds, 4),
                "hint_to_start": _starts(db, starts),
            }
        finally:
            db.close()


class _Nobody:
    """A queue in which work waits until it is asked for."""

    def start(self) -> None: ...

    def notify(self, job_id: str) -> None: ...

    def stop(self, grace_s: float) -> None: ...


def _request(prefix: str, number: int) -> NewInvestigation:
    return NewInvestigation(
        workspace=f"T{number % 7}",
        origin=f"{prefix}-{time.time_ns()}-{number}",
        door="alert",
        channel="C1",
        thread_ts="1.0",
        question="checkout answers 500 since the last deploy",
    )


ACK = Draft("ack", 0, "message", "C1", {"text": "On it"})


def _submits(db: Database, seconds: float, writers: int) -> Figures:
    numbers = count()

    def once() -> None:
        new = _request("submit", next(numbers))
        submit(db, _Nobody(), new, inbox=("bench", new.origin), drafts=[ACK])

    return _measure(once, seconds, writers)


def _events(db: Database, seconds: float, writers: int) -> Figures:
    cases = [submit(db, _Nobody(), _request("event", n)).investigation_id for n in range(writers)]
    numbers = count()
    payload = {"step": "collect", "status": "in_progress", "detail": "x" * 400}

    def once() -> None:
        case = cases[next(numbers) % len(cases)]
        db.together(lambda session: events.append(session, case, "step", payload, db.now(session)))

    return _measure(once, seconds, writers)


def _claims(db: Database, seconds: float, workers: int) -> Figures:
    """Claim and finish, with everything that the submits have left waiting in the queue."""

    def once() -> None:
        with db.write() as session:
            job = jobs.claim(
                session, owner="bench", lease_s=30, now=db.now(session), limits=UNBOUNDED
            )
        if job is not None:
            with db.write() as session:
                jobs.finish(session, job.id, job.fence, "done", now=db.now(session))

    with db.read() as session:
        waiting = session.exec(select(func.count()).select_from(Job)).one()
    return {"waiting": waiting, **_measure(once, seconds, workers)}


def _starts(db: Database, times: int) -> Figures:
    """From the call of `submit` to the first line of the handler, on an executor that was idle."""
    with db.write() as session:
        while (
            job := jobs.claim(
                session, owner="bench", lease_s=30, now=db.now(session), limits=UNBOUNDED
            )
        ) is not None:
            jobs.finish(session, job.id, job.fence, "done", now=db.now(session))
    started = threading.Event()

    def handler(_: Context) -> None:
        started.set()

    queue = ThreadQueue(db, {"investigate": handler})
    queue.start()
    took: list[float] = []
    for number in range(times):
        started.clear()
        begun = time.perf_counter()
        submit(db, queue, _request("start", number))
        started.wait(10)
        took.append(time.perf_counter() - begun)
    queue.stop(5)
    return _latencies(took)


def _measure(once: Callable[[], None], seconds: float, threads: int) -> Figures:
    until = time.perf_counter() + seconds

    def work(_: int) -> list[float]:
        took: list[float] = []
        while (begun := time.perf_counter()) < until:
            once()
            took.append(time.perf_counter() - begun)
        return took

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        took = [one for mine in pool.map(work, range(threads)) for one in mine]
    return {"per_s": round(len(took) / (time.perf_counter() - begun), 1), **_latencies(took)}


def _latencies(took: list[float]) -> Figures:
    cuts = statistics.quantiles(took, n=100)
    named = {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98], "max_ms": max(took)}
    return {name: round(value * 1_000, 2) for name, value in named.items()}
