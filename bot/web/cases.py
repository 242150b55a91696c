"""What the API and the dashboard do with investigations: find, start, ask, stop, repeat, and who did it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, or_, select

from bot.ask import check_order, parse_moment, parse_zone
from bot.queue.handlers import FOLLOWUP
from bot.queue.submit import Submitted, cancel, submit
from bot.report import Report
from bot.web.api.shapes import Start
from bot.web.deps import WebDeps
from bot.web.identity import Principal, note
from bot.web.problems import ProblemError
from storage import investigations, jobs, messages
from storage.investigations import FINAL, NewInvestigation
from storage.models import Alert, Investigation
from storage.outbox import Draft

MISSING = "There is no such investigation."


@dataclass(frozen=True)
class Wanted:
    """Which investigations a list shows."""

    service: str = ""
    state: str = ""
    conclusion: str = ""
    door: str = ""
    text: str = ""


def listed(
    session: Session, wanted: Wanted, *, limit: int, before: int | None = None
) -> list[Investigation]:
    """Newest first, without their reports' weight in the way: one statement."""
    query = select(Investigation).order_by(col(Investigation.id).desc()).limit(limit)
    for column, value in (
        (Investigation.service, wanted.service),
        (Investigation.state, wanted.state),
        (Investigation.conclusion, wanted.conclusion),
        (Investigation.door, wanted.door),
    ):
        if value:
            query = query.where(column == value)
    if wanted.text:
        inside = [
            col(column).icontains(wanted.text, autoescape=True)
            for column in (Investigation.question, Investigation.summary, Investigation.service)
        ]
        query = query.where(or_(*inside))
    if before is not None:
        query = query.where(col(Investigation.id) < before)
    from sqlalchemy.orm import defer

    query = query.options(defer(Investigation.report), defer(Investigation.alert))  # type: ignore[arg-type]
    return list(session.exec(query).all())


def recent_alerts(session: Session, limit: int, before: int | None = None) -> list[Alert]:
    """Episodes of alerts, newest first."""
    query = select(Alert).order_by(col(Alert.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Alert.id) < before)
    return list(session.exec(query).all())


def cursor_of(row_id: int) -> str:
    """Where the next page begins; opaque to callers."""
    return base64.urlsafe_b64encode(f"v1:{row_id}".encode()).decode().rstrip("=")


def from_cursor(text: str) -> int | None:
    """The id in a cursor.

    Raises:
        ProblemError: 422, it is none of ours.
    """
    if not text:
        return None
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, _, number = plain.decode("ascii").partition(":")
        if version == "v1" and number.isdigit() and len(number) < 19:
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise ProblemError(422, "The cursor is none of ours; begin without one.", code="bad_cursor")


def found(session: Session, number: int) -> Investigation:
    """The investigation.

    Raises:
        ProblemError: 404.
    """
    case = investigations.get(session, number) if 0 < number < 2**63 else None
    if case is None:
        raise ProblemError(404, MISSING)
    return case


def report_of(case: Investigation) -> Report:
    """Its report.

    Raises:
        ProblemError: 404, there is none (yet).
    """
    if case.report is None:
        raise ProblemError(404, "There is no report (yet).", code="no_report")
    return Report.model_validate(case.report)


def start(deps: WebDeps, who: Principal, wanted: Start, key: str, now: datetime) -> Submitted:
    """Open an investigation; the same idempotency key of the same caller is the same investigation.

    Raises:
        UserError: a time or zone makes no sense.
        ProblemError: 409, the key was used for something else.
    """
    zone = parse_zone(wanted.tz)
    since = parse_moment(wanted.since, tz=zone, now=now) if wanted.since else None
    until = parse_moment(wanted.until, tz=zone, now=now) if wanted.until else None
    check_order(since, until)
    new = NewInvestigation(
        workspace=deps.settings.workspace,
        origin=_origin(who, "start", key),
        door="api",
        requested_by=who.name,
        question=wanted.question,
        service=wanted.service,
        since=since,
        until=until,
        repo=wanted.repo,
        head=wanted.head,
        tz=wanted.tz,
    )
    submitted = submit(deps.db, deps.queue, new)
    if not submitted.created:
        with deps.db.read() as session:
            before = found(session, submitted.investigation_id)
        if (before.question, before.service) != (wanted.question, wanted.service):
            raise ProblemError(
                409, "This Idempotency-Key was used for another request.", code="key_reused"
            )
    note(deps, who, "start", subject=str(submitted.investigation_id))
    return submitted


def again(deps: WebDeps, who: Principal, number: int, key: str) -> Submitted:
    """Investigate the same once more, where the first one was posted.

    Raises:
        ProblemError: 404; 409 while it still runs.
    """
    with deps.db.read() as session:
        case = found(session, number)
    if case.state not in FINAL:
        raise ProblemError(409, "It still runs; stop it first.", code="still_running")
    names = ("channel", "thread_ts", "question", "service", "since", "until", "repo", "head", "tz")
    same = {name: getattr(case, name) for name in (*names, "alert", "workspace")}
    new = NewInvestigation(
        origin=_origin(who, f"rerun:{number}", key),
        door="api",
        requested_by=who.name,
        parent_id=number,
        **same,
    )

    def first(made: Submitted) -> Sequence[Draft]:
        thread = deps.thread_of(made.investigation_id, case.channel)
        return thread.started(position=made.position)

    submitted = submit(deps.db, deps.queue, new, drafts=first)
    note(deps, who, "rerun", subject=f"{number} -> {submitted.investigation_id}")
    return submitted


def stop(deps: WebDeps, who: Principal, number: int) -> None:
    """Ask it to stop.

    Raises:
        ProblemError: 404; 409 when it is over.
    """
    with deps.db.read() as session:
        found(session, number)
    if not cancel(deps.db, deps.queue, number):
        raise ProblemError(409, "It is over already.", code="over")
    note(deps, who, "stop", subject=str(number))


def ask(deps: WebDeps, who: Principal, number: int, text: str, key: str) -> str:
    """Queue a question about an investigation; the id of its job.

    Raises:
        ProblemError: 404; 409 while there is no report.
    """
    ts = f"web-{hashlib.sha256(_origin(who, str(number), key).encode()).hexdigest()[:24]}"
    with deps.db.write() as session:
        now = deps.db.now(session)
        case = found(session, number)
        if case.report is None:
            raise ProblemError(409, "There is no report to ask about yet.", code="no_report")
        new = messages.add(
            session, number, case.channel, case.thread_ts or "", ts, who.name, "person", text, now
        )
        if not new:
            return ts
        job = jobs.enqueue(
            session,
            kind=FOLLOWUP,
            workspace=case.workspace,
            payload={
                "text": text,
                "user": who.name,
                "channel": case.channel,
                "thread_ts": case.thread_ts or "",
                "ts": ts,
            },
            now=now,
            investigation_id=number,
            dedupe_key=f"{FOLLOWUP}:{number}:{ts}",
            priority=2,
        )
    deps.queue.notify(job.id)
    note(deps, who, "ask", subject=str(number))
    return ts


def _origin(who: Principal, what: str, key: str) -> str:
    return f"api:{who.name}:{what}:{key or uuid.uuid4().hex}"


def utc(moment: datetime) -> datetime:
    """Aware UTC, whatever the database gave."""
    return moment.astimezone(UTC)
