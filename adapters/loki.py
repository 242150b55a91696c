"""Grafana Loki: log lines, read forward in time with the cursor that its nanoseconds allow.

`start` is inclusive and `end` exclusive; `limit` counts over all streams together. A page therefore begins again at the
last nanosecond of the one before, and what was seen at it is taken off.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote

from pydantic import Field, field_validator

from adapters.kit.access import WebSettings, opened, web_address
from adapters.kit.capabilities import Check, LogQuery
from adapters.kit.entries import Entries, Known, micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.quote import go_string, is_label
from adapters.kit.records import LogBatch, Window
from adapters.kit.shape import Json, mapping, objects, words

TYPES: Mapping[str, tuple[str, ...]] = {"log_sources": ("loki",)}
SCOPES = "A token or user with `logs:read` of the tenant; GET /loki/api/v1/query_range and /labels."
TESTED = "Responses recorded from a real Loki 3; a server that behaves as Loki documents; the conformance suite."

SLICE_NS: Final = 24 * 3600 * 10**9  # servers limit the length of a query, 30 days by default
_SERVICE: Final = ("service_name", "service", "app", "job")
_HOST: Final = ("pod", "instance", "host", "hostname", "node")
_ORIGIN: Final = ("filename", "container", "stream")
_TRACE: Final = ("trace_id", "traceID", "traceid", "request_id")


class Settings(WebSettings):
    """Where Loki is, and how it names services."""

    service_label: str = Field(
        default="service_name",
        description="Label that holds a service's name; Loki 3 sets service_name",
    )
    selector: Mapping[str, str] = Field(
        default={}, description="Labels that every stream must have, for example {env: prod}"
    )
    tenant: str = Field(default="", description="X-Scope-OrgID, where Loki has several tenants")
    page_size: int = Field(
        default=5_000,
        ge=2,
        le=100_000,
        description="Lines per request; the server's limit is 5000 by default",
    )
    grafana_url: str = Field(default="", description="Grafana that shows this Loki, for links")
    grafana_datasource: str = Field(default="", description="UID of this Loki in that Grafana")

    @field_validator("service_label")
    @classmethod
    def _label(cls, value: str) -> str:
        if not is_label(value):
            msg = f"{value!r} is no name of a label"
            raise ValueError(msg)
        return value

    @field_validator("grafana_url")
    @classmethod
    def _link(cls, value: str) -> str:
        return web_address(value) if value else value


Labels = tuple[tuple[str, str], ...]


class Line(NamedTuple):
    """One entry: nanoseconds since 1970, the text, and its labels in alphabetical order."""

    ns: int
    text: str
    labels: Labels


class Adapter:
    """Reads the lines of a service's streams."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(
            name,
            settings,
            headers={"X-Scope-OrgID": settings.tenant} if settings.tenant else {},
            advice="give this source a token or password with logs:read, and the tenant if there are several",
        )

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the lines of the window in the order of time.

        Raises:
            AdapterError: no answer, or a selector with a name that cannot be a label.
        """
        logql = self._logql(query)
        entries = Entries(
            self.name, query, url=self._link(logql, query.window), service=query.service
        )
        truncated = ""
        for begin, end in _slices(query.window):
            for page in self._pages(logql, begin, end):
                if isinstance(page, str):
                    truncated = page
                    continue
                for line in page:
                    entries.add(line.text, line.ns // 1000, **self._columns(line.labels))
                yield from entries.ready()
                if entries.full:
                    return
        yield from entries.rest(truncated)

    def check(self) -> Check:
        """Ask for the labels of the last hours.

        Raises:
            AdapterError: no answer.
        """
        body = mapping(self.name, self._http.get("loki/api/v1/labels").json(), "status")
        labels = body.get("data")
        known = labels if isinstance(labels, list) else []
        missing = () if self._settings.service_label in known else (self._settings.service_label,)
        said = f"{len(known)} labels"
        if missing:
            said += f"; none is {missing[0]}, set `service_label`"
        return Check(ok=True, detail=said, missing=missing)

    def _logql(self, query: LogQuery) -> str:
        wanted = {**self._settings.selector, **query.selector}
        for name in wanted:
            if not is_label(name):
                raise AdapterError(
                    self.name,
                    Reason.BAD_REQUEST,
                    f"{name[:60]!r} in the selector is no name of a label",
                )
        if query.service and not query.selector:
            wanted[self._settings.service_label] = query.service
        matchers = [f"{name}={go_string(value)}" for name, value in sorted(wanted.items())]
        if not any(wanted.values()):  # Loki wants at least one that cannot match nothing
            matchers.append(f'{self._settings.service_label}=~".+"')
        filters = "".join(f" |= {go_string(text)}" for text in query.contains)
        return f"{{{', '.join(matchers)}}}{filters}"

    def _columns(self, labels: Labels) -> Known:
        return _columns(labels, self._settings.service_label)

    def _pages(self, logql: str, begin: int, end: int) -> Iterator[list[Line] | str]:
        """Pages of a span, each entry once; a text instead says what cannot be read."""
        size = self._settings.page_size
        seen: Counter[Line] = Counter()  # what was read of the nanosecond `begin`
        while begin < end:
            page = self._page(logql, begin, end)
            fresh = list(_without(page, seen))
            yield fresh
            if len(page) < size:
                return
            last = page[-1].ns
            if last > begin:
                begin, seen = last, Counter(line for line in page if line.ns == last)
            elif fresh:
                seen.update(fresh)
            else:
                yield f"More than {size:,} lines have the same nanosecond; some were left out."
                begin, seen = last + 1, Counter()

    def _page(self, logql: str, begin: int, end: int) -> list[Line]:
        params = {
            "query": logql,
            "start": str(begin),
            "end": str(end),
            "limit": str(self._settings.page_size),
            "direction": "forward",
        }
        body = mapping(
            self.name, self._http.get("loki/api/v1/query_range", params).json(), "status"
        )
        data = mapping(self.name, body.get("data"), "data")
        if data.get("resultType") != "streams":
            raise AdapterError(
                self.name, Reason.BAD_RESPONSE, "answered a query for lines without streams"
            )
        return parse(self.name, objects(self.name, data.get("result"), "streams"))

    def _link(self, logql: str, window: Window) -> str:
        if not (self._settings.grafana_url and self._settings.grafana_datasource):
            return ""
        uid = self._settings.grafana_datasource
        pane = {
            "datasource": uid,
            "queries": [{"refId": "A", "expr": logql, "datasource": {"type": "loki", "uid": uid}}],
            "range": {
                "from": str(micros(window.since) // 1000),
                "to": str(micros(window.until) // 1000),
            },
        }
        panes = quote(json.dumps({"logs": pane}), safe="")
        return f"{self._settings.grafana_url}/explore?schemaVersion=1&panes={panes}&orgId=1"


def parse(system: str, streams: list[Json]) -> list[Line]:
    """Entries of an answer in the order of time; those of one nanosecond in the order of the answer."""
    found: list[Line] = []
    for stream in streams:
        labels = words(stream.get("stream"))
        common = tuple(sorted(labels.items()))
        values = stream.get("values")
        for value in values if isinstance(values, list) else ():
            try:
                ns, text = int(value[0]), str(value[1])
            except (TypeError, ValueError, IndexError, KeyError):
                raise AdapterError(
                    system, Reason.BAD_RESPONSE, "answered with an entry that has no time"
                ) from None
            extra = _metadata(value[2]) if len(value) > 2 else {}
            own = tuple(sorted({**labels, **extra}.items())) if extra else common
            found.append(Line(ns, text, own))
    found.sort(key=lambda line: line.ns)
    return found


def _metadata(value: object) -> dict[str, str]:
    """Structured metadata of one entry, where the server does not merge it into the labels."""
    extra = value if isinstance(value, dict) else {}
    return words(extra.get("structuredMetadata", extra))


def _without(page: list[Line], seen: Counter[Line]) -> Iterator[Line]:
    left = seen.copy()
    for line in page:
        if left[line] > 0:
            left[line] -= 1
        else:
            yield line


def _slices(window: Window) -> Iterator[tuple[int, int]]:
    begin, end = micros(window.since) * 1000, micros(window.until) * 1000
    while begin < end:
        yield begin, min(end, begin + SLICE_NS)
        begin += SLICE_NS


@lru_cache(maxsize=4096)
def _columns(pairs: Labels, service_label: str) -> Known:
    labels = dict(pairs)
    level = labels.get("detected_level") or labels.get("level") or labels.get("severity")
    return {
        "level": None if level == "unknown" else level,
        "service": _first(labels, (service_label, *_SERVICE)),
        "host": _first(labels, _HOST),
        "trace": _first(labels, _TRACE),
        "origin": _first(labels, _ORIGIN),
    }


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((labels[name] for name in names if labels.get(name)), None)
