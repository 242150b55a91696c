"""THE STORY: one investigation from top to bottom. Read this first.

    ask -> look (collect, analyse) -> reason (narrate, verify) -> report

Each step is a saved stage: a killed worker resumes after the last finished one, and the messages that a stage
causes are stored in the same transaction as its result.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, Field
from sqlmodel import Session

from adapters.kit.records import (
    Alert,
    Commit,
    Deploy,
    FileChange,
    Incident,
    MetricSeries,
    Runbook,
    Ticket,
)
from bot.analysis.engine import Case, analyse
from bot.analysis.findings import Findings
from bot.collect import Ask, Evidence, collect
from bot.crew.answering import Asked, Reply
from bot.crew.desk import Desk, Past, Status
from bot.redact import Redactor
from bot.report import Checked, Found, Gap, Narrative, Records, Report, Similar
from bot.report.build import build
from bot.report.evidence import texts
from bot.report.models import Model
from bot.report.words import counted
from bot.sources import Sources
from bot.verify import verify
from storage.outbox import Draft

COLLECT_SHARE = 0.5
"""Of the time for the whole investigation, how much the sources may take."""

KEPT_PATCHES = 20
KEPT_PATCH_CHARS = 60_000

Result = TypeVar("Result", bound=BaseModel)


class Step(Model):
    """One line of the progress message, in the user's words."""

    key: str
    title: str
    status: Literal["pending", "in_progress", "complete", "error"] = "pending"
    detail: str = ""


class Thread(Protocol):
    """Renders what people see of an investigation as messages for the outbox; it never sends."""

    def progress(self, steps: Sequence[Step]) -> Sequence[Draft]: ...
    def report(self, report: Report) -> Sequence[Draft]: ...


class Stages(Protocol):
    """What a running investigation needs from the job that carries it."""

    @property
    def cancelled(self) -> threading.Event: ...

    def stage(
        self,
        name: str,
        step: Callable[[], Result],
        of: type[Result],
        render: Callable[[Result], Sequence[Draft]] | None = None,
        *,
        save: Callable[[Session, Result], None] | None = None,
    ) -> Result:
        """The saved result of the stage, or run it and save it in one transaction with its messages."""

    def emit(self, kind: str, payload: dict[str, object], drafts: Sequence[Draft] = ()) -> None:
        """Append to the investigation's event log, together with the messages that change by it."""


class Narrator(Protocol):
    """Says what the findings mean: the crew, or the offline narrator."""

    def narrate(
        self,
        question: str,
        findings: Findings,
        records: Records,
        *,
        seconds: float,
        desk: Desk | None = None,
    ) -> Narrative:
        """Answer within `seconds`, and soon after `desk.cancelled` is set; never fails."""


class Answerer(Protocol):
    """Answers a question about a finished investigation; None leaves it to the plain commands."""

    def answer(
        self, asked: Asked, report: Report, records: Records, *, seconds: float, desk: Desk
    ) -> Reply | None: ...


class Look(Model):
    """What was seen and found: the saved result of collecting and analysing, at most about 8 MiB."""

    findings: Findings
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
    timings: dict[str, float] = Field(default_factory=dict)

    @property
    def blind(self) -> bool:
        """Whether every source failed, so that there is nothing to report but the gaps."""
        return self.asked > 0 and self.failed == self.asked


class Reasoned(Model):
    """The checked narrative and how long it took."""

    checked: Checked
    seconds: float

    @property
    def found(self) -> tuple[Found, ...]:
        """Evidence that the narrator's own questions brought, under ids that claims cite."""
        return self.checked.narrative.found


