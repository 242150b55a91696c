"""Logs of GitHub Actions: of one run, given by its id or its address, or of the runs that failed within a window."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from adapters.github.connection import REPO, Connection, documented, nullable, opened, path
from adapters.kit.archive import Archive, reading
from adapters.kit.capabilities import Check, LogQuery
from adapters.kit.changes import wanted_repositories
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LogBatch, Window
from adapters.kit.status import clock_skew_s
from adapters.kit.together import attempted
from adapters.kit.transcript import MAX_JOB_BYTES, Job, Told, Transcript

if TYPE_CHECKING:
    import github.WorkflowJob
    import github.WorkflowRun

MAX_RUNS = 30
MAX_JOBS = 100  # of one run
LONGEST = timedelta(days=1)  # runs that began this long before the window may still fail within it
_FAILED = frozenset({"failure", "timed_out"})
_RUNS = ("failure", "timed_out", "in_progress")
_ADDRESS = re.compile(
    r"/(?P<repo>[\w-]+/[\w.-]+)/actions/runs/(?P<run>\d{1,20})"
    r"(?:/attempts/(?P<attempt>\d{1,6}))?(?:/jobs?/(?P<job>\d{1,20}))?(?:/.*)?",
    re.ASCII,
)
_LEVELS = {"failure": "error", "warning": "warn", "notice": "info"}
_GONE = (
    "has no logs (still running, or older than the days they are kept); its annotations are shown"
)
_ADVICE = "grant the token read access to Actions and Checks of the repository (a classic token: scope repo)"


class ActionsSettings(Connection):
    """Which repositories or which run, and how much of it."""

    run_url: str = Field(
        default="",
        description="Address of a run, an attempt or a job, as copied from the browser",
        json_schema_extra={"flag": "--run-url"},
    )
    run_id: int | None = Field(
        default=None,
        gt=0,
        description="Id of a run; needs one repo",
        json_schema_extra={"flag": "--run-id"},
    )
    branch: str = Field(default="", description="Only runs of this branch")
    jobs: Literal["failed", "all"] = Field(
        default="failed", description="Logs of the jobs that failed, or of all jobs of a run"
    )
    service: str = Field(
        default="", description="Service of the lines (default: repository's name)"
    )

    @model_validator(mode="after")
    def _one_run(self) -> ActionsSettings:
        if self.run_url and self.run_id:
            msg = "give either run_url or run_id"
            raise ValueError(msg)
        if self.run_id and len(self.repo) != 1:
            msg = "run_id needs the repo that the run belongs to"
            raise ValueError(msg)
        if self.run_url and _named(self) is None:
            msg = f"run_url must look like {self.web}/owner/name/actions/runs/123"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class _Run:
    """A run as far as its logs need it; `attempt` counts re-runs, which keep the id."""

    repo: str
    id: int
    attempt: int = 0
    job: int = 0
    name: str = ""
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def api(self) -> str:
        tail = ("attempts", self.attempt) if self.attempt else ()
        return path(self.repo, "actions", "runs", self.id, *tail)


class ActionsAdapter:
    """Reads the logs of failed jobs. Several repositories are read one after the other."""

    def __init__(self, name: str, settings: ActionsSettings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(name, settings, advice=_ADVICE)

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the lines of the window: of the configured run, else of runs that failed.

        The service asked for restricts nothing: jobs know repositories, not services.

        Raises:
            AdapterError: no such repository or run, no permission, or no answer.
        """
        transcript = Transcript(self.name, query)
        cut = ""
        for run in (named,) if (named := _named(self._settings)) else self._failed_runs(query):
            if isinstance(run, str):
                cut = run
                continue
            yield from self._read(self._known(run), transcript)
            if transcript.full:
                break
        yield from transcript.rest(cut)

    def span(self) -> Window | None:
        """When the configured run ran; None where none is configured.

        Raises:
            AdapterError: as `logs`.
        """
        named = _named(self._settings)
        if named is None:
            return None
        run = self._known(named)
        if run.began is None or run.ended is None:
            return None
        return Window(since=run.began, until=max(run.ended, run.began) + timedelta(seconds=1))

    def check(self) -> Check:
        """Whether runs can be listed.

        Raises:
            AdapterError: they cannot.
        """
        if (named := _named(self._settings)) is not None:
            return Check(ok=True, detail=f"run {self._known(named).id} of {named.repo} can be read")
        if not self._settings.repo:
            answer = self._http.get("rate_limit")
            return Check(ok=True, detail="signed in", clock_skew_s=clock_skew_s(answer.headers))
        repo = self._settings.repo[0]
        answer = self._http.get(path(repo, "actions", "runs"), {"per_page": 1})
        with documented(self.name):
            count = int(answer.json()["total_count"])
        return Check(
            ok=True,
            detail=f"{count:,} runs of {repo}",
            version=answer.headers.get("x-github-enterprise-version", ""),
            clock_skew_s=clock_skew_s(answer.headers),
        )

    def _failed_runs(self, query: LogQuery) -> Iterator[_Run | str]:
        """Runs that may have failed within the window, oldest first; a text says why some are missing."""
        from adapters.github.objects import runs

        window = query.window
        begin = (window.since - LONGEST).strftime("%Y-%m-%dT%H:%M:%SZ")
        end = (window.until + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        found: dict[int, _Run] = {}
        repos = wanted_repositories(self._settings.repo, "")
        if not repos:
            raise AdapterError(self.name, Reason.BAD_REQUEST, "name a repo, a run_url or a run_id")
        cut = False
        with documented(self.name):
            for name in repos:
                for status in _RUNS:
                    listed = runs(
                        self._http, name, status, f"{begin}..{end}", self._settings.branch
                    )
                    for number, item in enumerate(islice(listed, MAX_RUNS + 1)):
                        run = _parse_run(item, name)
                        cut |= number == MAX_RUNS
                        began = run.began is not None and run.began < window.until
                        if began and item.updated_at >= window.since.replace(microsecond=0):
                            found[run.id] = run
        newest = sorted(found.values(), key=_age, reverse=True)
        yield from reversed(newest[:MAX_RUNS])
        if cut or len(newest) > MAX_RUNS:
            yield f"only the newest {MAX_RUNS} failed runs were read; ask for a shorter time"

    def _known(self, run: _Run) -> _Run:
        """The run with its name and times, asked for where only its id is known."""
        if run.began is not None:
            return run
        from adapters.github.objects import repository

        with documented(self.name):
            found = repository(self._http, run.repo).get_workflow_run(run.id)
            item = found.get_attempt(run.attempt) if run.attempt else found
            known = _parse_run(item, run.repo)
        return _Run(run.repo, run.id, known.attempt, run.job, known.name, known.began, known.ended)

    def _read(self, run: _Run, transcript: Transcript) -> Iterator[LogBatch]:
        whole = Job(run.name, began=run.began, ended=run.ended)
        if not transcript.concerns(whole):
            return
        jobs = self._jobs(run)
        wanted = [job for job in jobs if job.id == run.job] if run.job else jobs
        if self._settings.jobs == "all" and not run.job:
            yield from self._archive(run, jobs, transcript)
            return
        failed = [job for job in wanted if job.conclusion in _FAILED]
        named = _named(self._settings) is not None
        for job in failed or (wanted if named else []):
            yield from self._job(run, job, transcript)
            if transcript.full:
                return

    def _jobs(self, run: _Run) -> list[github.WorkflowJob.WorkflowJob]:
        from adapters.github.objects import jobs

        with documented(self.name):
            return list(islice(jobs(self._http, f"{run.api}/jobs"), MAX_JOBS))

    def _job(
        self, run: _Run, item: github.WorkflowJob.WorkflowJob, transcript: Transcript
    ) -> Iterator[LogBatch]:
        with documented(self.name):
            job, facts, number = self._parse_job(run, item), _facts(item), int(item.id)
        if not transcript.concerns(job):
            return
        yield from transcript.told(job, facts)
        target = attempted(self._http.redirected, path(run.repo, "actions", "jobs", number, "logs"))
        if not isinstance(target, AdapterError):
            yield from transcript.job(job, self._opener(target, run, number))
        elif target.reason is Reason.NOT_FOUND:
            transcript.notes.append(f"{job.origin} {_GONE}.")
            yield from transcript.told(job, self._annotations(run, number, job))
        else:
            raise target

    def _opener(
        self, target: str | None, run: _Run, number: int
    ) -> Callable[[], AbstractContextManager[Iterator[bytes]]]:
        url = target or f"{self._http.base_url}{path(run.repo, 'actions', 'jobs', number, 'logs')}"
        return lambda: self._http.stream(url, max_bytes=MAX_JOB_BYTES)

    def _annotations(self, run: _Run, job: int, of: Job) -> list[Told]:
        """What the checks of a job say, where its log is gone. They carry no time but the job's end."""
        answer = attempted(
            self._http.get, path(run.repo, "check-runs", job, "annotations") + "?per_page=50"
        )
        at = of.ended or of.began
        if isinstance(answer, AdapterError) or at is None:
            return []
        with documented(self.name):
            return [
                Told(
                    f"{note['path']}:{note['start_line']}: {note['message']}"[:20_000],
                    at,
                    _LEVELS.get(note["annotation_level"], "info"),
                )
                for note in answer.json()
            ]

    def _archive(
        self, run: _Run, jobs: list[github.WorkflowJob.WorkflowJob], transcript: Transcript
    ) -> Iterator[LogBatch]:
        """All jobs of a run from its zip: `0_name.txt` is a whole job, a folder its single steps."""
        target = self._http.redirected(f"{run.api}/logs")
        url = target or f"{self._http.base_url}{run.api}/logs"
        with documented(self.name):
            known = {_file_name(job.name): self._parse_job(run, job) for job in jobs}
            facts = [(self._parse_job(run, job), _facts(job)) for job in jobs]
        for job, told in facts:
            yield from transcript.told(job, told)
        with (
            self._http.stream(url, max_bytes=MAX_JOB_BYTES) as pieces,
            closing(Archive.of(pieces)) as archive,
            reading(self.name),
        ):
            for name, content in archive.entries():
                found = re.fullmatch(r"-?\d+_(.+)\.txt", name)
                if found is None:
                    continue
                plain = Job(f"{run.name} / {found[1][:100]}", self._service(run), self._link(run))
                yield from transcript.text(known.get(found[1], plain), content)
                if transcript.full:
                    break
            transcript.notes += archive.notes

    def _parse_job(self, run: _Run, item: github.WorkflowJob.WorkflowJob) -> Job:
        return Job(
            origin=f"{run.name} / {item.name}"[:300],
            service=self._service(run),
            url=f"{self._link(run)}/job/{int(item.id)}" if not run.attempt else item.html_url,
            began=item.started_at,
            ended=item.completed_at,
        )

    def _service(self, run: _Run) -> str:
        return self._settings.service or run.repo.rpartition("/")[2]

    def _link(self, run: _Run) -> str:
        """Cites the attempt: a re-run keeps the run's id and replaces what the plain link shows."""
        tail = f"/attempts/{run.attempt}" if run.attempt else ""
        return f"{self._settings.web}/{run.repo}/actions/runs/{run.id}{tail}"


def _age(run: _Run) -> tuple[float, int]:
    return (run.began.timestamp() if run.began else 0.0), run.id


def _named(settings: ActionsSettings) -> _Run | None:
    """The run that the settings mean; None where they mean none, or an address that is no run of this GitHub."""
    if settings.run_id:
        return _Run(settings.repo[0], settings.run_id)
    given, web = urlsplit(settings.run_url), urlsplit(settings.web)
    below = given.path.removeprefix(web.path) if given.path.startswith(web.path) else ""
    found = _ADDRESS.fullmatch(below)
    if found is None or not REPO.fullmatch(found["repo"]):
        return None
    if given.hostname != web.hostname or given.scheme not in {"http", "https"}:
        return None
    return _Run(
        found["repo"], int(found["run"]), int(found["attempt"] or 0), int(found["job"] or 0)
    )


def _parse_run(item: github.WorkflowRun.WorkflowRun, repo: str) -> _Run:
    return _Run(
        repo=repo,
        id=int(item.id),
        attempt=item.run_attempt or 0,
        name=item.name or "workflow",
        # A re-run starts later than the run; old Enterprise Servers do not say when.
        began=max(item.created_at, nullable(item.run_started_at) or item.created_at),
        ended=item.updated_at if item.status == "completed" else None,
    )


def _facts(item: github.WorkflowJob.WorkflowJob) -> list[Told]:
    """Which steps failed, as the system says; the moment is the step's end."""
    return [
        Told(
            f"Step {step.number} “{step.name}” of job “{item.name}”: {step.conclusion}",
            step.completed_at,
        )
        for step in item.steps or ()
        if step.conclusion in _FAILED and step.completed_at is not None
    ]


def _file_name(job: str) -> str:
    """How the archive calls a job: without the characters that file systems refuse."""
    return re.sub(r'[<>:"/\\|?*]', "", job).strip()
