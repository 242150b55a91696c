"""What Datadog answers: logs, metrics, the events of monitors and of deploys.

Asked through the kit's transport and not the vendor's client, whose errors hold bodies and whose models refuse
answers that are newer than they are.

https://docs.datadoghq.com/api/latest/logs/, https://docs.datadoghq.com/api/latest/events/ and
https://docs.datadoghq.com/api/latest/metrics/
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import urlencode

import httpx
import orjson
from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.alert_identity import fingerprint
from adapters.kit.capabilities import Check, EventQuery, LogQuery, MetricQuery
from adapters.kit.entries import Entries, micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Http
from adapters.kit.records import (
    LEVELS,
    Alert,
    AlertState,
    Deploy,
    LogBatch,
    MetricSeries,
    Page,
    Point,
    Window,
)
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import Json, epoch, inner, listed, mapping, moment, objects, word, words

Item = TypeVar("Item", Alert, Deploy)

PAGE: Final = 1_000
DEFAULTS: Final = {
    "request_rate": "sum:trace.http.request.hits{service:$service}.as_rate()",
    "error_rate": "sum:trace.http.request.errors{service:$service}.as_rate()",
    "latency_p95": "p95:trace.http.request{service:$service}",
}
_FACET = re.compile(r"@?[A-Za-z_][A-Za-z0-9_./-]{0,199}")
_LEVELS_OF: Final = {
    "trace": "trace",
    "debug": "debug",
    "info": "info OR notice OR ok",
    "warn": "warn",
    "error": "error",
    "fatal": "critical OR alert OR emergency",
}


class Settings(AdapterSettings):
    """Whose Datadog it is."""

    api_key: SecretStr = Field(description="API key", json_schema_extra={"env": "DD_API_KEY"})
    app_key: SecretStr = Field(
        description="Application key, scoped to reading", json_schema_extra={"env": "DD_APP_KEY"}
    )
    site: str = Field(
        pattern=r"^[a-z0-9.-]{4,60}$",
        description="datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, ap1.datadoghq.com ...",
        json_schema_extra={"env": "DD_SITE"},
    )
    url: str = Field(
        default="", description="Address of the API, where it is not https://api.{site}"
    )
    indexes: tuple[str, ...] = Field(default=(), description="Log indexes to search; default all")
    queries: Mapping[str, str] = Field(
        default=DEFAULTS,
        description="Metric queries by name; $service stands for the service's tag value",
    )
    deploy_query: str = Field(
        default="source:(deployment OR argocd OR jenkins OR github OR gitlab OR kubernetes OR chef OR ansible)",
        description="Search that finds the events of deploys",
    )
    max_pages: int = Field(default=200, ge=1, description="Of logs per question; 1000 lines each")

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value) if value else value


class Adapter:
    """Reads logs, metrics and events."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._web = f"https://app.{settings.site}"
        self._http = Http(
            name,
            settings.url or f"https://api.{settings.site}",
            headers={"DD-API-KEY": settings.api_key, "DD-APPLICATION-KEY": settings.app_key},
            advice="check both keys, the site, and that the application key may logs_read_data, timeseries_query, events_read",
            reset=_reset,
        )

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the events of the window in the order of time.

        Raises:
            AdapterError: no answer, or a selector with a name that no facet has.
        """
        search = self._search(query)
        entries = Entries(self.name, query, url=self._link(search, query.window))
        truncated = ""
        for page, truncated in self._pages("api/v2/logs/events/search", search, query.window):  # noqa: B007
            for one in page:
                _add(entries, one)
            yield from entries.ready()
            if entries.full:
                return
        yield from entries.rest(truncated)

    def metrics(self, query: MetricQuery) -> Iterator[Page[MetricSeries]]:
        """Read the configured queries, one page each.

        Raises:
            AdapterError: no answer, or Datadog refuses a query.
        """
        names = [name for name in self._settings.queries if not query.names or name in query.names]
        skipped = 0
        for name in names:
            template = self._settings.queries[name]
            if "$service" in template and not query.service:
                skipped += 1
                continue
            asked = template.replace("$service", tag_value(query.service))
            yield Page(self._series(name, asked, query), total_pages=len(names))
        if skipped:
            yield Page((), f"{skipped} queries need a service, and the question names none.")

    def alerts(self, query: EventQuery) -> Iterator[Page[Alert]]:
        """List what monitors said within the window, in the order of time.

        Raises:
            AdapterError: no answer.
        """
        yield from self._parsed("source:alert", query, _parse_alert)

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List the events of deploys, the latest first.

        Raises:
            AdapterError: no answer.
        """
        yield from self._parsed(f"({self._settings.deploy_query})", query, _parse_deploy, "-")

    def check(self) -> Check:
        """Whether the API key is one."""
        body = mapping(self.name, self._http.get("api/v1/validate").json(), "validity")
        return Check(
            ok=body.get("valid") is True, detail=f"{self._settings.site} knows the API key"
        )

    def _search(self, query: LogQuery) -> str:
        wanted = dict(query.selector)
        if query.service and not query.selector:
            wanted["service"] = query.service
        for name in wanted:
            if not _FACET.fullmatch(name):
                raise AdapterError(
                    self.name,
                    Reason.BAD_REQUEST,
                    f"{name[:60]!r} in the selector is no name of a facet",
                )
        terms = [f"{name}:{quoted(value)}" for name, value in sorted(wanted.items())]
        terms += [quoted(text) for text in query.contains]
        if query.min_level in LEVELS:
            enough = LEVELS[LEVELS.index(query.min_level) :]
            terms.append(f"status:({' OR '.join(_LEVELS_OF[level] for level in enough)})")
        return " ".join(terms) or "*"

    def _pages(
        self, path: str, search: str, window: Window, order: str = ""
    ) -> Iterator[tuple[list[Json], str]]:
        """Pages by cursor, each with the reason why events of it or after it are missing."""
        body: dict[str, object] = {
            "filter": {
                "query": search,
                "from": _iso(math.floor(micros(window.since) / 1000)),
                "to": _iso(math.ceil(micros(window.until) / 1000)),
                **(
                    {"indexes": list(self._settings.indexes)}
                    if "logs" in path and self._settings.indexes
                    else {}
                ),
            },
            "sort": f"{order}timestamp",
        }
        cursor = ""
        for number in range(self._settings.max_pages):
            asked = {**body, "page": {"limit": PAGE, **({"cursor": cursor} if cursor else {})}}
            answer = mapping(self.name, self._http.query(path, asked).json(), "data")
            page = objects(self.name, answer.get("data"), "data")
            late = word(answer, "meta", "status") == "timeout"
            following = word(answer, "meta", "page", "after")
            more = bool(page) and bool(following) and following != cursor
            cut = "Datadog ran out of time and answered in part." if late else ""
            if more and number + 1 == self._settings.max_pages:
                cut = f"Only the first {number + 1} pages were read; see max_pages."
            yield page, cut
            if not more:
                return
            cursor = following

    def _parsed(
        self,
        search: str,
        query: EventQuery,
        parse: Callable[[str, str, Json, datetime], Item],
        order: str = "",
    ) -> Iterator[Page[Item]]:
        if query.service:
            search = f"{search} service:{quoted(query.service)}"
        left = query.limit
        for page, cut in self._pages("api/v2/events/search", search, query.window, order):
            timed = [(one, at) for one in page if (at := _at(one)) and at in query.window]
            kept = tuple(parse(self.name, self._web, one, at) for one, at in timed[:left])
            if len(timed) > left:
                yield Page(kept, f"Only {query.limit} events are shown.")
                return
            left -= len(kept)
            yield Page(kept, cut)

    def _series(self, name: str, asked: str, query: MetricQuery) -> tuple[MetricSeries, ...]:
        window = query.window
        params: dict[str, str | int] = {
            "query": asked,
            "from": math.floor(window.since.timestamp()),
            "to": math.ceil(window.until.timestamp()),
        }
        answer = mapping(self.name, self._http.get("api/v1/query", params).json(), "series")
        if word(answer, "status") == "error":
            raise AdapterError(self.name, Reason.BAD_REQUEST, f"refuses the metric query {name}")
        link = urlencode(
            {"exp_query": asked, "start": params["from"], "end": params["to"], "live": "false"}
        )
        found = [
            MetricSeries(
                source=self.name,
                name=name,
                labels=dict(
                    tag.split(":", 1) for tag in one.get("tag_set") or () if ":" in str(tag)
                ),
                unit=next((word(unit, "short_name") for unit in listed(one.get("unit"))), ""),
                service=query.service,
                points=_points(one, window),
                url=f"{self._web}/metric/explorer?{link}",
            )
            for one in objects(self.name, answer.get("series"), "series")
        ]
        return tuple(
            sorted((one for one in found if one.points), key=lambda one: sorted(one.labels.items()))
        )

    def _link(self, search: str, window: Window) -> str:
        begin, end = micros(window.since) // 1000, micros(window.until) // 1000
        query = {"query": search, "from_ts": begin, "to_ts": end, "live": "false"}
        return f"{self._web}/logs?{urlencode(query)}"


