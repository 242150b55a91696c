"""Bitbucket, Cloud and Data Center: commits with their changes, pull requests, and Cloud's deployments.

https://developer.atlassian.com/cloud/bitbucket/rest/ and https://developer.atlassian.com/server/bitbucket/rest/

Neither filters commits by time, so histories are read newest first until they are older than the window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.capabilities import Check, CommitQuery, EventQuery
from adapters.kit.changes import (
    chosen_of,
    completed,
    files_of,
    names,
    revision,
    wanted_repositories,
)
from adapters.kit.errors import AdapterError, Reason, documented
from adapters.kit.http import Http
from adapters.kit.paging import MAX_PAGES, endless
from adapters.kit.records import ChangeStatus, Commit, Deploy, FileChange, Page, Ticket
from adapters.kit.settings import AdapterSettings
from adapters.kit.status import clock_skew_s

TYPES: Mapping[str, tuple[str, ...]] = {
    "git_sources": ("bitbucket",),
    "deploy_sources": ("bitbucket",),
}
TESTED = "recorded responses, contract"
SCOPES = (
    "Cloud: access token with repository:read, pullrequest:read and pipeline:read (API token: read:repository, "
    "read:pullrequest, read:pipeline, with the account's e-mail as username); "
    "Data Center: HTTP access token with Repository read"
)

CLOUD = "https://api.bitbucket.org"
MAX_DIFF_BYTES = 4 << 20
_SCAN_DEPLOYS = 1_000
_REPO = re.compile(r"~?[\w.-]{1,128}/[\w.-]{1,128}", re.ASCII)
_STATUS: Mapping[str, ChangeStatus] = {"added": "added", "removed": "deleted", "renamed": "renamed"}
_ADVICE = "grant the token read access to repositories, pull requests and (Cloud) pipelines"


class Settings(AdapterSettings):
    """Cloud, or the address of a Data Center; which repositories, and as whom."""

    url: str = Field(default=CLOUD, description="Address of a Data Center; left out for Cloud")
    token: SecretStr | None = Field(
        default=None,
        description="Access token (repository, project, workspace, HTTP) or API token",
        json_schema_extra={"env": "BITBUCKET_TOKEN"},
    )
    username: str = Field(
        default="", description="E-mail of the account, where the token is an API token of Cloud"
    )
    repo: tuple[str, ...] = Field(
        default=(),
        description="Repositories as workspace/name (Data Center: PROJECT/name)",
        json_schema_extra={"flag": "--repo"},
    )
    environments: tuple[str, ...] = Field(
        default=(), description="Only deployments to these environments; empty: to all"
    )
    service: str = Field(
        default="", description="Service of deployments (default: repository's name)"
    )
    ca_file: str = Field(
        default="", description="File with the certificate authority, where it is a private one"
    )

    _several = field_validator("repo", mode="before")(names)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        """Addresses of Cloud that people open lead to its API."""
        url = web_address(value)
        host = urlsplit(url).hostname
        return CLOUD if host in {"bitbucket.org", "api.bitbucket.org"} else url

    @field_validator("repo")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _REPO.fullmatch(name) or ".." in name:
                msg = f"{name!r} must be written workspace/name or PROJECT/name"
                raise ValueError(msg)
        return value

    @property
    def cloud(self) -> bool:
        """An address that ends in /2.0 is Cloud's interface behind a proxy."""
        return self.url == CLOUD or self.url.endswith("/2.0")


