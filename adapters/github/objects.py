"""PyGithub's paging and objects over the kit's transport, so that its deadlines, retries, limits and guards hold.

PyGithub follows `Link: rel=next` as GitHub asks for. Its own transport, which waits up to an hour in the calling
thread when a limit is used up and asks for formats that are long gone, is not used; neither are its writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from github.PaginatedList import PaginatedList
from github.Repository import Repository
from github.Requester import Requester
from github.WorkflowJob import WorkflowJob
from github.WorkflowRun import WorkflowRun
from typing_extensions import override

from adapters.github.connection import path
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Http

MAX_REQUESTS = 1_000
_UNCHANGING = re.compile(r"/commits/[0-9a-f]{40}(?:\?|$)")


class Reader(Requester):
    """Reads for PyGithub's objects. One is made for each question, and answers at most `MAX_REQUESTS` times."""

    def __init__(self, http: Http) -> None:
        super().__init__(
            auth=None,
            base_url=http.base_url.rstrip("/"),
            timeout=30,
            user_agent="incident-responder",
            per_page=100,
            verify=True,
            retry=None,
            pool_size=None,
            lazy=True,
        )
        self._http = http
        self._left = MAX_REQUESTS

    @override
    def requestJsonAndCheck(
        self,
        verb: str,
        url: str,
        parameters: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        input: Any | None = None,
        follow_302_redirect: bool = False,
    ) -> tuple[dict[str, Any], Any]:
        if verb != "GET" or input is not None:
            raise AdapterError(self._http.system, Reason.BAD_REQUEST, "only reads are allowed")
        self._left -= 1
        if self._left < 0:
            detail = "points to ever more pages; ask for a shorter time"
            raise AdapterError(self._http.system, Reason.BAD_RESPONSE, detail)
        base = self._http.base_url
        inside = url.startswith(("/", base))
        answer = (
            self._http.get(
                url.removeprefix(base),
                parameters or None,
                closed=bool(_UNCHANGING.search(url)),
            )
            if inside
            else self._http.follow(url)
        )
        data = answer.json()
        if not isinstance(data, dict | list):
            detail = "answered in a form that it does not document"
            raise AdapterError(self._http.system, Reason.BAD_RESPONSE, detail)
        return {name.lower(): value for name, value in answer.headers.items()}, data


def repository(http: Http, name: str) -> Repository:
    """A repository to ask, without asking for the repository itself."""
    url = f"{http.base_url}{path(name)}"
    return Repository(Reader(http), {}, {"url": url}, completed=True)


def runs(http: Http, repo: str, status: str, created: str, branch: str) -> Iterable[WorkflowRun]:
    """Runs of a repository, newest first; `branch` is a name, where PyGithub would want its object."""
    params = {"status": status, "created": created, **({"branch": branch} if branch else {})}
    url = f"{http.base_url}{path(repo, 'actions', 'runs')}"
    return PaginatedList(WorkflowRun, Reader(http), url, params, list_item="workflow_runs")


def jobs(http: Http, below: str) -> Iterable[WorkflowJob]:
    """Jobs of a run or of one of its attempts."""
    return PaginatedList(WorkflowJob, Reader(http), http.base_url + below, list_item="jobs")
