"""What a vendor's case provides so that the conformance suite can hold it to the contract of `adapters`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.kit.capabilities import CommitQuery, EventQuery, LogQuery, MetricQuery
from adapters.kit.errors import Reason
from adapters.kit.records import LogBatch, MetricSeries, Page, Record, Window
from tests.adapters.loopback import Loopback, Script, serving

Config = dict[str, object]


def at(text: str) -> datetime:
    """`2026-11-20T10:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One group of one vendor.

    Attributes:
        window: holds everything that `expect` names; what lies on its `until` must not be returned.
        expect: what is returned for `window`, each record reduced to a comparable tuple.
        empty: a window without data; None for runbooks, which have no time.
        prepare: makes the world that the adapter reads below a folder; returns the adapter's configuration.
        script: for a vendor that is asked over HTTP, instead of `prepare`: answers as the vendor does.
        configure: beside `script`: the adapter's configuration for a server at a URL.
        searches: paths (regular expressions) that are read by POST.
        service: asked for.
        broken: worlds that provoke a reason; the statuses of HTTP need not be named, every such case is held to them.
        secret: a configured secret that must never show.
        link: a permalink that one of the records or batches must have; `{url}` stands for the server.
    """

    group: str
    type: str
    window: Window
    expect: tuple[tuple[object, ...], ...]
    empty: Window | None
    prepare: Callable[[Path], Config] | None = None
    script: Script | None = None
    configure: Callable[[str], Config] | None = None
    searches: tuple[str, ...] = ()
    service: str = ""
    broken: tuple[tuple[Reason, Callable[[Path], Config]], ...] = ()
    secret: str = ""
    link: str = ""


@dataclass(frozen=True)
class World:
    """A case with its surroundings made: what to configure the adapter with, and the server if there is one."""

    case: Case
    config: Config
    server: Loopback | None = None


@contextmanager
def made(case: Case, folder: Path, script: Script | None = None) -> Iterator[World]:
    """Make the world of a case; `script` replaces what the vendor answers."""
    if case.script is None or case.configure is None:
        assert case.prepare is not None
        yield World(case, case.prepare(folder))
        return
    with serving(script or case.script) as server:
        yield World(case, case.configure(server.url), server)


def pages(case: Case, adapter: object, window: Window, limit: int | None = None) -> list[object]:
    """The pages or batches that the capability of the case's group yields."""
    some: dict[str, object] = {} if limit is None else {"limit": limit}
    if case.group != "git_sources":
        some["service"] = case.service
    match case.group:
        case "log_sources":
            return list(adapter.logs(LogQuery(window=window, **some)))  # type: ignore[attr-defined]
        case "git_sources":
            query = CommitQuery(window=window, at_least=0, **some)
            return list(adapter.commits(query))  # type: ignore[attr-defined]
        case "metric_sources":
            some.pop("limit", None)
            return list(adapter.metrics(MetricQuery(window=window, **some)))  # type: ignore[attr-defined]
        case _:
            method = getattr(adapter, case.group.removesuffix("_sources") + "s")
            return list(method(EventQuery(window=window, **some)))


def ask(
    case: Case, adapter: object, window: Window, limit: int | None = None
) -> list[tuple[object, ...]]:
    """Ask the capability of a group and reduce what comes to comparable tuples."""
    found: list[tuple[object, ...]] = []
    for page in pages(case, adapter, window, limit):
        if isinstance(page, LogBatch):
            found += log_rows(page)
        else:
            for record in checked(page).items:
                found += samples(record) if isinstance(record, MetricSeries) else [reduced(record)]
    return found


def checked(page: object) -> Page[Record]:
    assert isinstance(page, Page)
    assert isinstance(page.items, tuple)
    return page


def samples(series: MetricSeries) -> list[tuple[object, ...]]:
    """A row for each point, so that windows can be checked by their times."""
    return [(series.name, series.service, point.at, point.value) for point in series.points]


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