Keep = Callable[[Session, Look, Reasoned, Report], None]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered beyond one investigation.

    Attributes:
        keep: stores the report and its evidence, in the transaction of the last stage.
        past: earlier investigations that may be about the same, the likest first: what a narrator may ask for.
        similar: those of them that are much alike: what the report shows.
    """

    keep: Keep = lambda _session, _look, _reasoned, _report: None
    past: Callable[[Findings], Sequence[Past]] = lambda _findings: ()
    similar: Callable[[Findings], Sequence[Similar]] = lambda _findings: ()


FORGETFUL = Memory()


@dataclass(frozen=True, slots=True)
class Deps:
    """What an investigation works with; `bot.wiring` builds it.

    Attributes:
        seconds: deadline of the whole investigation.
        answerer: answers free questions in the thread with a model, where there is one.
    """

    sources: Sources
    narrator: Narrator
    seconds: float = 180.0
    answerer: Answerer | None = None


def investigate(
    number: str,
    ask: Ask,
    thread: Thread,
    stages: Stages,
    deps: Deps,
    *,
    memory: Memory = FORGETFUL,
) -> Report:
    """Answer one question with a report; every stage that was already done is taken from its saved result.

    Args:
        number: the investigation's id, as people see it.

    Raises:
        UserError: the question names a service that does not exist.
    """
    begun = time.monotonic()
    board = Board(stages, thread)
    look = stages.stage("look", lambda: _look(ask, stages, deps, board), Look)
    left = max(5.0, deps.seconds - (time.monotonic() - begun))
    desk = Desk(
        ask, deps.sources, stages.cancelled, board.crew_said, lambda: memory.past(look.findings)
    )
    reasoned = stages.stage("reason", lambda: _reason(look, deps, desk, board, left), Reasoned)
    return stages.stage(
        "report",
        lambda: _report(number, ask, look, reasoned, board, memory.similar(look.findings)),
        Report,
        render=lambda report: [*thread.progress(board.steps), *thread.report(report)],
        save=lambda session, report: memory.keep(session, look, reasoned, report),
    )


def _look(ask: Ask, stages: Stages, deps: Deps, board: Board) -> Look:
    board.begin("collect")
    started = time.monotonic()
    evidence = collect(
        deps.sources,
        ask,
        seconds=deps.seconds * COLLECT_SHARE,
        progress=board.source_said,
        cancelled=stages.cancelled,
    )
    try:
        collected = time.monotonic()
        board.end("collect", _collected(evidence))
        board.begin("analyse")
        redactor = Redactor()
        findings = analyse(_case(ask, evidence), redactor)
        board.end("analyse", _found(findings))
        timings = {"collect": collected - started, "analyse": time.monotonic() - collected}
        shown = {name: round(seconds, 3) for name, seconds in timings.items()}
        return redactor.model(_kept(ask, evidence, findings, shown))
    finally:
        evidence.close()


def _case(ask: Ask, evidence: Evidence) -> Case:
    return Case(
        window=ask.window,
        service=ask.service,
        symptom=ask.symptom or ask.question,
        alert_started_at=ask.started_at,
        as_of=ask.as_of,
        logs=evidence.logs,
        baseline=evidence.baseline,
        commits=evidence.commits,
        deploys=evidence.deploys,
        metrics=evidence.metrics,
    )


def _kept(ask: Ask, evidence: Evidence, findings: Findings, timings: dict[str, float]) -> Look:
    """What is saved of the evidence: everything but the logs, with patches of the leading suspects only."""
    leading = {suspect.sha for suspect in findings.suspects[:KEPT_PATCHES]}
    commits = tuple(_trimmed(c, patches=c.sha in leading) for c in evidence.commits)
    gaps = [Gap(system=gap.system, reason=gap.reason) for gap in evidence.gaps]
    return Look(
        findings=findings,
        commits=commits,
        deploys=evidence.deploys,
        metrics=evidence.metrics,
        alerts=evidence.alerts,
        incidents=evidence.incidents,
        tickets=evidence.tickets,
        runbooks=evidence.runbooks,
        gaps=(*gaps, *_unknown_service(ask, findings), *_unknown_repo(ask, evidence)),
        asked=evidence.asked,
        failed=evidence.failed,
        timings=timings,
    )


def _unknown_service(ask: Ask, findings: Findings) -> Iterator[Gap]:
    """A service that no log line names may be a typing error; say which ones there are."""
    named = sorted({series.service for series in findings.series if series.service})
    if not ask.service or not findings.stats.lines:
        return
    if not named:
        reason = f"the log lines name no service, so those of “{ask.service}” cannot be told apart"
        yield Gap(system="logs", reason=reason)
    elif ask.service.casefold() not in {n.casefold() for n in named}:
        reason = f"no log line names the service “{ask.service}”; the lines are of: {', '.join(named[:12])}"
        yield Gap(system="logs", reason=reason)


def _unknown_repo(ask: Ask, evidence: Evidence) -> Iterator[Gap]:
    """A repository of which no change came is most likely a typing error."""
    if ask.repo and not any(commit.repo == ask.repo for commit in evidence.commits):
        reason = f"no git source gave changes of the repository “{ask.repo}”; check its name"
        yield Gap(system="git", reason=reason)


def _trimmed(commit: Commit, *, patches: bool) -> Commit:
    left = KEPT_PATCH_CHARS if patches else 0
    files: list[FileChange] = []
    for change in commit.files:
        files.append(change.model_copy(update={"patch": change.patch[:left]}))
        left -= len(files[-1].patch)
    return commit.model_copy(update={"files": tuple(files)})


def _reason(look: Look, deps: Deps, desk: Desk, board: Board, left: float) -> Reasoned:
    board.begin("reason")
    started = time.monotonic()
    narrative = deps.narrator.narrate(
        desk.ask.question, look.findings, look, seconds=left, desk=desk
    )
    records = texts(look.findings, look) | {found.id: found.text for found in narrative.found}
    checked = verify(narrative, records)
    removed = f"; {checked.removed} statements removed" if checked.removed else ""
    board.end("reason", f"{len(checked.narrative.claims)} statements checked{removed}")
    return Reasoned(checked=checked, seconds=round(time.monotonic() - started, 3))


def _report(
    number: str,
    ask: Ask,
    look: Look,
    reasoned: Reasoned,
    board: Board,
    similar: Sequence[Similar],
) -> Report:
    timings = {**look.timings, "reason": reasoned.seconds}
    checked = reasoned.checked
    report = build(
        number, ask.question, look.findings, checked, look, timings=timings, similar=similar
    )
    board.end("report", "done")
    return report


def _collected(evidence: Evidence) -> str:
    parts = (
        [f"{sum(len(batch) for batch in evidence.logs):,} log lines"] if len(evidence.logs) else []
    )
    counted = (
        (evidence.commits, "changes"),
        (evidence.deploys, "deploys"),
        (evidence.metrics, "metric series"),
        (evidence.alerts, "alerts"),
        (evidence.incidents, "incidents"),
    )
    parts += [f"{len(items)} {name}" for items, name in counted if items]
    if evidence.failed:
        parts.append(f"{evidence.failed} of {evidence.asked} sources gave no answer")
    return ", ".join(parts) or "nothing found"


def _found(findings: Findings) -> str:
    since = f"began {findings.onset.at:%H:%M:%S} UTC" if findings.onset else "no clear beginning"
    unusual = sum(pattern.kind != "steady" for pattern in findings.patterns)
    return f"{since}, {counted(unusual, 'unusual log pattern')}"


TITLES = {
    "collect": "Read logs and changes",
    "analyse": "Find what broke and since when",
    "reason": "Weigh the changes and check every statement",
    "report": "Write the report",
}


@dataclass(slots=True)
class Board:
    """The progress message's steps; milestones go to the event log and re-render the message."""

    stages: Stages
    thread: Thread
    steps: list[Step] = field(
        default_factory=lambda: [Step(key=k, title=t) for k, t in TITLES.items()]
    )

    def begin(self, key: str) -> None:
        self._set(key, "in_progress", "")

    def end(self, key: str, detail: str) -> None:
        self._set(key, "complete", detail)

    def _set(self, key: str, status: Literal["in_progress", "complete"], detail: str) -> None:
        for i, step in enumerate(self.steps):
            if step.key == key:
                self.steps[i] = step.model_copy(update={"status": status, "detail": detail})
        payload: dict[str, object] = {"step": key, "status": status, "detail": detail}
        self.stages.emit("progress", payload, self.thread.progress(self.steps))

    def crew_said(self, who: str, status: Status, what: str) -> None:
        """What an agent does: a line of its own, which stands before the report's."""
        if self.stages.cancelled.is_set():
            return
        line = Step(key=who, title=who, status=status, detail=what)
        known = [step.key for step in self.steps]
        place = known.index(who) if who in known else len(self.steps) - 1
        self.steps[place : place + (who in known)] = [line]
        payload: dict[str, object] = {"step": who, "status": status, "detail": what}
        self.stages.emit("progress", payload, self.thread.progress(self.steps))

    def source_said(self, system: str, what: str) -> None:
        """A source's own progress: for the event log only, the message changes at milestones."""
        if self.stages.cancelled.is_set():
            return
        self.stages.emit("source", {"system": system, "what": what})
