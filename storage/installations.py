"""Installations of the Slack app by OAuth. What is stored is sealed before it comes here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.db import insert
from storage.models import Installation, OAuthState


def save(
    session: Session, enterprise: str, team: str, person: str, sealed: str, now: datetime
) -> None:
    """Keep the newest installation of a team; `person` is empty for the bot's own."""
    made = insert(session, Installation)
    session.exec(
        made.on_conflict_do_update(
            index_elements=["enterprise", "team", "person"],
            set_={"sealed": made.excluded.sealed, "installed_at": made.excluded.installed_at},
        ),
        params={
            "enterprise": enterprise,
            "team": team,
            "person": person,
            "sealed": sealed,
            "installed_at": now,
        },
    )


def find(session: Session, enterprise: str, team: str, person: str = "") -> str | None:
    """What was sealed; None when the app is not installed there."""
    return session.exec(
        select(Installation.sealed).where(
            Installation.enterprise == enterprise,
            Installation.team == team,
            Installation.person == person,
        )
    ).first()


def forget(session: Session, enterprise: str, team: str, person: str | None = None) -> int:
    """Remove one person's installation, or with None everything of the team; how many rows went."""
    query = delete(Installation).where(
        col(Installation.enterprise) == enterprise, col(Installation.team) == team
    )
    if person is not None:
        query = query.where(col(Installation.person) == person)
    return session.exec(query).rowcount


def all_sealed(session: Session) -> list[Installation]:
    """Every row, to be sealed anew when keys change."""
    return list(session.exec(select(Installation).order_by(col(Installation.id))).all())


def begin(session: Session, state: str, expires_at: datetime) -> None:
    """An installation has been started with this state parameter."""
    session.add(OAuthState(state=state, expires_at=expires_at))
    session.flush()


def finish(session: Session, state: str, now: datetime) -> bool:
    """Use the state parameter up; False when it is unknown, used or expired."""
    session.exec(delete(OAuthState).where(col(OAuthState.expires_at) <= now))
    done = session.exec(delete(OAuthState).where(col(OAuthState.state) == state))
    return bool(done.rowcount)