def quoted(text: str) -> str:
    """A phrase of the search syntax; within it only the quote and the backslash mean something."""
    plain = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tag_value(service: str) -> str:
    """The tag that Datadog makes of a name: https://docs.datadoghq.com/getting_started/tagging/."""
    return re.sub(r"[^a-z0-9_:./-]", "_", service.casefold())[:200] or "_"


def _iso(millis: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    return at.isoformat(timespec="milliseconds")


def _reset(headers: httpx.Headers, _now: float) -> float | None:
    """Datadog's own header holds seconds to wait, not a moment."""
    value = headers.get("x-ratelimit-reset", "")
    return float(value) if re.fullmatch(r"\d{1,6}", value) else None


def _at(one: Json) -> datetime | None:
    return moment(inner(one, "attributes").get("timestamp"))


def _add(entries: Entries, one: Json) -> None:
    at = _at(one)
    if at is None:
        return
    seen = inner(one, "attributes")
    own = inner(seen, "attributes")
    text = word(seen, "message", limit=1 << 20) or word(own, "message", limit=1 << 20)
    level = word(seen, "status", limit=40)
    status = word(own, "http", "status_code", limit=8)
    entries.add(
        text or orjson.dumps(own).decode(),
        micros(at),
        level="info" if level == "ok" else level or None,
        service=word(seen, "service", limit=200) or None,
        host=word(seen, "host", limit=200) or None,
        trace=word(own, "trace_id", limit=64) or word(own, "dd", "trace_id", limit=64) or None,
        status=int(status) if re.fullmatch(r"[1-5]\d\d", status) else None,
    )


def _points(one: Json, window: Window) -> tuple[Point, ...]:
    """Samples within the window; null is a gap."""
    found: list[Point] = []
    samples = one.get("pointlist")
    for sample in samples if isinstance(samples, list) else []:
        if not isinstance(sample, list) or len(sample) != 2 or isinstance(sample[1], bool | str):
            continue
        at = epoch(sample[0] / 1000) if isinstance(sample[0], int | float) else None
        if at is not None and at in window and sample[1] is not None and math.isfinite(sample[1]):
            found.append(Point(at=at, value=sample[1]))
    return tuple(found)


_STATES: Final[Mapping[str, AlertState]] = {
    "ok": "resolved",
    "success": "resolved",
    "info": "resolved",
}


def _tags(one: Json) -> dict[str, str]:
    tags = inner(one, "attributes").get("tags")
    pairs = [str(tag).partition(":") for tag in tags[:60]] if isinstance(tags, list) else []
    return {name[:200]: value[:300] for name, colon, value in pairs if colon}


def _link_of(web: str, one: Json) -> str:
    key = word(inner(one, "attributes", "attributes"), "evt", "id", limit=60) or word(
        one, "id", limit=100
    )
    return f"{web}/event/event?{urlencode({'id': key})}" if key else ""


def _parse_alert(source: str, web: str, one: Json, at: datetime) -> Alert:
    own = inner(one, "attributes", "attributes")
    tags = _tags(one)
    monitor = word(own, "monitor", "id", limit=40) or word(own, "monitor_id", limit=40)
    title = word(own, "title", limit=1_000) or word(own, "monitor", "name", limit=1_000)
    state = _STATES.get(word(own, "status", limit=40), "firing")
    groups = inner(own, "monitor").get("groups")
    scope = (
        [str(group)[:200] for group in groups[:20]] if isinstance(groups, list) else sorted(tags)
    )
    return Alert(
        source=source,
        state=state,
        title=title or "(untitled event)",
        service=word(own, "service", limit=200) or tags.get("service", ""),
        severity="warning"
        if word(own, "status") == "warn"
        else "error"
        if state == "firing"
        else "unknown",
        fingerprint=fingerprint("datadog", monitor or title, scope),
        started_at=at,
        ended_at=at if state == "resolved" else None,
        labels={**tags, **words(inner(own, "monitor"), 10)},
        text=word(inner(one, "attributes"), "message"),
        url=f"{web}/monitors/{monitor}" if monitor else _link_of(web, one),
    )


def _parse_deploy(source: str, web: str, one: Json, at: datetime) -> Deploy:
    own = inner(one, "attributes", "attributes")
    tags = _tags(one)
    return Deploy(
        source=source,
        service=word(own, "service", limit=200) or tags.get("service", ""),
        environment=tags.get("env", ""),
        version=tags.get("version", ""),
        sha=tags.get("git.commit.sha", ""),
        repo=tags.get("git.repository_url", ""),
        title=word(own, "title", limit=1_000),
        status=word(own, "status", limit=40),
        at=at,
        url=_link_of(web, one),
    )
