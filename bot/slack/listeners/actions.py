"""The buttons under our messages and in Home."""

from __future__ import annotations

import re
from datetime import datetime

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from bot.slack import extras, intake, subcommands
from bot.slack.admission import OUTCOME
from bot.slack.blocks import alarms, modals, notes
from bot.slack.blocks.home import NEW_BUTTON, WATCH_CHOICE
from bot.slack.blocks.report import AGAIN, FEEDBACK, MORE
from bot.slack.delivery import Delivery, Json, Outcome, Step, table, text
from bot.slack.deps import SlackDeps
from bot.slack.listeners.shortcuts import form
from bot.slack.listeners.telling import carry_out
from bot.slack.rules import Rules, guarded
from storage import events, feedback, investigations
from storage.models import Investigation

_VALUE = re.compile(r"(\d{1,12})(?::([a-z_]{2,20}))?", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}", re.ASCII)


def read(delivery: Delivery, rules: Rules) -> Step | None:
    """What pressing a button asks for; None for a button that is not ours or only a link."""
    pressed = text(delivery.action, "action_id")
    if pressed == NEW_BUTTON:
        return form(delivery, rules)
    if pressed in {alarms.WATCH, alarms.UNWATCH, WATCH_CHOICE}:
        return _watch(delivery, rules, pressed)
    chosen = text(delivery.action, "value") or text(
        table(delivery.action, "selected_option"), "value"
    )
    value = _VALUE.fullmatch(chosen)
    if value is None or pressed not in {notes.STOP, AGAIN, FEEDBACK, MORE}:
        return None
    number, detail = int(value[1]), value[2] or ""

    def step(session: Session, now: datetime) -> Outcome:
        known = investigations.get(session, number)
        if known is None or known.workspace != delivery.workspace:
            return Outcome(notes.GONE)
        return _pressed(pressed, known, detail, delivery, rules)(session, now)

    return step


def register(app: AsyncApp, deps: SlackDeps) -> None:
    async def pressed(
        ack: AsyncAck,
        client: AsyncWebClient,
        respond: AsyncRespond,
        context: AsyncBoltContext,
        body: Json,
    ) -> None:
        await ack()
        outcome: Outcome = context[OUTCOME]
        await carry_out(outcome, deps, client, context, body)
        if outcome.text and context.response_url:
            await respond(text=outcome.text, response_type="ephemeral", replace_original=False)

    app.action(re.compile(".*"))(pressed)


def _pressed(
    pressed: str, known: Investigation, detail: str, delivery: Delivery, rules: Rules
) -> Step:
    subject = f"#{known.id}"
    if pressed == notes.STOP:
        return guarded(rules, "stop", delivery, _stop(known, delivery), subject=subject)
    if pressed == AGAIN:
        return guarded(rules, "start", delivery, _again(known, delivery, rules), subject=subject)
    if pressed == MORE:
        return extras.step(known, detail, delivery)
    return _feedback(known, delivery.user, detail)


def _watch(delivery: Delivery, rules: Rules, pressed: str) -> Step | None:
    channel = text(delivery.action, "value") or text(delivery.action, "selected_conversation")
    if not _CHANNEL.fullmatch(channel):
        return None
    return subcommands.watch(delivery, rules, channel, on=pressed != alarms.UNWATCH)


def _stop(known: Investigation, delivery: Delivery) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        stopped = intake.stop(session, known, delivery.user, now)
        if stopped is None:
            return Outcome(f"Investigation #{known.id} is already over.")
        return Outcome(jobs=stopped)

    return step


def _again(known: Investigation, delivery: Delivery, rules: Rules) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        origin = f"{delivery.source}:{delivery.event_id}"
        started = intake.again(session, known, delivery.user, origin, now, rules.limits)
        if started is None:
            return Outcome("An investigation of this thread is still running. Stop it first.")
        return Outcome(jobs=(started.job_id,))

    return step


def _feedback(known: Investigation, user: str, verdict: str) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        events.append(session, known.id, "feedback", {"verdict": verdict, "user": user}, now)
        if verdict == "right":
            feedback.say(session, known.id, user, "right", now)
            return Outcome(notes.thanks(verdict))
        feedback.say(session, known.id, user, "wrong", now)
        return Outcome(notes.thanks("wrong"), opens=modals.wrong(known.id))

    return step
