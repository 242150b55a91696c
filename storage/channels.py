"""What people have decided for channels: whether alerts there are investigated, and how many an hour."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from storage.db import insert
from storage.models import ChannelSetting


def get(session: Session, workspace: str, channel: str) -> ChannelSetting | None:
    """The channel's settings; None when nobody has decided anything."""
    return session.get(ChannelSetting, (workspace, channel))


def decide(
    session: Session,
    workspace: str,
    channel: str,
    by: str,
    now: datetime,
    **values: bool | int | None,
) -> ChannelSetting:
    """Change some of `watch`, `shared`, `per_hour`; None takes a decision back."""
    session.exec(
        insert(session, ChannelSetting).on_conflict_do_nothing(
            index_elements=["workspace", "channel"]
        ),
        params={
            "workspace": workspace,
            "channel": channel,
            "updated_by": by,
            "updated_at": now,
        },
    )
    row = session.get_one(
        ChannelSetting, (workspace, channel), with_for_update=True, populate_existing=True
    )
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_by = by
    row.updated_at = now
    session.add(row)
    session.flush()
    return row


def watched(session: Session, workspace: str, limit: int = 100) -> list[ChannelSetting]:
    """Channels that somebody has decided to watch."""
    query = select(ChannelSetting).where(
        ChannelSetting.workspace == workspace, col(ChannelSetting.watch).is_(True)
    )
    return list(session.exec(query.order_by(col(ChannelSetting.channel)).limit(limit)).all())