class Adapter:
    """Reads one or several repositories."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._cloud = settings.cloud
        token = settings.token
        bearer = token is not None and not settings.username
        secret = f"Bearer {token.get_secret_value()}" if token else ""
        base = settings.url.removesuffix("/2.0")
        self._http = Http(
            name,
            f"{base}/2.0" if self._cloud else f"{base}/rest/api/1.0",
            headers={"Authorization": SecretStr(secret)} if bearer else {},
            auth=(settings.username, token) if token and settings.username else None,
            verify=settings.ca_file or True,
            advice=_ADVICE,
            reset=_reset,
        )
        self._web = "https://bitbucket.org" if base == CLOUD else base

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        """List non-merge changes, newest first, with their files.

        Raises:
            AdapterError: no such repository or head, no permission, or no answer.
        """
        head = revision(self.name, query.head)
        for repo in self._repositories(query.repo):
            listed = partial(self._history, repo, head, query.paths)
            with documented(self.name):
                found, cut = chosen_of(query, listed)
            yield from completed(found, partial(self._filled, patches=query.patches), cut)

    def compare(self, repo: str, base: str, head: str) -> Iterator[Page[Commit]]:
        """The changes that `head` has and `base` has not, newest first.

        Raises:
            AdapterError: as `commits`.
        """
        (name,) = self._repositories(repo)[:1] or self._repositories("")[:1]
        without = revision(self.name, base)
        with documented(self.name):
            pages = self._history(name, revision(self.name, head), (), without)
            found = [c for page in pages for c in page if len(c.parents) < 2]
        yield from completed(found, partial(self._filled, patches=True), "")

    def requests_of(self, repo: str, sha: str) -> tuple[Ticket, ...]:
        """The pull requests that a commit belongs to. Cloud needs its app "Pull Request Commit Links".

        Raises:
            AdapterError: as `commits`.
        """
        (name,) = self._repositories(repo)[:1] or self._repositories("")[:1]
        revision(self.name, sha)
        path = (
            self._path(name, "commit", sha, "pullrequests")
            if self._cloud
            else self._path(name, "commits", sha, "pull-requests")
        )
        with documented(self.name):
            items = [item for page in self._pages(path, {}) for item in page]
            return tuple(self._request(item) for item in items)

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List deployments that started within the window, newest first. Data Center has no such list.

        Raises:
            AdapterError: it is a Data Center, or as `commits`.
        """
        if not self._cloud:
            detail = (
                "Bitbucket Data Center cannot list deployments; configure the system that deploys"
            )
            raise AdapterError(self.name, Reason.BAD_REQUEST, detail)
        for repo in self._repositories(""):
            found: list[Deploy] = []
            cut, seen = "", 0
            with documented(self.name):
                known = {
                    str(item["uuid"]): str(item["name"])
                    for page in self._pages(self._path(repo, "environments"), {})
                    for item in page
                }
                params = {"sort": "-state.started_on"}
                for page in self._pages(self._path(repo, "deployments"), params):
                    deploys = [d for item in page if (d := self._deploy(item, repo, known))]
                    found += [deploy for deploy in deploys if self._wanted(deploy, query)]
                    seen += len(page)
                    if seen >= _SCAN_DEPLOYS:
                        cut = f"only {_SCAN_DEPLOYS:,} deployments were looked at"
                        break
            found.sort(key=lambda deploy: deploy.at, reverse=True)
            if len(found) > query.limit:
                cut = f"only the newest {query.limit} deploys were read"
            yield Page(tuple(found[: query.limit]), truncated=cut)

    def check(self) -> Check:
        """Whether the repositories can be read.

        Raises:
            AdapterError: they cannot.
        """
        repos = self._repositories("")
        alone = "user" if self._cloud else "application-properties"
        paths = [self._path(repo, "commits") for repo in repos] or [alone]
        skew = [clock_skew_s(self._http.get(path, {self._size: 1}).headers) for path in paths][-1]
        return Check(ok=True, detail=f"{', '.join(repos) or 'signed in'}: ok", clock_skew_s=skew)

    # --- asking ---

    def _repositories(self, asked: str) -> tuple[str, ...]:
        found = wanted_repositories(self._settings.repo, asked)
        if any(not _REPO.fullmatch(name) or ".." in name for name in found):
            detail = "name the repository as workspace/name or PROJECT/name"
            raise AdapterError(self.name, Reason.BAD_REQUEST, detail)
        return found

    @property
    def _size(self) -> str:
        return "pagelen" if self._cloud else "limit"

    def _path(self, repo: str, *segments: str) -> str:
        owner, _, name = repo.partition("/")
        first = ("repositories", owner, name) if self._cloud else ("projects", owner, "repos", name)
        return "/".join(quote(part, safe="") for part in (*first, *segments))

    def _pages(self, path: str, params: Mapping[str, str | int]) -> Iterator[list[dict[str, Any]]]:
        """Cloud names the next page's address, Data Center its first item."""
        asked: dict[str, str | int] = {self._size: 100, **params}
        answer = self._http.get(path, asked).json()
        for _ in range(MAX_PAGES):
            yield answer["values"]
            if self._cloud and answer.get("next"):
                answer = self._http.follow(answer["next"]).json()
            elif not self._cloud and not answer.get("isLastPage", True):
                asked["start"] = int(answer["nextPageStart"])
                answer = self._http.get(path, asked).json()
            else:
                return
        raise endless(self.name)

    def _history(
        self, repo: str, head: str, paths: Sequence[str], without: str = ""
    ) -> Iterator[list[Commit]]:
        to, since = ("include", "exclude") if self._cloud else ("until", "since")
        given = {to: head, since: without}
        for below in paths or ("",):
            params = {name: value for name, value in {**given, "path": below}.items() if value}
            for page in self._pages(self._path(repo, "commits"), params):
                yield [self._commit(item, repo) for item in page]

    def _filled(self, commit: Commit, *, patches: bool) -> Commit:
        with documented(self.name):
            if not self._cloud:
                path = self._path(commit.repo, "commits", commit.sha, "diff")
                answer = self._http.get(path, {"contextLines": 0}, closed=True).json()
                files = tuple(_parse_diff(item, patches=patches) for item in answer["diffs"])
                cut = bool(answer.get("truncated"))
            elif patches:
                path = self._path(commit.repo, "diff", commit.sha)
                text = self._http.get(path, {"context": 0}, closed=True, max_bytes=MAX_DIFF_BYTES)
                files, cut = files_of(text.text), False
            else:
                path = self._path(commit.repo, "diffstat", commit.sha)
                items = [item for page in self._pages(path, {}) for item in page]
                files, cut = tuple(_parse_stat(item) for item in items), False
        return commit.model_copy(update={"files": files, "files_truncated": cut})

    # --- reading ---

    def _commit(self, item: Mapping[str, Any], repo: str) -> Commit:
        message = str(item["message"])
        author = item.get("author") or {}
        if self._cloud:
            sha, parents = item["hash"], [parent["hash"] for parent in item["parents"]]
            when = datetime.fromisoformat(item["date"])
            name = (author.get("user") or {}).get("display_name") or author.get("raw", "")
        else:
            sha, parents = item["id"], [parent["id"] for parent in item["parents"]]
            when = _millis(item["committerTimestamp"])
            name = author.get("displayName") or author.get("name", "")
        return Commit(
            source=self.name,
            repo=repo,
            sha=sha,
            parents=tuple(parents),
            title=message.partition("\n")[0],
            message=message.strip()[:20_000],
            author=re.sub(r"\s*<[^>]*>$", "", str(name)),
            committed_at=when,
            url=f"{self._page(repo)}/commits/{quote(sha, safe='')}",
        )

    def _page(self, repo: str) -> str:
        """Where people open a repository."""
        project, _, name = repo.partition("/")
        return (
            f"{self._web}/{repo}" if self._cloud else f"{self._web}/projects/{project}/repos/{name}"
        )

    def _request(self, item: Mapping[str, Any]) -> Ticket:
        cloud, links = self._cloud, item["links"]
        read = datetime.fromisoformat if cloud else _millis
        updated = item.get("updated_on" if cloud else "updatedDate")
        return Ticket(
            source=self.name,
            key=f"#{int(item['id'])}",
            title=item["title"],
            state=str(item["state"]).lower(),
            text=str(item.get("description") or "")[:20_000],
            created_at=read(item["created_on" if cloud else "createdDate"]),
            updated_at=read(updated) if updated else None,
            url=links["html"]["href"] if cloud else links["self"][0]["href"],
        )

    def _deploy(
        self, item: Mapping[str, Any], repo: str, environments: Mapping[str, str]
    ) -> Deploy | None:
        """A deployment; None before it has started."""
        state, release = item["state"], item.get("release") or {}
        began = state.get("started_on") or state.get("completed_on")
        if not began:
            return None
        sha = str((release.get("commit") or {}).get("hash") or "")
        status = (state.get("status") or {}).get("name") or state["name"]
        return Deploy(
            source=self.name,
            service=self._settings.service or repo.rpartition("/")[2],
            environment=environments.get(str((item.get("environment") or {}).get("uuid")), ""),
            version=str(release.get("name") or ""),
            sha=sha,
            repo=repo,
            title=f"Deployment {release.get('name') or ''}".strip(),
            status=str(status).lower(),
            at=datetime.fromisoformat(began),
            url=f"{self._page(repo)}/deployments",
        )

    def _wanted(self, deploy: Deploy, query: EventQuery) -> bool:
        allowed = self._settings.environments
        return deploy.at in query.window and (not allowed or deploy.environment in allowed)


