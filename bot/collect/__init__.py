"""Asks every source at once, under one deadline. A source that fails, hangs or is cut becomes a `Gap`, never an exception.

Log lines can be many gigabytes: they are kept as batches, in memory up to a bound and then in a temporary folder,
because the analysis reads them twice (counts first, then the lines around what it chose).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import polars as pl
import structlog

from adapters.kit.capabilities import (
    AlertSource,
    CommitQuery,
    CommitSource,
    DeploySource,
    EventQuery,
    IncidentSource,
    LogQuery,
    LogSource,
    MetricQuery,
    MetricSource,
    RunbookSource,
    TicketSource,
)
from adapters.kit.errors import AdapterError
from adapters.kit.records import (
    Alert,
    Commit,
    Deploy,
    Incident,
    LogBatch,
    MetricSeries,
    Page,
    Record,
    Runbook,
    Ticket,
    Window,
)
from bot.collect.store import LogStore
from bot.errors import UserError
from bot.sources import LogSelector, Service, Source, Sources

log = structlog.get_logger()

CHANGES_BEFORE = timedelta(days=14)
LEAST_CHANGES = 50
BASELINE_DAYS_BEFORE = (1, 7)
BASELINE_EVENTS = 500_000

Item = TypeVar("Item", bound=Record)


@dataclass(frozen=True, slots=True)
class Ask:
    """One typed question, whichever door it came through.

    Attributes:
        window: bounds the evidence; `None` start or end were already made concrete by the door.
        started_at: when the alert says that it began.
        symptom: the question and the alert's text, as people see them.
        head: what was deployed, as far as the asker knows; empty means each repository's default branch.
    """

    question: str
    window: Window
    as_of: datetime
    service: str = ""
    symptom: str = ""
    started_at: datetime | None = None
    repo: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A system that could not be seen, or not wholly, and why."""

    system: str
    reason: str


