"""Investigations: opened once an origin, moved through their states, kept with their report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, update
from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert, touch
from storage.models import Investigation, InvestigationState, OutboxMessage

FINAL = (InvestigationState.DONE, InvestigationState.FAILED, InvestigationState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class NewInvestigation:
    """What a door asks for.

    Attributes:
        origin: the door's own key for this request (an event id, a trigger id, an alert's fingerprint and time);
            the same origin in the same workspace is the same investigation, however often it is delivered.
        thread_ts: the thread to answer in; None means that the bot posts a root message of its own.
        tz: the IANA name of the zone in which the requester reads times.
    """

    workspace: str
    origin: str
    door: str
    requested_by: str = ""
    channel: str = ""
    thread_ts: str | None = None
    question: str = ""
    service: str = ""
    since: datetime | None = None
    until: datetime | None = None
    repo: str = ""
    head: str = ""
    tz: str = "UTC"
    alert: JsonObject | None = None
    parent_id: int | None = None


def open(session: Session, new: NewInvestigation, now: datetime) -> tuple[Investigation, bool]:  # noqa: A001 - the word that fits
    """The investigation of this origin, and whether this call created it."""
    made = session.exec(
        insert(session, Investigation)
        .on_conflict_do_nothing(index_elements=["workspace", "origin"])
        .returning(col(Investigation.id)),
        params={**_defaults(), **asdict(new), "created_at": now, "updated_at": now},
    ).first()
    found = session.exec(
        select(Investigation).where(
            Investigation.workspace == new.workspace, Investigation.origin == new.origin
        )
    ).one()
    return found, made is not None


def _defaults() -> dict[str, Any]:
    return {"state": InvestigationState.QUEUED, "error": "", "summary": "", "last_event": 0}


def get(session: Session, investigation_id: int) -> Investigation | None:
    return session.get(Investigation, investigation_id)


def in_thread(
    session: Session, workspace: str, channel: str, thread_ts: str
) -> Investigation | None:
    """The newest investigation that answers in this thread."""
    return session.exec(
        select(Investigation)
        .where(
            Investigation.workspace == workspace,
            Investigation.channel == channel,
            Investigation.thread_ts == thread_ts,
        )
        .order_by(col(Investigation.id).desc())
        .limit(1)
    ).first()


def set_state(
    session: Session,
    investigation_id: int,
    state: str,
    now: datetime,
    **fields: str | float | datetime | None,
) -> None:
    """Move to `state`, setting further columns by name; a final state also gets its time."""
    if state in FINAL:
        fields = {"finished_at": now, **fields}
    session.exec(
        update(Investigation)
        .where(col(Investigation.id) == investigation_id)
        .values(state=state, updated_at=now, **fields)
    )
    touch(session, "investigation")


def save_report(  # noqa: PLR0913, PLR0917 - the columns that lists are made from
    session: Session,
    investigation_id: int,
    report_json: JsonObject,
    conclusion: str,
    confidence: float,
    summary: str,
    now: datetime,
) -> None:
    """Keep the report. A second one for the same investigation replaces the first."""
    session.exec(
        update(Investigation)
        .where(col(Investigation.id) == investigation_id)
        .values(
            report=report_json,
            conclusion=conclusion,
            confidence=confidence,
            summary=summary,
            updated_at=now,
        )
    )
    touch(session, "investigation")


def recent(
    session: Session,
    workspace: str | None,
    limit: int,
    *,
    service: str | None = None,
    state: str | None = None,
    before_id: int | None = None,
) -> list[Investigation]:
    """Newest first; `before_id` pages on. `workspace` None means all of them (the operator's view)."""
    query = select(Investigation).order_by(col(Investigation.id).desc()).limit(limit)
    if workspace is not None:
        query = query.where(Investigation.workspace == workspace)
    if service is not None:
        query = query.where(Investigation.service == service)
    if state is not None:
        query = query.where(Investigation.state == state)
    if before_id is not None:
        query = query.where(Investigation.id < before_id)
    return list(session.exec(query).all())


def started_since(
    session: Session,
    workspace: str,
    since: datetime,
    *,
    door: str | None = None,
    channel: str | None = None,
    service: str | None = None,
) -> int:
    """How many were opened from `since` on: by all doors or one, in all or for one channel or service."""
    query = (
        select(func.count())
        .select_from(Investigation)
        .where(
            Investigation.workspace == workspace,
            Investigation.created_at >= since,
        )
    )
    if door is not None:
        query = query.where(Investigation.door == door)
    if channel is not None:
        query = query.where(Investigation.channel == channel)
    if service is not None:
        query = query.where(Investigation.service == service)
    return session.exec(query).one()


def delete(session: Session, investigation_id: int) -> list[tuple[str, str]]:
    """Remove an investigation with everything of it; the (channel, ts) of what it had posted."""
    posted = session.exec(
        select(OutboxMessage.channel, OutboxMessage.ts).where(
            OutboxMessage.investigation_id == investigation_id,
            col(OutboxMessage.ts).is_not(None),
            col(OutboxMessage.kind).in_(("root", "message")),
        )
    ).all()
    session.exec(sql_delete(Investigation).where(col(Investigation.id) == investigation_id))
    touch(session, "investigation")
    return [(channel, ts) for channel, ts in posted if ts]
