"""Jira Cloud and Data Center: issues that were created or updated around an incident.

Dates of JQL are minutes in the time zone of the user that asks, which is not told: the query spans a day more on either
side, and the window is applied on ours.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/ and
https://developer.atlassian.com/server/jira/platform/rest/v10000/api-group-search/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.capabilities import Check, EventQuery
from adapters.kit.http import Http
from adapters.kit.records import Page, Ticket, Window
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import Json, inner, mapping, moment, objects, word

TYPES: Mapping[str, tuple[str, ...]] = {"ticket_sources": ("jira",)}
SCOPES = "An API token (Cloud, with the user's email) or personal access token (Data Center) of a user with Browse Projects."
TESTED = "Recorded answers of Data Center, a server that answers as Cloud documents, the conformance suite."

PAGE: Final = 100
MAX_PAGES: Final = 20
_ZONES: Final = timedelta(hours=15)  # no zone is further from UTC
_FIELDS: Final = ("summary", "status", "created", "updated", "description")
_LUCENE: Final = re.compile(r'[+\-&|!(){}\[\]^"~*?:\\/]')
_PROJECT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")


class Settings(AdapterSettings):
    """Where Jira is, and which projects count."""

    url: str = Field(description="For example https://acme.atlassian.net")
    token: SecretStr = Field(
        description="API token (Cloud) or personal access token (Data Center)",
        json_schema_extra={"env": "JIRA_TOKEN"},
    )
    email: str = Field(
        default="",
        description="The token's user, for Cloud",
        json_schema_extra={"env": "JIRA_EMAIL"},
    )
    edition: Literal["cloud", "data-center"] = Field(
        default="cloud", description="The two have different search addresses"
    )
    projects: tuple[str, ...] = Field(default=(), description="Keys of projects; default all")

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)

    @field_validator("projects")
    @classmethod
    def _keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            if not _PROJECT.fullmatch(key):
                msg = f"{key!r} is no key of a project"
                raise ValueError(msg)
        return keys


class Adapter:
    """Lists issues."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        bearer = SecretStr(f"Bearer {settings.token.get_secret_value()}")
        self._http = Http(
            name,
            settings.url,
            headers={} if settings.email else {"Authorization": bearer},
            auth=(settings.email, settings.token) if settings.email else None,
            advice="check email and token, and that the user may browse the projects",
        )

    def tickets(self, query: EventQuery) -> Iterator[Page[Ticket]]:
        """List issues of the window that name the service or the text, the earliest created first.

        Raises:
            AdapterError: no answer.
        """
        left = query.limit
        for found, cut in self._pages(self._jql(query)):
            parsed = (self._parse(one) for one in found)
            wanted = [ticket for ticket in parsed if ticket and _within(ticket, query.window)]
            if len(wanted) > left:
                yield Page(tuple(wanted[:left]), f"Only {query.limit} issues are shown.")
                return
            left -= len(wanted)
            yield Page(tuple(wanted), cut)

    def check(self) -> Check:
        """Ask whose token it is, and for the version."""
        version = "3" if self._settings.edition == "cloud" else "2"
        self._http.get(f"rest/api/{version}/myself")
        server = mapping(
            self.name, self._http.get(f"rest/api/{version}/serverInfo").json(), "version"
        )
        return Check(
            ok=True, detail="Jira knows the user", version=word(server, "version", limit=40)
        )

    def _jql(self, query: EventQuery) -> str:
        since, until = _day(query.window.since - _ZONES), _day(query.window.until + _ZONES)
        clauses = [
            f"((created >= {since} AND created <= {until}) OR (updated >= {since} AND updated <= {until}))"
        ]
        if self._settings.projects:
            clauses.insert(
                0, f"project in ({', '.join(jql_string(key) for key in self._settings.projects)})"
            )
        clauses += [
            f"text ~ {phrase(text)}" for text in (query.service, query.text) if text.strip()
        ]
        return f"{' AND '.join(clauses)} ORDER BY created ASC, key ASC"

    def _pages(self, jql: str) -> Iterator[tuple[list[Json], str]]:
        cloud = self._settings.edition == "cloud"
        path = "rest/api/3/search/jql" if cloud else "rest/api/2/search"
        body: dict[str, object] = {"jql": jql, "fields": list(_FIELDS), "maxResults": PAGE}
        seen: set[str] = set()
        for number in range(1, MAX_PAGES + 1):
            answer = mapping(self.name, self._http.query(path, body).json(), "issues")
            found = objects(self.name, answer.get("issues"), "issues")
            fresh = [one for one in found if word(one, "key", limit=60) not in seen]
            seen |= {word(one, "key", limit=60) for one in found}
            token = word(answer, "nextPageToken", limit=4_000)
            total = answer.get("total")
            more = bool(fresh) and (
                bool(token) if cloud else isinstance(total, int) and len(seen) < total
            )
            cut = (
                f"Only the first {len(seen)} issues were read."
                if more and number == MAX_PAGES
                else ""
            )
            yield fresh, cut
            if not more:
                return
            body = {**body, "nextPageToken": token} if cloud else {**body, "startAt": len(seen)}

    def _parse(self, one: Json) -> Ticket | None:
        fields = inner(one, "fields")
        key, created = word(one, "key", limit=60), moment(fields.get("created"))
        if created is None or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*-\d+", key):
            return None
        return Ticket(
            source=self.name,
            key=key,
            title=word(fields, "summary", limit=1_000),
            state=word(fields, "status", "name", limit=100),
            text=document(fields.get("description")),
            created_at=created,
            updated_at=moment(fields.get("updated")),
            url=f"{self._settings.url}/browse/{key}",
        )


def jql_string(text: str) -> str:
    """A quoted value of JQL: https://support.atlassian.com/jira-software-cloud/docs/jql-operators/."""
    plain = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def phrase(text: str) -> str:
    """A value for `text ~` that means these words in this order; what Lucene would take for syntax is escaped."""
    return jql_string('"' + _LUCENE.sub(r"\\\g<0>", text[:200]) + '"')


def document(value: object) -> str:
    """The plain text of a description: wiki text (Data Center), or Atlassian's document format (Cloud)."""
    if isinstance(value, str):
        return value[:20_000]
    pieces: list[str] = []
    stack: list[object] = [value]
    while stack and len(pieces) < 5_000:
        node = stack.pop()
        if not isinstance(node, dict):
            continue
        if node.get("type") in {"paragraph", "heading", "listItem", "codeBlock", "hardBreak"}:
            pieces.append("\n")
        pieces.append(word(node, "text"))
        content = node.get("content")
        stack.extend(reversed(content) if isinstance(content, list) else [])
    return re.sub(r"\n{2,}", "\n", "".join(pieces)).strip()[:20_000]


def _day(at: datetime) -> str:
    return f'"{at:%Y/%m/%d %H:%M}"'


def _within(ticket: Ticket, window: Window) -> bool:
    return ticket.created_at in window or (
        ticket.updated_at is not None and ticket.updated_at in window
    )
