"""Everything that is said in Slack, one row a message, written in the transaction that makes it true.

The publisher claims rows, sends them and reports back. A section that is put again with another body is an edit of
the same message. Within an investigation messages appear in the order of `seq`, the root of the thread before all;
edits keep their place in the thread, so they neither wait nor are waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, true, update
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert, touch
from storage.models import Investigation, OutboxMessage, OutboxState

Kind = Literal[
    "root", "message", "reaction", "ephemeral", "update", "file", "canvas", "complete", "session"
]


@dataclass(frozen=True)
class Draft:
    """A message as it should be.

    Attributes:
        section: its name within the investigation; the same section again edits the same message.
        seq: its place among the messages of the investigation.
        thread: sent into the investigation's thread; else into the channel.
    """

    section: str
    seq: int
    kind: Kind
    channel: str
    body: JsonObject
    thread: bool = True


@dataclass(frozen=True)
class OutboxRow:
    """A message to send now.

    Attributes:
        key: unique and stable; goes into the message's metadata, where a later attempt finds it.
        thread_ts: None for a root and for what goes into the channel.
        ts: set when the message exists already: this is an edit.
        attempt: from 1. Above 1 with no `ts`, an earlier attempt may have arrived: look for `key` first.
    """

    id: int
    investigation_id: int
    workspace: str
    key: str
    section: str
    kind: Kind
    channel: str
    thread_ts: str | None
    ts: str | None
    body: JsonObject
    attempt: int


def put(session: Session, investigation_id: int, drafts: Sequence[Draft], now: datetime) -> None:
    """Say this. A draft that changes nothing is ignored, so a rerun of a stage costs no edit."""
    for draft in drafts:
        _put_one(session, investigation_id, draft, now)
    if drafts:
        touch(session, "outbox")


def _put_one(session: Session, investigation_id: int, draft: Draft, now: datetime) -> None:
    made = session.exec(
        insert(session, OutboxMessage)
        .on_conflict_do_nothing(index_elements=["investigation_id", "section"])
        .returning(col(OutboxMessage.id)),
        params={
            "investigation_id": investigation_id,
            "section": draft.section,
            "key": f"ir-{investigation_id}-{draft.section}",
            "seq": draft.seq,
            "kind": draft.kind,
            "channel": draft.channel,
            "thread": draft.thread,
            "body": draft.body,
            "version": 1,
            "claimed_version": 0,
            "state": OutboxState.PENDING,
            "attempt": 0,
            "error": "",
            "next_try": now,
            "created_at": now,
        },
    ).first()
    if made is not None:
        return
    row = session.exec(
        select(OutboxMessage)
        .where(
            OutboxMessage.investigation_id == investigation_id,
            OutboxMessage.section == draft.section,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.state != OutboxState.FAILED and (row.body, row.seq) == (draft.body, draft.seq):
        return
    row.body = draft.body
    row.seq = draft.seq
    row.version += 1
    row.state = OutboxState.PENDING
    if row.ts is not None:
        row.attempt = 0  # an edit may be repeated; a first sending may not, so its count stays
    if row.lease_until is None:
        row.next_try = now
    session.add(row)
    session.flush()


def claim_due(
    session: Session, owner: str, now: datetime, limit: int, lease_s: float
) -> list[OutboxRow]:
    """Lease what may be sent now. A sending that takes longer than `lease_s` must `renew` its lease meanwhile.

    Two publishers never get the same row while its lease runs. When it runs out, the row is due again with
    `attempt` one higher.
    """
    found = session.exec(
        select(OutboxMessage, Investigation.thread_ts, Investigation.workspace)
        .join(Investigation, col(Investigation.id) == col(OutboxMessage.investigation_id))
        .where(_sendable(), col(OutboxMessage.next_try) <= now, _free(now))
        .order_by(col(OutboxMessage.next_try), col(OutboxMessage.seq), col(OutboxMessage.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=OutboxMessage)
    ).all()
    rows: list[OutboxRow] = []
    for message, thread_ts, workspace in found:
        message.owner = owner
        message.lease_until = now + timedelta(seconds=lease_s)
        message.attempt += 1
        message.claimed_version = message.version
        session.add(message)
        rows.append(_row(message, thread_ts, workspace))
    session.flush()
    return rows


def renew(session: Session, owner: str, now: datetime, lease_s: float) -> None:
    """Extend the leases of everything that `owner` is sending."""
    session.exec(
        update(OutboxMessage)
        .where(
            col(OutboxMessage.owner) == owner,
            col(OutboxMessage.lease_until).is_not(None),
            col(OutboxMessage.state) == OutboxState.PENDING,
        )
        .values(lease_until=now + timedelta(seconds=lease_s))
    )


def posted(session: Session, row_id: int, ts: str, now: datetime) -> None:
    """It is in Slack under `ts`. A root's `ts` becomes the thread of its investigation.

    When the body has changed while it was on the wire, the row stays due, as an edit.
    """
    known = session.get(OutboxMessage, row_id)
    if known is not None and known.kind == "root":
        # Before the row itself: whoever writes progress locks the two in this order as well.
        session.exec(
            update(Investigation)
            .where(col(Investigation.id) == known.investigation_id)
            .values(thread_ts=ts, updated_at=now)
        )
    row = _locked(session, row_id)
    if row is None:
        return
    row.ts = ts
    row.posted_at = now
    row.error = ""
    _unlease(row)
    if row.version == row.claimed_version:
        row.state = OutboxState.POSTED
    else:
        row.attempt = 0
        row.next_try = now
    session.add(row)
    session.flush()
    touch(session, "outbox")


def try_later(session: Session, row_id: int, at: datetime, error: str) -> None:
    """Not before `at`. What comes after it in the thread waits too."""
    row = _locked(session, row_id)
    if row is None:
        return
    row.next_try = at
    row.error = error
    _unlease(row)
    session.add(row)
    session.flush()
    touch(session, "outbox")


def give_up(session: Session, row_id: int, error: str) -> None:
    """It cannot be said. Without its root a thread does not exist, so what should go into it is given up as well.

    A body that has changed meanwhile gets its own chance.
    """
    row = _locked(session, row_id)
    if row is None:
        return
    row.error = error
    _unlease(row)
    if row.version == row.claimed_version:
        row.state = OutboxState.FAILED
    session.add(row)
    session.flush()
    if row.state == OutboxState.FAILED and row.kind == "root" and row.ts is None:
        session.exec(
            update(OutboxMessage)
            .where(
                col(OutboxMessage.investigation_id) == row.investigation_id,
                col(OutboxMessage.state) == OutboxState.PENDING,
                col(OutboxMessage.thread) == true(),
            )
            .values(state=OutboxState.FAILED, error=error)
        )
    touch(session, "outbox")


def next_due(session: Session) -> datetime | None:
    """When there will be something to claim: the past when there is now, None when all is said."""
    wait_for = case(
        (
            col(OutboxMessage.lease_until) > col(OutboxMessage.next_try),
            col(OutboxMessage.lease_until),
        ),
        else_=col(OutboxMessage.next_try),
    )
    at: datetime | None = session.exec(
        select(func.min(wait_for))
        .select_from(OutboxMessage)
        .join(Investigation, col(Investigation.id) == col(OutboxMessage.investigation_id))
        .where(_sendable())
    ).one()
    return at


def all_for(session: Session, investigation_id: int) -> list[OutboxMessage]:
    """Every message of the investigation in order, sent or not."""
    return list(
        session.exec(
            select(OutboxMessage)
            .where(OutboxMessage.investigation_id == investigation_id)
            .order_by(*_place(OutboxMessage))
        ).all()
    )


def _sendable() -> ColumnElement[bool]:
    """Pending, with a thread to go to, and (a first sending) nothing before it that can still be said."""
    before = aliased(OutboxMessage)
    blocked = exists().where(
        col(before.investigation_id) == col(OutboxMessage.investigation_id),
        col(before.state) == OutboxState.PENDING,
        col(before.ts).is_(None),
        _has_a_place(before),
        _earlier(before),
    )
    return and_(
        col(OutboxMessage.state) == OutboxState.PENDING,
        _has_a_place(OutboxMessage),
        or_(col(OutboxMessage.ts).is_not(None), ~blocked),
    )


def _has_a_place(table: type[OutboxMessage]) -> ColumnElement[bool]:
    """It makes the thread, needs none, or the thread exists."""
    return or_(
        col(table.kind) == "root",
        col(table.thread) == false(),
        col(Investigation.thread_ts).is_not(None),
    )


def _earlier(before: type[OutboxMessage]) -> ColumnElement[bool]:
    theirs, ours = _place(before), _place(OutboxMessage)
    return or_(
        theirs[0] < ours[0],
        and_(theirs[0] == ours[0], theirs[1] < ours[1]),
        and_(theirs[0] == ours[0], theirs[1] == ours[1], theirs[2] < ours[2]),
    )


def _place(
    table: type[OutboxMessage],
) -> tuple[ColumnElement[int], Mapped[int], Mapped[int]]:
    return case((col(table.kind) == "root", 0), else_=1), col(table.seq), col(table.id)


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(col(OutboxMessage.lease_until).is_(None), col(OutboxMessage.lease_until) <= now)


def _locked(session: Session, row_id: int) -> OutboxMessage | None:
    """None when retention has removed it meanwhile."""
    return session.get(OutboxMessage, row_id, with_for_update=True, populate_existing=True)


def _unlease(row: OutboxMessage) -> None:
    row.owner = None
    row.lease_until = None


def _row(message: OutboxMessage, thread_ts: str | None, workspace: str) -> OutboxRow:
    in_thread = message.thread and message.kind != "root"
    return OutboxRow(
        id=message.id,
        investigation_id=message.investigation_id,
        workspace=workspace,
        key=message.key,
        section=message.section,
        kind=message.kind,  # type: ignore[arg-type]
        channel=message.channel,
        thread_ts=thread_ts if in_thread else None,
        ts=message.ts,
        body=message.body,
        attempt=message.attempt,
    )
