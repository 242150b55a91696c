"""The slash command."""

from __future__ import annotations

from datetime import datetime

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from bot.slack import command_text, intake, subcommands
from bot.slack.admission import OUTCOME
from bot.slack.blocks import modals, notes
from bot.slack.delivery import Delivery, Json, Outcome, Step, text
from bot.slack.deps import SlackDeps
from bot.slack.listeners.telling import carry_out
from bot.slack.rules import Rules, guarded
from bot.slack.subcommand_text import subcommand
from bot.slack.subcommands import COMMAND
from storage.investigations import NewInvestigation


def read(delivery: Delivery, rules: Rules, now: datetime) -> Step | None:
    """What `/investigate ...` asks for.

    Raises:
        UserError: the words make no sense; the text says what to type instead.
    """
    if text(delivery.body, "command") != COMMAND:
        return None
    words = text(delivery.body, "text")
    if not words.strip():
        return _form(delivery, rules)
    asked = subcommand(words)
    if asked is not None:
        return subcommands.step_of(asked, delivery, rules)
    return _start(delivery, words, rules, now)


def register(app: AsyncApp, deps: SlackDeps) -> None:
    async def investigate(
        ack: AsyncAck, client: AsyncWebClient, context: AsyncBoltContext, body: Json
    ) -> None:
        outcome: Outcome = context[OUTCOME]
        if outcome.text:
            await ack(text=outcome.text, response_type="ephemeral")
        else:
            await ack()
        await carry_out(outcome, deps, client, context, body)

    app.command(COMMAND)(investigate)


def _form(delivery: Delivery, rules: Rules) -> Step:
    """Without words: the form."""

    def step(_session: Session, _now: datetime) -> Outcome:
        return Outcome(opens=modals.new(channel=delivery.channel))

    return guarded(rules, "start", delivery, step)


def _start(delivery: Delivery, words: str, rules: Rules, now: datetime) -> Step:
    asked = command_text.parse(words, delivery.zone, now)
    new = NewInvestigation(
        workspace=delivery.workspace,
        origin=f"{delivery.source}:{delivery.event_id}",
        door="slash",
        requested_by=delivery.user,
        channel=delivery.channel,
        question=asked.question,
        service=asked.service,
        since=asked.since,
        until=asked.until,
        repo=asked.repo,
        head=asked.head,
        tz=delivery.zone_name,
    )

    def step(session: Session, now: datetime) -> Outcome:
        started = intake.start(session, new, now, rules.limits)
        return Outcome(notes.on_it(started.investigation_id, started.position), (started.job_id,))

    return guarded(rules, "start", delivery, step)
