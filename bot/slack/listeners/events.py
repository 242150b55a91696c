"""Messages: a mention starts an investigation, an alert post does, and people ask on in our threads.

What is left alone: our own posts, people talking to each other, and other bots that raise no alert.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from adapters.kit.recognise import recognised
from bot.errors import UserError
from bot.slack import alerts, command_text, intake
from bot.slack.admission import OUTCOME
from bot.slack.blocks import notes
from bot.slack.blocks.text import escaped
from bot.slack.delivery import SILENCE, Delivery, Json, Outcome, Step, say, table, text
from storage import inbox, investigations, messages
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from storage.models import Investigation

SUBSCRIBED = ("app_mention", "message")
FROM_PEOPLE = {"", "thread_broadcast", "file_share", "me_message"}
SHARED = "This channel is shared with another organisation, so I do not answer here."
REMEMBERED = 200


def read(delivery: Delivery, limits: Limits, now: datetime) -> Step | None:
    """What a message asks for; None when there is nothing to store.

    Raises:
        UserError: somebody mentioned us with words that make no sense.
    """
    event = delivery.event
    if text(event, "type") not in SUBSCRIBED or _is_ours(event, delivery):
        return None
    asked = delivery.me.user in command_text.mentions(text(event, "text"))
    if delivery.body.get("is_ext_shared_channel") is True:
        return _once(delivery, say(SHARED)) if asked else None
    if _person(event):
        if asked:
            return _once(delivery, _mentioned(delivery, limits, now))
        return partial(_overheard, delivery=delivery) if _thread(event) else None
    found = recognised(event, delivery.me.ids)
    return alerts.read(delivery, found, limits)


def register(app: AsyncApp) -> None:
    async def heard(client: AsyncWebClient, context: AsyncBoltContext, event: Json) -> None:
        outcome: Outcome = context[OUTCOME]
        if not outcome.text or not context.user_id or not context.channel_id:
            return
        try:  # seen by one person and not essential, so neither stored nor repeated
            await client.chat_postEphemeral(
                channel=context.channel_id,
                user=context.user_id,
                text=outcome.text,
                thread_ts=text(event, "thread_ts") or None,
            )
        except SlackApiError:
            return

    async def nothing_to_say() -> None:
        """An event without a listener is not acknowledged, and Slack gives up on apps that do not."""

    for name in SUBSCRIBED:
        app.event(name)(heard)
    app.event(re.compile(".*"))(nothing_to_say)


def _mentioned(delivery: Delivery, limits: Limits, now: datetime) -> Step:
    """A mention stops, asks about the thread's investigation, or starts one in the thread."""
    event = delivery.event
    words = command_text.without_mention(text(event, "text"), delivery.me.user)
    asked = command_text.subcommand(words)
    new: NewInvestigation | None = None
    complaint = ""
    try:
        new = _new(delivery, words, now)
    except (
        UserError
    ) as error:  # not shown to somebody who asks on in our thread: any words do there
        complaint = escaped(str(error))

    def step(session: Session, now: datetime) -> Outcome:
        known = _ours(session, delivery)
        if asked is not None and asked.name == "help":
            return Outcome(notes.usage())
        if known is not None:
            if asked is not None and asked.name == "stop":
                return _stop(session, known, delivery, now)
            return _ask(session, known, delivery, words, now)
        if new is None:
            return Outcome(complaint)
        started = intake.start(session, new, now, limits, seen=text(event, "ts"))
        _remember(session, started.investigation_id, delivery, words, now)
        return Outcome(jobs=(started.job_id,))

    return step


def _once(delivery: Delivery, step: Step) -> Step:
    """One mention arrives as two events with ids of their own: what counts is the message."""
    source = f"slack:{delivery.workspace}:message"
    key = f"{delivery.channel}:{text(delivery.event, 'ts')}"

    def first(session: Session, now: datetime) -> Outcome:
        return step(session, now) if inbox.remember(session, source, key, now) else SILENCE

    return first


