"""Logs of GitLab jobs: of one pipeline or job, given by its address, or of those that failed within a window."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from adapters.gitlab.connection import PROJECT, Client, Connection, path_of, time_of
from adapters.kit.capabilities import LogQuery
from adapters.kit.errors import AdapterError, Reason, documented
from adapters.kit.http import Http
from adapters.kit.records import LogBatch, Window
from adapters.kit.transcript import MAX_JOB_BYTES, Job, Told, Transcript

MAX_JOBS = 60
LONGEST = timedelta(
    days=1
)  # jobs that were created this long before the window may still fail within it
_SCAN = 5_000
_ADDRESS = re.compile(r"/(?P<repo>[^\s?#]+?)/-/(?P<what>pipelines|jobs)/(?P<id>\d{1,20})(?:/.*)?")
_STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT[\d:.]+Z) [0-9a-f]{2}[OE][ +]", re.MULTILINE)
_SECTION = re.compile(rb"section_(?:start|end):\d+:[^\r\n]*\r(?:\x1b\[0K)?")
_LINE_BYTES = 1 << 20


class JobSettings(Connection):
    """Which projects, or which pipeline or job."""

    run_url: str = Field(
        default="",
        description="Address of a pipeline or a job, as copied from the browser",
        json_schema_extra={"flag": "--run-url"},
    )

    @model_validator(mode="after")
    def _one_run(self) -> JobSettings:
        if self.run_url and _named(self) is None:
            msg = f"run_url must look like {self.url}/group/name/-/pipelines/123 or .../-/jobs/123"
            raise ValueError(msg)
        return self


class JobAdapter(Client):
    """Reads the logs of failed jobs."""

    def __init__(self, name: str, settings: JobSettings) -> None:
        super().__init__(name, settings)
        self._settings = settings

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the lines of the window: of the configured pipeline or job, else of jobs that failed.

        The service asked for restricts nothing: jobs know projects, not services. A job whose lines have no times
        (the runner's FF_TIMESTAMPS is off) is read whole.

        Raises:
            AdapterError: no such project, pipeline or job, no permission, or no answer.
        """
        transcript = Transcript(self.name, query)
        found, cut = self._jobs(query)
        for item, project in found:
            with documented(self.name):
                job, number = self._job(item, project), int(item["id"])
                facts = _facts(item, job)
            if not transcript.concerns(job):
                continue
            yield from transcript.told(job, facts)
            url = f"{self._http.base_url}{path_of(project)}/jobs/{number}/trace"
            yield from transcript.job(job, partial(_trace, self._http, url))
            if transcript.full:
                break
        yield from transcript.rest(cut)

    def span(self) -> Window | None:
        """When the configured pipeline or job ran; None where none is configured.

        Raises:
            AdapterError: as `logs`.
        """
        named = _named(self._settings)
        if named is None:
            return None
        project, what, number = named
        item = self._http.get(f"{path_of(project)}/{what}/{number}").json()
        with documented(self.name):
            began, ended = time_of(item["started_at"]), time_of(item["finished_at"])
        if began is None or ended is None:
            return None
        return Window(since=began, until=max(ended, began) + timedelta(seconds=1))

    def _jobs(self, query: LogQuery) -> tuple[list[tuple[dict[str, Any], str]], str]:
        """Jobs to read, oldest first, and why some are missing."""
        named = _named(self._settings)
        if named is None:
            return self._failed(query)
        project, what, number = named
        if what == "jobs":
            return [(self._http.get(f"{path_of(project)}/jobs/{number}").json(), project)], ""
        with documented(self.name):
            items = list(self._items(f"{path_of(project)}/pipelines/{number}/jobs"))
            failed = [item for item in items if item["status"] == "failed"]
        return [(item, project) for item in reversed((failed or items)[:MAX_JOBS])], ""

    def _failed(self, query: LogQuery) -> tuple[list[tuple[dict[str, Any], str]], str]:
        """There is no filter by time: jobs are listed newest first until they are too old."""
        projects = self._projects("")
        if not projects:
            raise AdapterError(self.name, Reason.BAD_REQUEST, "name a repo or a run_url")
        found: list[tuple[dict[str, Any], str]] = []
        cut = ""
        with documented(self.name):
            for project in projects:
                listed = self._items(f"{path_of(project)}/jobs", **{"scope[]": ["failed"]})
                for number, item in enumerate(listed):
                    created = datetime.fromisoformat(item["created_at"])
                    if created < query.window.since - LONGEST or number == _SCAN:
                        break
                    if created < query.window.until and (
                        (time_of(item["finished_at"]) or created) >= query.window.since
                    ):
                        found.append((item, project))
            found.sort(key=lambda one: one[0]["created_at"])
        if len(found) > MAX_JOBS:
            found = found[-MAX_JOBS:]
            cut = f"only the newest {MAX_JOBS} failed jobs were read; ask for a shorter time"
        return found, cut

    def _job(self, item: Mapping[str, Any], project: str) -> Job:
        return Job(
            origin=f"{item.get('stage') or 'job'} / {item['name']}"[:300],
            service=self._settings.service_of(project),
            url=f"{self._settings.url}/{project}/-/jobs/{int(item['id'])}",
            began=time_of(item["started_at"]),
            ended=time_of(item["finished_at"]),
        )


def _named(settings: JobSettings) -> tuple[str, str, int] | None:
    """Project, kind and number that `run_url` means; None where it is none of this GitLab."""
    given, web = urlsplit(settings.run_url), urlsplit(settings.url)
    below = given.path.removeprefix(web.path) if given.path.startswith(web.path) else ""
    found = _ADDRESS.fullmatch(below)
    if found is None or given.hostname != web.hostname or not PROJECT.fullmatch(found["repo"]):
        return None
    return found["repo"], found["what"], int(found["id"])


@contextmanager
def _trace(http: Http, url: str) -> Iterator[Iterator[bytes]]:
    """A job's log without the marks that only the web page needs.

    https://docs.gitlab.com/ci/jobs/job_logs/ and, for times, the runner's FF_TIMESTAMPS: `TIME 00O text`.
    """
    with http.stream(url, max_bytes=MAX_JOB_BYTES) as pieces:
        yield (_SECTION.sub(b"", _STAMP.sub(rb"\1 ", lines)) for lines in _whole_lines(pieces))


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut behind line ends, so that marks are whole."""
    held = b""
    for piece in pieces:
        held += piece
        end = held.rfind(b"\n") + 1
        if not end and len(held) > _LINE_BYTES:
            end = len(held)
        if end:
            yield held[:end]
            held = held[end:]
    yield held


def _facts(item: Mapping[str, Any], job: Job) -> list[Told]:
    """That a job failed, and why, as the system says."""
    if item["status"] != "failed" or job.ended is None:
        return []
    why = str(item.get("failure_reason") or "failed").replace("_", " ")
    return [Told(f"Job “{item['name']}” of stage “{item.get('stage')}”: {why}", job.ended)]
