"""The slash command."""

from __future__ import annotations

from datetime import datetime

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from sqlmodel import Session

from bot.slack import command_text, intake
from bot.slack.admission import OUTCOME
from bot.slack.blocks import notes
from bot.slack.command_text import Subcommand
from bot.slack.delivery import Delivery, Outcome, Step, say, text
from storage import investigations
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from storage.models import Investigation, InvestigationState

COMMAND = "/investigate"
LOOKED_AT = 200
"""How many running or waiting investigations of a workspace are looked through for those of one channel."""


def read(delivery: Delivery, limits: Limits, now: datetime) -> Step | None:
    """What `/investigate ...` asks for.

    Raises:
        UserError: the words make no sense; the text says what to type instead.
    """
    if text(delivery.body, "command") != COMMAND:
        return None
    words = text(delivery.body, "text")
    asked = command_text.subcommand(words)
    if asked is None:
        return _start(delivery, words, limits, now)
    if asked.name == "help":
        return say(notes.usage())
    if asked.name == "status":
        return lambda session, _now: Outcome(notes.status(_open(session, delivery)))
    return _stop(delivery, asked)


def register(app: AsyncApp) -> None:
    async def investigate(ack: AsyncAck, context: AsyncBoltContext) -> None:
        outcome: Outcome = context[OUTCOME]
        if outcome.text:
            await ack(text=outcome.text, response_type="ephemeral")
        else:
            await ack()

    app.command(COMMAND)(investigate)


def _start(delivery: Delivery, words: str, limits: Limits, now: datetime) -> Step:
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
        started = intake.start(session, new, now, limits)
        return Outcome(notes.on_it(started.investigation_id, started.position), (started.job_id,))

    return step


def _stop(delivery: Delivery, asked: Subcommand) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        found = [
            one
            for one in _open(session, delivery)
            if asked.number is None or one.id == asked.number
        ]
        if not found:
            if asked.number is None:
                return Outcome("Nothing is running in this channel.")
            return Outcome(
                f"#{asked.number} is not running in this channel. `{COMMAND} status` shows what is."
            )
        if len(found) > 1:
            return Outcome(
                f"Several are running. Say which, such as `{COMMAND} stop #{found[0].id}`.\n"
                + notes.status(found)
            )
        asked_to_stop = intake.stop(session, found[0], delivery.user, now)
        return Outcome(f"Stopping #{found[0].id}.", asked_to_stop or ())

    return step


def _open(session: Session, delivery: Delivery) -> list[Investigation]:
    """What runs or waits in the channel, newest first."""
    rows = [
        row
        for state in (InvestigationState.QUEUED, InvestigationState.RUNNING)
        for row in investigations.recent(session, delivery.workspace, LOOKED_AT, state=state)
        if row.channel == delivery.channel
    ]
    return sorted(rows, key=lambda row: row.id, reverse=True)
