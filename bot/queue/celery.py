"""The executor for many machines: Celery carries hints over Redis, the database stays the queue.

A message says "there is work"; which job is next is the database's decision (`storage.jobs.claim`), so priorities,
limits and fairness hold whatever order messages come in. Hence a lost, late or doubled message is harmless: messages
are acknowledged early, results are not kept, and what no worker has begun after a sweep is hinted at again.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery  # type: ignore[import-untyped]
from celery.worker import WorkController  # type: ignore[import-untyped]
from celery.worker import state as celery_state
from kombu.exceptions import KombuError

from bot.queue import Handler
from bot.queue.endings import OnEnd
from bot.queue.run import Desk, Timing, run_job, sweep
from storage import jobs
from storage.db import Database
from storage.jobs import Limits

log = structlog.get_logger()

TASK = "incident_responder.run_job"
HINTS_KEPT = 10_000
"""Hints that wait for a broker that is away; what does not fit is hinted at by the sweeper."""


def celery_app(broker_url: str, name: str = "incident-responder") -> Celery:
    """The Celery application; `name` is its one queue."""
    app = Celery(name, broker=broker_url, set_as_current=False)
    app.conf.update(
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=3,
        broker_transport_options={
            "socket_timeout": 10,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
        },
        task_acks_late=False,
        task_default_queue=name,
        task_ignore_result=True,
        result_backend=None,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
    )
    return app


class CeleryQueue:
    """Sends hints, sweeps, and runs at most `max_concurrent` jobs at once in this process; 0: none.

    One a process may run jobs: Celery keeps the state of a worker in its modules.

    Args:
        broker_url: `redis://...`. A broker that is away delays work by a sweep at most after its return.
        name: of the broker's queue.
        limits: counted over all processes on the same database.
        sweep_s: how often jobs of dead workers, and jobs whose hint was lost, are looked for.
    """

    def __init__(  # noqa: PLR0913 - the settings of an executor
        self,
        db: Database,
        handlers: Mapping[str, Handler],
        max_concurrent: int,
        *,
        broker_url: str,
        limits: Limits,
        name: str = "incident-responder",
        lease_s: float = 30.0,
        heartbeat_s: float = 10.0,
        sweep_s: float = 5.0,
        limit_s: float = 900.0,
        backoff_s: float = 2.0,
        on_dead: OnEnd | None = None,
    ) -> None:
        self.limits = limits
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._db = db
        self._handlers = handlers
        self._max_concurrent = max_concurrent
        self._timing = Timing(
            lease_s=lease_s,
            heartbeat_s=heartbeat_s,
            look_s=min(0.5, heartbeat_s),
            limit_s=limit_s,
            backoff_s=backoff_s,
        )
        self._sweep_s = sweep_s
        self._on_dead = on_dead
        self._desk = Desk()
        self._app = celery_app(broker_url, name)
        self._app.task(name=TASK, shared=False)(self._hinted)
        self._hints: queue.Queue[str | None] = queue.Queue(HINTS_KEPT)
        self._stopping = threading.Event()
        self._connected = True
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        loops = [("sender", self._send), ("sweeper", self._sweep)]
        if self._max_concurrent:
            loops.append(("consumer", self._consume))
        for name, loop in loops:
            thread = threading.Thread(target=loop, name=f"celery-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def notify(self, job_id: str) -> None:
        self._desk.look(job_id)
        try:
            self._hints.put_nowait(job_id)
        except queue.Full:
            log.warning("hint_dropped", job_id=job_id)

    def stop(self, grace_s: float) -> None:
        self._stopping.set()
        self._desk.drain()
        if self._max_concurrent:
            celery_state.should_stop = 0
        self._hints.put(None)
        consumers = [t for t in self._threads if t.name == "celery-consumer"]
        for thread in consumers:
            thread.join(grace_s)
        self._desk.abandon()
        for thread in self._threads:
            thread.join(5.0)

    def _hinted(self, job_id: str) -> None:
        """A message has come: work until nothing is left that may be begun."""
        log.debug("hint_received", job_id=job_id)
        while not self._stopping.is_set() and self._edge(self._run_one):
            pass

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

    def _send(self) -> None:
        while (job_id := self._hints.get()) is not None:
            try:
                self._app.send_task(TASK, args=[job_id], retry=False, ignore_result=True)
            except (KombuError, OSError) as error:
                if self._connected:
                    log.warning("broker_unavailable", error=type(error).__name__)
                self._connected = False
            else:
                if not self._connected:
                    log.info("broker_available")
                self._connected = True

    def _consume(self) -> None:
        self._app.set_default()  # the threads of Celery's pool look a task up in the default application
        celery_state.should_stop = None
        while not self._stopping.is_set():
            self._edge(self._serve)
            self._stopping.wait(1.0)
        celery_state.should_stop = None

    def _serve(self) -> bool:
        """Take messages until told to stop; ends early only when Celery gives up."""
        options: dict[str, Any] = {"without_heartbeat": True, "without_mingle": True}
        worker = WorkController(
            app=self._app,
            pool="threads",
            concurrency=self._max_concurrent,
            hostname=f"{self.owner.replace(':', '-')}@{socket.gethostname()}",
            without_gossip=True,
            **options,
        )
        worker.start()
        return True

    def _sweep(self) -> None:
        while True:
            self._edge(self._sweep_once)
            if self._stopping.wait(self._sweep_s):
                return

    def _sweep_once(self) -> bool:
        for job_id in sweep(self._db, self._on_dead):
            self.notify(job_id)
        with self._db.read() as session:
            before = self._db.now(session) - timedelta(seconds=self._sweep_s)
            overdue = jobs.overdue(session, before, self.limits)
        for job_id in overdue:
            self.notify(job_id)
        return True

    def _edge(self, act: Callable[[], bool]) -> bool:
        try:
            return act()
        except Exception:
            log.exception("executor_failed")
            return False
