"""Alerts that were seen, repeats counted. An episode ends when the alert is resolved or has been silent for long."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage.columns import JsonObject
from storage.db import insert
from storage.models import OPEN_ALERT, Alert

QUIET = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class NewAlert:
    """What one firing says; `payload` is the whole alert for whoever investigates it."""

    fingerprint: str
    title: str = ""
    source: str = ""
    service: str = ""
    severity: str = "unknown"
    payload: JsonObject = field(default_factory=dict)


def record(  # noqa: PLR0913 - where, what and when
    session: Session,
    workspace: str,
    channel: str,
    ts: str,
    alert: NewAlert,
    now: datetime,
    *,
    quiet: timedelta = QUIET,
) -> tuple[Alert, bool]:
    """Note a firing; True when it begins an episode, False when it repeats one that was heard of within `quiet`.

    Delivering the same message (`ts`) again counts nothing.
    """
    known = _open(session, workspace, channel, alert.fingerprint)
    if known is not None and now - known.last_seen > quiet:
        known.closed_at = known.last_seen
        session.add(known)
        session.flush()
        known = None
    if known is None:
        made = session.exec(
            insert(session, Alert)
            .on_conflict_do_nothing(
                index_elements=["workspace", "channel", "fingerprint"], index_where=OPEN_ALERT
            )
            .returning(col(Alert.id)),
            params={
                "workspace": workspace,
                "channel": channel,
                "fingerprint": alert.fingerprint,
                "ts": ts,
                "last_ts": ts,
                "source": alert.source,
                "title": alert.title,
                "service": alert.service,
                "severity": alert.severity,
                "payload": alert.payload,
                "count": 1,
                "first_seen": now,
                "last_seen": now,
                "resolved": False,
            },
        ).first()
        if made is not None:
            return session.get_one(Alert, made[0]), True
        known = _open(session, workspace, channel, alert.fingerprint)
    if known is None:  # closed by somebody else between the two looks
        return record(session, workspace, channel, ts, alert, now, quiet=quiet)
    if ts != known.last_ts:
        known.count += 1
        known.last_ts = ts
        known.last_seen = now
        session.add(known)
        session.flush()
    return known, False


def resolve(
    session: Session, workspace: str, channel: str, fingerprint: str, now: datetime
) -> Alert | None:
    """The alert is over; None when no open episode is known."""
    known = _open(session, workspace, channel, fingerprint)
    if known is not None:
        known.resolved = True
        known.closed_at = now
        session.add(known)
        session.flush()
    return known


def link(session: Session, alert_id: int, investigation_id: int) -> None:
    """Remember which investigation answers the alert."""
    session.exec(
        update(Alert).where(col(Alert.id) == alert_id).values(investigation_id=investigation_id)
    )


def _open(session: Session, workspace: str, channel: str, fingerprint: str) -> Alert | None:
    return session.exec(
        select(Alert)
        .where(
            Alert.workspace == workspace,
            Alert.channel == channel,
            Alert.fingerprint == fingerprint,
            col(Alert.closed_at).is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def newest(session: Session, workspace: str, channel: str, fingerprint: str) -> Alert | None:
    """The last episode of an alert, open or over."""
    return session.exec(
        select(Alert)
        .where(
            Alert.workspace == workspace,
            Alert.channel == channel,
            Alert.fingerprint == fingerprint,
        )
        .order_by(col(Alert.id).desc())
        .limit(1)
    ).first()


def begun_since(
    session: Session, workspace: str, channel: str, since: datetime, limit: int = 200
) -> list[Alert]:
    """Episodes that began in the channel from `since` on, newest first."""
    query = select(Alert).where(
        Alert.workspace == workspace, Alert.channel == channel, Alert.first_seen >= since
    )
    return list(session.exec(query.order_by(col(Alert.id).desc()).limit(limit)).all())


def answered_by(session: Session, investigation_id: int, limit: int = 100) -> list[Alert]:
    """The alerts that one investigation answers, in the order in which they fired."""
    query = select(Alert).where(Alert.investigation_id == investigation_id)
    return list(session.exec(query.order_by(col(Alert.id)).limit(limit)).all())
