"""How to reach GitLab, and what reading changes and reading jobs have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.capabilities import Check
from adapters.kit.changes import names, wanted_repositories
from adapters.kit.errors import AdapterError, Reason, documented
from adapters.kit.http import Http
from adapters.kit.paging import linked
from adapters.kit.settings import AdapterSettings
from adapters.kit.status import clock_skew_s
from adapters.kit.together import together

PROJECT = re.compile(r"[\w.-]{1,255}(?:/[\w.-]{1,255}){1,20}")
_ADVICE = "grant the token the scope read_api and at least the role Reporter in the project"


class Connection(AdapterSettings):
    """Address, sign-in and projects."""

    url: str = Field(default="https://gitlab.com", description="Address of GitLab")
    token: SecretStr | None = Field(
        default=None,
        description="Personal, group or project access token",
        json_schema_extra={"env": "GITLAB_TOKEN"},
    )
    repo: tuple[str, ...] = Field(
        default=(),
        description="Projects with their groups, as group/name; empty: those that a question names",
        json_schema_extra={"flag": "--repo"},
    )
    service: str = Field(
        default="", description="Service of what is found (default: project's name)"
    )
    ca_file: str = Field(
        default="", description="File with the certificate authority, where it is a private one"
    )

    _several = field_validator("repo", mode="before")(names)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value).removesuffix("/api/v4")

    @field_validator("repo")
    @classmethod
    def _projects(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not PROJECT.fullmatch(name) or ".." in name:
                msg = f"{name!r} must be written group/name"
                raise ValueError(msg)
        return value

    def opened(self, name: str) -> Http:
        """The transport; opens nothing yet."""
        token = self.token.get_secret_value() if self.token else ""
        return Http(
            name,
            f"{self.url}/api/v4",
            headers={"Authorization": SecretStr(f"Bearer {token}")} if token else {},
            verify=self.ca_file or True,
            advice=_ADVICE,
            reset=_reset,
            concurrency=8,
        )

    def service_of(self, project: str) -> str:
        return self.service or project.rpartition("/")[2]


class Client:
    """What reading changes and reading jobs have in common."""

    def __init__(self, name: str, settings: Connection) -> None:
        self.name = name
        self._connection = settings
        self._http = settings.opened(name)

    def check(self) -> Check:
        """Whether the projects can be read, and which part of them cannot.

        Raises:
            AdapterError: none can.
        """
        version = self._http.get("version")
        with documented(self.name):
            release = str(version.json()["version"])
        parts = [
            (project, part)
            for project in self._connection.repo
            for part in ("repository/commits", "deployments", "jobs")
        ]
        asked = together(
            lambda p: self._http.get(f"{path_of(p[0])}/{p[1]}", {"per_page": 1}), parts
        )
        refused = [
            f"{part} of {project}"
            for (project, part), found in zip(parts, asked, strict=True)
            if isinstance(found, AdapterError)
        ]
        if parts and len(refused) == len(parts) and isinstance(asked[0], AdapterError):
            raise asked[0]
        detail = f"{', '.join(self._connection.repo)} can be read" if parts else "signed in"
        skew = clock_skew_s(version.headers)
        return Check(
            ok=True, detail=detail, version=release, missing=tuple(refused), clock_skew_s=skew
        )

    def _projects(self, asked: str) -> tuple[str, ...]:
        found = wanted_repositories(self._connection.repo, asked)
        if any(not PROJECT.fullmatch(name) or ".." in name for name in found):
            raise AdapterError(self.name, Reason.BAD_REQUEST, "name the project as group/name")
        return found

    def _items(self, path: str, **params: str | int | list[str]) -> Iterator[dict[str, Any]]:
        for page in linked(self._http, path, {"per_page": 100, **params}):
            yield from page


def path_of(name: str) -> str:
    """The path of a project: its full name, quoted once, is one segment."""
    return f"projects/{quote(name, safe='')}"


def _reset(headers: httpx.Headers, now: float) -> float | None:
    until = headers.get("ratelimit-reset", "")
    if headers.get("ratelimit-remaining") != "0" or not until.isdigit():
        return None
    return max(0.0, int(until) - now)


def time_of(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
