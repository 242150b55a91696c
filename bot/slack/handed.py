"""A message that somebody hands to us, by the shortcut or with a reaction: investigated in its thread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from adapters.kit.recognise import recognised
from bot.slack import command_text, intake
from bot.slack.blocks import notes
from bot.slack.delivery import Delivery, Json, Outcome, Step, text
from storage import investigations
from storage.investigations import FINAL, NewInvestigation
from storage.jobs import Limits


@dataclass(frozen=True, slots=True)
class Handed:
    """The message as a request."""

    new: NewInvestigation
    ts: str


def new(delivery: Delivery, message: Json, door: str) -> Handed | None:
    """Read the message; None when it says nothing that could be investigated."""
    ts = text(message, "ts")
    found = recognised({"type": "message", **message}, delivery.me.ids)
    words = found.title or command_text.plain(text(message, "text"))
    question = words.strip()[: command_text.MAX_QUESTION]
    if not ts or not question:
        return None
    request = NewInvestigation(
        workspace=delivery.workspace,
        origin=f"{delivery.source}:{delivery.event_id}",
        door=door,
        requested_by=delivery.user,
        channel=delivery.channel,
        thread_ts=text(message, "thread_ts") or ts,
        question=question,
        service=found.service,
        tz=delivery.zone_name,
        alert=found.alert.model_dump(mode="json") if found.alert else None,
    )
    return Handed(request, ts)


def step(handed: Handed, limits: Limits) -> Step:
    """Start, unless one of that thread still runs."""
    asked = handed.new

    def start(session: Session, now: datetime) -> Outcome:
        thread = asked.thread_ts or handed.ts
        known = investigations.in_thread(session, asked.workspace, asked.channel, thread)
        if known is not None and known.state not in FINAL:
            return Outcome(f"Investigation #{known.id} of this thread is still running.")
        started = intake.start(session, asked, now, limits, seen=handed.ts)
        words = notes.on_it(started.investigation_id, started.position)
        return Outcome(f"{words} The result comes in the message's thread.", (started.job_id,))

    return start
