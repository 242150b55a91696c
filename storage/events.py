"""Progress: an append-only log per investigation. Slack, the web page, the API and the command line all read it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert, touch
from storage.models import Investigation, InvestigationEvent


class UnknownInvestigationError(LookupError):
    """There is no investigation of this id (any more)."""


def append(
    session: Session, investigation_id: int, kind: str, payload: JsonObject, now: datetime
) -> int:
    """Add one event; returns its number.

    The counter's row is locked until the transaction ends, so numbers become visible in order and a reader that
    has seen `n` never finds something new below it.

    Raises:
        UnknownInvestigationError: it does not exist.
    """
    number = session.exec(
        update(Investigation)
        .where(col(Investigation.id) == investigation_id)
        .values(last_event=Investigation.last_event + 1)
        .returning(col(Investigation.last_event))
        .execution_options(synchronize_session=False)
    ).scalar()
    if number is None:
        raise UnknownInvestigationError(investigation_id)
    session.exec(
        insert(session, InvestigationEvent),
        params={
            "investigation_id": investigation_id,
            "number": number,
            "kind": kind,
            "payload": payload,
            "at": now,
        },
    )
    touch(session, "event")
    return int(number)


def since(
    session: Session, investigation_id: int, after: int = 0, limit: int = 1_000
) -> list[InvestigationEvent]:
    """At most `limit` events with a number above `after`, in order."""
    return list(
        session.exec(
            select(InvestigationEvent)
            .where(
                InvestigationEvent.investigation_id == investigation_id,
                InvestigationEvent.number > after,
            )
            .order_by(col(InvestigationEvent.number))
            .limit(limit)
        ).all()
    )
