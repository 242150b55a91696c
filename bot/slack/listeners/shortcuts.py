"""Shortcuts: investigate what a message says, in its thread; or open the form."""

from __future__ import annotations

import re
from datetime import datetime

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from bot.slack import handed
from bot.slack.admission import OUTCOME
from bot.slack.blocks import modals
from bot.slack.delivery import Delivery, Json, Outcome, Step, say, table, text
from bot.slack.deps import SlackDeps
from bot.slack.listeners.telling import carry_out
from bot.slack.rules import Rules, guarded

INVESTIGATE_MESSAGE = "investigate_message"
INVESTIGATE_NEW = modals.NEW


def read(delivery: Delivery, rules: Rules) -> Step | None:
    """What a shortcut asks for."""
    match text(delivery.body, "callback_id"):
        case modals.NEW:
            return form(delivery, rules)
        case "investigate_message":
            new = handed.new(delivery, table(delivery.body, "message"), "shortcut")
            if new is None:
                return say("That message has no text that I could investigate.")
            return guarded(rules, "start", delivery, handed.step(new, rules.limits))
        case _:
            return None


def form(delivery: Delivery, rules: Rules) -> Step:
    """The form for a new investigation."""

    def step(_session: Session, _now: datetime) -> Outcome:
        return Outcome(opens=modals.new(channel=delivery.channel))

    return guarded(rules, "start", delivery, step)


def register(app: AsyncApp, deps: SlackDeps) -> None:
    async def chosen(
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

    app.shortcut(re.compile(".*"))(chosen)
