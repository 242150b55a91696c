"""Submitted modals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from bot.slack import command_text, intake
from bot.slack.admission import OUTCOME
from bot.slack.blocks import modals, notes
from bot.slack.delivery import Delivery, Json, Outcome, Step, elsewhere, field_of, table, text
from bot.slack.deps import SlackDeps
from bot.slack.listeners.telling import carry_out, whisper
from bot.slack.rules import SHARED, Rules, guarded
from storage import feedback, investigations
from storage.investigations import NewInvestigation

_SHA = re.compile(r"[0-9a-fA-F]{4,64}", re.ASCII)


def read(delivery: Delivery, rules: Rules, now: datetime) -> Step | None:
    """What a submitted modal asks for; None for one that is not ours."""
    view = table(delivery.body, "view")
    match text(view, "callback_id"):
        case modals.NEW:
            return _new(delivery, rules, now)
        case modals.WRONG:
            return _wrong(delivery, text(view, "private_metadata"))
        case _:
            return None


def register(app: AsyncApp, deps: SlackDeps) -> None:
    async def submitted(
        ack: AsyncAck, client: AsyncWebClient, context: AsyncBoltContext, body: Json
    ) -> None:
        outcome: Outcome = context[OUTCOME]
        if outcome.errors:
            await ack(response_action="errors", errors=dict(outcome.errors))
            return
        await ack()
        await carry_out(outcome, deps, client, context, body)
        channel = elsewhere(body)
        if outcome.text and context.user_id and channel:
            await whisper(client, channel, context.user_id, outcome.text)

    app.view(re.compile(".*"))(submitted)


def _new(delivery: Delivery, rules: Rules, now: datetime) -> Step:
    question, service, since = (
        field_of(delivery.body, name) for name in (modals.QUESTION, modals.SERVICE, modals.SINCE)
    )
    try:
        asked = command_text.of_fields(question, service, since, delivery.zone, now)
    except command_text.FieldError as error:
        return _complaint({error.field: str(error)})
    if not delivery.channel:
        return _complaint({modals.CHANNEL: "Choose where to answer."})
    new = NewInvestigation(
        workspace=delivery.workspace,
        origin=f"{delivery.source}:{delivery.event_id}",
        door="shortcut",
        requested_by=delivery.user,
        channel=delivery.channel,
        question=asked.question,
        service=asked.service,
        since=asked.since,
        tz=delivery.zone_name,
    )

    def step(session: Session, now: datetime) -> Outcome:
        started = intake.start(session, new, now, rules.limits)
        return Outcome(notes.on_it(started.investigation_id, started.position), (started.job_id,))

    def checked(session: Session, now: datetime) -> Outcome:
        outcome = guarded(rules, "start", delivery, step)(session, now)
        if outcome.jobs:
            return outcome
        field = modals.CHANNEL if outcome.text == SHARED else modals.QUESTION
        return Outcome(errors={field: outcome.text})

    return checked


def _wrong(delivery: Delivery, number: str) -> Step:
    cause = field_of(delivery.body, modals.CAUSE).strip()
    sha = field_of(delivery.body, modals.SHA).strip()
    if sha and not _SHA.fullmatch(sha):
        return _complaint({modals.SHA: "That is no commit id: 4 to 64 hexadecimal digits."})

    def step(session: Session, now: datetime) -> Outcome:
        known = investigations.get(session, int(number)) if number.isdecimal() else None
        if known is None or known.workspace != delivery.workspace:
            return Outcome(errors={modals.CAUSE: notes.GONE})
        feedback.explain(session, known.id, delivery.user, cause, sha.lower(), now)
        return Outcome("Thank you. That is noted.")

    return step


def _complaint(errors: Mapping[str, str]) -> Step:
    return lambda _session, _now: Outcome(errors=errors)
