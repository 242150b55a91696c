"""Maintenance: services or channels whose alerts start nothing for a while."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, delete, func, or_
from sqlmodel import Session, col, select

from storage.models import Mute


def add(  # noqa: PLR0913 - where, what, until when and by whom
    session: Session,
    workspace: str,
    until: datetime,
    by: str,
    now: datetime,
    *,
    service: str = "",
    channel: str = "",
) -> Mute:
    """Mute a service everywhere, or a channel; a new one replaces what was said of the same before."""
    lift(session, workspace, service=service, channel=channel)
    made = Mute(
        workspace=workspace,
        service=service,
        channel=channel,
        until=until,
        muted_by=by,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def lift(session: Session, workspace: str, *, service: str = "", channel: str = "") -> bool:
    """End a mute early; False when there was none."""
    done = session.exec(
        delete(Mute).where(
            col(Mute.workspace) == workspace,
            func.lower(col(Mute.service)) == service.lower(),
            col(Mute.channel) == channel,
        )
    )
    return bool(done.rowcount)


def active(session: Session, workspace: str, now: datetime, limit: int = 50) -> list[Mute]:
    """Mutes in force, the first to end first."""
    query = select(Mute).where(Mute.workspace == workspace, Mute.until > now)
    return list(session.exec(query.order_by(col(Mute.until)).limit(limit)).all())


def covering(
    session: Session, workspace: str, service: str, channel: str, now: datetime
) -> Mute | None:
    """The mute in force for an alert of this service in this channel, if any."""
    same_service = and_(col(Mute.service) != "", func.lower(col(Mute.service)) == service.lower())
    same_channel = and_(col(Mute.service) == "", col(Mute.channel) == channel)
    return session.exec(
        select(Mute)
        .where(
            Mute.workspace == workspace,
            Mute.until > now,
            or_(same_service, same_channel),
        )
        .order_by(col(Mute.until).desc())
        .limit(1)
    ).first()
