"""Who may come in by the web: keys of the API and sessions of browsers, both by a keyed hash of their secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from storage.models import ApiKey, WebSession

USED_EVERY = timedelta(minutes=1)
"""The last use of a key is written at most so often: reads must not become writes."""


def add_key(  # noqa: PLR0913 - what a key has
    session: Session,
    *,
    name: str,
    digest: str,
    scopes: Sequence[str],
    created_by: str,
    expires_at: datetime | None,
    now: datetime,
) -> ApiKey:
    """Keep a new key by its digest."""
    key = ApiKey(
        name=name,
        digest=digest,
        scopes=" ".join(scopes),
        created_by=created_by,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key


def key_of(session: Session, digest: str, now: datetime) -> ApiKey | None:
    """The key with this digest, unless it has expired or was revoked."""
    key = session.exec(select(ApiKey).where(ApiKey.digest == digest)).first()
    if key is None or key.revoked_at is not None:
        return None
    return None if key.expires_at is not None and key.expires_at <= now else key


def key_used(session: Session, key_id: int, now: datetime) -> None:
    """Note the key's last use."""
    session.exec(update(ApiKey).where(col(ApiKey.id) == key_id).values(used_at=now))


def keys(session: Session, limit: int = 500) -> list[ApiKey]:
    """All keys, revoked ones too, newest first."""
    return list(session.exec(select(ApiKey).order_by(col(ApiKey.id).desc()).limit(limit)).all())


def revoke(session: Session, key_id: int, now: datetime) -> ApiKey | None:
    """End a key for good; None when there is none of this id."""
    key = session.get(ApiKey, key_id)
    if key is not None and key.revoked_at is None:
        key.revoked_at = now
        session.add(key)
        session.flush()
    return key


def sign_in(
    session: Session,
    *,
    digest: str,
    person: str,
    scopes: Sequence[str],
    expires_at: datetime,
    now: datetime,
) -> None:
    """Remember a browser; sessions that are over are forgotten on the way."""
    session.exec(delete(WebSession).where(col(WebSession.expires_at) <= now))
    row = WebSession(
        digest=digest,
        person=person,
        scopes=" ".join(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()


def session_of(session: Session, digest: str, now: datetime) -> WebSession | None:
    """The session with this digest unless it is over."""
    found = session.get(WebSession, digest)
    return found if found is not None and found.expires_at > now else None


def sign_out(session: Session, digest: str) -> None:
    """End a session."""
    session.exec(delete(WebSession).where(col(WebSession.digest) == digest))
