"""What a worker does for each kind of job: investigate, or answer a question in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Protocol

from pydantic import BaseModel
from sqlmodel import Session

from adapters.kit.records import Alert, Window
from bot.analysis.findings import Findings
from bot.ask import parse_zone
from bot.collect import Ask
from bot.crew.answering import Asked
from bot.crew.desk import Desk, Past
from bot.crew.offline import OfflineNarrator
from bot.crew.past import earlier
from bot.followup import Answer, Rerun, answer, is_command
from bot.investigate import Deps, Look, Memory, Reasoned, Thread, investigate
from bot.queue import INVESTIGATE, Context, Handler
from bot.queue.remember import likest_first, remember, similar
from bot.queue.submit import Submitted, place
from bot.redact import redact
from bot.report import Found, Report, Similar, numbered, records_of
from storage import evidence, investigations, jobs, messages
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.models import Investigation, Job
from storage.outbox import Draft

FOLLOWUP = "followup"
BEFORE_ALERT = timedelta(minutes=60)
ANSWER_S = 60.0
TURNS = 12
NO_REPORT = "There is no report yet; ask again when it stands in this thread."


class Conversation(Thread, Protocol):
    """A `Thread` in which questions are answered too."""

    def started(self, *, position: int = 0) -> Sequence[Draft]: ...

    def answer(
        self,
        key: str,
        text: str,
        sources: Sequence[tuple[str, str]] = (),
        *,
        listing: Sequence[str] = (),
    ) -> Sequence[Draft]: ...


class Answered(BaseModel):
    """The saved result of answering: what was said, and what it rests on."""

    text: str
    prose: str
    listing: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()


def handlers(
    db: Database,
    deps: Deps,
    thread_of: Callable[[int, str], Conversation],
    notify: Callable[[str], None],
) -> Mapping[str, Handler]:
    """The handlers by kind of job.

    Args:
        thread_of: renders for an investigation (its number) in a channel.
        notify: the queue's hint, for an investigation that a follow-up starts.
    """
    worker = _Worker(db, deps, thread_of, notify)
    return {INVESTIGATE: worker.investigate, FOLLOWUP: worker.follow_up}


class _Worker:
    def __init__(
        self,
        db: Database,
        deps: Deps,
        thread_of: Callable[[int, str], Conversation],
        notify: Callable[[str], None],
    ) -> None:
        self._db = db
        self._deps = deps
        self._thread_of = thread_of
        self._notify = notify

    def investigate(self, context: Context) -> None:
        case = self._case(context)
        thread = self._thread_of(case.id, case.channel)
        ask = ask_of(case, self._deps)

        def keep(session: Session, look: Look, reasoned: Reasoned, report: Report) -> None:
            now = self._db.now(session)
            evidence.save(session, case.id, [*_items(look), *_found(reasoned)])
            body = report.model_dump(mode="json")
            investigations.save_report(
                session, case.id, body, report.conclusion, report.confidence, report.summary, now
            )
            remember(session, case, look.findings, report, now)

        def past(findings: Findings) -> Sequence[Past]:
            with self._db.read() as session:
                return likest_first(earlier(session, case), similar(session, case, findings))

        def alike(findings: Findings) -> Sequence[Similar]:
            with self._db.read() as session:
                return similar(session, case, findings)

        memory = Memory(keep, past, alike)
        investigate(str(case.id), ask, thread, context, self._deps, memory=memory)

    def follow_up(self, context: Context) -> None:
        case = self._case(context)
        thread = self._thread_of(case.id, case.channel)
        question = str(context.payload.get("text", ""))
        asked_by, ts = str(context.payload.get("user", "")), str(context.payload.get("ts", ""))
        replies: list[Answer] = []
        started: list[str] = []

        def step() -> Answered:
            reply, found = self._answer(case, question, ts, context)
            replies.append(reply)
            return Answered(
                text=reply.text,
                prose=reply.prose or reply.text,
                listing=reply.listing,
                cites=reply.cites,
                found=found,
            )

        def said(result: Answered) -> Sequence[Draft]:
            links = self._links(case, result.cites)
            return thread.answer(ts, result.prose, links, listing=result.listing)

        def keep(session: Session, result: Answered) -> None:
            now = self._db.now(session)
            messages.add(
                session,
                case.id,
                case.channel,
                case.thread_ts or ts,
                f"answer-{ts}",
                "bot",
                "bot",
                result.text,
                now,
            )
            evidence.save(session, case.id, [(f.id, f.kind, f.payload) for f in result.found])
            rerun = replies[0].rerun
            if rerun is not None:
                new = _again(case, rerun, asked_by, f"rerun:{case.channel}:{ts}")
                started.append(
                    place(session, new, now, _announced(self._thread_of, case.channel)).job_id
                )

        context.stage("answer", step, Answered, said, save=keep)
        for job_id in started:
            self._notify(job_id)

    def _case(self, context: Context) -> Investigation:
        with self._db.read() as session:
            case = investigations.get(session, context.investigation_id)
        if case is None:
            msg = f"investigation {context.investigation_id} is gone"
            raise LookupError(msg)
        return case

    def _answer(
        self, case: Investigation, question: str, ts: str, context: Context
    ) -> tuple[Answer, tuple[Found, ...]]:
        """The plain answer to a plain command, the model's checked one to anything else, if there is a model."""
        if case.report is None:
            return Answer(text=NO_REPORT), ()
        with self._db.read() as session:
            items = {item.key: item.payload for item in evidence.all(session, case.id)}
            said = [
                (str(m.role), m.text)
                for m in messages.thread(session, case.id, TURNS)
                if m.ts != ts
            ]
        report = Report.model_validate(case.report)
        answerer = self._deps.answerer
        if answerer is not None and not is_command(question):
            desk = Desk(ask_of(case, self._deps), self._deps.sources, context.cancelled)
            seconds = min(ANSWER_S, self._deps.seconds)
            reply = answerer.answer(
                Asked(question, said, items), report, records_of(items), seconds=seconds, desk=desk
            )
            if reply is not None:
                return Answer(text=reply.text, cites=reply.cites), reply.found
        return answer(question, report, items, parse_zone(case.tz)), ()

    def _links(self, case: Investigation, cites: Sequence[str]) -> list[tuple[str, str]]:
        with self._db.read() as session:
            items = {item.key: item.payload for item in evidence.all(session, case.id)}
        return [(key, str(items[key].get("url") or "")) for key in cites if key in items]


