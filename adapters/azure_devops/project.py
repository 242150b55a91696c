"""Commits, builds and the logs of builds of one project of Azure DevOps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx

from adapters.azure_devops.settings import Settings
from adapters.kit.capabilities import Check, CommitQuery, EventQuery, LogQuery
from adapters.kit.changes import (
    SHA,
    chosen_of,
    completed,
    revision,
    wanted_repositories,
)
from adapters.kit.errors import AdapterError, documented
from adapters.kit.http import Http
from adapters.kit.paging import MAX_PAGES, endless
from adapters.kit.records import ChangeStatus, Commit, Deploy, FileChange, LogBatch, Page, Window
from adapters.kit.status import clock_skew_s
from adapters.kit.together import together
from adapters.kit.transcript import MAX_JOB_BYTES, Job, Told, Transcript

PAGE = 100
MAX_BUILDS = 30
MAX_TASKS = 60  # of one build
MAX_CHANGES = 1_000
LONGEST = timedelta(days=1)
_FAILED = frozenset({"failed", "partiallySucceeded"})
_DEPLOYS = re.compile(r"deploy|release|rollout|publish", re.IGNORECASE)
_STATUS: Mapping[str, ChangeStatus] = {"add": "added", "delete": "deleted", "rename": "renamed"}
_ADVICE = (
    "grant the personal access token Code: read and Build: read, and check that it has not expired"
)


class Adapter:
    """Reads one project."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = self._opened({})
        self._texts = self._opened({"Accept": "text/plain"})

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        """List non-merge changes, newest first, with the names of their files.

        Raises:
            AdapterError: no such repository or head, no permission, or no answer.
        """
        head = revision(self.name, query.head)
        asked = query.repo.rpartition("/")[2] if query.repo else ""
        for repo in wanted_repositories(self._settings.repo, asked) or ((asked,) if asked else ()):
            listed = partial(self._history, repo, head, query.paths)
            with documented(self.name):
                found, cut = chosen_of(query, listed)
            for page in completed(found, self._filled, cut):
                # Only the whole commit names its parents.
                plain = tuple(commit for commit in page.items if len(commit.parents) < 2)
                yield Page(plain, truncated=page.truncated)

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List builds of the pipelines that deploy which began within the window, newest first.

        Raises:
            AdapterError: no such project, no permission, or no answer.
        """
        window = query.window
        found: list[Deploy] = []
        cut = ""
        with documented(self.name):
            for item in self._builds(window, "startTimeDescending"):
                if not self._deploying(item["definition"]["name"]) or not item.get("startTime"):
                    continue
                deploy = self._deploy(item)
                if deploy.at in window:
                    if len(found) >= query.limit:
                        cut = f"only the newest {query.limit} deploys were read"
                        break
                    found.append(deploy)
        yield Page(tuple(found), truncated=cut)

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the lines of the window of tasks that failed: in the configured build, else in failed builds.

        The service asked for restricts nothing: builds know repositories, not services.

        Raises:
            AdapterError: no such project or build, no permission, or no answer.
        """
        transcript = Transcript(self.name, query)
        builds, cut = self._wanted(query)
        for build in builds:
            with documented(self.name):
                whole = self._job(build, "")
                if not transcript.concerns(whole):
                    continue
                tasks = self._tasks(build)
            for job, facts, number in tasks:
                if not transcript.concerns(job):
                    continue
                yield from transcript.told(job, facts)
                if number:
                    path = f"{self._texts.base_url}{self._build(build['id'])}/logs/{number}"
                    url = f"{path}?api-version=7.1"
                    opened = partial(self._texts.stream, url, max_bytes=MAX_JOB_BYTES)
                    yield from transcript.job(job, opened)
                if transcript.full:
                    break
        yield from transcript.rest(cut)

    def span(self) -> Window | None:
        """When the configured build ran; None where none is configured.

        Raises:
            AdapterError: as `logs`.
        """
        if self._settings.build is None:
            return None
        item = self._json(self._build(self._settings.build))
        with documented(self.name):
            began, ended = _time(item.get("startTime")), _time(item.get("finishTime"))
        if began is None or ended is None:
            return None
        return Window(since=began, until=max(ended, began) + timedelta(seconds=1))

    def check(self) -> Check:
        """Whether repositories and builds of the project can be listed.

        Raises:
            AdapterError: neither can.
        """
        base = self._path()
        parts: tuple[tuple[str, dict[str, int], str], ...] = (
            (f"{base}/git/repositories", {}, "Code: read"),
            (f"{base}/build/builds", {"$top": 1}, "Build: read"),
        )
        asked = together(
            lambda part: self._http.get(part[0], {"api-version": "7.1", **part[1]}), parts
        )
        errors = [found for found in asked if isinstance(found, AdapterError)]
        if len(errors) == len(asked):
            raise errors[0]
        return Check(
            ok=True,
            detail=f"project {self._settings.project} can be read",
            missing=tuple(
                part[2]
                for part, found in zip(parts, asked, strict=True)
                if isinstance(found, AdapterError)
            ),
            clock_skew_s=next(
                (clock_skew_s(a.headers) for a in asked if not isinstance(a, AdapterError)), None
            ),
        )

    # --- asking ---

    def _opened(self, headers: Mapping[str, str]) -> Http:
        settings = self._settings
        return Http(
            self.name,
            settings.url,
            headers=headers,
            auth=("", settings.token) if settings.token else None,
            verify=settings.ca_file or True,
            advice=_ADVICE,
            reset=_reset,
        )

    def _path(self, *segments: str | int) -> str:
        parts = (self._settings.project, "_apis", *segments)
        return "/".join(quote(str(part), safe="") for part in parts)

    def _build(self, number: object) -> str:
        return self._path("build", "builds", int(str(number)))

    def _json(
        self, path: str, params: Mapping[str, str | int] | None = None, *, closed: bool = False
    ) -> Any:  # noqa: ANN401 - what it is, the reader says
        asked = {"api-version": "7.1", **(params or {})}
        return self._http.get(path, asked, closed=closed).json()

    def _history(self, repo: str, head: str, paths: Sequence[str]) -> Iterator[list[Commit]]:
        """Newest first; `searchCriteria.fromDate` does not say which of a commit's two dates it means."""
        for below in paths or ("",):
            params: dict[str, str | int] = {"searchCriteria.$top": PAGE}
            if head:
                kind = "commit" if SHA.fullmatch(head) else "branch"
                params["searchCriteria.itemVersion.version"] = head
                params["searchCriteria.itemVersion.versionType"] = kind
            if below:
                params["searchCriteria.itemPath"] = f"/{below.lstrip('/')}"
            for number in range(MAX_PAGES):
                params["searchCriteria.$skip"] = number * PAGE
                path = self._path("git", "repositories", repo, "commits")
                items = self._json(path, params)["value"]
                yield [self._commit(item, repo) for item in items]
                if len(items) < PAGE:
                    break

    def _filled(self, commit: Commit) -> Commit:
        path = self._path("git", "repositories", commit.repo, "commits", commit.sha)
        item = self._json(path, {"changeCount": MAX_CHANGES}, closed=True)
        with documented(self.name):
            changes = item.get("changes") or []
            message = str(item["comment"])
            return commit.model_copy(
                update={
                    "parents": tuple(item.get("parents") or ()),
                    "title": message.partition("\n")[0],
                    "message": message.strip()[:20_000],
                    "files": tuple(file for change in changes for file in _parse_change(change)),
                    "files_truncated": len(changes) >= MAX_CHANGES,
                }
            )

    def _builds(self, window: Window, order: str, **params: str) -> Iterator[dict[str, Any]]:
        """Builds of the window, by the time that the order names; a little more at both ends."""
        asked: dict[str, str | int] = {
            "minTime": _iso(window.since - timedelta(seconds=1)),
            "maxTime": _iso(window.until + timedelta(seconds=1)),
            "queryOrder": order,
            "$top": PAGE,
            **params,
        }
        for _ in range(MAX_PAGES):
            answer = self._http.get(self._path("build", "builds"), {"api-version": "7.1", **asked})
            yield from answer.json()["value"]
            following = answer.headers.get("x-ms-continuationtoken", "")
            if not following:
                return
            asked["continuationToken"] = following
        raise endless(self.name)

    def _wanted(self, query: LogQuery) -> tuple[list[dict[str, Any]], str]:
        """Builds to read, oldest first, and why some are missing."""
        if self._settings.build is not None:
            return [self._json(self._build(self._settings.build))], ""
        later = Window(since=query.window.since, until=query.window.until + LONGEST)
        found: list[dict[str, Any]] = []
        with documented(self.name):
            for result in sorted(_FAILED):
                listed = self._builds(
                    later, "finishTimeDescending", statusFilter="completed", resultFilter=result
                )
                for number, item in enumerate(listed):
                    if number > MAX_BUILDS * 10:
                        break
                    if datetime.fromisoformat(item["startTime"]) < query.window.until:
                        found.append(item)
            found.sort(key=lambda item: str(item["startTime"]))
        many = len(found) > MAX_BUILDS
        cut = f"only the newest {MAX_BUILDS} failed builds were read; ask for a shorter time"
        return found[-MAX_BUILDS:], cut if many else ""

    def _tasks(self, build: Mapping[str, Any]) -> list[tuple[Job, list[Told], int]]:
        """Tasks that failed, in their order; all tasks of a build that was named and did not fail."""
        timeline = self._json(f"{self._build(build['id'])}/timeline")
        records = [r for r in timeline["records"] if r["type"] == "Task" and r.get("log")]
        failed = [r for r in records if r.get("result") == "failed"]
        chosen_ = failed or (records if self._settings.build is not None else [])
        chosen_.sort(key=lambda r: (str(r.get("startTime")), int(r.get("order") or 0)))
        made = []
        for record in chosen_[:MAX_TASKS]:
            job = self._job(build, str(record["name"]), record)
            issues = [i for i in record.get("issues") or [] if i.get("type") == "error"]
            facts = [Told(str(i["message"])[:20_000], job.ended) for i in issues[:20] if job.ended]
            made.append((job, facts, int(record["log"]["id"])))
        return made

    # --- reading ---

    def _job(
        self, build: Mapping[str, Any], task: str, record: Mapping[str, Any] | None = None
    ) -> Job:
        times = record or build
        pipeline = str(build["definition"]["name"])
        link = f"{self._web}/_build/results?buildId={int(build['id'])}"
        if record:
            ids = f"&j={quote(str(record.get('parentId') or ''))}&t={quote(str(record['id']))}"
            link += f"&view=logs{ids}"
        return Job(
            origin=f"{pipeline} / {task}"[:300] if task else pipeline,
            service=self._service(build),
            url=link,
            began=_time(times.get("startTime")),
            ended=_time(times.get("finishTime")),
        )

    @property
    def _web(self) -> str:
        return f"{self._settings.url}/{quote(self._settings.project, safe='')}"

    def _service(self, build: Mapping[str, Any]) -> str:
        repository = str((build.get("repository") or {}).get("name") or "")
        return self._settings.service or repository.rpartition("/")[2]

    def _deploying(self, pipeline: str) -> bool:
        wanted = {name.casefold() for name in self._settings.pipelines}
        return pipeline.casefold() in wanted if wanted else bool(_DEPLOYS.search(pipeline))

    def _commit(self, item: Mapping[str, Any], repo: str) -> Commit:
        sha, title = str(item["commitId"]), str(item["comment"])
        return Commit(
            source=self.name,
            repo=repo,
            sha=sha,
            title=title.partition("\n")[0],
            message=title[:20_000],
            author=str((item.get("author") or {}).get("name") or ""),
            committed_at=datetime.fromisoformat(item["committer"]["date"]),
            url=f"{self._web}/_git/{quote(repo, safe='')}/commit/{quote(sha, safe='')}",
        )

    def _deploy(self, item: Mapping[str, Any]) -> Deploy:
        pipeline = str(item["definition"]["name"])
        return Deploy(
            source=self.name,
            service=self._service(item),
            version=str(item["buildNumber"]),
            sha=str(item.get("sourceVersion") or ""),
            repo=str((item.get("repository") or {}).get("name") or ""),
            title=pipeline,
            status=str(item.get("result") or item["status"]),
            kind="rollback" if "rollback" in pipeline.casefold() else "deploy",
            at=datetime.fromisoformat(item["startTime"]),
            url=f"{self._web}/_build/results?buildId={int(item['id'])}",
        )


def _reset(headers: httpx.Headers, now: float) -> float | None:
    until = headers.get("x-ratelimit-reset", "")
    return max(0.0, int(until) - now) if until.isdigit() else None


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _parse_change(change: Mapping[str, Any]) -> Iterator[FileChange]:
    """A file's change; the half of a rename that only says what went is told by the other half."""
    item, kinds = change["item"], {kind.strip() for kind in str(change["changeType"]).split(",")}
    if item.get("isFolder") or "sourceRename" in kinds:
        return
    old = str(change.get("sourceServerItem") or "").lstrip("/")
    status = next((_STATUS[kind] for kind in ("rename", "add", "delete") if kind in kinds), None)
    yield FileChange(
        path=str(item["path"]).lstrip("/"),
        old_path=old if old and status == "renamed" else None,
        status=status or "modified",
    )