@dataclass(slots=True)
class Evidence:
    """What the sources said. `close()` it: the log lines may lie in a temporary folder."""

    logs: LogStore = field(default_factory=LogStore)
    baseline: LogStore = field(default_factory=LogStore)
    commits: tuple[Commit, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    metrics: tuple[MetricSeries, ...] = ()
    alerts: tuple[Alert, ...] = ()
    incidents: tuple[Incident, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    gaps: tuple[Gap, ...] = ()
    asked: int = 0
    failed: int = 0

    def close(self) -> None:
        self.logs.close()
        self.baseline.close()


Progress = Callable[[str, str], None]
"""Told `(system, what)` as sources begin, go on and end; must not block."""


class _Stop(Exception):  # noqa: N818 - control flow inside this module only
    """The deadline passed or somebody pressed Stop."""


@dataclass(slots=True)
class _Run:
    """One collection under way: where each source's thread puts what it got."""

    ask: Ask
    service: Service | None
    progress: Progress
    evidence: Evidence
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: dict[str, list[Record]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def gap(self, system: str, reason: str) -> None:
        with self.lock:
            gap = Gap(system=system, reason=reason)
            if gap not in self.gaps:
                self.gaps.append(gap)

    def take(self, group: str, source: str, pages: Iterator[Page[Item]]) -> None:
        count = 0
        for number, page in enumerate(pages, start=1):
            if self.stop.is_set():
                raise _Stop
            with self.lock:
                self.found.setdefault(group, []).extend(page.items)
            count += len(page.items)
            if page.truncated:
                self.gap(source, page.truncated)
            of = f" of {page.total_pages}" if page.total_pages else ""
            self.progress(source, f"{count} read, page {number}{of}")

    def take_baseline(self, batches: Iterator[LogBatch]) -> int:
        """Keep the dated events: a log without times is read whole for any window, and is no baseline of itself."""
        events = 0
        for batch in batches:
            if self.stop.is_set():
                raise _Stop
            dated = batch.frame.filter(pl.col("time").is_not_null())
            if dated.height:
                self.evidence.baseline.append(LogBatch(batch.source, dated, batch.url))
                events += dated.height
        return events

    def take_logs(self, source: str, batches: Iterator[LogBatch], into: LogStore) -> None:
        events = 0
        for batch in batches:
            if self.stop.is_set():
                raise _Stop
            if len(batch):
                into.append(batch)
            events += len(batch)
            if batch.truncated:
                self.gap(source, batch.truncated)
            for note in batch.notes:
                self.gap(source, note)
            self.progress(source, f"{events:,} log lines read")


def collect(
    sources: Sources,
    ask: Ask,
    *,
    seconds: float,
    progress: Progress = lambda _system, _what: None,
    cancelled: threading.Event | None = None,
) -> Evidence:
    """Ask all sources of the service at once and keep what arrives within `seconds`.

    Returns:
        The evidence; commits newest first. `failed == asked` means that nobody answered.

    Raises:
        UserError: the service is not in a catalogue that describes services.
    """
    service = _service(sources, ask)
    run = _Run(ask, service, progress, Evidence())
    tasks = list(_tasks(sources, run))
    failed: set[str] = set()
    pool = ThreadPoolExecutor(max_workers=max(1, min(16, len(tasks))), thread_name_prefix="collect")
    try:
        futures = {pool.submit(_guarded, run, source, task): source for source, task in tasks}
        failed = _wait(futures, run, seconds, cancelled)
    finally:
        run.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    return _evidence(run, tasks, failed)


def _service(sources: Sources, ask: Ask) -> Service | None:
    if not ask.service:
        return None
    service = sources.service(ask.service)
    if service is None and sources.services:
        names = ", ".join(sorted(s.name for s in sources.services)[:20])
        raise UserError(f"I do not know the service “{ask.service}”. Known services: {names}.")
    return service


Task = Callable[[], None]


def _tasks(sources: Sources, run: _Run) -> Iterator[tuple[Source, Task]]:
    for source in sources.sources:
        for_service = _selected(source, run.service)
        if for_service is not None:
            yield source, _task(source, for_service, run)


_KEYS = {
    "git_sources": "git",
    "log_sources": "logs",
    "metric_sources": "metrics",
    "deploy_sources": "deploys",
    "alert_sources": "alerts",
    "incident_sources": "incidents",
    "ticket_sources": "tickets",
}


def _selected(source: Source, service: Service | None) -> LogSelector | None:
    """How the service is seen in the source, or None when the catalogue says it is not there."""
    everything = LogSelector(source=source.name)
    if service is None or source.group not in _KEYS:
        return everything
    listed: Sequence[str | LogSelector] = getattr(service, _KEYS[source.group])
    if not listed:
        return everything
    for used in listed:
        selector = LogSelector(source=used) if isinstance(used, str) else used
        if selector.source == source.name:
            return selector
    return None


def _task(source: Source, selector: LogSelector, run: _Run) -> Task:
    ask, adapter, name, group = run.ask, source.adapter, source.name, source.group
    events = EventQuery(window=ask.window, service=ask.service)
    if group == "git_sources" and isinstance(adapter, CommitSource):
        return lambda: _commits(adapter, run)
    if group == "log_sources" and isinstance(adapter, LogSource):
        return lambda: _logs(adapter, selector, run)
    if group == "metric_sources" and isinstance(adapter, MetricSource):
        metrics = MetricQuery(window=_with_baseline(ask.window), service=ask.service)
        return lambda: run.take("metrics", name, adapter.metrics(metrics))
    if group == "deploy_sources" and isinstance(adapter, DeploySource):
        changes = EventQuery(window=_changes(ask), service=ask.service)
        return lambda: run.take("deploys", name, adapter.deploys(changes))
    if group == "alert_sources" and isinstance(adapter, AlertSource):
        return lambda: run.take("alerts", name, adapter.alerts(events))
    if group == "incident_sources" and isinstance(adapter, IncidentSource):
        return lambda: run.take("incidents", name, adapter.incidents(events))
    if group == "ticket_sources" and isinstance(adapter, TicketSource):
        return lambda: run.take("tickets", name, adapter.tickets(events))
    if group == "runbook_sources" and isinstance(adapter, RunbookSource):
        return lambda: run.take("runbooks", name, adapter.runbooks(events))
    msg = f"{source.type} cannot serve {group}"
    raise TypeError(msg)


def _changes(ask: Ask) -> Window:
    begin = min(ask.window.since, ask.started_at or ask.window.since) - CHANGES_BEFORE
    return Window(since=begin, until=max(ask.window.until, begin + timedelta(seconds=1)))


def _with_baseline(window: Window) -> Window:
    return Window(since=window.since - (window.until - window.since), until=window.until)


def _commits(adapter: CommitSource, run: _Run) -> None:
    ask = run.ask
    repos = (
        [ask.repo] if ask.repo else list(run.service.repositories if run.service else ()) or [""]
    )
    for repo in repos:
        query = CommitQuery(window=_changes(ask), at_least=LEAST_CHANGES, head=ask.head, repo=repo)
        run.take("commits", adapter.name, adapter.commits(query))


def _logs(adapter: LogSource, selector: LogSelector, run: _Run) -> None:
    ask = run.ask
    service = selector.service or (run.service.name if run.service else ask.service)

    def query(window: Window, limit: int | None = None) -> LogQuery:
        asked = LogQuery(window=window, service=service, selector=selector.selector)
        return asked if limit is None else asked.model_copy(update={"limit": limit})

    run.take_logs(adapter.name, adapter.logs(query(ask.window)), run.evidence.logs)
    found = 0
    for earlier in _earlier(ask.window):
        found += run.take_baseline(adapter.logs(query(earlier, BASELINE_EVENTS)))
    if not found:
        span = ask.window.until - ask.window.since
        before = Window(since=ask.window.since - span, until=ask.window.since)
        run.take_baseline(adapter.logs(query(before, BASELINE_EVENTS)))


def _earlier(window: Window) -> Iterator[Window]:
    """The same hours of earlier days, as far as they do not overlap the window."""
    for days in BASELINE_DAYS_BEFORE:
        shift = timedelta(days=days)
        if window.until - shift <= window.since:
            yield Window(since=window.since - shift, until=window.until - shift)


def _guarded(run: _Run, source: Source, task: Task) -> bool:
    """Run one source's task; True when it answered."""
    run.progress(source.name, "asked")
    try:
        task()
    except _Stop:
        return False
    except AdapterError as error:
        run.gap(source.name, error.detail)
        run.progress(source.name, "gave no answer")
        log.warning("source_failed", source=source.name, reason=error.reason.value)
        return False
    except Exception:  # a named edge: a bug in one adapter costs only its own part
        run.gap(
            source.name, "something broke on our side while reading it; the logs have the details"
        )
        run.progress(source.name, "gave no answer")
        log.exception("source_broke", source=source.name)
        return False
    run.progress(source.name, "read")
    return True


def _wait(
    futures: dict[Future[bool], Source],
    run: _Run,
    seconds: float,
    cancelled: threading.Event | None,
) -> set[str]:
    """Wait for the sources until the deadline or a cancel; returns the keys of those that failed."""
    deadline = time.monotonic() + seconds
    pending, failed = set(futures), set()
    while pending and not (cancelled and cancelled.is_set()):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        done, pending = wait(pending, timeout=min(left, 0.25), return_when=FIRST_COMPLETED)
        failed |= {_key(futures[f]) for f in done if not f.result()}
    for future in pending:
        source = futures[future]
        run.gap(
            source.name,
            f"did not answer within {seconds:.0f} seconds; what came until then is used",
        )
        failed.add(_key(source))
    return failed


def _key(source: Source) -> str:
    return f"{source.group}/{source.name}"


def _newest_first(commits: Iterable[Commit]) -> list[Commit]:
    """One repository keeps its host's order (clocks of committers differ); several are merged by time."""
    listed = list(commits)
    if len({commit.repo for commit in listed}) > 1:
        listed.sort(key=lambda commit: commit.committed_at, reverse=True)
    return listed


def _evidence(run: _Run, tasks: Sequence[tuple[Source, Task]], failed: set[str]) -> Evidence:
    evidence = run.evidence
    with run.lock:
        found = {group: list(items) for group, items in run.found.items()}
        evidence.gaps = tuple(run.gaps)
    evidence.asked, evidence.failed = len(tasks), len(failed)
    commits = {(c.repo, c.sha): c for c in found.get("commits", ()) if isinstance(c, Commit)}
    evidence.commits = tuple(_newest_first(commits.values()))
    deploys = [d for d in found.get("deploys", ()) if isinstance(d, Deploy)]
    evidence.deploys = tuple(sorted(deploys, key=lambda d: d.at, reverse=True))
    evidence.metrics = tuple(m for m in found.get("metrics", ()) if isinstance(m, MetricSeries))
    evidence.alerts = tuple(a for a in found.get("alerts", ()) if isinstance(a, Alert))
    evidence.incidents = tuple(i for i in found.get("incidents", ()) if isinstance(i, Incident))
    evidence.tickets = tuple(t for t in found.get("tickets", ()) if isinstance(t, Ticket))
    evidence.runbooks = tuple(r for r in found.get("runbooks", ()) if isinstance(r, Runbook))
    return evidence
