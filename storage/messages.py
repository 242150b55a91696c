"""What was said in the threads: questions, and the answers that were given to them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from storage.db import insert
from storage.models import Message

Role = Literal["person", "bot"]


def add(  # noqa: PLR0913, PLR0917 - a message has these parts
    session: Session,
    investigation_id: int,
    channel: str,
    thread_ts: str,
    ts: str,
    author: str,
    role: Role,
    text: str,
    now: datetime,
) -> bool:
    """Keep one message; False when (channel, ts) is already there."""
    made = session.exec(
        insert(session, Message)
        .on_conflict_do_nothing(index_elements=["channel", "ts"])
        .returning(col(Message.id)),
        params={
            "investigation_id": investigation_id,
            "channel": channel,
            "thread_ts": thread_ts,
            "ts": ts,
            "author": author,
            "role": role,
            "text": text,
            "created_at": now,
        },
    ).first()
    return made is not None


def thread(session: Session, investigation_id: int, limit: int) -> list[Message]:
    """The newest `limit` messages of the investigation, oldest of them first."""
    newest = session.exec(
        select(Message)
        .where(Message.investigation_id == investigation_id)
        .order_by(col(Message.id).desc())
        .limit(limit)
    ).all()
    return list(reversed(newest))
