"""The queue of record: claims by lease, guarded by a fence.

Whoever claims a job gets it for `lease_s` and a fence that is one higher than any before. A worker that loses its
lease (killed, stalled, cut off) finds that its fence is stale at its next write, and nothing that it does afterwards
can reach a table. All times come from `Database.now`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Update, and_, case, func, literal, tuple_, update
from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert, one_at_a_time, touch
from storage.models import OPEN_JOB, Job, JobState, JobStep

CLAIM_KEY = 7_193_002
OPEN = (JobState.QUEUED, JobState.RUNNING)
Ending = Literal["done", "failed", "cancelled", "dead"]


class LostLease(Exception):  # noqa: N818 - what happened, not an error of anybody's
    """Somebody else holds this job now, or it is over. Stop; nothing more can be written for it."""


@dataclass(frozen=True)
class Limits:
    """How many jobs may run at once, counted over all processes that share the database."""

    total: int
    per_workspace: int


@dataclass(frozen=True)
class Beat:
    """The answer to a heartbeat. Not alive: the lease is lost."""

    alive: bool
    cancel_requested: bool


@dataclass(frozen=True)
class Swept:
    """What became of the jobs whose leases had run out."""

    requeued: tuple[str, ...]
    dead: tuple[Job, ...]


def enqueue(  # noqa: PLR0913 - a job has these parts
    session: Session,
    *,
    kind: str,
    workspace: str,
    payload: JsonObject,
    now: datetime,
    investigation_id: int | None = None,
    dedupe_key: str | None = None,
    priority: int = 5,
    max_attempts: int = 5,
    run_after: datetime | None = None,
) -> Job:
    """A new job, or the open one of the same workspace and `dedupe_key`. The lowest `priority` number goes first."""
    job_id = uuid.uuid4().hex
    made = session.exec(
        insert(session, Job)
        .on_conflict_do_nothing(index_elements=["workspace", "dedupe_key"], index_where=OPEN_JOB)
        .returning(col(Job.id)),
        params={
            "id": job_id,
            "kind": kind,
            "workspace": workspace,
            "investigation_id": investigation_id,
            "priority": priority,
            "state": JobState.QUEUED,
            "payload": payload,
            "dedupe_key": dedupe_key,
            "created_at": now,
            "run_after": run_after or now,
            "attempt": 0,
            "max_attempts": max_attempts,
            "fence": 0,
            "cancel_requested": False,
            "error": "",
        },
    ).first()
    touch(session, "job")
    if made is None:
        return session.exec(
            select(Job).where(
                Job.workspace == workspace,
                Job.dedupe_key == dedupe_key,
                col(Job.state).in_(OPEN),
            )
        ).one()
    return session.get_one(Job, job_id)


def due(session: Session, now: datetime) -> bool:
    """Whether there may be something to claim. A cheap look that takes no lock."""
    waiting = select(Job.id).where(Job.state == JobState.QUEUED, Job.run_after <= now).limit(1)
    return session.exec(waiting).first() is not None


def overdue(session: Session, before: datetime, limits: Limits) -> list[str]:
    """Jobs that could have begun at `before` and have not, as many as there are free places."""
    running = session.exec(
        select(func.count()).select_from(Job).where(Job.state == JobState.RUNNING)
    ).one()
    waiting = select(Job.id).where(Job.state == JobState.QUEUED, Job.run_after <= before)
    places = max(0, limits.total - running)
    return list(session.exec(waiting.order_by(col(Job.priority)).limit(places)).all())


def claim(  # noqa: PLR0913 - all of them decide
    session: Session,
    *,
    owner: str,
    lease_s: float,
    now: datetime,
    limits: Limits,
    job_id: str | None = None,
    kinds: Collection[str] | None = None,
) -> Job | None:
    """Lease the next job (or just `job_id`), or None when there is none or no place is free.

    The most urgent priority first; within it the workspace with the fewest running jobs, then the oldest. Claims
    happen one at a time over all processes, so the limits are exact. `kinds`: those that the caller can run.
    """
    one_at_a_time(session, CLAIM_KEY)
    running = dict(
        session.exec(
            select(Job.workspace, func.count())
            .where(Job.state == JobState.RUNNING)
            .group_by(Job.workspace)
        ).all()
    )
    if sum(running.values()) >= limits.total:
        return None
    full = [workspace for workspace, count in running.items() if count >= limits.per_workspace]
    beside = case(running, value=col(Job.workspace), else_=0) if running else literal(0)
    query = select(Job.id).where(
        Job.state == JobState.QUEUED, Job.run_after <= now, col(Job.workspace).not_in(full)
    )
    if job_id is not None:
        query = query.where(Job.id == job_id)
    if kinds is not None:
        query = query.where(col(Job.kind).in_(kinds))
    found = session.exec(
        query.order_by(col(Job.priority), beside, col(Job.created_at), col(Job.id)).limit(1)
    ).first()
    if found is None:
        return None
    return _changed(
        session,
        update(Job)
        .where(col(Job.id) == found, col(Job.state) == JobState.QUEUED)
        .values(
            state=JobState.RUNNING,
            owner=owner,
            fence=Job.fence + 1,
            attempt=Job.attempt + 1,
            lease_until=now + timedelta(seconds=lease_s),
        ),
    )


def heartbeat(
    session: Session, job_id: str, owner: str, fence: int, lease_s: float, now: datetime
) -> Beat:
    """Extend the lease to `lease_s` from now."""
    held = session.exec(
        update(Job)
        .where(_held(job_id, fence), col(Job.owner) == owner)
        .values(lease_until=now + timedelta(seconds=lease_s))
        .returning(col(Job.cancel_requested))
        .execution_options(synchronize_session=False)
    ).first()
    return Beat(alive=held is not None, cancel_requested=held is not None and bool(held[0]))


def hold(session: Session, job_id: str, fence: int) -> None:
    """Keep the job ours until this transaction ends: what else it writes counts only while we hold the lease.

    Raises:
        LostLease: the fence is stale.
    """
    held = session.exec(select(Job.id).where(_held(job_id, fence)).with_for_update()).first()
    if held is None:
        raise LostLease(job_id)


def cancel_requested(session: Session, job_id: str, fence: int) -> bool:
    """Whether somebody asks this attempt to stop."""
    asked = select(Job.id).where(_held(job_id, fence), col(Job.cancel_requested))
    return session.exec(asked).first() is not None


def save_step(
    session: Session, job_id: str, fence: int, step: str, result: JsonObject, now: datetime
) -> None:
    """Keep the result of a stage, in one transaction with whatever else the caller writes.

    Raises:
        LostLease: the fence is stale.
    """
    hold(session, job_id, fence)
    statement = insert(session, JobStep)
    new = statement.excluded
    session.exec(
        statement.on_conflict_do_update(
            index_elements=["job_id", "step"],
            set_={"result": new.result, "fence": new.fence, "saved_at": new.saved_at},
        ),
        params={"job_id": job_id, "step": step, "result": result, "fence": fence, "saved_at": now},
    )


def saved_step(session: Session, job_id: str, step: str) -> JsonObject | None:
    saved = session.get(JobStep, (job_id, step))
    return None if saved is None else saved.result


def steps(session: Session, job_id: str) -> dict[str, JsonObject]:
    """The results of all finished stages, by name."""
    rows = session.exec(select(JobStep).where(JobStep.job_id == job_id)).all()
    return {row.step: row.result for row in rows}


def finish(
    session: Session,
    job_id: str,
    fence: int,
    state: Ending,
    error: str = "",
    *,
    now: datetime | None = None,
) -> Job:
    """End the job.

    Raises:
        LostLease: the fence is stale.
    """
    return _given_up(
        session,
        job_id,
        fence,
        {"state": state, "error": error, "finished_at": now, "lease_until": None},
    )


def retry_later(session: Session, job_id: str, fence: int, run_after: datetime, error: str) -> Job:
    """Back into the queue, not before `run_after`. The attempt counts.

    Raises:
        LostLease: the fence is stale.
    """
    return _given_up(
        session,
        job_id,
        fence,
        {
            "state": JobState.QUEUED,
            "run_after": run_after,
            "error": error,
            "owner": None,
            "lease_until": None,
        },
    )


def release(session: Session, job_id: str, fence: int) -> Job:
    """Hand the job over to whoever is free; the attempt does not count. For a worker that is being stopped.

    Raises:
        LostLease: the fence is stale.
    """
    return _given_up(
        session,
        job_id,
        fence,
        {
            "state": JobState.QUEUED,
            "attempt": Job.attempt - 1,
            "owner": None,
            "lease_until": None,
        },
    )


def request_cancel(session: Session, job_id: str, *, now: datetime | None = None) -> Job | None:
    """Cancel a waiting job at once, ask a running one to stop; None when it is over or unknown."""
    waiting = _changed(
        session,
        update(Job)
        .where(col(Job.id) == job_id, col(Job.state) == JobState.QUEUED)
        .values(state=JobState.CANCELLED, cancel_requested=True, finished_at=now),
    )
    return waiting or _changed(
        session,
        update(Job)
        .where(col(Job.id) == job_id, col(Job.state) == JobState.RUNNING)
        .values(cancel_requested=True),
    )


def get(session: Session, job_id: str) -> Job | None:
    return session.get(Job, job_id)


def for_investigation(session: Session, investigation_id: int) -> list[Job]:
    """All jobs of an investigation, oldest first."""
    return list(
        session.exec(
            select(Job)
            .where(Job.investigation_id == investigation_id)
            .order_by(col(Job.created_at), col(Job.id))
        ).all()
    )


def position(session: Session, job_id: str, *, limits: Limits | None = None) -> int:
    """How many places a waiting job has before it starts; 0 when it is running, over, or next.

    With `limits`, free places are counted, and a job that must wait for one is at least at place 1.
    """
    job = session.get(Job, job_id)
    if job is None or job.state != JobState.QUEUED:
        return 0
    ahead = session.exec(
        select(func.count())
        .select_from(Job)
        .where(
            Job.state == JobState.QUEUED,
            tuple_(col(Job.priority), col(Job.created_at), col(Job.id))
            < tuple_(job.priority, job.created_at, job_id),
        )
    ).one()
    if limits is None:
        return ahead
    running = session.exec(
        select(func.count()).select_from(Job).where(Job.state == JobState.RUNNING)
    ).one()
    return 0 if running + ahead < limits.total else running + ahead - limits.total + 1


def expired(session: Session, now: datetime) -> bool:
    """Whether `sweep` would find something. A cheap look that takes no lock."""
    return session.exec(select(Job.id).where(_expired(now)).limit(1)).first() is not None


def sweep(session: Session, now: datetime) -> Swept:
    """Requeue jobs whose lease has run out; those without attempts left are dead, those to be cancelled are.

    The caller tells people about the dead ones in the same transaction.
    """
    lost = session.exec(
        select(Job).where(_expired(now)).order_by(col(Job.id)).with_for_update(skip_locked=True)
    ).all()
    requeued: list[str] = []
    over: list[Job] = []
    for job in lost:
        job.owner = None
        job.lease_until = None
        if job.cancel_requested or job.attempt >= job.max_attempts:
            job.state = JobState.CANCELLED if job.cancel_requested else JobState.DEAD
            job.finished_at = now
            over.append(job)
        else:
            job.state = JobState.QUEUED
            job.run_after = now
            requeued.append(job.id)
        session.add(job)
    session.flush()
    if lost:
        touch(session, "job")
    return Swept(tuple(requeued), tuple(over))


def _expired(now: datetime) -> ColumnElement[bool]:
    return and_(col(Job.state) == JobState.RUNNING, col(Job.lease_until) <= now)


def _held(job_id: str, fence: int) -> ColumnElement[bool]:
    return and_(col(Job.id) == job_id, col(Job.fence) == fence, col(Job.state) == JobState.RUNNING)


def _given_up(session: Session, job_id: str, fence: int, values: dict[str, object]) -> Job:
    job = _changed(session, update(Job).where(_held(job_id, fence)).values(values))
    if job is None:
        raise LostLease(job_id)
    touch(session, "job")
    return job


def _changed(session: Session, statement: Update) -> Job | None:
    """The one row that the update changed, as it is now."""
    row = session.exec(
        statement.returning(col(Job.id)).execution_options(synchronize_session=False)
    ).first()
    return None if row is None else session.get_one(Job, row[0], populate_existing=True)
