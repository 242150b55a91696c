from __future__ import annotations

from datetime import datetime, timedelta

from storage import access
from storage.db import Database


def test_a_key_opens_until_it_expires_or_is_revoked(db: Database, now: datetime) -> None:
    later = now + timedelta(days=1)
    with db.write() as session:
        access.add_key(
            session,
            name="ci",
            digest="d1",
            scopes=("read", "write"),
            created_by="ada",
            expires_at=later,
            now=now,
        )
    with db.write() as session:
        key = access.key_of(session, "d1", now)
        assert key is not None
        assert key.scopes == "read write"
        access.key_used(session, key.id, now)
    with db.read() as session:
        assert access.key_of(session, "d1", later) is None
        assert access.key_of(session, "d2", now) is None
        assert access.keys(session)[0].used_at == now
    with db.write() as session:
        access.revoke(session, key.id, now)
        assert access.revoke(session, 999, now) is None
    with db.read() as session:
        assert access.key_of(session, "d1", now) is None


def test_a_session_ends_by_time_or_by_signing_out(db: Database, now: datetime) -> None:
    over = now + timedelta(hours=8)
    with db.write() as session:
        access.sign_in(
            session, digest="s", person="ada", scopes=("read",), expires_at=over, now=now
        )
        assert access.session_of(session, "s", now) is not None
        assert access.session_of(session, "s", over) is None
        access.sign_out(session, "s")
        assert access.session_of(session, "s", now) is None
