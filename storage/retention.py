"""Forgetting: evidence first, whole investigations later. A few rows at a time, so that nobody waits long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.investigations import FINAL
from storage.models import (
    Alert,
    EvidenceItem,
    Investigation,
    InvestigationEvent,
    Job,
    JobState,
    JobStep,
)

AT_ONCE = 200
OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.DEAD)


@dataclass
class Forgotten:
    """How much was deleted, by kind: investigations (with all that belongs to them), or only their evidence."""

    investigations: int = 0
    evidence: int = 0
    jobs: int = 0
    alerts: int = 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(asdict(self).items())

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


def forget(session: Session, *, reports_before: datetime, evidence_before: datetime) -> Forgotten:
    """Delete at most `AT_ONCE` of each kind that is older; call again, in a new transaction, until nothing is left.

    Open investigations and alerts stay whatever their age. Evidence goes with the event log and the saved stages;
    the report stays readable without them.
    """
    return Forgotten(
        investigations=_investigations(session, reports_before),
        evidence=_evidence(session, evidence_before),
        jobs=_jobs(session, reports_before),
        alerts=_alerts(session, reports_before),
    )


def _investigations(session: Session, before: datetime) -> int:
    old = select(Investigation.id).where(
        col(Investigation.created_at) < before, col(Investigation.state).in_(FINAL)
    )
    ids = list(session.exec(old.limit(AT_ONCE)).all())
    session.exec(delete(Investigation).where(col(Investigation.id).in_(ids)))
    return len(ids)


def _evidence(session: Session, before: datetime) -> int:
    holds = (
        select(EvidenceItem.investigation_id)
        .where(EvidenceItem.investigation_id == Investigation.id)
        .exists()
    )
    old = select(Investigation.id).where(
        col(Investigation.created_at) < before, col(Investigation.state).in_(FINAL), holds
    )
    ids = list(session.exec(old.limit(AT_ONCE)).all())
    jobs = select(Job.id).where(col(Job.investigation_id).in_(ids))
    session.exec(delete(EvidenceItem).where(col(EvidenceItem.investigation_id).in_(ids)))
    session.exec(
        delete(InvestigationEvent).where(col(InvestigationEvent.investigation_id).in_(ids))
    )
    session.exec(delete(JobStep).where(col(JobStep.job_id).in_(jobs)))
    return len(ids)


def _jobs(session: Session, before: datetime) -> int:
    old = select(Job.id).where(
        col(Job.investigation_id).is_(None), col(Job.created_at) < before, col(Job.state).in_(OVER)
    )
    ids = list(session.exec(old.limit(AT_ONCE)).all())
    session.exec(delete(Job).where(col(Job.id).in_(ids)))
    return len(ids)


def _alerts(session: Session, before: datetime) -> int:
    old = select(Alert.id).where(col(Alert.last_seen) < before, col(Alert.closed_at).is_not(None))
    ids = list(session.exec(old.limit(AT_ONCE)).all())
    session.exec(delete(Alert).where(col(Alert.id).in_(ids)))
    return len(ids)
