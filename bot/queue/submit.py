"""The way in for every door that does not have a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from sqlmodel import Session

from bot.queue import INVESTIGATE, Queue
from storage import inbox as inboxes
from storage import investigations, jobs, outbox
from storage.db import Database
from storage.investigations import FINAL, NewInvestigation
from storage.jobs import Limits
from storage.models import InvestigationState, JobState
from storage.outbox import Draft

PRIORITY = {"alert": 5, "webhook": 5, "schedule": 7}
"""People (3) before alerts, alerts before schedules."""
OF_PEOPLE = 3


@dataclass(frozen=True)
class Submitted:
    """What became of a request.

    Attributes:
        position: 0 when it starts at once, else its place among those that wait.
        created: False when the same origin was submitted before; then nothing was added.
    """

    investigation_id: int
    job_id: str
    position: int
    created: bool


@runtime_checkable
class Bounded(Protocol):
    """A queue that says how much it runs at once, so that a place in it can be told."""

    @property
    def limits(self) -> Limits: ...


Drafts = Sequence[Draft] | Callable[[Submitted], Sequence[Draft]]
"""First messages, or how to make them once the number and the place in the queue are known."""


def submit(
    db: Database,
    queue: Queue,
    new: NewInvestigation,
    *,
    inbox: tuple[str, str] | None = None,
    drafts: Drafts = (),
) -> Submitted:
    """Store the request with its job and first messages, then hint at it. When this returns, nothing can lose it.

    `inbox` is (source, event id) of the delivery that asked. `new.origin` alone decides what is a repetition: an
    event that was remembered without its investigation has been cut off in between, and is done now.
    """
    limits = queue.limits if isinstance(queue, Bounded) else None

    def work(session: Session) -> Submitted:
        now = db.now(session)
        if inbox is not None:
            inboxes.remember(session, *inbox, now)
        return place(session, new, now, drafts, limits)

    submitted = db.together(work)
    if submitted.created:
        queue.notify(submitted.job_id)
    return submitted


def place(
    session: Session,
    new: NewInvestigation,
    now: datetime,
    drafts: Drafts = (),
    limits: Limits | None = None,
) -> Submitted:
    """`submit` within a transaction of the caller, who notifies the queue after the commit."""
    investigation, created = investigations.open(session, new, now)
    if not created:
        known = jobs.for_investigation(session, investigation.id)
        job_id = known[0].id if known else ""
        position = jobs.position(session, job_id, limits=limits)
        return Submitted(investigation.id, job_id, position, created=False)
    job = jobs.enqueue(
        session,
        kind=INVESTIGATE,
        workspace=new.workspace,
        payload={},
        now=now,
        investigation_id=investigation.id,
        priority=PRIORITY.get(new.door, OF_PEOPLE),
    )
    position = jobs.position(session, job.id, limits=limits)
    submitted = Submitted(investigation.id, job.id, position, created=True)
    first = drafts(submitted) if callable(drafts) else drafts
    outbox.put(session, investigation.id, first, now)
    return submitted


def cancel(db: Database, queue: Queue, investigation_id: int, drafts: Sequence[Draft] = ()) -> bool:
    """Stop the investigation; False when nothing of it is open.

    `drafts` are put when nobody had begun; a worker that has begun says itself that it stopped.
    """
    with db.write() as session:
        now = db.now(session)
        asked = [
            stopped
            for job in jobs.for_investigation(session, investigation_id)
            if (stopped := jobs.request_cancel(session, job.id, now=now)) is not None
        ]
        if asked and all(job.state == JobState.CANCELLED for job in asked):
            case = investigations.get(session, investigation_id)
            if case is not None and case.state not in FINAL:
                investigations.set_state(
                    session, investigation_id, InvestigationState.CANCELLED, now
                )
            outbox.put(session, investigation_id, drafts, now)
    for job in asked:
        queue.notify(job.id)
    return bool(asked)
