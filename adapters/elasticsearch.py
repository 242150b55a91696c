"""Elasticsearch and OpenSearch: log events of an index, read forward in time.

A page begins again at the last moment of the one before, and events that were seen are taken off by their id. This needs
neither a point in time nor a scroll, so that reading opens nothing on the cluster that would have to be closed, and it
is the same request for all versions since Elasticsearch 7.2 and OpenSearch 1.0.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-search and
https://docs.opensearch.org/latest/api-reference/search-apis/search/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import quote

import orjson
from pydantic import Field, field_validator

from adapters.kit.access import WebSettings, opened, web_address
from adapters.kit.capabilities import Check, LogQuery
from adapters.kit.entries import Entries, Known, micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LogBatch, Window
from adapters.kit.shape import Json, inner, mapping, objects, word

TYPES: Mapping[str, tuple[str, ...]] = {
    "log_sources": ("elasticsearch", "opensearch"),
}
SCOPES = "An API key or user with the index privilege `read` on the configured indexes (and `monitor` for the version)."
TESTED = "A strict server that knows only the requests we send; an example of Elastic's specification; the conformance suite; no real server."

MOST: Final = 10_000  # index.max_result_window
_INDEX: Final = re.compile(r"[a-z0-9.][a-z0-9._-]{0,200}\*?")
_FIELD: Final = re.compile(r"[A-Za-z_@][A-Za-z0-9_@.-]{0,199}")
_STATUS: Final = re.compile(r"[1-5]\d\d")


class Settings(WebSettings):
    """Where the cluster is, which indexes hold logs, and how their fields are named."""

    index: tuple[str, ...] = Field(
        min_length=1,
        description="Indexes, data streams or aliases, a * only at the end: logs-app-*",
    )
    auth_scheme: Literal["ApiKey", "Bearer"] = Field(
        default="ApiKey", description="How the token is sent; OpenSearch takes Bearer"
    )
    time_field: str = Field(default="@timestamp", description="Field of the event's time")
    message_field: str = Field(default="message", description="Field of the text")
    level_field: str = Field(default="log.level", description="Field of the severity")
    service_field: str = Field(default="service.name", description="Field of the service's name")
    host_field: str = Field(default="host.name", description="Field of the host")
    trace_field: str = Field(default="trace.id", description="Field of the trace id")
    page_size: int = Field(default=2_000, ge=1, le=MOST, description="Events per request")
    kibana_url: str = Field(default="", description="Kibana that shows these logs, for links")
    data_view: str = Field(default="", description="Id of the data view in Kibana, for links")

    @field_validator("index")
    @classmethod
    def _listed(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _INDEX.fullmatch(name) or name == "*":
                msg = f"{name!r} is no name of an index; write logs-app or logs-app-*"
                raise ValueError(msg)
        return names

    @field_validator("kibana_url")
    @classmethod
    def _link(cls, value: str) -> str:
        return web_address(value) if value else value


class Adapter:
    """Reads log events of the configured indexes."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(
            name,
            settings,
            scheme=settings.auth_scheme,
            advice="give this source an API key or user that may `read` the index",
        )

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the events of the window in the order of time.

        Raises:
            AdapterError: no answer, no such index, or a selector with a name that no field has.
        """
        filters = self._filters(query)
        entries = Entries(self.name, query, url=self._link(query))
        truncated = ""
        for hits, cut in self._pages(filters, query.window):
            truncated = truncated or cut
            for hit in hits:
                self._add(entries, hit, query.contains)
            yield from entries.ready()
            if entries.full:
                return
        yield from entries.rest(truncated)

    def check(self) -> Check:
        """Ask for the version."""
        answer = mapping(self.name, self._http.get("").json(), "version")
        version = inner(answer, "version")
        product = word(version, "distribution", limit=40) or "elasticsearch"
        return Check(
            ok=True, detail=f"{product} answers", version=word(version, "number", limit=40)
        )

    def _filters(self, query: LogQuery) -> list[Json]:
        wanted = dict(query.selector)
        if query.service and not query.selector:
            wanted[self._settings.service_field] = query.service
        for name in wanted:
            if not _FIELD.fullmatch(name):
                raise AdapterError(
                    self.name,
                    Reason.BAD_REQUEST,
                    f"{name[:60]!r} in the selector is no name of a field",
                )
        return [
            *(_equals(name, value) for name, value in sorted(wanted.items())),
            *({"match_phrase": {self._settings.message_field: text}} for text in query.contains),
        ]

    def _pages(self, filters: list[Json], window: Window) -> Iterator[tuple[list[Json], str]]:
        """Pages of events, each event once, with the reason why some are missing."""
        bound, begin = "gte", micros(window.since) * 1000
        size, seen = self._settings.page_size, set[tuple[str, str]]()
        while True:
            hits, partial = self._page(filters, bound, begin, window, size)
            last = max((_ns(hit) for hit in hits), default=begin)
            yield [hit for hit in hits if _key(hit) not in seen], partial
            if len(hits) < size:
                return
            if last > begin or bound == "gt":
                bound, begin, size = "gte", last, self._settings.page_size
                seen = {_key(hit) for hit in hits if _ns(hit) == last}
            elif size < MOST:
                seen |= {_key(hit) for hit in hits}
                size = MOST
            else:
                yield [], f"More than {MOST:,} events have the same time; some were left out."
                bound, size, seen = "gt", self._settings.page_size, set()

    def _page(
        self, filters: list[Json], bound: str, begin: int, window: Window, size: int
    ) -> tuple[list[Json], str]:
        time = self._settings.time_field
        span = {
            bound: _nanos(begin),
            "lt": _nanos(micros(window.until) * 1000),
            "format": "strict_date_optional_time_nanos",
        }
        body = {
            "size": size,
            "timeout": "15s",
            "track_total_hits": False,
            "query": {"bool": {"filter": [{"range": {time: span}}, *filters]}},
            "sort": [
                {time: {"order": "asc", "numeric_type": "date_nanos", "unmapped_type": "date"}}
            ],
        }
        path = f"{quote(','.join(self._settings.index), safe=',*')}/_search"
        answer = mapping(self.name, self._http.query(path, body).json(), "hits")
        hits = objects(self.name, inner(answer, "hits").get("hits"), "hits")
        if not all(_timed(hit) for hit in hits):
            raise AdapterError(
                self.name, Reason.BAD_RESPONSE, "answered with events that have no sort value"
            )
        return hits, _partial(answer)

    def _add(self, entries: Entries, hit: Json, contains: tuple[str, ...]) -> None:
        source = inner(hit, "_source")
        at = self._settings
        text = _field(source, at.message_field)
        if any(one.casefold() not in text.casefold() for one in contains):
            return  # a phrase is a looser thing than a text
        stack = _field(source, "error.stack_trace")
        status = _field(source, "http.response.status_code")
        known: Known = {
            "level": _field(source, at.level_field) or _field(source, "level") or None,
            "service": _field(source, at.service_field) or None,
            "host": _field(source, at.host_field) or None,
            "trace": _field(source, at.trace_field) or None,
            "status": int(status) if _STATUS.fullmatch(status) else None,
            "origin": word(hit, "_index", limit=200) or None,
        }
        full = f"{text}\n{stack}" if stack and stack not in text else text
        entries.add(full or orjson.dumps(source).decode(), _ns(hit) // 1000, **known)

    def _link(self, query: LogQuery) -> str:
        if not (self._settings.kibana_url and self._settings.data_view):
            return ""
        kql = (
            f"{self._settings.service_field} : {kql_string(query.service)}" if query.service else ""
        )
        begin, end = query.window.since.isoformat(), query.window.until.isoformat()
        state = f"(time:(from:{rison(begin)},to:{rison(end)}))"
        view = f"(dataView:{rison(self._settings.data_view)},query:(language:kuery,query:{rison(kql)}))"
        return f"{self._settings.kibana_url}/app/discover#/?_g={quote(state, safe='')}&_a={quote(view, safe='')}"


def kql_string(text: str) -> str:
    """A quoted value of Kibana's query language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rison(text: str) -> str:
    """A string of rison, in which Kibana writes its state: https://github.com/Nanonid/rison."""
    return "'" + text.replace("!", "!!").replace("'", "!'") + "'"


