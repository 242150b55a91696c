"""Prometheus and what speaks its API (Thanos, Mimir, VictoriaMetrics, Amazon Managed Prometheus behind a proxy).

Metrics come from queries that the operator names; alerts from the series that Prometheus keeps of its own rules,
so that alerts that have ended since are seen as well.

https://prometheus.io/docs/prometheus/latest/querying/api/ and
https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#inspecting-alerts-during-runtime
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from pydantic import Field, field_validator

from adapters.kit.access import WebSettings, opened, web_address
from adapters.kit.alert_identity import fingerprint
from adapters.kit.alert_text import severity
from adapters.kit.capabilities import Check, EventQuery, MetricQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.quote import fill, fillable, go_string, is_label
from adapters.kit.records import Alert, MetricSeries, Page, Point, Window
from adapters.kit.shape import Json, epoch, inner, mapping, objects, word, words

TYPES: Mapping[str, tuple[str, ...]] = {
    "metric_sources": ("prometheus",),
    "alert_sources": ("prometheus",),
}
SCOPES = "Read access to /api/v1/query_range and /api/v1/status/buildinfo; no sign-in where Prometheus asks for none."
TESTED = "A real Prometheus server with its rules; recorded responses; the conformance suite."

MAX_POINTS: Final = 10_000  # the server refuses more than 11,000 a series
MAX_SERIES: Final = 20  # of one query; a query for people has few
DEFAULTS: Final = {
    "request_rate": 'sum(rate(http_requests_total{$label="$service"}[5m]))',
    "error_rate": 'sum(rate(http_requests_total{$label="$service",code=~"5.."}[5m]))'
    ' or sum(rate(http_requests_total{$label="$service",status=~"5.."}[5m]))',
    "latency_p95": "histogram_quantile(0.95,"
    ' sum by (le) (rate(http_request_duration_seconds_bucket{$label="$service"}[5m])))',
    "up": 'min(up{$label="$service"})',
}
_FIRING = 'ALERTS_FOR_STATE and ignoring(alertstate) ALERTS{alertstate="firing"}'
_UNITS = (("_seconds", "s"), ("latency", "s"), ("duration", "s"), ("_bytes", "B"), ("rate", "/s"))


class Settings(WebSettings):
    """Where Prometheus is, and what is asked of it."""

    queries: Mapping[str, str] = Field(
        default=DEFAULTS,
        description="PromQL by name; $service stands for the service within double quotes, $label for service_label",
    )
    service_label: str = Field(
        default="service",
        description="Label that holds a service's name, for example service, job or app",
    )
    tenant: str = Field(default="", description="X-Scope-OrgID, for Mimir and Cortex")
    web_url: str = Field(
        default="",
        description="What links begin with, where people use another address than the bot",
    )

    @field_validator("service_label")
    @classmethod
    def _label(cls, value: str) -> str:
        if not is_label(value):
            msg = f"{value!r} is no name of a label"
            raise ValueError(msg)
        return value

    @field_validator("queries")
    @classmethod
    def _quoted(cls, queries: Mapping[str, str]) -> Mapping[str, str]:
        for name, query in queries.items():
            if not fillable(query):
                msg = f'in the query {name!r}, $service must stand within double quotes: service="$service"'
                raise ValueError(msg)
        return queries

    @field_validator("web_url")
    @classmethod
    def _link(cls, value: str) -> str:
        return web_address(value) if value else value


class Adapter:
    """Reads metrics and the history of alerts."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = opened(
            name,
            settings,
            headers={"X-Scope-OrgID": settings.tenant} if settings.tenant else {},
            advice="give this source a token or password that may query",
        )

    def metrics(self, query: MetricQuery) -> Iterator[Page[MetricSeries]]:
        """Read the configured queries, one page each; points lie on the step from the window's beginning.

        Raises:
            AdapterError: no answer, or a name that no query has.
        """
        wanted = self._wanted(query)
        left_out = [name for name, text in wanted.items() if "$service" in text]
        if query.service:
            left_out = []
        for name, template in wanted.items():
            if name not in left_out:
                promql = fill(template, query.service, self._settings.service_label)
                yield self._series(name, promql, query, len(wanted))
        if left_out:
            yield Page((), f"{len(left_out)} queries need a service, and the question names none.")

    def alerts(self, query: EventQuery) -> Iterator[Page[Alert]]:
        """List what fired within the window, the earliest first: of the asked service, or of none.

        Raises:
            AdapterError: no answer.
        """
        step = _step_s(query.window, 15)
        data, partial = self._range(_FIRING, query.window, step)
        found = [
            alert
            for series in objects(self.name, data.get("result"), "result")
            for alert in self._episodes(series, query.window, step)
            if not query.service or alert.service in {"", query.service}
        ]
        found.sort(key=lambda alert: (str(alert.started_at), alert.fingerprint))
        cut = (
            f"Only {query.limit} of {len(found)} alerts are shown."
            if len(found) > query.limit
            else ""
        )
        yield Page(tuple(found[: query.limit]), cut or partial)

    def check(self) -> Check:
        """Ask for the version.

        Raises:
            AdapterError: no answer.
        """
        answer = self._http.get("api/v1/status/buildinfo").json()
        data = mapping(self.name, inner(answer, "data") or None, "build information")
        return Check(
            ok=True, detail="Prometheus answers queries", version=word(data, "version", limit=40)
        )

    def _wanted(self, query: MetricQuery) -> dict[str, str]:
        known = self._settings.queries
        unknown = sorted(set(query.names) - set(known))
        if unknown:
            raise AdapterError(
                self.name,
                Reason.BAD_REQUEST,
                f"there is no query named {unknown[0][:80]}; there are {', '.join(sorted(known)[:20])}",
            )
        return {
            name: text for name, text in known.items() if not query.names or name in query.names
        }

    def _series(self, name: str, promql: str, query: MetricQuery, pages: int) -> Page[MetricSeries]:
        data, partial = self._range(promql, query.window, _step_s(query.window, query.step_s))
        results = objects(self.name, data.get("result"), "result")
        url = self._link(promql, query.window)
        series = [
            MetricSeries(
                source=self.name,
                name=name,
                labels=labels,
                unit=_unit(name),
                service=labels.get(self._settings.service_label) or query.service,
                points=points,
                url=url,
            )
            for one in results
            for labels, points in [(words(one.get("metric")), _points(one, query.window))]
            if points
        ]
        series.sort(key=lambda one: sorted(one.labels.items()))
        cut = (
            f"The query {name} has {len(series)} series; {MAX_SERIES} are used. Aggregate it."
            if len(series) > MAX_SERIES
            else ""
        )
        return Page(tuple(series[:MAX_SERIES]), cut or partial, total_pages=pages)

    def _range(self, promql: str, window: Window, step_s: int) -> tuple[Json, str]:
        form = {
            "query": promql,
            "start": _rfc(window.since),
            "end": _rfc(window.until),
            "step": str(step_s),
        }
        answer = self._http.query("api/v1/query_range", form=form).json()
        body = mapping(self.name, answer, "status")
        data = mapping(self.name, body.get("data"), "data")
        if data.get("resultType") != "matrix":
            raise AdapterError(
                self.name, Reason.BAD_RESPONSE, "answered a range query without series"
            )
        warned = body.get("warnings")
        return data, "It warns that its answer may not be complete." if warned else ""

    def _episodes(self, series: Json, window: Window, step_s: int) -> Iterator[Alert]:
        """The value of `ALERTS_FOR_STATE` is when the alert began: another value is another alert."""
        labels = words(series.get("metric"))
        labels.pop("__name__", None)
        spans: dict[float, list[datetime]] = {}
        for point in _points(series, window):
            spans.setdefault(point.value, []).append(point.at)
        for began, seen in spans.items():
            yield _parse_alert(
                self.name, labels, self._settings.service_label, began, seen
            ).model_copy(
                update={
                    **_state(seen[-1], window, step_s),
                    "url": self._link(_selector(labels), window),
                }
            )

    def _link(self, promql: str, window: Window) -> str:
        seconds = math.ceil((window.until - window.since).total_seconds())
        query = {
            "g0.expr": promql,
            "g0.tab": "0",
            "g0.range_input": f"{seconds}s",
            "g0.end_input": window.until.strftime("%Y-%m-%d %H:%M:%S"),
        }
        return f"{self._settings.web_url or self._settings.url}/graph?{urlencode(query)}"


