"""What a handler works with while its job is leased: saved stages and progress, all guarded by the fence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from pydantic import ValidationError
from sqlmodel import Session

from bot.queue import InterruptedJob, Result
from storage import events, jobs, outbox
from storage.columns import JsonObject
from storage.db import Database
from storage.models import Job
from storage.outbox import Draft

log = structlog.get_logger()


class JobContext:
    """The `Context` of one attempt. Its methods may be called from any thread that the handler starts.

    Attributes:
        draining: set when the process is being stopped: no further stage begins here.
    """

    def __init__(self, db: Database, job: Job) -> None:
        self._db = db
        self._fence = job.fence
        self.job_id = job.id
        self.investigation_id = job.investigation_id or 0
        self.payload: JsonObject = job.payload
        self.cancelled = threading.Event()
        self.draining = threading.Event()

    def stage(
        self,
        name: str,
        step: Callable[[], Result],
        of: type[Result],
        render: Callable[[Result], Sequence[Draft]] | None = None,
        *,
        save: Callable[[Session, Result], None] | None = None,
    ) -> Result:
        if self.cancelled.is_set():
            raise InterruptedJob
        saved = self._saved(name, of)
        if saved is not None:
            return saved
        if self.draining.is_set():
            raise InterruptedJob
        result = step()
        kept = result.model_dump(mode="json")
        drafts = render(result) if render is not None else ()
        with self._db.write() as session:
            now = self._db.now(session)
            jobs.save_step(session, self.job_id, self._fence, name, kept, now)
            if save is not None:
                save(session, result)
            outbox.put(session, self.investigation_id, drafts, now)
        return result

    def emit(self, kind: str, payload: JsonObject, drafts: Sequence[Draft] = ()) -> None:
        if self.cancelled.is_set():
            raise InterruptedJob

        def write(session: Session) -> None:
            now = self._db.now(session)
            jobs.hold(session, self.job_id, self._fence)
            events.append(session, self.investigation_id, kind, payload, now)
            outbox.put(session, self.investigation_id, drafts, now)

        self._db.together(write)

    def _saved(self, name: str, of: type[Result]) -> Result | None:
        with self._db.read() as session:
            saved = jobs.saved_step(session, self.job_id, name)
        if saved is None:
            return None
        try:
            return of.model_validate(saved)
        except ValidationError:  # another release saved it
            log.warning("saved_stage_not_readable", stage=name)
            return None
