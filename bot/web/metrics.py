"""Figures for Prometheus.

What the database knows is counted when it is asked for, so that every process of a deployment says the same and
nothing is lost by a restart; requests are counted here as they end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlmodel import Session, col, func, select
from starlette.types import Scope
from typing_extensions import override

from bot.web.api.operations import breaker_of
from bot.web.deps import Door, WebDeps
from bot.web.identity import Reader
from storage.models import Alert, Feedback, Investigation, Job, OutboxMessage

router = APIRouter()
BREAKERS = ("closed", "half_open", "open")


class Figures:
    """The registry of one application."""

    def __init__(self, deps: WebDeps) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Stored(deps))
        self._seconds = Histogram(
            "incident_responder_http_request_seconds",
            "Time until the last byte of an answer, streams apart.",
            ("route",),
            registry=self.registry,
        )
        self._requests = Counter(
            "incident_responder_http_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )

    def measured(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request; the route's pattern, never the path, so that labels stay few."""
        route = str(getattr(scope.get("route"), "path", "")) or "none"
        method = scope["method"] if scope["method"] in {"GET", "POST", "PUT", "DELETE"} else "other"
        self._requests.labels(method, route, str(status)).inc()
        if not route.endswith("/stream"):
            self._seconds.labels(route).observe(seconds)


class _Stored(Collector):
    """What the database says; one statement a family."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    def describe(self) -> Iterator[Metric]:
        return iter(())

    @override
    def collect(self) -> Iterator[Metric]:
        with self._deps.db.read() as session:
            yield from self._counted(session)
            yield self._age(session)
        breakers = GaugeMetricFamily(
            "incident_responder_source_breaker",
            "1 for the state that a source's circuit breaker is in.",
            labels=("source", "state"),
        )
        for source in self._deps.sources.sources:
            state = breaker_of(source)
            for name in BREAKERS if state else ():
                breakers.add_metric((source.name, name), float(state == name))
        yield breakers

    def _counted(self, session: Session) -> Iterator[Metric]:
        families = (
            ("investigations", "Investigations by state.", "state", Investigation.state),
            ("verdicts", "Finished reports by conclusion.", "conclusion", Investigation.conclusion),
            ("jobs", "Jobs by state.", "state", Job.state),
            ("outbox_messages", "Slack messages by state.", "state", OutboxMessage.state),
            ("feedback", "Opinions of people by verdict.", "verdict", Feedback.verdict),
            ("alerts", "Episodes of alerts by source.", "source", Alert.source),
        )
        for name, text, label, column in families:
            family = GaugeMetricFamily(f"incident_responder_{name}", text, labels=(label,))
            rows = session.exec(select(column, func.count()).group_by(col(column)))
            for value, count in rows:
                if value is not None:
                    family.add_metric((str(value)[:60],), float(count))
            yield family

    def _age(self, session: Session) -> Metric:
        first = session.exec(select(func.min(Job.created_at)).where(Job.state == "queued")).first()
        age = (self._deps.db.now(session) - first).total_seconds() if first else 0.0
        return GaugeMetricFamily(
            "incident_responder_queue_oldest_seconds", "Age of the oldest waiting job.", age
        )


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, _: Reader, __: Door) -> Response:
    """In the text format of Prometheus; scrape it with a key that may read."""
    figures = cast("Figures", request.app.state.figures)
    return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)
