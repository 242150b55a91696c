"""An alert post in a channel: the first firing starts an investigation, repeats are counted in its thread."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from adapters.kit.recognise import Recognition
from adapters.kit.records import Alert
from bot.slack import intake
from bot.slack.delivery import SILENCE, Delivery, Outcome, Step, table, text
from bot.slack.thread import SlackThread
from storage import alerts, investigations, outbox
from storage.alerts import NewAlert
from storage.investigations import NewInvestigation
from storage.jobs import Limits


def read(delivery: Delivery, found: Recognition, limits: Limits) -> Step | None:
    """What an alert asks for; None when the message is none that matters."""
    alert = found.alert
    ts = text(table(delivery.event, "message"), "ts") or text(delivery.event, "ts")
    if alert is None or not ts:
        return None
    if found.starts_investigation:
        return lambda session, now: _fired(session, now, delivery, alert, ts, limits)
    if found.state == "resolved":
        return lambda session, now: _resolved(session, now, delivery, alert)
    return None


def _fired(
    session: Session, now: datetime, delivery: Delivery, alert: Alert, ts: str, limits: Limits
) -> Outcome:
    known, is_new = alerts.record(
        session,
        delivery.workspace,
        delivery.channel,
        ts,
        NewAlert(
            fingerprint=alert.fingerprint,
            title=alert.title,
            source=alert.source,
            service=alert.service,
            severity=alert.severity,
            payload=alert.model_dump(mode="json"),
        ),
        now,
    )
    if not is_new:
        return _repeated(session, now, known.investigation_id, known.count)
    started = intake.start(
        session,
        NewInvestigation(
            workspace=delivery.workspace,
            origin=f"alert:{known.id}",
            door="alert",
            channel=delivery.channel,
            thread_ts=ts,
            question=alert.title,
            service=alert.service,
            alert=alert.model_dump(mode="json"),
        ),
        now,
        limits,
        seen=ts,
    )
    alerts.link(session, known.id, started.investigation_id)
    return Outcome(jobs=(started.job_id,))


def _repeated(session: Session, now: datetime, number: int | None, count: int) -> Outcome:
    investigation = investigations.get(session, number) if number is not None else None
    if investigation is not None and count > 1:
        thread = SlackThread(investigation.id, investigation.channel)
        outbox.put(session, thread.number, thread.repeated(count, now), now)
    return SILENCE


def _resolved(session: Session, now: datetime, delivery: Delivery, alert: Alert) -> Outcome:
    """Note the recovery where the alert was investigated; a running investigation goes on."""
    known = alerts.resolve(session, delivery.workspace, delivery.channel, alert.fingerprint, now)
    if known is None or known.investigation_id is None:
        return SILENCE
    thread = SlackThread(known.investigation_id, delivery.channel)
    lasted = (now - (alert.started_at or known.first_seen)).total_seconds()
    outbox.put(session, thread.number, thread.recovered(str(known.id), known.title, lasted), now)
    return SILENCE
