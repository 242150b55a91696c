"""Jenkins: builds as deploys with the changes they brought, and the console logs of builds that failed.

https://www.jenkins.io/doc/book/using/remote-access-api/

Lines have times where the Timestamper plugin writes them (Manage Jenkins, "Enabled for all Pipeline builds"); a log
without any is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from typing_extensions import override

from adapters.kit.access import web_address
from adapters.kit.capabilities import Check, EventQuery, LogQuery
from adapters.kit.errors import AdapterError, Reason, documented
from adapters.kit.http import Http
from adapters.kit.records import Deploy, LogBatch, Page, Window
from adapters.kit.settings import AdapterSettings
from adapters.kit.status import clock_skew_s
from adapters.kit.transcript import MAX_JOB_BYTES, Job, Told, Transcript

TYPES: Mapping[str, tuple[str, ...]] = {
    "log_sources": ("jenkins",),
    "deploy_sources": ("jenkins",),
}
TESTED = "contract (written from the documentation; no recorded responses)"
SCOPES = "user with Overall/Read and Job/Read, and an API token of that user"

STEP = 100
MAX_BUILDS = 30
LONGEST = timedelta(days=1)
_SCAN = 2_000  # builds of one job
_FAILED = frozenset({"FAILURE", "UNSTABLE", "ABORTED"})
_ITEMS = "[items[commitId,msg,affectedPaths]]"
_BUILD = (
    "number,result,timestamp,duration,building,displayName,"
    f"actions[lastBuiltRevision[SHA1],remoteUrls],changeSets{_ITEMS},changeSet{_ITEMS}"
)
_ADDRESS = re.compile(r"(?P<job>(?:/job/[^/]{1,600})+)/(?P<build>\d{1,10})(?:/.*)?")
_ADVICE = "use an API token of a user who has Overall/Read and Job/Read"


class Settings(AdapterSettings):
    """Where Jenkins is, as whom, and which jobs."""

    url: str = Field(description="Address of Jenkins, for example https://ci.example.com")
    username: str = Field(default="", description="User that the API token belongs to")
    token: SecretStr | None = Field(
        default=None,
        description="API token of the user",
        json_schema_extra={"env": "JENKINS_TOKEN"},
    )
    jobs: tuple[str, ...] = Field(
        default=(), description="Jobs with their folders, for example shop/checkout/main"
    )
    service: str = Field(default="", description="Service of what is found (default: job's name)")
    ca_file: str = Field(
        default="", description="File with the certificate authority, where it is a private one"
    )

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)

    @field_validator("jobs", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @field_validator("jobs")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not all(part not in {"", ".", ".."} for part in name.split("/")) or len(name) > 600:
                msg = f"{name!r} must be written folder/name"
                raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if not self.jobs and self.build is None:
            msg = "name at least one of jobs"
            raise ValueError(msg)
        if bool(self.username) != bool(self.token):
            msg = "username and token belong together"
            raise ValueError(msg)
        return self

    @property
    def build(self) -> tuple[str, int] | None:
        """Job and number of the one build to read; None: those of the window."""
        return None


class BuildSettings(Settings):
    """The same for logs, which may be those of one build."""

    run_url: str = Field(
        default="",
        description="Address of a build, as copied from the browser",
        json_schema_extra={"flag": "--run-url"},
    )

    @model_validator(mode="after")
    def _one_build(self) -> BuildSettings:
        if self.run_url and self.build is None:
            msg = f"run_url must look like {self.url}/job/name/123"
            raise ValueError(msg)
        return self

    @property
    @override
    def build(self) -> tuple[str, int] | None:
        """Job and number of the build that `run_url` means; None where it is none of this Jenkins."""
        given, own = urlsplit(self.run_url), urlsplit(self.url)
        below = given.path.removeprefix(own.path) if given.path.startswith(own.path) else ""
        found = _ADDRESS.fullmatch(below)
        if found is None or given.hostname != own.hostname:
            return None
        parts = [unquote(part) for part in found["job"].split("/job/")[1:]]
        sound = all("/" not in part and part not in {"", ".", ".."} for part in parts)
        return ("/".join(parts), int(found["build"])) if sound else None


class Adapter:
    """Reads the builds of some jobs."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = Http(
            name,
            settings.url,
            auth=(settings.username, settings.token) if settings.token else None,
            verify=settings.ca_file or True,
            advice=_ADVICE,
            concurrency=2,
        )

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List builds that began within the window, newest first within each job, with what they changed.

        Raises:
            AdapterError: no such job, no permission, or no answer.
        """
        for job in self._settings.jobs:
            found: list[Deploy] = []
            cut = ""
            with documented(self.name):
                for item in self._builds(job, query.window.since):
                    if isinstance(item, str):
                        cut = item
                    elif _moment(item) in query.window:
                        if len(found) >= query.limit:
                            cut = f"only the newest {query.limit} builds were read"
                            break
                        found.append(self._deploy(item, job))
            yield Page(tuple(found), truncated=cut)

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the lines of the window: of the configured build, else of builds that failed.

        The service asked for restricts nothing: builds know jobs, not services.

        Raises:
            AdapterError: no such job or build, no permission, or no answer.
        """
        transcript = Transcript(self.name, query)
        found, cut = self._wanted(query)
        for item, name in found:
            with documented(self.name):
                job, number = self._job(item, name), int(item["number"])
                facts = _facts(item, job)
            if not transcript.concerns(job):
                continue
            yield from transcript.told(job, facts)
            url = f"{self._http.base_url}{_path(name, number)}/consoleText"
            yield from transcript.job(job, partial(self._http.stream, url, max_bytes=MAX_JOB_BYTES))
            if transcript.full:
                break
        yield from transcript.rest(cut)

    def span(self) -> Window | None:
        """When the configured build ran; None where none is configured.

        Raises:
            AdapterError: as `logs`.
        """
        named = self._settings.build
        if named is None:
            return None
        with documented(self.name):
            job = self._job(self._named(*named), named[0])
        if job.began is None or job.ended is None:
            return None
        return Window(since=job.began, until=job.ended + timedelta(seconds=1))

    def check(self) -> Check:
        """Whether it is Jenkins and its jobs can be read.

        Raises:
            AdapterError: it is not, or they cannot.
        """
        named = self._settings.build
        jobs = [_path(job) for job in self._settings.jobs] or [_path(*named) if named else ""]
        asked = [self._http.get(f"{path}/api/json", {"tree": "displayName"}) for path in jobs]
        answer = asked[-1]
        version = answer.headers.get("x-jenkins", "")
        if not version:
            raise AdapterError(self.name, Reason.BAD_RESPONSE, "does not answer as Jenkins does")
        skew = clock_skew_s(answer.headers)
        return Check(ok=True, detail=f"{len(jobs)} jobs", version=version, clock_skew_s=skew)

    # --- asking ---

    def _builds(self, job: str, since: datetime) -> Iterator[dict[str, Any] | str]:
        """Builds of a job, newest first, until they are older; a text says why some are missing.

        There is no filter by time, but ranges of the list (`{0,100}`).
        """
        for start in range(0, _SCAN, STEP):
            tree = f"allBuilds[{_BUILD}]{{{start},{start + STEP}}}"
            items = self._http.get(f"{_path(job)}/api/json", {"tree": tree}).json()["allBuilds"]
            for item in items:
                if _moment(item) < since:
                    return
                yield item
            if len(items) < STEP:
                return
        yield f"only the newest {_SCAN:,} builds of {job} were looked at"

    def _named(self, job: str, number: int) -> dict[str, Any]:
        item = self._http.get(f"{_path(job, number)}/api/json", {"tree": _BUILD}).json()
        if not isinstance(item, dict):
            raise AdapterError(self.name, Reason.BAD_RESPONSE, "does not answer as Jenkins does")
        return item

    def _wanted(self, query: LogQuery) -> tuple[list[tuple[dict[str, Any], str]], str]:
        """Builds to read, oldest first, and why some are missing."""
        named = self._settings.build
        if named is not None:
            return [(self._named(*named), named[0])], ""
        found: list[tuple[dict[str, Any], str]] = []
        cut = ""
        with documented(self.name):
            for job in self._settings.jobs:
                for item in self._builds(job, query.window.since - LONGEST):
                    if isinstance(item, str):
                        cut = item
                    elif item.get("result") in _FAILED and _moment(item) < query.window.until:
                        found.append((item, job))
            found.sort(key=lambda one: (int(one[0]["timestamp"]), one[1]))
        if len(found) > MAX_BUILDS:
            cut = f"only the newest {MAX_BUILDS} failed builds were read; ask for a shorter time"
        return found[-MAX_BUILDS:], cut

    # --- reading ---

    def _job(self, item: Mapping[str, Any], name: str) -> Job:
        began = _moment(item)
        length = timedelta(milliseconds=int(item.get("duration") or 0))
        return Job(
            origin=f"{name} #{int(item['number'])}"[:300],
            service=self._service(name),
            url=f"{self._settings.url}/{_path(name, int(item['number']))}/console",
            began=began,
            ended=None if item.get("building") else began + length,
        )

    def _service(self, job: str) -> str:
        return self._settings.service or job.rpartition("/")[2]

    def _deploy(self, item: Mapping[str, Any], job: str) -> Deploy:
        changes = _changes(item)
        actions = [action for action in item.get("actions") or [] if action]
        built: Mapping[str, Any] = next(
            (a["lastBuiltRevision"] for a in actions if a.get("lastBuiltRevision")), {}
        )
        remote = next((a["remoteUrls"] for a in actions if a.get("remoteUrls")), [""])[0]
        told = "; ".join(str(change["msg"]).partition("\n")[0] for change in changes[:5])
        more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
        return Deploy(
            source=self.name,
            service=self._service(job),
            version=f"#{int(item['number'])}",
            sha=str(built.get("SHA1") or (changes[-1]["commitId"] if changes else "") or ""),
            repo=_repository(str(remote)),
            title=f"{job}: {told}{more}"[:500] if told else job,
            status="running" if item.get("building") else str(item.get("result") or "").lower(),
            kind="rollback" if "rollback" in job.casefold() else "deploy",
            at=_moment(item),
            url=f"{self._settings.url}/{_path(job, int(item['number']))}/",
        )


CLASSES = {"log_sources": (BuildSettings, Adapter)}


def _path(job: str, number: int | None = None) -> str:
    """The path of a job in its folders, every segment quoted."""
    parts = "/".join(f"job/{quote(part, safe='')}" for part in job.split("/"))
    return parts if number is None else f"{parts}/{number}"


def _moment(item: Mapping[str, Any]) -> datetime:
    millis = int(item["timestamp"])
    return datetime.fromtimestamp(millis // 1000, UTC) + timedelta(milliseconds=millis % 1000)


def _changes(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Pipelines have several change sets, other jobs one."""
    sets = [*(item.get("changeSets") or []), item.get("changeSet") or {}]
    return [change for one in sets for change in one.get("items") or []]


def _facts(item: Mapping[str, Any], job: Job) -> list[Told]:
    """That a build failed, as the system says."""
    if item.get("result") not in _FAILED or job.ended is None:
        return []
    return [Told(f"Build {job.origin}: {str(item['result']).lower()}", job.ended)]


def _repository(remote: str) -> str:
    """`owner/name` of a git remote."""
    found = re.search(r"[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", remote, re.ASCII)
    return found[1] if found else ""
