"""Events that are no messages: reactions, invitations, Home, steps of workflows, Slack's own Stop button."""

from __future__ import annotations

import re
from datetime import datetime

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from bot.slack import command_text, handed, home, intake
from bot.slack.admission import OUTCOME
from bot.slack.blocks import alarms
from bot.slack.deliveries import WORKFLOW
from bot.slack.delivery import SILENCE, Delivery, Json, Outcome, Step, table, text
from bot.slack.deps import SlackDeps
from bot.slack.listeners.events import MESSAGES
from bot.slack.listeners.telling import carry_out, whisper
from bot.slack.places import Places
from bot.slack.refusals import understood
from bot.slack.rules import Rules, guarded
from storage import channels, investigations
from storage.investigations import NewInvestigation

log = structlog.get_logger()
SUBSCRIBED = (
    *MESSAGES,
    "agent_session_stopped",
    "app_home_opened",
    "function_executed",
    "member_joined_channel",
    "reaction_added",
)
FUNCTION = "investigate_incident"
PROMPTS = (
    ("What can you do?", "help"),
    ("Something is broken", "checkout returns 500s since:30m"),
    ("What runs now?", "status"),
    ("What was found lately?", "list"),
)


def read(delivery: Delivery, rules: Rules) -> Step | None:
    """What an event asks for; None for those that only want an answer on the screen."""
    event = delivery.event
    match text(event, "type"):
        case "reaction_added":
            return _reacted(delivery, rules)
        case "member_joined_channel":
            return _joined(delivery, rules)
        case "function_executed":
            return _step_of_workflow(delivery, rules)
        case "agent_session_stopped":
            return _stopped(delivery, rules)
        case _:
            return None


def register(app: AsyncApp, deps: SlackDeps, places: Places) -> None:
    async def heard(
        client: AsyncWebClient, context: AsyncBoltContext, event: Json, body: Json
    ) -> None:
        outcome: Outcome = context[OUTCOME]
        await carry_out(outcome, deps, client, context, body)
        if outcome.text and context.user_id:
            await _answer(client, context, event, outcome.text)

    async def opened(client: AsyncWebClient, context: AsyncBoltContext, event: Json) -> None:
        await _show(deps, places, client, context.team_id or "", event)

    async def invited(client: AsyncWebClient, context: AsyncBoltContext, event: Json) -> None:
        outcome: Outcome = context[OUTCOME]
        if outcome.opens is not None:
            await _ask_inviter(client, event, outcome.opens)

    async def nothing_to_say() -> None:
        """An event without a listener is not acknowledged, and Slack gives up on apps that do not."""

    app.event("app_home_opened")(opened)
    app.event("member_joined_channel")(invited)
    for name in SUBSCRIBED:
        if name not in {"app_home_opened", "member_joined_channel"}:
            app.event(name)(heard)
    app.event(re.compile(".*"))(nothing_to_say)


async def _answer(
    client: AsyncWebClient, context: AsyncBoltContext, event: Json, words: str
) -> None:
    channel = context.channel_id or text(table(event, "item"), "channel")
    thread = text(event, "thread_ts")
    if not thread and channel.startswith("D"):
        thread = text(event, "ts")
    if channel:
        await whisper(client, channel, context.user_id or "", words, thread)


async def _show(
    deps: SlackDeps, places: Places, client: AsyncWebClient, workspace: str, event: Json
) -> None:
    """Home, or in the conversation with us what can be asked. Nobody waits for it: the next visit tries again."""
    try:
        if text(event, "tab") == "home":
            await home.publish(deps, client, workspace, text(event, "user"), places)
        elif text(event, "tab") == "messages":
            await client.assistant_threads_setSuggestedPrompts(
                channel_id=text(event, "channel"),
                prompts=[{"title": title, "message": words} for title, words in PROMPTS],
            )
    except SlackApiError as error:
        log.info("slack_view_refused", code=understood(error).code)


async def _ask_inviter(client: AsyncWebClient, event: Json, question: Json) -> None:
    try:
        await client.chat_postEphemeral(
            channel=text(event, "channel"), user=text(event, "inviter"), **question
        )
    except SlackApiError as error:
        log.info("slack_question_refused", code=understood(error).code)


def _reacted(delivery: Delivery, rules: Rules) -> Step | None:
    if not rules.reaction or text(delivery.event, "reaction") != rules.reaction:
        return None
    if delivery.user in delivery.me.ids:
        return None
    new = handed.new(delivery, delivery.message, "reaction")
    if new is None:
        return None
    return guarded(rules, "start", delivery, handed.step(new, rules.limits))


def _joined(delivery: Delivery, rules: Rules) -> Step | None:
    """Whoever invites us is asked whether we may watch, once, unless that is decided."""
    if text(delivery.event, "user") != delivery.me.user or not text(delivery.event, "inviter"):
        return None

    def step(session: Session, _now: datetime) -> Outcome:
        decided = channels.get(session, delivery.workspace, delivery.channel)
        if (decided is not None and decided.watch is not None) or rules.watches(session, delivery):
            return SILENCE
        return Outcome(opens=alarms.invitation(delivery.channel))

    return step


def _step_of_workflow(delivery: Delivery, rules: Rules) -> Step | None:
    event = delivery.event
    if text(table(event, "function"), "callback_id") != FUNCTION:
        return None
    inputs = table(event, "inputs")
    words = command_text.plain(text(inputs, "description")).strip()
    new = NewInvestigation(
        workspace=delivery.workspace,
        origin=f"function:{text(event, 'function_execution_id')}",
        door=WORKFLOW,
        requested_by=text(inputs, "user_id") or delivery.user,
        channel=text(inputs, "channel_id"),
        question=words[: command_text.MAX_QUESTION] or "An incident",
        service=text(inputs, "service")[:200],
        tz=delivery.zone_name,
    )

    def step(session: Session, now: datetime) -> Outcome:
        started = intake.start(session, new, now, rules.limits)
        return Outcome(jobs=(started.job_id,))

    return guarded(rules, "start", delivery, step)


def _stopped(delivery: Delivery, rules: Rules) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        known = investigations.in_thread(
            session, delivery.workspace, delivery.channel, text(delivery.event, "thread_ts")
        )
        stopped = intake.stop(session, known, delivery.user, now) if known is not None else None
        return Outcome(jobs=stopped or ())

    return guarded(rules, "stop", delivery, step, subject=text(delivery.event, "thread_ts"))
