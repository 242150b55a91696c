"""Commits, comparisons, merge requests and deployments of GitLab projects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from pydantic import Field

from adapters.gitlab.connection import Client, Connection, path_of, time_of
from adapters.kit.capabilities import CommitQuery, EventQuery
from adapters.kit.changes import chosen, completed, counted, hunks, revision
from adapters.kit.errors import documented
from adapters.kit.records import ChangeStatus, Commit, Deploy, FileChange, Page, Ticket

_SCAN = 5_000


class Settings(Connection):
    """Which projects, as whom, and which deployments."""

    environments: tuple[str, ...] = Field(
        default=(), description="Only deployments to these environments; empty: to all"
    )


class Adapter(Client):
    """Reads changes and deploys of one or several projects."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name, settings)
        self._settings = settings

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        """List non-merge changes, newest first, with their files.

        Raises:
            AdapterError: no such project or head, no permission, or no answer.
        """
        head = revision(self.name, query.head)
        times = {
            "since": (query.window.since - timedelta(seconds=1)).isoformat(),
            "until": (query.window.until + timedelta(seconds=1)).isoformat(),
        }
        for project in self._projects(query.repo):
            listed = partial(self._listed, project, query.paths, {"ref_name": head} if head else {})
            with documented(self.name):
                found, cut = chosen(query, partial(listed, {}), partial(listed, times))
            yield from completed(found, self._filler(patches=query.patches), cut)

    def compare(self, repo: str, base: str, head: str) -> Iterator[Page[Commit]]:
        """The changes that `head` has and `base` has not, newest first.

        Raises:
            AdapterError: as `commits`.
        """
        project = (self._projects(repo) or self._projects(""))[0]
        between = {"from": revision(self.name, base), "to": revision(self.name, head)}
        answer = self._http.get(f"{path_of(project)}/repository/compare", between)
        with documented(self.name):
            found = [self._commit(item, project) for item in answer.json()["commits"]]
        plain = [commit for commit in found if len(commit.parents) < 2]
        plain.sort(key=lambda commit: commit.committed_at, reverse=True)
        yield from completed(plain, self._filler(patches=True), "")

    def requests_of(self, repo: str, sha: str) -> tuple[Ticket, ...]:
        """The merge requests that a commit belongs to.

        Raises:
            AdapterError: as `commits`.
        """
        project = (self._projects(repo) or self._projects(""))[0]
        sha = quote(revision(self.name, sha), safe="")
        path = f"{path_of(project)}/repository/commits/{sha}/merge_requests"
        with documented(self.name):
            return tuple(_parse_request(item, self.name) for item in self._items(path))

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List deployments that were created within the window, newest first within each project.

        GitLab filters by the last update, which is never before the creation; we filter by the creation.

        Raises:
            AdapterError: as `commits`.
        """
        since = (query.window.since - timedelta(seconds=1)).isoformat()
        for project in self._projects(""):
            found: list[Deploy] = []
            cut = ""
            with documented(self.name):
                path = f"{path_of(project)}/deployments"
                listed = self._items(path, updated_after=since, order_by="updated_at", sort="desc")
                for number, item in enumerate(listed):
                    if number == _SCAN:
                        cut = f"only {_SCAN:,} deployments were looked at"
                        break
                    deploy = self._deploy(item, project)
                    if deploy.at in query.window and self._wanted(deploy):
                        found.append(deploy)
            found.sort(key=lambda deploy: deploy.at, reverse=True)
            if len(found) > query.limit:
                cut = f"only the newest {query.limit} deploys were read"
            yield Page(tuple(found[: query.limit]), truncated=cut)

    def _listed(
        self, project: str, paths: Sequence[str], head: Mapping[str, str], times: Mapping[str, str]
    ) -> Iterator[Commit]:
        for below in paths or ("",):
            only = {**head, **times, **({"path": below} if below else {})}
            for item in self._items(f"{path_of(project)}/repository/commits", **only):
                yield self._commit(item, project)

    def _wanted(self, deploy: Deploy) -> bool:
        environments = self._settings.environments
        return not environments or deploy.environment in environments

    def _filler(self, *, patches: bool) -> Callable[[Commit], Commit]:
        def filled(commit: Commit) -> Commit:
            path = f"{path_of(commit.repo)}/repository/commits/{commit.sha}/diff"
            with documented(self.name):
                items = list(self._items(path))
                files = tuple(_parse_file(item, patches=patches) for item in items)
                cut = any(item.get("too_large") or item.get("collapsed") for item in items)
            return commit.model_copy(update={"files": files, "files_truncated": cut})

        return filled

    def _commit(self, item: Mapping[str, Any], project: str) -> Commit:
        message = str(item.get("message") or "")
        return Commit(
            source=self.name,
            repo=project,
            sha=item["id"],
            parents=tuple(item["parent_ids"]),
            title=item["title"],
            message=message.strip()[:20_000],
            author=item.get("author_name") or "",
            committed_at=datetime.fromisoformat(item["committed_date"]),
            url=f"{self._settings.url}/{project}/-/commit/{quote(item['id'], safe='')}",
        )

    def _deploy(self, item: Mapping[str, Any], project: str) -> Deploy:
        job = item.get("deployable") or {}
        name = str(job.get("name") or "")
        web = f"{self._settings.url}/{project}"
        return Deploy(
            source=self.name,
            service=self._settings.service_of(project),
            environment=item["environment"]["name"],
            version=item.get("ref") or "",
            sha=item["sha"],
            repo=project,
            title=name,
            status=item["status"],
            kind="rollback" if "rollback" in name.casefold() else "deploy",
            at=datetime.fromisoformat(item["created_at"]),
            url=f"{web}/-/jobs/{int(job['id'])}" if job.get("id") else f"{web}/-/environments",
        )


def _parse_file(item: Mapping[str, Any], *, patches: bool) -> FileChange:
    patch = hunks(item.get("diff") or "")
    added, removed = counted(patch) if patch else (-1, -1)
    status: ChangeStatus = "renamed" if item["renamed_file"] else "modified"
    if item["new_file"] or item["deleted_file"]:
        status = "added" if item["new_file"] else "deleted"
    return FileChange(
        path=item["new_path"],
        old_path=item["old_path"] if status == "renamed" else None,
        status=status,
        added=added,
        removed=removed,
        patch=patch if patches else "",
    )


def _parse_request(item: Mapping[str, Any], source: str) -> Ticket:
    return Ticket(
        source=source,
        key=f"!{int(item['iid'])}",
        title=item["title"],
        state=item["state"],
        text=str(item.get("description") or "")[:20_000],
        created_at=datetime.fromisoformat(item["created_at"]),
        updated_at=time_of(item.get("updated_at")),
        url=item["web_url"],
    )
