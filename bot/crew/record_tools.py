"""What the Metrics Analyst and the Incident Historian may ask: series, alerts, incidents, tickets, runbooks, the past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from pydantic import BaseModel, Field

from adapters.kit.capabilities import (
    EventQuery,
    IncidentSource,
    MetricQuery,
    MetricSource,
    RunbookSource,
    TicketSource,
)
from adapters.kit.records import Incident, MetricSeries, Point, Record, Runbook, Ticket, Window
from bot.crew.ground import Ground
from bot.crew.pages import at, page
from bot.errors import UserError
from bot.report import numbered

_SAMPLES = 60


class NoArguments(BaseModel):
    """Arguments of a tool that needs none."""


class QueryMetric(BaseModel):
    """Arguments of `query_metric`."""

    metric: str = Field(max_length=200, description="Id such as M1, or a listed name.")
    since: str = Field(default="", max_length=40, description="HH:MM, HH:MM:SS or ISO, UTC.")
    until: str = Field(default="", max_length=40)


class LookUp(BaseModel):
    """Arguments of `look_up`."""

    record: str = Field(max_length=12, description="Id such as A1, I2, T1, R1, D1, P1.")
    skip: int = Field(default=0, ge=0, le=1_000_000)


class SearchHistory(BaseModel):
    """Arguments of `search_history`."""

    text: str = Field(min_length=2, max_length=200, description="Words to look for.")


def list_metrics(ground: Ground, _args: NoArguments) -> str:
    """The metric series that were read."""
    lines = [
        f"M{number} {_named(series)}: {_figures(series.points)}"
        for number, series in enumerate(ground.records.metrics, start=1)
    ]
    return page(f"{len(lines)} series:", lines)


def _named(series: MetricSeries) -> str:
    labels = ",".join(f"{k}={v}" for k, v in sorted(series.labels.items()))
    return f"{series.name}{{{labels}}} {series.unit}".strip()


def _figures(points: Sequence[Point]) -> str:
    if not points:
        return "no samples"
    values = [point.value for point in points]
    mean = sum(values) / len(values)
    return f"{len(values)} samples, least {min(values):g}, mean {mean:.6g}, most {max(values):g}, last {values[-1]:g}"


def query_metric(ground: Ground, args: QueryMetric) -> str:
    """Samples of one series, before and after the onset; read anew when the span was not collected."""
    key, series = _series(ground, args.metric)
    length = ground.window.until - ground.window.since
    span = ground.span(
        args.since,
        args.until,
        Window(since=ground.window.since - length, until=ground.window.until),
    )
    points = [point for point in series.points if point.at in span]
    if not points:
        points = _read_anew(ground, series, span)
    lines = [_figures(points)]
    onset = ground.findings.onset
    if onset is not None:
        lines += [
            f"before the onset: {_figures([p for p in points if p.at < onset.at])}",
            f"from the onset on: {_figures([p for p in points if p.at >= onset.at])}",
        ]
    step = max(1, len(points) // _SAMPLES)
    lines += [f"{at(point.at)} {point.value:g}" for point in points[::step]]
    return page(f"{key} {_named(series)}, {at(span.since)} to {at(span.until)}:", lines)


def _series(ground: Ground, name: str) -> tuple[str, MetricSeries]:
    wanted = name.strip().casefold()
    for number, series in enumerate(ground.records.metrics, start=1):
        if wanted in {f"m{number}", series.name.casefold()}:
            return f"M{number}", series
    raise UserError(f"There is no metric {name!r}; list_metrics names them.")


def _read_anew(ground: Ground, known: MetricSeries, span: Window) -> list[Point]:
    query = MetricQuery(window=span, service=ground.desk.ask.service, names=(known.name,))
    for source, _ in ground.sources("metric_sources"):
        if isinstance(source, MetricSource) and source.name == known.source:
            for series in ground.items(source.name, partial(source.metrics, query)):
                if series.labels == known.labels and series.name == known.name:
                    return [point for point in series.points if point.at in span]
    return []


def list_history(ground: Ground, _args: NoArguments) -> str:
    """Alerts, incidents, tickets, runbooks and earlier investigations that are known."""
    past = [
        f"P{number} {at(p.at)} {'same alert, ' if p.same_alert else ''}{p.conclusion}: {p.question}"
        for number, p in enumerate(ground.past(), start=1)
    ]
    lines = [line for key, line in _titles(ground) if key[0] in "AITR"]
    return page(f"{len(lines) + len(past)} records:", [*past, *lines])


def _titles(ground: Ground) -> Iterator[tuple[str, str]]:
    for key, record in numbered(ground.records):
        title = getattr(record, "title", "") or getattr(record, "name", "")
        state = getattr(record, "state", "")
        yield key, f"{key} {type(record).__name__.lower()} {state} {title}"


def look_up(ground: Ground, args: LookUp) -> str:
    """One record with its whole text."""
    key = args.record.strip().upper()
    ground.past()
    text = ground.shelf.texts().get(key)
    if text is None:
        raise UserError(f"There is no record {args.record!r}; the list tools name them.")
    return page(f"{key}:", text.splitlines(), skip=args.skip)


def search_history(ground: Ground, args: SearchHistory) -> str:
    """Records that hold all the words; incidents, tickets and runbooks are asked for anew."""
    words = [word for word in args.text.casefold().split() if len(word) > 1][:8]
    ground.past()
    for kind, record in _asked_anew(ground, args.text):
        if not any(record == known for _, known in numbered(ground.records)):
            body = record.model_dump(mode="json")
            ground.shelf.add(kind, type(record).__name__.lower(), _flat(body), body)
    lines = [
        f"{key} {text[:300]}"
        for key, text in ground.shelf.texts().items()
        if key[0] in "AITRP" and all(word in text.casefold() for word in words)
    ]
    return page(f"{len(lines)} records with {args.text!r}:", lines)


def _asked_anew(ground: Ground, text: str) -> Iterator[tuple[str, Record]]:
    query = EventQuery(
        window=ground.changes_window, service=ground.desk.ask.service, text=text, limit=20
    )
    found: list[Incident | Ticket | Runbook] = []
    for source, _ in ground.sources("incident_sources"):
        if isinstance(source, IncidentSource):
            incidents = ground.items(source.name, partial(source.incidents, query))
            found += incidents
    for source, _ in ground.sources("ticket_sources"):
        if isinstance(source, TicketSource):
            tickets = ground.items(source.name, partial(source.tickets, query))
            found += tickets
    for source, _ in ground.sources("runbook_sources"):
        if isinstance(source, RunbookSource):
            runbooks = ground.items(source.name, partial(source.runbooks, query))
            found += runbooks
    letters = {Incident: "I", Ticket: "T", Runbook: "R"}
    yield from ((letters[type(record)], record) for record in found[:20])


def _flat(body: dict[str, object]) -> str:
    return "\n".join(
        f"{name}: {value}" for name, value in body.items() if value not in (None, "", [])
    )
