"""`/webhooks/{source}`: verified, stored with the job that it starts, then answered; nothing is asked meanwhile.

An alert meets its own post in Slack by fingerprint, workspace and channel: whichever comes second only counts. Alerts of
one service within five minutes of each other belong to one investigation, as they do in Slack.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, cast

import httpx
import structlog
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

import adapters.webhooks as known
from adapters.kit.records import Alert
from adapters.kit.webhook import Delivery, RefusedError, by_hmac, fresh
from bot.queue.submit import Submitted, place
from bot.web.deps import Door, WebDeps
from bot.web.mapped import mapped
from bot.web.problems import ProblemError, documented
from storage import alerts, inbox, mutes
from storage import models as stored
from storage.alerts import NewAlert
from storage.investigations import NewInvestigation
from storage.outbox import Draft

router = APIRouter(tags=["webhooks"])
log = structlog.get_logger()
TOGETHER = timedelta(minutes=5)
MOST = 50
"""Alerts of one delivery that are looked at."""
TIME = "X-Timestamp"
_generic = by_hmac(
    "X-Signature-256", "sha256=", of=lambda d: f"{d.header(TIME)}.".encode() + d.body
)


class Taken(BaseModel):
    """What became of a delivery: `accepted`, `duplicate`, `confirmed` or `ignored`."""

    status: str
    investigations: list[int] = []


@router.post(
    "/webhooks/{source}",
    status_code=202,
    responses=documented(400, 401, 404, 503),
    openapi_extra={"security": []},
)
async def receive(
    source: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")],
    request: Request,
    deps: Door,
) -> Taken:
    """Take what a configured source posts."""
    secrets = tuple(s.get_secret_value() for s in deps.settings.webhook_secrets.get(source, ()))
    mapping = deps.settings.webhook_mappings.get(source)
    if not secrets or (known.webhook(source) is None and mapping is None):
        raise ProblemError(404, "No such webhook is configured.")
    body = await request.body()
    return await run_in_threadpool(_receive, deps, source, secrets, dict(request.headers), body)


def _receive(
    deps: WebDeps, source: str, secrets: tuple[str, ...], headers: dict[str, str], body: bytes
) -> Taken:
    with deps.db.read() as session:
        now = deps.db.now(session)
    delivery = Delivery(headers, body, secrets, now, deps.fetch or fetched)
    module = known.webhook(source)
    try:
        if module is None:
            fresh(delivery, delivery.header(TIME))
            _generic(delivery)
        else:
            module.verify(delivery)
        content = _object(body)
        confirm = getattr(module, "confirm", None)
        if confirm is not None and confirm(delivery, content):
            return Taken(status="confirmed")
    except RefusedError as refused:
        log.warning("webhook_refused", source=source, why=str(refused))
        raise ProblemError(401, str(refused), code="bad_signature") from None
    except httpx.HTTPError:
        raise ProblemError(
            503, "The vendor's certificate or confirmation cannot be read."
        ) from None
    if module is None:
        found = [mapped(source, deps.settings.webhook_mappings[source], content)]
    else:
        found = [alert for alert, _ in zip(module.read(content), range(MOST), strict=False)]
    named = getattr(module, "event_id", None)
    event = (named(content) if named else "") or hashlib.sha256(body).hexdigest()
    return _store(deps, (f"webhook:{source}", event), found)


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ProblemError(400, "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise ProblemError(400, "The body is not a JSON object.")
    return cast("dict[str, object]", found)


def fetched(url: str) -> bytes:
    """A small document of the vendor's; its module has checked the address."""
    with httpx.Client(timeout=2.0, follow_redirects=False) as http:
        answer = http.get(url)
        answer.raise_for_status()
        return answer.content[:65_536]


def _store(deps: WebDeps, event: tuple[str, str], found: Sequence[Alert]) -> Taken:
    """Everything of one delivery in one transaction: a redelivery finds all of it or nothing."""
    started: list[Submitted] = []
    with deps.db.write() as session:
        now = deps.db.now(session)
        if not inbox.remember(session, *event, now):
            return Taken(status="duplicate")
        for alert in found:
            made = _take(session, deps, alert, now)
            if made is not None:
                started.append(made)
    for made in started:
        if made.created:
            deps.queue.notify(made.job_id)
    ids = sorted({made.investigation_id for made in started})
    return Taken(status="accepted" if found else "ignored", investigations=ids)


def _take(session: Session, deps: WebDeps, alert: Alert, now: datetime) -> Submitted | None:
    workspace, channel = deps.settings.workspace, channel_of(deps, alert.service)
    if alert.state == "resolved":
        alerts.resolve(session, workspace, channel, alert.fingerprint, now)
        return None
    if alert.state != "firing":
        return None
    new = NewAlert(
        fingerprint=alert.fingerprint,
        title=alert.title,
        source=alert.source,
        service=alert.service,
        severity=alert.severity,
        payload=alert.model_dump(mode="json"),
    )
    row, _ = alerts.record(session, workspace, channel, f"webhook-{now.timestamp():.6f}", new, now)
    if row.investigation_id is not None:
        return Submitted(row.investigation_id, "", 0, created=False)
    if mutes.covering(session, workspace, alert.service, channel, now):
        return None
    head = _together(session, row, now)
    if head is not None:
        alerts.link(session, row.id, head)
        return Submitted(head, "", 0, created=False)
    asked = NewInvestigation(
        workspace=workspace,
        origin=f"alert:{row.id}",
        door="webhook",
        requested_by=alert.source,
        channel=channel,
        question=alert.title,
        service=alert.service,
        alert=alert.model_dump(mode="json"),
    )

    def first(made: Submitted) -> Sequence[Draft]:
        thread = deps.thread_of(made.investigation_id, channel)
        said = thread.started(position=made.position)
        return [*said, *thread.root(asked.question, asked.service, asked.requested_by)]

    made = place(session, asked, now, first)
    alerts.link(session, row.id, made.investigation_id)
    return made


def _together(session: Session, row: stored.Alert, now: datetime) -> int | None:
    """The investigation of another alert of the same service that fired just before."""
    earlier = alerts.begun_since(session, row.workspace, row.channel, now - TOGETHER)
    same = [
        one.investigation_id
        for one in earlier
        if one.id != row.id and row.service and one.service == row.service and not one.resolved
    ]
    return next((number for number in reversed(same) if number is not None), None)


def channel_of(deps: WebDeps, service: str) -> str:
    """Where alerts of the service are told: its first channel in the catalogue, else the one for all."""
    entry = deps.sources.service(service) if service else None
    channels = entry.channels if entry is not None else ()
    return channels[0] if channels else deps.settings.webhook_channel