def _announced(
    thread_of: Callable[[int, str], Conversation], channel: str
) -> Callable[[Submitted], Sequence[Draft]]:
    def drafts(submitted: Submitted) -> Sequence[Draft]:
        thread = thread_of(submitted.investigation_id, channel)
        return thread.started(position=submitted.position)

    return drafts


def found_so_far(db: Database, job: Job, thread: Conversation) -> Sequence[Draft]:
    """What had been found when somebody pressed Stop; nothing when that was before the analysis."""
    with db.read() as session:
        saved = jobs.saved_step(session, job.id, "look")
    if saved is None:
        return ()
    look = Look.model_validate(saved)
    found = OfflineNarrator().narrate("", look.findings, look)
    return thread.answer("stopped", f"What I had found so far: {redact(found.summary)}")


def ask_of(case: Investigation, deps: Deps) -> Ask:
    """The stored request as a typed question. An alert's service counts only when the catalogue knows it."""
    alert = Alert.model_validate(case.alert) if case.alert else None
    started_at = alert.started_at if alert else None
    until = case.until or case.created_at
    begun = min(started_at or until, until)
    since = case.since or begun - BEFORE_ALERT
    known = not deps.sources.services or deps.sources.service(case.service) is not None
    return Ask(
        question=case.question,
        window=Window(since=since, until=max(until, since + timedelta(seconds=1))),
        as_of=until.astimezone(UTC),
        service=case.service if known or case.door != "alert" else "",
        symptom="\n".join(filter(None, (case.question, alert.text if alert else ""))),
        started_at=started_at,
        repo=case.repo,
        head=case.head,
    )


def _again(case: Investigation, rerun: Rerun, by: str, origin: str) -> NewInvestigation:
    return NewInvestigation(
        workspace=case.workspace,
        origin=origin,
        door=case.door,
        requested_by=by,
        channel=case.channel,
        thread_ts=case.thread_ts,
        question=case.question,
        service=rerun.service or case.service,
        since=rerun.since or case.since,
        until=rerun.until,
        repo=case.repo,
        head=case.head,
        tz=case.tz,
        alert=case.alert,
        parent_id=case.id,
    )


def _found(reasoned: Reasoned) -> list[tuple[str, str, dict[str, object]]]:
    return [(found.id, found.kind, found.payload) for found in reasoned.found]


def _items(look: Look) -> list[tuple[str, str, dict[str, object]]]:
    patterns = [(p.id, "pattern", p.model_dump(mode="json")) for p in look.findings.patterns]
    records = [
        (key, type(record).__name__.lower(), record.model_dump(mode="json"))
        for key, record in numbered(look)
    ]
    return [*patterns, *records]
