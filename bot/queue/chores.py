"""The jobs that nobody waits for: forgetting, the weekly digest, asking the sources whether they are well."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from adapters.kit.capabilities import Checkable
from adapters.kit.errors import AdapterError
from bot.queue import Context, Handler
from bot.sources import Sources
from storage import digest, inbox, investigations, outbox, retention
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.models import Investigation, InvestigationState
from storage.outbox import Draft

log = structlog.get_logger()

FORGET, DIGEST, HEALTH = "forget", "digest", "health"
INBOX_KEPT = timedelta(days=2)
WEEK = timedelta(days=7)
TOP = 5


@dataclass(frozen=True)
class Digest:
    """A week in numbers. `verdict_s` is the median time from the question to the report."""

    since: datetime
    until: datetime
    conclusions: tuple[tuple[str, int], ...]
    services: tuple[tuple[str, int], ...]
    suspects: tuple[tuple[int, str], ...]
    again: int
    verdict_s: float | None

    @property
    def total(self) -> int:
        return sum(count for _, count in self.conclusions)


Render = Callable[[int, str, Digest], Sequence[Draft]]
"""The digest as messages: its number, its channel, and what it says."""


def chores(
    db: Database, sources: Sources, render: Render, days: tuple[int, int]
) -> Mapping[str, Handler]:
    """The handlers by kind of job.

    Args:
        days: for how long reports and their evidence are kept; 0: for ever, and as long as the report.
    """

    def forget_old(context: Context) -> None:
        forget(db, *days, context)

    def summarise(context: Context) -> None:
        _digest(db, render, context)

    def check(context: Context) -> None:
        _check(sources, context)

    return {FORGET: forget_old, DIGEST: summarise, HEALTH: check}


def forget(db: Database, retention_days: int, evidence_days: int, context: Context) -> None:
    """Delete what is older than it should be, a few rows a transaction, until nothing is left."""
    total = 0
    while not context.cancelled.is_set():
        with db.write() as session:
            now = db.now(session)
            never = datetime.min.replace(tzinfo=now.tzinfo, year=1970)
            reports = now - timedelta(days=retention_days) if retention_days else never
            evidence = now - timedelta(days=evidence_days) if evidence_days else reports
            gone = retention.forget(session, reports_before=reports, evidence_before=evidence)
            purged = inbox.purge(session, now - INBOX_KEPT)
        total += gone.total + purged
        if not gone.total:
            break
    log.info("forgotten", rows=total)


def summary(cases: Sequence[Investigation], since: datetime, until: datetime) -> Digest:
    """The digest of finished investigations."""
    took = [(c.finished_at - c.created_at).total_seconds() for c in cases if c.finished_at]
    told = [c for c in cases if c.conclusion in {"confirmed", "likely"}]
    named = [(c.id, _suspect(c)) for c in sorted(told, key=lambda c: -(c.confidence or 0))]
    return Digest(
        since=since,
        until=until,
        conclusions=tuple(Counter(c.conclusion or "" for c in cases).most_common()),
        services=tuple(Counter(c.service for c in cases if c.service).most_common(TOP)),
        suspects=tuple((number, text) for number, text in named if text)[:TOP],
        again=sum(1 for c in cases if (c.report or {}).get("similar")),
        verdict_s=statistics.median(took) if took else None,
    )


def _suspect(case: Investigation) -> str:
    first = next(iter((case.report or {}).get("suspects") or ()), None)
    return f"{first['sha'][:10]} {first['title']}"[:200] if isinstance(first, dict) else ""


def _digest(db: Database, render: Render, context: Context) -> None:
    channel = str(context.payload["channel"])
    workspace = str(context.payload["workspace"])

    def write(session: Session) -> None:
        until = db.now(session)
        since = until - WEEK
        told = summary(digest.finished_between(session, workspace, since, until), since, until)
        year, week, _ = until.isocalendar()
        new = NewInvestigation(
            workspace=workspace,
            origin=f"digest:{year}-{week}",
            door="digest",
            channel=channel,
            question="The week in incidents",
        )
        case, created = investigations.open(session, new, until)
        if created:
            investigations.set_state(session, case.id, InvestigationState.DONE, until)
            outbox.put(session, case.id, render(case.id, channel, told), until)

    with db.write() as session:
        write(session)


def _check(sources: Sources, context: Context) -> None:
    for source in sources.sources:
        adapter = source.adapter
        if context.cancelled.is_set():
            return
        if not isinstance(adapter, Checkable):
            continue
        try:
            found = adapter.check()
        except AdapterError as error:
            log.warning("source_unwell", source=source.name, reason=str(error.reason))
        else:
            if not found.ok:
                log.warning("source_unwell", source=source.name, reason=found.detail)
