"""An alert post in a watched channel: the first firing starts an investigation, what belongs to it joins it.

- Repeats are counted in the thread of the first firing.
- An alert that fires again within an hour of its recovery is noted in its old thread, with a button to look anew.
- Within five minutes, alerts of one service belong to the first one's investigation, and so do all alerts of a channel
  from the fifth on: a storm has one cause far more often than many, and its list stands in that thread.
- Above the limits of an hour alerts are only counted, and one message says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from adapters.kit.recognise import Recognition
from adapters.kit.records import Alert
from bot.slack import intake
from bot.slack.delivery import SILENCE, Delivery, Outcome, Step, table, text
from bot.slack.rules import Rules
from bot.slack.thread import SlackThread
from storage import alerts, channels, investigations, mutes, outbox
from storage import models as stored
from storage.alerts import NewAlert
from storage.investigations import NewInvestigation

REFIRE = timedelta(hours=1)
STORM = timedelta(minutes=5)
STORM_OF_CHANNEL = 5
"""So many different alerts of one channel within `STORM` are one storm, whatever their services."""
TOLD = 5
"""Under so many alerts of a storm it is said where the answer stands; the list in its thread holds all."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Fired:
    """One firing and where it was posted."""

    delivery: Delivery
    alert: Alert
    ts: str
    rules: Rules


def read(delivery: Delivery, found: Recognition, rules: Rules) -> Step | None:
    """What an alert asks for; None when the message is none that matters."""
    alert = found.alert
    ts = text(table(delivery.event, "message"), "ts") or text(delivery.event, "ts")
    if alert is None or not ts:
        return None
    if found.starts_investigation:
        fired = _Fired(delivery, alert, ts, rules)
        return lambda session, now: _fired(session, now, fired)
    if found.state == "resolved":
        return lambda session, now: _resolved(session, now, delivery, alert)
    return None


def _fired(session: Session, now: datetime, fired: _Fired) -> Outcome:
    delivery, alert = fired.delivery, fired.alert
    if not fired.rules.watches(session, delivery):
        return SILENCE
    before = alerts.newest(session, delivery.workspace, delivery.channel, alert.fingerprint)
    known, is_new = alerts.record(
        session, delivery.workspace, delivery.channel, fired.ts, _new_alert(alert), now
    )
    if not is_new and known.investigation_id is not None:
        return _repeated(session, now, known)
    if mutes.covering(session, delivery.workspace, alert.service, delivery.channel, now):
        return SILENCE
    if is_new and before is not None and _soon_again(before, now):
        return _refired(session, now, known, before)
    head = _storm_head(session, now, known)
    if head is not None:
        return _joined(session, now, fired, known, head)
    over = _over_limit(session, now, fired)
    if over is not None:
        return over
    started = intake.start(
        session, _investigation(fired, known), now, fired.rules.limits, seen=fired.ts
    )
    alerts.link(session, known.id, started.investigation_id)
    return Outcome(jobs=(started.job_id,))


def _new_alert(alert: Alert) -> NewAlert:
    return NewAlert(
        fingerprint=alert.fingerprint,
        title=alert.title,
        source=alert.source,
        service=alert.service,
        severity=alert.severity,
        payload=alert.model_dump(mode="json"),
    )


def _investigation(fired: _Fired, known: stored.Alert) -> NewInvestigation:
    delivery, alert = fired.delivery, fired.alert
    return NewInvestigation(
        workspace=delivery.workspace,
        origin=f"alert:{known.id}",
        door="alert",
        channel=delivery.channel,
        thread_ts=fired.ts,
        question=alert.title,
        service=alert.service,
        alert=alert.model_dump(mode="json"),
    )


def _repeated(session: Session, now: datetime, known: stored.Alert) -> Outcome:
    investigation = investigations.get(session, known.investigation_id or 0)
    if investigation is not None and known.count > 1:
        thread = SlackThread(investigation.id, investigation.channel)
        outbox.put(session, thread.number, thread.repeated(known.count, now), now)
    return SILENCE


def _soon_again(before: stored.Alert, now: datetime) -> bool:
    return (
        before.resolved
        and before.closed_at is not None
        and now - before.closed_at < REFIRE
        and before.investigation_id is not None
    )


def _refired(session: Session, now: datetime, known: stored.Alert, before: stored.Alert) -> Outcome:
    number = before.investigation_id or 0
    alerts.link(session, known.id, number)
    quiet = (now - (before.closed_at or now)).total_seconds()
    thread = SlackThread(number, known.channel)
    outbox.put(session, number, thread.refired(str(known.id), known.title, quiet, now), now)
    return SILENCE


def _storm_head(session: Session, now: datetime, known: stored.Alert) -> int | None:
    """The investigation that this alert belongs to because others fired just before it."""
    earlier = [
        one
        for one in alerts.begun_since(session, known.workspace, known.channel, now - STORM)
        if one.id != known.id and one.investigation_id is not None and not one.resolved
    ]
    if not earlier:
        return None
    same = [one for one in earlier if known.service and one.service == known.service]
    if same:
        return same[-1].investigation_id
    different = {one.fingerprint for one in earlier}
    return earlier[-1].investigation_id if len(different) >= STORM_OF_CHANNEL - 1 else None


def _joined(
    session: Session, now: datetime, fired: _Fired, known: stored.Alert, number: int
) -> Outcome:
    alerts.link(session, known.id, number)
    together = alerts.answered_by(session, number)
    thread = SlackThread(number, known.channel)
    drafts = [*thread.storm(together)]
    if len(together) <= TOLD + 1:
        case = investigations.get(session, number)
        where = fired.delivery.permalink((case.thread_ts if case else None) or fired.ts)
        drafts += thread.joined(str(known.id), fired.ts, where)
    outbox.put(session, number, drafts, now)
    return SILENCE


def _over_limit(session: Session, now: datetime, fired: _Fired) -> Outcome | None:
    """None while alerts may start more; else silence, and one message an hour where people look."""
    delivery, service = fired.delivery, fired.alert.service
    decided = channels.get(session, delivery.workspace, delivery.channel)
    most = fired.rules.channel_per_hour
    if decided is not None and decided.per_hour is not None:
        most = decided.per_hour
    what = "this channel"
    reached = _started(session, now, delivery) >= most
    if not reached and service:
        most, what = fired.rules.service_per_hour, service
        reached = _started(session, now, delivery, service) >= most
    if not reached:
        return None
    last = next(
        (
            one.investigation_id
            for one in alerts.begun_since(session, delivery.workspace, delivery.channel, now - HOUR)
            if one.investigation_id is not None
        ),
        None,
    )
    if last is not None:
        thread = SlackThread(last, delivery.channel)
        drafts = thread.limited(f"{now:%Y%m%d%H}", most, what)
        outbox.put(session, last, drafts, now)
    return SILENCE


def _started(
    session: Session, now: datetime, delivery: Delivery, service: str | None = None
) -> int:
    return investigations.started_since(
        session,
        delivery.workspace,
        now - HOUR,
        door="alert",
        channel=delivery.channel,
        service=service,
    )


def _resolved(session: Session, now: datetime, delivery: Delivery, alert: Alert) -> Outcome:
    """Note the recovery where the alert was investigated; a running investigation goes on."""
    known = alerts.resolve(session, delivery.workspace, delivery.channel, alert.fingerprint, now)
    if known is None or known.investigation_id is None:
        return SILENCE
    thread = SlackThread(known.investigation_id, delivery.channel)
    lasted = (now - (alert.started_at or known.first_seen)).total_seconds()
    outbox.put(session, thread.number, thread.recovered(str(known.id), known.title, lasted), now)
    return SILENCE