def _equals(name: str, value: str) -> Json:
    """Fields are keywords, or texts with a keyword beside them."""
    either = [{"term": {name: value}}, {"term": {f"{name}.keyword": value}}]
    return {"bool": {"should": either, "minimum_should_match": 1}}


def _timed(hit: Json) -> bool:
    order = hit.get("sort")
    return isinstance(order, list) and bool(order) and isinstance(order[0], int)


def _ns(hit: Json) -> int:
    return int(hit["sort"][0])


def _key(hit: Json) -> tuple[str, str]:
    return word(hit, "_index", limit=500), word(hit, "_id", limit=600)


def _nanos(ns: int) -> str:
    moment = datetime.fromtimestamp(ns // 10**9, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"


def _partial(answer: Json) -> str:
    """A search that ran out of time or lost shards answers 200 with what it has."""
    if answer.get("timed_out") is True or answer.get("terminated_early") is True:
        return "The search ran out of time and answered in part."
    failed = inner(answer, "_shards").get("failed")
    return f"{failed} shards did not answer." if isinstance(failed, int) and failed > 0 else ""


def _field(source: Json, path: str) -> str:
    """A field that is written `a.b`, or as an object within an object."""
    return word(source, path, limit=1 << 20) or word(source, *path.split("."), limit=1 << 20)
