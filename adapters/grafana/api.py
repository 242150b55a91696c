"""What Grafana answers: annotations, the history of its alerts, and queries of its data sources.

Queries go through Grafana to the Prometheus-like data sources that it knows, for teams whose metrics cannot be reached
otherwise.

https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ and
https://grafana.com/docs/grafana/latest/developers/http_api/data_source/#query-a-data-source
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapters.kit.access import WebSettings, opened
from adapters.kit.alert_identity import fingerprint
from adapters.kit.alert_text import severity
from adapters.kit.capabilities import Check, EventQuery, MetricQuery
from adapters.kit.entries import micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Params
from adapters.kit.quote import fill, fillable
from adapters.kit.records import Alert, Deploy, MetricSeries, Page, Point, Window
from adapters.kit.shape import Json, epoch, inner, listed, mapping, objects, word, words

PAGE: Final = 500
MAX_PAGES: Final = 20


class Query(BaseModel):
    """One query of a data source that speaks PromQL; `$service` stands for the service within double quotes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasource: str
    expr: str
    type: str = "prometheus"
    unit: str = ""

    @field_validator("expr")
    @classmethod
    def _quoted(cls, expr: str) -> str:
        if not fillable(expr):
            msg = '$service must stand within double quotes: service="$service"'
            raise ValueError(msg)
        return expr


class Settings(WebSettings):
    """Where Grafana is, and what is asked of it."""

    queries: Mapping[str, Query] = Field(
        default={}, description="Metric queries by name: datasource (its UID), expr, unit"
    )
    deploy_tags: tuple[str, ...] = Field(
        default=("deploy", "deployment", "release"),
        description="Tags of annotations that are deploys, any of them",
    )
    service_label: str = Field(default="service", description="What $label in a query stands for")


class Adapter:
    """Reads annotations, and metrics through Grafana."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(
            name, settings, advice="give this source a service account's token with the role Viewer"
        )

    def metrics(self, query: MetricQuery) -> Iterator[Page[MetricSeries]]:
        """Read the configured queries, one page each.

        Raises:
            AdapterError: no answer, or the data source refuses.
        """
        wanted = {
            name: one
            for name, one in self._settings.queries.items()
            if not query.names or name in query.names
        }
        skipped = [
            name for name, one in wanted.items() if "$service" in one.expr and not query.service
        ]
        for name, one in wanted.items():
            if name not in skipped:
                yield Page(self._series(name, one, query), total_pages=len(wanted))
        if skipped:
            yield Page((), f"{len(skipped)} queries need a service, and the question names none.")

    def alerts(self, query: EventQuery) -> Iterator[Page[Alert]]:
        """List changes of alerts' states within the window, in the order of time.

        Raises:
            AdapterError: no answer.
        """
        found, cut = self._annotations({"type": "alert"}, query.window)
        alerts = [_parse_alert(self.name, self._settings.url, one) for one in found]
        kept = [
            one for one in alerts if one and query.service in {"", one.service or query.service}
        ]
        kept.sort(key=lambda one: (str(one.started_at), one.fingerprint))
        if len(kept) > query.limit:
            cut = f"Only {query.limit} of {len(kept)} alerts are shown."
        yield Page(tuple(kept[: query.limit]), cut)

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]:
        """List annotations that are tagged as deploys, the latest first.

        Raises:
            AdapterError: no answer.
        """
        asked: Params = {
            "type": "annotation",
            "tags": self._settings.deploy_tags,
            "matchAny": "true",
        }
        found, cut = self._annotations(asked, query.window)
        deploys = [_parse_deploy(self.name, self._settings.url, one) for one in found]
        kept = [
            one for one in deploys if one and query.service in {"", one.service or query.service}
        ]
        kept.sort(key=lambda one: (one.at, one.title), reverse=True)
        if len(kept) > query.limit:
            cut = f"Only {query.limit} of {len(kept)} annotations are shown."
        yield Page(tuple(kept[: query.limit]), cut)

    def check(self) -> Check:
        """Ask for the version, and for one annotation, which needs the token."""
        self._http.get("api/annotations", {"limit": "1"})
        body = mapping(self.name, self._http.get("api/health").json(), "health")
        return Check(
            ok=True, detail="Grafana shows annotations", version=word(body, "version", limit=40)
        )

    def _annotations(self, asked: Params, window: Window) -> tuple[list[Json], str]:
        """Annotations that began within the window. The newest come first, and there is no cursor but the time."""
        begin, end = micros(window.since) // 1000, math.ceil(micros(window.until) / 1000)
        found: dict[str, Json] = {}
        for _ in range(MAX_PAGES):
            params: Params = {**asked, "from": str(begin), "to": str(end), "limit": str(PAGE)}
            page = objects(
                self.name, self._http.get("api/annotations", params).json(), "annotations"
            )
            fresh = [one for one in page if word(one, "id", limit=40) not in found]
            found |= {word(one, "id", limit=40): one for one in fresh}
            times = [int(one["time"]) for one in page if isinstance(one.get("time"), int)]
            if len(page) < PAGE or not times:
                return _within(found.values(), window), ""
            if not fresh:
                break
            end = min(times)
        return _within(found.values(), window), f"Only {len(found):,} annotations were read."

    def _series(self, name: str, one: Query, query: MetricQuery) -> tuple[MetricSeries, ...]:
        expr = fill(one.expr, query.service, self._settings.service_label)
        begin, end = (
            micros(query.window.since) // 1000,
            math.ceil(micros(query.window.until) / 1000),
        )
        step_ms = max(query.step_s * 1000, (end - begin) // 10_000, 1000)
        asked = {
            "refId": "A",
            "datasource": {"uid": one.datasource, "type": one.type},
            "expr": expr,
            "range": True,
            "instant": False,
            "intervalMs": step_ms,
            "maxDataPoints": 11_000,
        }
        body = {"queries": [asked], "from": str(begin), "to": str(end)}
        answer = mapping(self.name, self._http.query("api/ds/query", body).json(), "results")
        result = inner(answer, "results", "A")
        if result.get("error"):
            raise AdapterError(
                self.name,
                Reason.BAD_REQUEST,
                f"the data source of the query {name} refused it or did not answer",
            )
        frames = objects(self.name, result.get("frames"), "frames")
        link = urlencode({"from": str(begin), "to": str(end)})
        series = [
            MetricSeries(
                source=self.name,
                name=name,
                labels=labels,
                unit=one.unit,
                service=labels.get(self._settings.service_label) or query.service,
                points=points,
                url=f"{self._settings.url}/explore?{link}",
            )
            for frame in frames
            for labels, points in _parse_frame(frame, query.window)
            if points
        ]
        return tuple(sorted(series, key=lambda one: sorted(one.labels.items())))


def _at(one: Json) -> datetime | None:
    time = one.get("time")
    return epoch(time / 1000) if isinstance(time, int) else None


def _within(found: Iterable[Json], window: Window) -> list[Json]:
    return [one for one in found if (at := _at(one)) is not None and at in window]


def _tags(one: Json) -> dict[str, str]:
    """Grafana's tags are words; by custom they are written `name:value` or `name=value`."""
    tags = one.get("tags")
    pairs = (
        [re.split(r"[:=]", str(tag)[:300], maxsplit=1) for tag in tags[:60]]
        if isinstance(tags, list)
        else []
    )
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}


