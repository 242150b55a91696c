"""The default executor: threads of this process. The database is the queue; this only pulls from it."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping

import structlog

from bot.queue import Handler
from bot.queue.endings import OnEnd
from bot.queue.run import Desk, Timing, run_job, sweep
from storage.db import Database
from storage.jobs import Limits

log = structlog.get_logger()


class ThreadQueue:
    """Runs at most `max_concurrent` jobs at once.

    Args:
        limits: counted over all processes on the same database; by default `max_concurrent` in all.
        sweep_s: how often jobs of dead workers are looked for.
        poll_s: how late a job that another process submitted may be noticed.
        on_dead: see `run_job`.
    """

    def __init__(  # noqa: PLR0913 - the settings of an executor
        self,
        db: Database,
        handlers: Mapping[str, Handler],
        max_concurrent: int = 4,
        *,
        limits: Limits | None = None,
        lease_s: float = 30.0,
        heartbeat_s: float = 10.0,
        sweep_s: float = 5.0,
        poll_s: float = 1.0,
        limit_s: float = 900.0,
        backoff_s: float = 2.0,
        on_dead: OnEnd | None = None,
    ) -> None:
        self.limits = limits or Limits(total=max_concurrent, per_workspace=max_concurrent)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._db = db
        self._handlers = handlers
        self._timing = Timing(
            lease_s=lease_s,
            heartbeat_s=heartbeat_s,
            look_s=min(0.5, heartbeat_s),
            limit_s=limit_s,
            backoff_s=backoff_s,
        )
        self._sweep_s = sweep_s
        self._poll_s = poll_s
        self._on_dead = on_dead
        self._desk = Desk()
        self._stopping = threading.Event()
        self._hints = 0
        self._hinted = threading.Condition()
        self._max_concurrent = max_concurrent
        self._workers: list[threading.Thread] = []
        self._sweeper: threading.Thread | None = None

    def start(self) -> None:
        self._sweeper = threading.Thread(target=self._sweep, name="sweeper", daemon=True)
        self._sweeper.start()
        for number in range(self._max_concurrent):
            worker = threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            self._workers.append(worker)
            worker.start()

    def notify(self, job_id: str) -> None:
        self._desk.look(job_id)
        with self._hinted:
            self._hints += 1
            self._hinted.notify()

    def stop(self, grace_s: float) -> None:
        self._stopping.set()
        with self._hinted:
            self._hinted.notify_all()
        self._desk.drain()
        if not self._join(grace_s):
            self._desk.abandon()
            self._join(5.0)
        if self._sweeper is not None:
            self._sweeper.join(5.0)

    def _join(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
        return not any(worker.is_alive() for worker in self._workers)

    def _work(self) -> None:
        while not self._stopping.is_set():
            hints = self._hints
            if not self._edge(self._run_one):
                self._rest(hints)

    def _run_one(self) -> bool:
        return run_job(
            self._db,
            None,
            self._handlers,
            owner=self.owner,
            limits=self.limits,
            timing=self._timing,
            on_dead=self._on_dead,
            desk=self._desk,
        )

    def _rest(self, hints: int) -> None:
        """Sleep until there is a hint that came after the last look, or the poll is due."""
        with self._hinted:
            self._hinted.wait_for(
                lambda: self._hints != hints or self._stopping.is_set(), self._poll_s
            )

    def _sweep(self) -> None:
        while True:
            self._edge(self._sweep_once)
            if self._stopping.wait(self._sweep_s):
                return

    def _sweep_once(self) -> bool:
        for job_id in sweep(self._db, self._on_dead):
            self.notify(job_id)
        return True

    def _edge(self, act: Callable[[], bool]) -> bool:
        try:
            return act()
        except Exception:
            log.exception("executor_failed")
            return False
