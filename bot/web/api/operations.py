"""Alerts, sources and their health, API keys, the audit log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import APIRouter, Path, Query

from adapters.kit.capabilities import Checkable
from adapters.kit.errors import AdapterError
from bot.redact import redact
from bot.sources import Source
from bot.web import cases
from bot.web.api import shapes
from bot.web.deps import Door
from bot.web.identity import Admin, Reader, digest, new_key, note
from bot.web.problems import ProblemError, documented
from storage import access, audit

router = APIRouter(tags=["operations"])
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/alerts")
def alerts(deps: Door, _: Reader, limit: Limit = 100) -> list[shapes.AlertView]:
    """Episodes of alerts, newest first."""
    with deps.db.read() as session:
        return [shapes.alert(one) for one in cases.recent_alerts(session, limit)]


@router.get("/sources")
def sources(deps: Door, _: Reader) -> list[shapes.SourceView]:
    """The configured sources; nothing is asked of them."""
    return [view(one) for one in deps.sources.sources]


def view(source: Source) -> shapes.SourceView:
    """One source with the state of its circuit breaker, where it has one."""
    return shapes.SourceView(
        group=source.group, type=source.type, name=source.name, breaker=breaker_of(source)
    )


def breaker_of(source: Source) -> str:
    """closed, open or half_open; empty for a source without a breaker."""
    for holder in (source.adapter, *vars(source.adapter).values()):
        state = getattr(getattr(holder, "breaker", None), "state", None)
        if state is not None:
            return str(state)
    return ""


@router.get("/sources/health")
def health(deps: Door, _: Admin) -> list[shapes.HealthView]:
    """Ask every source for its cheapest answer, all at once."""
    if not deps.sources.sources:
        return []
    with ThreadPoolExecutor(8, thread_name_prefix="health") as pool:
        return list(pool.map(_checked, deps.sources.sources))


def _checked(source: Source) -> shapes.HealthView:
    ok: bool | None = None
    detail = "This source has no check."
    if isinstance(source.adapter, Checkable):
        try:
            told = source.adapter.check()
            ok, detail = told.ok, told.detail
        except AdapterError as error:
            ok, detail = False, str(error)
    return shapes.HealthView(group=source.group, name=source.name, ok=ok, detail=redact(detail))


@router.get("/keys")
def keys(deps: Door, _: Admin) -> list[shapes.KeyView]:
    """All keys, without their secrets."""
    with deps.db.read() as session:
        return [shapes.key(one) for one in access.keys(session)]


@router.post("/keys", status_code=201)
def make(body: shapes.NewKey, deps: Door, who: Admin) -> shapes.MadeKey:
    """Make a key. It is shown in this answer and never again."""
    secret = new_key()
    with deps.db.write() as session:
        now = deps.db.now(session)
        if body.expires_at is not None and body.expires_at <= now:
            raise ProblemError(422, "expires_at lies in the past.")
        made = access.add_key(
            session,
            name=body.name,
            digest=digest(deps.pepper, secret),
            scopes=sorted(set(body.scopes)),
            created_by=who.name,
            expires_at=body.expires_at,
            now=now,
        )
        shown = shapes.MadeKey(key=secret, **shapes.key(made).model_dump())
    note(deps, who, "make key", subject=f"{shown.id} ({shown.name})")
    return shown


@router.delete("/keys/{number}", status_code=204, responses=documented(404))
def revoke(number: Annotated[int, Path(ge=1, lt=2**31)], deps: Door, who: Admin) -> None:
    """Revoke a key for good."""
    with deps.db.write() as session:
        gone = access.revoke(session, number, deps.db.now(session))
    if gone is None:
        raise ProblemError(404, "There is no such key.")
    note(deps, who, "revoke key", subject=str(number))


@router.get("/audit")
def log(deps: Door, _: Admin, limit: Limit = 100) -> list[shapes.AuditView]:
    """Who did, or was refused, what; newest first."""
    with deps.db.read() as session:
        lines = audit.recent(session, deps.settings.workspace, limit)
        return [shapes.audit_line(one) for one in lines]