def _new(delivery: Delivery, words: str, now: datetime) -> NewInvestigation:
    event = delivery.event
    asked = command_text.parse(words, delivery.zone, now)
    ts = text(event, "ts")
    return NewInvestigation(
        workspace=delivery.workspace,
        origin=f"message:{delivery.channel}:{ts}",
        door="mention",
        requested_by=delivery.user,
        channel=delivery.channel,
        thread_ts=_thread(event) or ts,
        question=asked.question,
        service=asked.service,
        since=asked.since,
        until=asked.until,
        repo=asked.repo,
        head=asked.head,
        tz=delivery.zone_name,
    )


def _overheard(session: Session, now: datetime, *, delivery: Delivery) -> Outcome:
    """A reply in a thread that does not mention us: a question only from the one person who talks to us."""
    known = _ours(session, delivery)
    if known is None:
        return SILENCE
    said = text(delivery.event, "text")
    if command_text.mentions(said) or not _alone(session, known, delivery.user):
        _remember(session, known.id, delivery, said, now)
        return SILENCE
    asked = command_text.subcommand(said)
    if asked is not None and asked.name == "stop":
        return _stop(session, known, delivery, now)
    return _ask(session, known, delivery, said, now)


def _ask(
    session: Session, known: Investigation, delivery: Delivery, words: str, now: datetime
) -> Outcome:
    question = command_text.plain(words).strip()
    if not _remember(session, known.id, delivery, words, now) or not question:
        return SILENCE
    job_id = intake.ask(
        session,
        known,
        {
            "text": question,
            "user": delivery.user,
            "channel": delivery.channel,
            "ts": text(delivery.event, "ts"),
            "thread_ts": _thread(delivery.event),
        },
        now,
    )
    return Outcome(jobs=(job_id,))


def _stop(session: Session, known: Investigation, delivery: Delivery, now: datetime) -> Outcome:
    stopped = intake.stop(session, known, delivery.user, now)
    if stopped is None:
        return Outcome(f"Investigation #{known.id} is already over.")
    return Outcome(jobs=stopped)


def _remember(session: Session, number: int, delivery: Delivery, words: str, now: datetime) -> bool:
    event = delivery.event
    ts = text(event, "ts")
    return messages.add(
        session,
        number,
        delivery.channel,
        _thread(event) or ts,
        ts,
        delivery.user,
        "person",
        command_text.plain(words),
        now,
    )


def _ours(session: Session, delivery: Delivery) -> Investigation | None:
    thread = _thread(delivery.event)
    if not thread:
        return None
    return investigations.in_thread(session, delivery.workspace, delivery.channel, thread)


def _alone(session: Session, known: Investigation, user: str) -> bool:
    """Whether nobody else talks here. In a thread that we were called into, others may have talked before."""
    called_into = known.door == "mention" and not known.origin.endswith(f":{known.thread_ts}")
    if called_into or known.door == "shortcut":
        return False
    said = messages.thread(session, known.id, REMEMBERED)
    people = {one.author for one in said if one.role == "person"}
    return {*people, known.requested_by} - {""} <= {user}


def _thread(event: Json) -> str:
    """The thread that a message replies in; empty for a message of the channel itself."""
    thread = text(event, "thread_ts")
    return thread if thread != text(event, "ts") else ""


def _person(event: Json) -> bool:
    return (
        bool(text(event, "user"))
        and not text(event, "bot_id")
        and text(event, "subtype") in FROM_PEOPLE
    )


def _is_ours(event: Json, delivery: Delivery) -> bool:
    """What we posted, edited or deleted ourselves; Bolt only drops our plain posts."""
    shapes = (event, table(event, "message"), table(event, "previous_message"))
    return any({text(shape, "user"), text(shape, "bot_id")} & delivery.me.ids for shape in shapes)