def _link(url: str, one: Json) -> str:
    uid, time = word(one, "dashboardUID", limit=60), one.get("time")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", uid) or not isinstance(time, int):
        return url
    span = {
        "from": time - 1_800_000,
        "to": time + 1_800_000,
        "viewPanel": word(one, "panelId", limit=12),
    }
    return f"{url}/d/{uid}?{urlencode(span)}"


def _parse_alert(source: str, url: str, one: Json) -> Alert | None:
    at = _at(one)
    if at is None:
        return None
    tags = {**_tags(one), **words(inner(one, "data", "labels"), 40)}
    text = word(one, "text", limit=5_000)
    title = (
        word(one, "alertName", limit=500)
        or text.partition("{")[0].strip()[:300]
        or "(unnamed alert)"
    )
    ended = word(one, "newState", limit=40).casefold() in {"normal", "ok", "resolved"}
    return Alert(
        source=source,
        state="resolved" if ended else "firing",
        title=title,
        service=tags.get("service", "") or _in_text(text, "service"),
        severity=severity(tags.get("severity", "") or _in_text(text, "severity")),
        fingerprint=fingerprint("grafana", word(one, "alertId", limit=20), title, _labels_in(text)),
        started_at=at,
        ended_at=at if ended else None,
        labels=tags,
        text=text,
        url=_link(url, one),
    )


def _in_text(text: str, label: str) -> str:
    """Unified alerting writes an instance's labels into the annotation's text: `name {service=checkout} - ..`."""
    found = re.search(rf"[{{,]\s?{label}=([^,}}\n]{{1,200}})", text)
    return found.group(1).strip() if found else ""


def _labels_in(text: str) -> str:
    """What tells the instances of a rule apart, without the values that change."""
    found = re.search(r"\{([^}\n]{0,2000})\}", text)
    return found.group(1) if found else ""


def _parse_deploy(source: str, url: str, one: Json) -> Deploy | None:
    at = _at(one)
    if at is None:
        return None
    tags = _tags(one)
    text = re.sub(r"<[^>]{0,300}>", "", word(one, "text", limit=5_000)).strip()
    return Deploy(
        source=source,
        service=tags.get("service", ""),
        environment=tags.get("env", "") or tags.get("environment", ""),
        version=tags.get("version", ""),
        sha=tags.get("sha", "") or tags.get("commit", ""),
        title=text.partition("\n")[0][:500],
        at=at,
        url=_link(url, one),
    )


def _parse_frame(frame: Json, window: Window) -> Iterator[tuple[dict[str, str], tuple[Point, ...]]]:
    """A frame is a table: a column of times, and a column of numbers for each series."""
    fields = listed(inner(frame, "schema").get("fields"))
    columns = inner(frame, "data").get("values")
    if (
        not isinstance(columns, list)
        or len(columns) != len(fields)
        or not all(isinstance(c, list) for c in columns)
    ):
        return
    times: list[object] = next(
        (c for f, c in zip(fields, columns, strict=True) if word(f, "type") == "time"), []
    )
    for field, column in zip(fields, columns, strict=True):
        if word(field, "type") != "number":
            continue
        labels = words(field.get("labels"))
        labels.pop("__name__", None)
        points = tuple(
            Point(at=at, value=value)
            for time, value in zip(times, column, strict=False)
            if isinstance(value, int | float)
            and math.isfinite(value)
            and isinstance(time, int | float)
            and (at := epoch(time / 1000))
            and at in window
        )
        yield labels, points