def _reset(headers: httpx.Headers, now: float) -> float | None:
    until = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not until.isdigit():
        return None
    return max(0.0, int(until) - now)


def _millis(value: int) -> datetime:
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def _parse_stat(item: Mapping[str, Any]) -> FileChange:
    new, old = item.get("new") or {}, item.get("old") or {}
    status = _STATUS.get(item["status"], "modified")
    return FileChange(
        path=(new or old)["path"],
        old_path=old["path"] if status == "renamed" else None,
        status=status,
        added=item["lines_added"],
        removed=item["lines_removed"],
    )


def _parse_diff(item: Mapping[str, Any], *, patches: bool) -> FileChange:
    """One file of Data Center's diff, which comes as JSON instead of text."""
    old = (item.get("source") or {}).get("toString")
    new = (item.get("destination") or {}).get("toString")
    lines: list[str] = []
    for hunk in item.get("hunks") or []:
        was, now = f"{hunk['sourceLine']},{hunk['sourceSpan']}", f"{hunk['destinationLine']}"
        lines.append(
            f"@@ -{was} +{now},{hunk['destinationSpan']} @@ {hunk.get('context', '')}".rstrip()
        )
        for segment in hunk["segments"]:
            sign = {"ADDED": "+", "REMOVED": "-"}.get(segment["type"], " ")
            lines += [sign + str(line["line"]) for line in segment["lines"]]
    status: ChangeStatus = "renamed" if old and new and old != new else "modified"
    if not old or not new:
        status = "deleted" if old else "added"
    return FileChange(
        path=str(new or old),
        old_path=old if status == "renamed" else None,
        status=status,
        added=sum(line[:1] == "+" for line in lines) if lines else -1,
        removed=sum(line[:1] == "-" for line in lines) if lines else -1,
        patch="\n".join(lines) if patches else "",
    )
