"""What a stretch of time looked like: the rows that a summary is made from."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from storage.models import Investigation, InvestigationState

MOST = 1_000


def finished_between(
    session: Session, workspace: str, since: datetime, until: datetime
) -> list[Investigation]:
    """Investigations that got their report in `[since, until)`, oldest first, at most `MOST`."""
    query = select(Investigation).where(
        Investigation.workspace == workspace,
        Investigation.state == InvestigationState.DONE,
        col(Investigation.report).is_not(None),
        col(Investigation.finished_at) >= since,
        col(Investigation.finished_at) < until,
    )
    return list(session.exec(query.order_by(col(Investigation.id)).limit(MOST)).all())
