"""Which events have been taken in, so that a redelivered one is recognised before anything is done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from storage.db import insert
from storage.models import Inbox


def remember(session: Session, source: str, event_id: str, now: datetime) -> bool:
    """True the first time. Belongs into the transaction that stores what the event asks for."""
    made = session.exec(
        insert(session, Inbox)
        .on_conflict_do_nothing(index_elements=["source", "event_id"])
        .returning(col(Inbox.source)),
        params={"source": source, "event_id": event_id, "received_at": now},
    ).first()
    return made is not None


def purge(session: Session, before: datetime) -> int:
    """Forget events that were received before; returns how many. Slack redelivers for about an hour."""
    return session.exec(delete(Inbox).where(col(Inbox.received_at) < before)).rowcount
