"""Periodic things run once in a cluster: whoever writes the row first has the tick."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col

from storage.db import insert
from storage.models import Tick


def take(session: Session, name: str, now: datetime, gap: timedelta) -> bool:
    """Whether this tick is ours: nobody took one of this name less than `gap` ago."""
    statement = insert(session, Tick)
    taken = session.exec(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"at": statement.excluded.at},
            where=col(Tick.at) <= now - gap,
        ).returning(col(Tick.name)),
        params={"name": name, "at": now},
    ).first()
    return taken is not None
