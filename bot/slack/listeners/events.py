"""Messages: a mention starts an investigation, an alert post does, and people ask on in our threads.

What is left alone: our own posts, people talking to each other, and other bots that raise no alert. In direct
messages every word is meant for us.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlmodel import Session

from adapters.kit.recognise import recognised
from bot.errors import UserError
from bot.slack import alerts, command_text, intake, subcommands
from bot.slack.blocks.text import escaped
from bot.slack.delivery import SILENCE, Delivery, Json, Outcome, Step, table, text
from bot.slack.rules import Rules, guarded
from bot.slack.subcommand_text import Subcommand, subcommand
from storage import inbox, investigations, messages
from storage.investigations import NewInvestigation
from storage.models import Investigation

MESSAGES = ("app_mention", "message")
FROM_PEOPLE = {"", "thread_broadcast", "file_share", "me_message"}
REMEMBERED = 200
_ON_A_MESSAGE = {"shortcut", "reaction"}


def read(delivery: Delivery, rules: Rules, now: datetime) -> Step | None:
    """What a message asks for; None when there is nothing to store.

    Raises:
        UserError: somebody mentioned us with words that make no sense.
    """
    event = delivery.event
    if text(event, "type") not in MESSAGES or _is_ours(event, delivery):
        return None
    if _person(event):
        if _is_direct(event) or delivery.me.user in command_text.mentions(text(event, "text")):
            return _once(delivery, _mentioned(delivery, rules, now))
        if not _thread(event):
            return None
        return _unless_shared(delivery, rules, partial(_overheard, delivery=delivery, rules=rules))
    found = alerts.read(delivery, recognised(event, delivery.me.ids), rules)
    return None if found is None else _unless_shared(delivery, rules, found)


def _unless_shared(delivery: Delivery, rules: Rules, step: Step) -> Step:
    """Nothing is said unasked where another organisation reads along."""

    def checked(session: Session, now: datetime) -> Outcome:
        return step(session, now) if rules.answers(session, delivery) else SILENCE

    return checked


def _mentioned(delivery: Delivery, rules: Rules, now: datetime) -> Step:
    """A mention is a subcommand, asks about the thread's investigation, or starts one in the thread."""
    event = delivery.event
    words = command_text.without_mention(text(event, "text"), delivery.me.user)
    asked = subcommand(words)
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
        if asked is not None:
            return _subcommand(asked, known, delivery, rules)(session, now)
        if known is not None:
            return _ask(session, known, delivery, words, now)
        if new is None:
            return Outcome(complaint)
        started = intake.start(session, new, now, rules.limits, seen=text(event, "ts"))
        _remember(session, started.investigation_id, delivery, words, now)
        return Outcome(jobs=(started.job_id,))

    # Whoever asks for help needs no permission; subcommands check their own.
    return step if asked is not None else guarded(rules, "start", delivery, step)


def _subcommand(
    asked: Subcommand, known: Investigation | None, delivery: Delivery, rules: Rules
) -> Step:
    """In our thread, `stop` and `debug` mean its investigation."""
    if known is not None and asked.number is None and asked.name == "stop":
        stop = partial(_stop, known=known, delivery=delivery)
        return guarded(rules, "stop", delivery, stop, subject=f"#{known.id}")
    thread = _thread(delivery.event)
    if asked.name == "debug" and thread and asked.number is None:
        return lambda _session, _now: Outcome(debug=(delivery.channel, thread))
    return subcommands.step_of(asked, delivery, rules)


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
        door="dm" if _is_direct(event) else "mention",
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


def _overheard(session: Session, now: datetime, *, delivery: Delivery, rules: Rules) -> Outcome:
    """A reply that does not mention us: a question from the one person who talks to us, or a command of ours."""
    known = _ours(session, delivery)
    if known is None:
        return SILENCE
    said = text(delivery.event, "text")
    ours = command_text.is_command(said) or _alone(session, known, delivery.user)
    if command_text.mentions(said) or not ours:
        _remember(session, known.id, delivery, said, now)
        return SILENCE
    try:
        asked = subcommand(said)
    except UserError:
        asked = None
    if asked is not None and asked.name == "stop" and asked.number is None:
        return _subcommand(asked, known, delivery, rules)(session, now)
    if not rules.may("start", delivery):
        _remember(session, known.id, delivery, said, now)
        return SILENCE
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


def _stop(session: Session, now: datetime, *, known: Investigation, delivery: Delivery) -> Outcome:
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
    if known.channel.startswith("D"):
        return True
    called_into = known.door == "mention" and not known.origin.endswith(f":{known.thread_ts}")
    if called_into or known.door in _ON_A_MESSAGE:
        return False
    said = messages.thread(session, known.id, REMEMBERED)
    people = {one.author for one in said if one.role == "person"}
    return {*people, known.requested_by} - {""} <= {user}


def _thread(event: Json) -> str:
    """The thread that a message replies in; empty for a message of the channel itself."""
    thread = text(event, "thread_ts")
    return thread if thread != text(event, "ts") else ""


def _is_direct(event: Json) -> bool:
    return text(event, "channel_type") == "im"


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
