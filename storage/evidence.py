"""What a report may cite: the records of an investigation under their ids (`L12`, `C3`)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert
from storage.models import EvidenceItem


def save(
    session: Session, investigation_id: int, items: Sequence[tuple[str, str, JsonObject]]
) -> None:
    """Keep `(key, kind, payload)` items; a key that is already there is replaced, so that a rerun is harmless."""
    if not items:
        return
    rows = [
        {
            "investigation_id": investigation_id,
            "key": key,
            "kind": kind,
            "position": position,
            "payload": payload,
        }
        for position, (key, kind, payload) in enumerate(items)
    ]
    statement = insert(session, EvidenceItem)
    new = statement.excluded
    session.exec(
        statement.on_conflict_do_update(
            index_elements=["investigation_id", "key"],
            set_={"kind": new.kind, "position": new.position, "payload": new.payload},
        ),
        params=rows,
    )


def all(session: Session, investigation_id: int) -> list[EvidenceItem]:  # noqa: A001 - the word that fits
    """Every item, by kind, in the order in which they were saved."""
    return list(
        session.exec(
            select(EvidenceItem)
            .where(EvidenceItem.investigation_id == investigation_id)
            .order_by(col(EvidenceItem.kind), col(EvidenceItem.position), col(EvidenceItem.key))
        ).all()
    )


def one(session: Session, investigation_id: int, key: str) -> EvidenceItem | None:
    return session.get(EvidenceItem, (investigation_id, key))
