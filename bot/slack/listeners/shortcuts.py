"""The message shortcut: investigate what a message says, in its thread."""

from __future__ import annotations

import re
from datetime import datetime

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond
from sqlmodel import Session

from adapters.kit.recognise import recognised
from bot.slack import command_text, intake
from bot.slack.admission import OUTCOME
from bot.slack.blocks import notes
from bot.slack.delivery import Delivery, Outcome, Step, say, table, text
from storage import investigations
from storage.investigations import FINAL, NewInvestigation
from storage.jobs import Limits

INVESTIGATE_MESSAGE = "investigate_message"


def read(delivery: Delivery, limits: Limits) -> Step | None:
    """What the shortcut on a message asks for."""
    if text(delivery.body, "callback_id") != INVESTIGATE_MESSAGE:
        return None
    message = table(delivery.body, "message")
    ts = text(message, "ts")
    found = recognised({"type": "message", **message}, delivery.me.ids)
    words = found.title or command_text.plain(text(message, "text"))
    question = words.strip()[: command_text.MAX_QUESTION]
    if not ts or not question:
        return say("That message has no text that I could investigate.")
    new = NewInvestigation(
        workspace=delivery.workspace,
        origin=f"{delivery.source}:{delivery.event_id}",
        door="shortcut",
        requested_by=delivery.user,
        channel=delivery.channel,
        thread_ts=text(message, "thread_ts") or ts,
        question=question,
        service=found.service,
        tz=delivery.zone_name,
        alert=found.alert.model_dump(mode="json") if found.alert else None,
    )

    def step(session: Session, now: datetime) -> Outcome:
        known = investigations.in_thread(session, new.workspace, new.channel, new.thread_ts or ts)
        if known is not None and known.state not in FINAL:
            return Outcome(f"Investigation #{known.id} of this thread is still running.")
        started = intake.start(session, new, now, limits, seen=ts)
        words = notes.on_it(started.investigation_id, started.position)
        return Outcome(f"{words} The result comes in the message's thread.", (started.job_id,))

    return step


def register(app: AsyncApp) -> None:
    async def chosen(ack: AsyncAck, respond: AsyncRespond, context: AsyncBoltContext) -> None:
        await ack()
        outcome: Outcome = context[OUTCOME]
        if outcome.text:
            await respond(text=outcome.text, response_type="ephemeral", replace_original=False)

    app.shortcut(re.compile(".*"))(chosen)
