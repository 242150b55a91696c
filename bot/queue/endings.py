"""What a job's beginning and end mean for its investigation: its state, its event log, a word in its thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlmodel import Session

from bot.queue import INVESTIGATE
from storage import events, investigations, outbox
from storage.models import InvestigationState, Job, JobState
from storage.outbox import Draft

log = structlog.get_logger()

OnEnd = Callable[[Job], Sequence[Draft]]
"""The messages for a job that is `dead` (out of attempts: `error` is for operators), `failed` (`error` is a text for
people) or `cancelled`."""

STATES = {
    JobState.DONE: InvestigationState.DONE,
    JobState.FAILED: InvestigationState.FAILED,
    JobState.DEAD: InvestigationState.FAILED,
    JobState.CANCELLED: InvestigationState.CANCELLED,
}


def begun(session: Session, job: Job, now: datetime) -> None:
    """A worker has claimed the job."""
    _mirror(session, job, InvestigationState.RUNNING, now)


def waiting(session: Session, job: Job, now: datetime) -> None:
    """The job has gone back into the queue."""
    _mirror(session, job, InvestigationState.QUEUED, now)


def over(session: Session, job: Job, now: datetime, on_end: OnEnd | None) -> None:
    """The job has ended; people hear of it in the same transaction, unless its handler has told them."""
    state = STATES[JobState(job.state)]
    _mirror(session, job, state, now, error=job.error)
    if state is InvestigationState.DONE or on_end is None or job.investigation_id is None:
        return
    try:
        drafts = on_end(job)
    except Exception:
        log.exception("obituary_failed", job_id=job.id)
        return
    outbox.put(session, job.investigation_id, drafts, now)


def _mirror(
    session: Session, job: Job, state: InvestigationState, now: datetime, error: str = ""
) -> None:
    if job.kind != INVESTIGATE or job.investigation_id is None:
        return
    investigations.set_state(session, job.investigation_id, state, now, error=error)
    payload = {"state": str(state), "attempt": job.attempt}
    events.append(session, job.investigation_id, "state", payload, now)
