"""What happens when Slack will not take a message: nothing is lost silently, and nobody works for no reader."""

from __future__ import annotations

import re
from datetime import datetime

from sqlmodel import Session

from bot.slack.blocks import notes
from bot.slack.refusals import Refusal, Then
from storage import events, investigations, jobs, outbox
from storage.jobs import OPEN
from storage.models import InvestigationState, JobState
from storage.outbox import Draft, OutboxRow

BEFORE_ALL = -1
"""`seq` of direct messages: they wait for nothing that cannot be posted."""
_RESULTS = ("report", "answer.")
_SIGNS = {"reaction", "ephemeral", "complete", "session"}
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)


def give_up(session: Session, row: OutboxRow, refusal: Refusal, now: datetime) -> None:
    """Close the row, note it in the event log, and tell the requester in a direct message where that can work.

    A result that has no place in its channel goes to the requester as well. Without its root message an
    investigation has no readers, so it is stopped.
    """
    outbox.give_up(session, row.id, refusal.code)
    investigation = investigations.get(session, row.investigation_id)
    if investigation is None:
        return
    note = {"section": row.section, "error": refusal.code, "advice": refusal.advice}
    events.append(session, investigation.id, "undelivered", note, now)
    if refusal.then is Then.DROP or row.kind in _SIGNS or row.section == "report.picture":
        return
    unread = row.kind == "root"
    if unread:
        _stop(session, investigation.id, now)
    person = investigation.requested_by
    if refusal.then is Then.BROKEN or row.channel == person or not _PERSON.fullmatch(person):
        return
    advice = refusal.advice or f"Slack says {refusal.code}."
    said = notes.undelivered(investigation.id, row.channel, advice, stopped=unread)
    direct = [Draft("undelivered", BEFORE_ALL, "message", person, said, thread=False)]
    if row.section.startswith(_RESULTS) and row.kind == "message":
        direct.append(
            Draft(
                f"{row.section}.direct", BEFORE_ALL, "message", person, dict(row.body), thread=False
            )
        )
    outbox.put(session, investigation.id, direct, now)


def _stop(session: Session, investigation_id: int, now: datetime) -> None:
    for job in jobs.for_investigation(session, investigation_id):
        if job.state in OPEN:
            stopped = jobs.request_cancel(session, job.id, now=now)
            if stopped is not None and stopped.state == JobState.CANCELLED:
                investigations.set_state(
                    session, investigation_id, InvestigationState.CANCELLED, now
                )
