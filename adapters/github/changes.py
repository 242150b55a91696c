"""Commits, comparisons, pull requests, deployments and releases of GitHub repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import Field

from adapters.github.connection import REPO, Connection, documented, nullable, opened, path
from adapters.kit.capabilities import Check, CommitQuery, EventQuery
from adapters.kit.changes import chosen, completed, revision, wanted_repositories
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import ChangeStatus, Commit, Deploy, FileChange, Page, Ticket
from adapters.kit.status import clock_skew_s
from adapters.kit.together import together

if TYPE_CHECKING:
    import github.Commit
    import github.Deployment
    import github.File
    import github.GitRelease
    import github.PullRequest
    import github.Repository

MAX_FILES = 3_000  # https://docs.github.com/en/rest/commits/commits#get-a-commit
MAX_COMPARED = 10_000
_SCAN_DEPLOYS = 2_000
_RELEASES = 200
_STATUS: Mapping[str, ChangeStatus] = {
    "added": "added", "removed": "deleted", "renamed": "renamed", "copied": "copied",
    "changed": "typechange",
}  # fmt: skip
_ADVICE = (
    "grant the token read access to Contents, Pull requests and Deployments of the repository "
    "(a classic token: scope repo)"
)


class Settings(Connection):
    """Which repositories, as whom, and what counts as a deploy."""

    environments: tuple[str, ...] = Field(
        default=(), description="Only deployments to these environments; empty: to all"
    )
    releases: bool = Field(default=True, description="Whether a published release is a deploy")
    service: str = Field(
        default="", description="Service of deployments and releases (default: repository's name)"
    )


class Adapter:
    """Reads changes and deploys of one or several repositories."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(name, settings, advice=_ADVICE)

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        """List non-merge changes, newest first, with their files.

        GitHub filters by the committer's date; so do we, again.

        Raises:
            AdapterError: no such repository or head, no permission, or no answer.
        """
        head = revision(self.name, query.head)
        for name in self._repositories(query.repo):
            repo = self._repository(name)
            found, cut = self._listed(repo, name, head, query)
            yield from completed(found, self._filler(repo, patches=query.patches), cut)

    def compare(self, repo: str, base: str, head: str) -> Iterator[Page[Commit]]:
        """The changes that `head` has and `base` has not, newest first.

        Raises:
            AdapterError: as `commits`.
        """
        base, head = revision(self.name, base), revision(self.name, head)
        (name,) = self._repositories(repo)[:1] or (repo,)
        asked = self._repository(name)
        with documented(self.name):
            listed = islice(asked.compare(base, head).commits, MAX_COMPARED)
            found = [self._commit(commit, name) for commit in listed]
        plain = [commit for commit in reversed(found) if len(commit.parents) < 2]
        cut = f"GitHub lists {MAX_COMPARED:,} changes at most" if len(found) == MAX_COMPARED else ""
        yield from completed(plain, self._filler(asked, patches=True), cut)

    def requests_of(self, repo: str, sha: str) -> tuple[Ticket, ...]:
        """The pull requests that a commit belongs to.

        Raises:
            AdapterError: as `commits`.
        """
        (name,) = self._repositories(repo)[:1] or (repo,)
        with documented(self.name):
            commit = self._repository(name).get_commit(revision(self.name, sha))
            pulls = islice(commit.get_pulls(), 20)
            return tuple(_parse_pull(pull, self.name) for pull in pulls)

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List deployments and published releases of the window, newest first within each repository.

        Raises:
            AdapterError: as `commits`.
        """
        for name in self._repositories(""):
            repo = self._repository(name)
            found, cut = self._deployments(repo, name, query)
            if self._settings.releases:
                more, early = self._releases(repo, name, query)
                found, cut = [*found, *more], cut or early
            found.sort(key=lambda deploy: deploy.at, reverse=True)
            if len(found) > query.limit:
                cut = f"only the newest {query.limit} deploys were read"
            yield Page(tuple(found[: query.limit]), truncated=cut)

    def check(self) -> Check:
        """Whether the token reads what is needed, and which permission it lacks.

        Raises:
            AdapterError: it reads nothing.
        """
        repos = self._repositories("")
        if not repos:
            answer = self._http.get("rate_limit")
            return Check(ok=True, detail="signed in", clock_skew_s=clock_skew_s(answer.headers))
        answer = self._http.get(path(repos[0], "commits"), {"per_page": 1})
        parts = (("deployments", "Deployments: read"), ("pulls", "Pull requests: read"))
        asked = together(lambda p: self._http.get(path(repos[0], p[0]), {"per_page": 1}), parts)
        return Check(
            ok=True,
            detail=f"{', '.join(repos)} can be read",
            version=answer.headers.get("x-github-enterprise-version", ""),
            missing=tuple(
                permission
                for (_, permission), found in zip(parts, asked, strict=True)
                if isinstance(found, AdapterError)
                and found.reason in {Reason.AUTH, Reason.NOT_FOUND}
            ),
            clock_skew_s=clock_skew_s(answer.headers),
        )

    def _repositories(self, asked: str) -> tuple[str, ...]:
        names = wanted_repositories(self._settings.repo, asked)
        if any(not REPO.fullmatch(name) for name in names):
            raise AdapterError(self.name, Reason.BAD_REQUEST, "name the repository as owner/name")
        return names

    def _repository(self, name: str) -> github.Repository.Repository:
        from adapters.github.objects import repository

        return repository(self._http, name)

    def _listed(
        self, repo: github.Repository.Repository, name: str, head: str, query: CommitQuery
    ) -> tuple[list[Commit], str]:
        from github.GithubObject import NotSet

        # GitHub counts whole seconds and does not say which end is open.
        since = query.window.since - timedelta(seconds=1)
        until = query.window.until + timedelta(seconds=1)

        def newest() -> Iterable[Commit]:
            for below in query.paths or ("",):
                listed = repo.get_commits(sha=head or NotSet, path=below or NotSet)
                yield from (self._commit(commit, name) for commit in listed)

        def in_window() -> Iterable[Commit]:
            for below in query.paths or ("",):
                listed = repo.get_commits(
                    sha=head or NotSet, path=below or NotSet, since=since, until=until
                )
                yield from (self._commit(commit, name) for commit in listed)

        with documented(self.name):
            return chosen(query, newest, in_window)

    def _commit(self, commit: github.Commit.Commit, repo: str) -> Commit:
        return _parse_commit(commit, self.name, repo, f"{self._settings.web}/{repo}")

    def _filler(
        self, repo: github.Repository.Repository, *, patches: bool
    ) -> Callable[[Commit], Commit]:
        def filled(commit: Commit) -> Commit:
            with documented(self.name):
                listed = islice(repo.get_commit(commit.sha).files, MAX_FILES)
                files = tuple(_parse_file(file, patches=patches) for file in listed)
            full = len(files) >= MAX_FILES
            return commit.model_copy(update={"files": files, "files_truncated": full})

        return filled

    def _deployments(
        self, repo: github.Repository.Repository, name: str, query: EventQuery
    ) -> tuple[list[Deploy], str]:
        """Newest first; there is no filter by time, so pages are read until they are older than the window."""
        found: list[github.Deployment.Deployment] = []
        cut = ""
        with documented(self.name):
            for number, deployment in enumerate(repo.get_deployments()):
                if number == _SCAN_DEPLOYS:
                    cut = f"only the newest {_SCAN_DEPLOYS:,} deployments were looked at"
                    break
                if deployment.created_at < query.window.since:
                    break
                environments = self._settings.environments
                if environments and deployment.environment not in environments:
                    continue
                if deployment.created_at in query.window:
                    if len(found) >= query.limit:
                        cut = f"only the newest {query.limit} deployments were read"
                        break
                    found.append(deployment)
        states = together(self._state, found)
        return [
            self._deploy(deployment, name, "" if isinstance(state, AdapterError) else state)
            for deployment, state in zip(found, states, strict=True)
        ], cut

    def _state(self, deployment: github.Deployment.Deployment) -> str:
        """The newest status says how it went."""
        with documented(self.name):
            return next((status.state for status in deployment.get_statuses()), "")

    def _deploy(self, item: github.Deployment.Deployment, repo: str, status: str) -> Deploy:
        with documented(self.name):
            title = str(item.description or item.task or "")[:500]
            environment = str(item.environment or "")
            return Deploy(
                source=self.name,
                service=self._service(repo),
                environment=environment,
                version=str(item.ref or ""),
                sha=item.sha,
                repo=repo,
                title=title,
                status=status,
                kind="rollback" if "rollback" in f"{title} {item.task}".casefold() else "deploy",
                at=item.created_at,
                url=f"{self._settings.web}/{repo}/deployments/{quote(environment, safe='')}",
            )

    def _releases(
        self, repo: github.Repository.Repository, name: str, query: EventQuery
    ) -> tuple[list[Deploy], str]:
        """Published releases; GitHub lists them by the age of their commit, so none of the newest is skipped."""
        with documented(self.name):
            listed = list(islice(repo.get_releases(), _RELEASES))
            found = [
                _parse_release(release, self.name, name, self._service(name))
                for release in listed
                if not release.draft and release.published_at in query.window
            ]
        full = len(listed) == _RELEASES and listed[-1].created_at > query.window.since
        return found, f"only the newest {_RELEASES} releases were looked at" if full else ""

    def _service(self, repo: str) -> str:
        return self._settings.service or repo.rpartition("/")[2]


def _parse_commit(item: github.Commit.Commit, source: str, repo: str, web: str) -> Commit:
    message = item.commit.message or ""
    author = nullable(item.commit.author)  # either may be unknown to git
    person = nullable(item.commit.committer) or item.commit.author
    return Commit(
        source=source,
        repo=repo,
        sha=item.sha,
        parents=tuple(parent.sha for parent in item.parents),
        title=message.partition("\n")[0],
        message=message.strip()[:20_000],
        author=(author.name or "") if author else "",
        committed_at=person.date,
        url=f"{web}/commit/{item.sha}",
    )


def _parse_file(item: github.File.File, *, patches: bool) -> FileChange:
    return FileChange(
        path=item.filename,
        old_path=item.previous_filename or None,
        status=_STATUS.get(item.status, "modified"),
        added=item.additions,
        removed=item.deletions,
        patch=(item.patch or "") if patches else "",
    )


def _parse_pull(item: github.PullRequest.PullRequest, source: str) -> Ticket:
    return Ticket(
        source=source,
        key=f"#{item.number}",
        title=item.title,
        state="merged" if item.merged_at else item.state,
        text=(item.body or "")[:20_000],
        created_at=item.created_at,
        updated_at=item.updated_at,
        url=item.html_url,
    )


def _parse_release(
    item: github.GitRelease.GitRelease, source: str, repo: str, service: str
) -> Deploy:
    return Deploy(
        source=source,
        service=service,
        version=item.tag_name,
        repo=repo,
        title=f"Release {item.name or item.tag_name}"[:500],
        status="prerelease" if item.prerelease else "published",
        at=item.published_at,
        url=item.html_url,
    )
