"""The buttons under our messages: stop, investigate again, right or wrong."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond
from sqlmodel import Session

from bot.slack import intake
from bot.slack.admission import OUTCOME
from bot.slack.blocks import notes
from bot.slack.blocks.report import AGAIN, FEEDBACK
from bot.slack.delivery import Delivery, Outcome, Step, text
from storage import events, investigations
from storage.jobs import Limits
from storage.models import Investigation

_VALUE = re.compile(r"(\d{1,12})(?::(right|wrong))?", re.ASCII)
GONE = "I do not know this investigation any more."


def read(delivery: Delivery, limits: Limits) -> Step | None:
    """What pressing a button asks for; None for a button that is not ours or only a link."""
    pressed = text(delivery.action, "action_id")
    value = _VALUE.fullmatch(text(delivery.action, "value"))
    if value is None or pressed not in {notes.STOP, AGAIN, FEEDBACK}:
        return None
    number, verdict = int(value[1]), value[2]

    def step(session: Session, now: datetime) -> Outcome:
        known = investigations.get(session, number)
        if known is None or known.workspace != delivery.workspace:
            return Outcome(GONE)
        if pressed == FEEDBACK:
            return _feedback(session, known, delivery.user, verdict or "", now)
        if pressed == AGAIN:
            return _again(session, known, delivery, limits, now)
        stopped = intake.stop(session, known, delivery.user, now)
        if stopped is None:
            return Outcome(f"Investigation #{number} is already over.")
        return Outcome(jobs=stopped)

    return step


def register(app: AsyncApp) -> None:
    async def pressed(ack: AsyncAck, respond: AsyncRespond, context: AsyncBoltContext) -> None:
        await ack()
        outcome: Outcome = context[OUTCOME]
        if outcome.text:
            await respond(text=outcome.text, response_type="ephemeral", replace_original=False)

    app.action(re.compile(".*"))(pressed)


def _again(
    session: Session, known: Investigation, delivery: Delivery, limits: Limits, now: datetime
) -> Outcome:
    origin = f"{delivery.source}:{delivery.event_id}"
    started = intake.again(session, known, delivery.user, origin, now, limits)
    if started is None:
        return Outcome("An investigation of this thread is still running. Stop it first.")
    return Outcome(jobs=(started.job_id,))


def _feedback(
    session: Session, known: Investigation, user: str, verdict: str, now: datetime
) -> Outcome:
    note = partial(events.append, session, known.id, "feedback")
    note({"verdict": verdict, "user": user}, now)
    return Outcome(notes.thanks(verdict))
