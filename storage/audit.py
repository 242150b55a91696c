"""Who changed, stopped or deleted something, and who was refused."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from storage.models import Audit


def note(  # noqa: PLR0913 - who, what, where and with which outcome
    session: Session,
    workspace: str,
    person: str,
    action: str,
    now: datetime,
    *,
    allowed: bool,
    channel: str = "",
    subject: str = "",
) -> None:
    """Write it down; rows are never changed."""
    session.add(
        Audit(
            workspace=workspace,
            at=now,
            person=person,
            action=action,
            allowed=allowed,
            channel=channel,
            subject=subject,
        )
    )
    session.flush()


def recent(session: Session, workspace: str, limit: int = 100) -> list[Audit]:
    """Newest first."""
    query = select(Audit).where(Audit.workspace == workspace)
    return list(session.exec(query.order_by(col(Audit.id).desc()).limit(limit)).all())
