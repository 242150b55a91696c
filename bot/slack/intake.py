"""Opens, repeats and stops investigations for people in Slack, inside the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot.queue.submit import Submitted, place
from bot.slack.thread import SEEN, SlackThread
from storage import investigations, jobs, outbox
from storage.investigations import FINAL, NewInvestigation
from storage.jobs import Limits
from storage.models import Investigation, InvestigationState, JobState
from storage.outbox import Draft

FOLLOWUP = "followup"
"""The kind of job that answers a question. Its payload: `text`, `user`, `channel`, `thread_ts`, and `ts`, which
names the question and is the key of `SlackThread.answer`."""
URGENT = 2
"""Somebody who asks on waits before somebody who asks anew."""


def start(
    session: Session, new: NewInvestigation, now: datetime, limits: Limits, *, seen: str = ""
) -> Submitted:
    """Open an investigation with its job and its first messages.

    Args:
        session: of the transaction that everything belongs to.
        new: what is asked; without a thread a root message is drafted for it.
        now: the database's time.
        limits: how many may run at once, for the place in the queue.
        seen: `ts` of the message to react to.
    """

    def first(submitted: Submitted) -> list[Draft]:
        thread = SlackThread(submitted.investigation_id, new.channel)
        drafts = [*thread.started(position=submitted.position)]
        if new.thread_ts is None:
            drafts += thread.root(new.question, new.service, new.requested_by)
        if seen:
            drafts += thread.seen(seen)
        return drafts

    return place(session, new, now, first, limits)


def ask(
    session: Session, investigation: Investigation, question: dict[str, str], now: datetime
) -> str:
    """Queue a question about an investigation (see `FOLLOWUP`) and react to it; the id of its job."""
    job = jobs.enqueue(
        session,
        kind=FOLLOWUP,
        workspace=investigation.workspace,
        payload=dict(question),
        now=now,
        investigation_id=investigation.id,
        dedupe_key=f"{FOLLOWUP}:{question['channel']}:{question['ts']}",
        priority=URGENT,
    )
    reaction = Draft(
        section=f"seen.{question['ts']}",
        seq=SEEN,
        kind="reaction",
        channel=question["channel"],
        body={"name": "eyes", "ts": question["ts"]},
        thread=False,
    )
    outbox.put(session, investigation.id, [reaction], now)
    return job.id


def stop(
    session: Session, investigation: Investigation, by: str, now: datetime
) -> tuple[str, ...] | None:
    """Ask every open job of the investigation to stop.

    Returns:
        The jobs that a worker should look at; None when the investigation is over.
    """
    thread = SlackThread(investigation.id, investigation.channel)
    asked = [
        stopped
        for job in jobs.for_investigation(session, thread.number)
        if (stopped := jobs.request_cancel(session, job.id, now=now)) is not None
    ]
    if not asked:
        return None
    if all(job.state == JobState.CANCELLED for job in asked):
        # Nobody had begun, so nobody else will say that it has ended.
        if investigation.state not in FINAL:
            investigations.set_state(session, thread.number, InvestigationState.CANCELLED, now)
        outbox.put(session, thread.number, thread.cancelled(by), now)
    else:
        outbox.put(session, thread.number, thread.stopping(by), now)
    return tuple(job.id for job in asked)


def again(
    session: Session, known: Investigation, by: str, origin: str, now: datetime, limits: Limits
) -> Submitted | None:
    """Investigate the same once more in the same thread; None while one of that thread still runs."""
    newest = known
    if known.thread_ts is not None:
        newest = (
            investigations.in_thread(session, known.workspace, known.channel, known.thread_ts)
            or known
        )
    if newest.state not in FINAL:
        return None
    new = NewInvestigation(
        workspace=known.workspace,
        origin=origin,
        door=known.door,
        requested_by=by,
        channel=known.channel,
        thread_ts=known.thread_ts,
        question=known.question,
        service=known.service,
        since=known.since,
        until=known.until,
        repo=known.repo,
        head=known.head,
        tz=known.tz,
        alert=known.alert,
        parent_id=known.id,
    )
    return start(session, new, now, limits)
