"""What people say of reports. A benchmark is made from it: what was asked, what was said, what it really was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert
from storage.models import Feedback, Investigation

Verdict = Literal["right", "wrong"]


def say(
    session: Session, investigation_id: int, author: str, verdict: Verdict, now: datetime
) -> None:
    """One opinion a person: saying it again replaces the verdict and keeps what was said of the cause."""
    made = insert(session, Feedback)
    session.exec(
        made.on_conflict_do_update(
            index_elements=["investigation_id", "author"],
            set_={"verdict": made.excluded.verdict, "updated_at": made.excluded.updated_at},
        ),
        params={
            "investigation_id": investigation_id,
            "author": author,
            "verdict": verdict,
            "cause": "",
            "sha": "",
            "updated_at": now,
        },
    )


def explain(
    session: Session, investigation_id: int, author: str, cause: str, sha: str, now: datetime
) -> None:
    """What it really was, and which commit did it where one is known."""
    say(session, investigation_id, author, "wrong", now)
    row = session.exec(
        select(Feedback)
        .where(Feedback.investigation_id == investigation_id, Feedback.author == author)
        .execution_options(populate_existing=True)
    ).one()
    row.cause, row.sha, row.updated_at = cause, sha, now
    session.add(row)
    session.flush()


def of(session: Session, investigation_id: int) -> list[Feedback]:
    """All opinions of one investigation, in the order of their authors' first word."""
    query = select(Feedback).where(Feedback.investigation_id == investigation_id)
    return list(session.exec(query.order_by(col(Feedback.id))).all())


def export(session: Session, workspace: str | None = None) -> Iterator[JsonObject]:
    """One object an opinion, oldest first, with what was asked and reported; no names of people."""
    query = (
        select(Feedback, Investigation)
        .join(Investigation, col(Investigation.id) == col(Feedback.investigation_id))
        .order_by(col(Feedback.id))
    )
    if workspace is not None:
        query = query.where(Investigation.workspace == workspace)
    for said, case in session.exec(query):
        suspects = (case.report or {}).get("suspects") or []
        yield {
            "investigation": case.id,
            "question": case.question,
            "service": case.service,
            "conclusion": case.conclusion,
            "confidence": case.confidence,
            "suspects": [str(one.get("sha", "")) for one in suspects[:5]],
            "verdict": said.verdict,
            "cause": said.cause,
            "sha": said.sha,
            "at": said.updated_at.isoformat(),
        }
