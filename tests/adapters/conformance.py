"""What a vendor's case provides so that the conformance suite can hold it to the contract of `adapters`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.kit.capabilities import CommitQuery, EventQuery, LogQuery, MetricQuery
from adapters.kit.errors import Reason
from adapters.kit.records import LogBatch, Page, Record, Window

Config = dict[str, object]


def at(text: str) -> datetime:
    """`2026-11-20T10:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One group of one vendor.

    Attributes:
        prepare: makes the world that the adapter reads below a folder; returns the adapter's configuration.
        window: holds everything that `expect` names; what lies on its `until` must not be returned.
        expect: what is returned for `window`, each record reduced to a comparable tuple.
        empty: a window without data.
        broken: worlds that provoke a reason.
        secret: a configured secret that must never show.
    """

    group: str
    type: str
    prepare: Callable[[Path], Config]
    window: Window
    expect: tuple[tuple[object, ...], ...]
    empty: Window
    broken: tuple[tuple[Reason, Callable[[Path], Config]], ...] = ()
    secret: str = ""


def ask(group: str, adapter: object, window: Window) -> list[tuple[object, ...]]:
    """Ask the capability of a group and reduce what comes to comparable tuples."""
    match group:
        case "log_sources":
            return [
                row for batch in adapter.logs(LogQuery(window=window)) for row in log_rows(batch)
            ]  # type: ignore[attr-defined]
        case "git_sources":
            pages = adapter.commits(CommitQuery(window=window, at_least=0))  # type: ignore[attr-defined]
        case "metric_sources":
            pages = adapter.metrics(MetricQuery(window=window))  # type: ignore[attr-defined]
        case _:
            method = getattr(adapter, group.removesuffix("_sources") + "s")
            pages = method(EventQuery(window=window))
    return [reduced(record) for page in pages for record in checked(page).items]


def checked(page: Page[Record]) -> Page[Record]:
    assert isinstance(page.items, tuple)
    return page


def reduced(record: Record) -> tuple[object, ...]:
    """Title-like and time-like facts: enough to tell records apart, small enough to write by hand."""
    fields = record.model_dump()
    names = (
        "key",
        "title",
        "name",
        "service",
        "version",
        "committed_at",
        "at",
        "started_at",
        "created_at",
    )
    return tuple(fields[name] for name in names if fields.get(name))


def log_rows(batch: LogBatch) -> list[tuple[object, ...]]:
    wanted = batch.frame.select("text", "time", "level", "service")
    return [tuple(row) for row in wanted.iter_rows()]