def _step_s(window: Window, wanted_s: int) -> int:
    seconds = (window.until - window.since).total_seconds()
    return max(1, wanted_s, math.ceil(seconds / MAX_POINTS))


def _rfc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _points(series: Json, window: Window) -> tuple[Point, ...]:
    """Samples within the window; NaN and infinities say nothing and are gaps."""
    found: list[Point] = []
    samples = series.get("values")
    for sample in samples if isinstance(samples, list) else []:
        at = epoch(sample[0]) if isinstance(sample, list) and len(sample) == 2 else None
        try:
            value = float(sample[1])
        except (TypeError, ValueError, IndexError):
            continue
        if at is not None and at in window and math.isfinite(value):
            found.append(Point(at=at, value=value))
    return tuple(found)


def _unit(name: str) -> str:
    return next((unit for part, unit in _UNITS if part in name), "")


def _parse_alert(
    source: str, labels: Mapping[str, str], service_label: str, began: float, seen: list[datetime]
) -> Alert:
    shown = {name: value for name, value in labels.items() if name != "alertname"}
    listed = ", ".join(f"{name}={value}" for name, value in sorted(shown.items()))
    return Alert(
        source=source,
        title=labels.get("alertname", "(unnamed alert)"),
        service=labels.get(service_label) or labels.get("service") or "",
        severity=severity(labels.get("severity", "")),
        fingerprint=fingerprint("prometheus", sorted(f"{k}={v}" for k, v in labels.items())),
        started_at=epoch(began) or seen[0],
        labels=shown,
        text=f"{labels.get('alertname', '')} ({listed})",
    )


def _state(last: datetime, window: Window, step_s: int) -> dict[str, object]:
    """An alert that is not seen in the last steps of the window has ended before."""
    if last + timedelta(seconds=2 * step_s) >= window.until:
        return {"state": "firing"}
    return {"state": "resolved", "ended_at": last + timedelta(seconds=step_s)}


def _selector(labels: Mapping[str, str]) -> str:
    matchers = [f"{k}={go_string(v)}" for k, v in sorted(labels.items()) if is_label(k)]
    return f"ALERTS{{{','.join(matchers)}}}"
