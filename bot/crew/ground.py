"""What the agents' tools stand on: the evidence, and the sources within the investigation's service and window.

Nothing that a model says can widen them: it names texts, ids and moments, never a source's query, a service to ask for,
or a repository that was not collected from. A moment outside of the window is moved to its edge.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from adapters.kit.errors import AdapterError
from adapters.kit.records import Page, Record, Window
from bot.analysis.findings import Findings
from bot.ask import parse_moment
from bot.collect import CHANGES_BEFORE
from bot.crew.desk import Desk, Past
from bot.crew.shelf import Shelf
from bot.errors import UserError
from bot.report import Records
from bot.sources import LogSelector, Source

log = structlog.get_logger()

Item = TypeVar("Item", bound=Record)
Of = TypeVar("Of")

_KEYS = {
    "git_sources": "git",
    "log_sources": "logs",
    "metric_sources": "metrics",
    "incident_sources": "incidents",
    "ticket_sources": "tickets",
    "runbook_sources": "runbooks",
}


class StoppedError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(slots=True)
class Ground:
    """The evidence and the means of one run. Its methods are called from several threads.

    Attributes:
        stopped: whether nobody waits any more: Stop was pressed, or the time is over.
        failures: what a source said when it gave no answer to an agent: system -> reason.
    """

    findings: Findings
    records: Records
    desk: Desk
    shelf: Shelf
    stopped: Callable[[], bool] = lambda: False
    failures: dict[str, str] = field(default_factory=dict)
    _past: Sequence[Past] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def window(self) -> Window:
        """The investigation's own window."""
        return self.desk.ask.window

    @property
    def changes_window(self) -> Window:
        """The span in which changes are looked for: two weeks before the window, to its end."""
        ask = self.desk.ask
        begin = min(ask.window.since, ask.started_at or ask.window.since) - CHANGES_BEFORE
        return Window(since=begin, until=max(ask.window.until, begin + timedelta(seconds=1)))

    def span(self, since: str, until: str, within: Window) -> Window:
        """The span that an agent names, cut to what it may see; a missing edge is the window's own.

        Raises:
            UserError: a moment cannot be read, or nothing of the span lies within.
        """
        begin = max(self._moment(since, within), within.since) if since.strip() else within.since
        end = min(self._moment(until, within), within.until) if until.strip() else within.until
        if begin >= end:
            raise UserError(
                f"Only {within.since:%Y-%m-%d %H:%M:%S}Z to {within.until:%Y-%m-%d %H:%M:%S}Z can be seen."
            )
        return Window(since=begin, until=end)

    def _moment(self, text: str, within: Window) -> datetime:
        word = text.strip().removesuffix("UTC").strip()
        try:
            moment = datetime.fromisoformat(word)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return parse_moment(word.removesuffix("Z"), tz=UTC, now=within.until)

    def sources(self, group: str) -> Iterator[tuple[object, LogSelector]]:
        """The adapters of a group that know the service, with how the operator selects it there."""
        for source in self.desk.sources.of(group):
            selector = self._selector(source)
            if selector is not None:
                yield source.adapter, selector

    def _selector(self, source: Source) -> LogSelector | None:
        service = (
            self.desk.sources.service(self.desk.ask.service) if self.desk.ask.service else None
        )
        listed: Sequence[str | LogSelector] = (
            getattr(service, _KEYS[source.group], ()) if service else ()
        )
        if not listed:
            return LogSelector(source=source.name, service=service.name if service else "")
        for used in listed:
            selector = LogSelector(source=used) if isinstance(used, str) else used
            if selector.source == source.name:
                return selector
        return None

    def ask(self, system: str, pages: Callable[[], Iterator[Of]]) -> Iterator[Of]:
        """What a source answers; that it gave no answer is noted, and is not an error.

        Raises:
            StoppedError: nobody waits any more.
        """
        try:
            for page in pages():
                if self.stopped():
                    raise StoppedError
                yield page
        except AdapterError as error:
            with self._lock:
                self.failures[system] = error.detail

    def items(self, system: str, pages: Callable[[], Iterator[Page[Item]]]) -> list[Item]:
        """All items of a source's pages."""
        return [item for page in self.ask(system, pages) for item in page.items]

    def _remembered(self) -> Sequence[Past]:
        try:
            return tuple(self.desk.past())[:20]
        except Exception:  # a named edge: without a memory there is no past, and the rest goes on
            log.exception("past_not_read")
            return ()

    def past(self) -> Sequence[Past]:
        """Earlier investigations, read once; each has its id on the shelf."""
        with self._lock:
            if self._past is None:
                self._past = self._remembered()
                for past in self._past:
                    payload = {"title": past.question, "text": past.text, "service": past.service}
                    self.shelf.add("P", "past", past.text, payload)
            return self._past
