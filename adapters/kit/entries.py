"""Collects log entries that a system hands over one by one into bounded batches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

import polars as pl

from adapters.kit.capabilities import LogQuery
from adapters.kit.lines import Selection, Source, levels, read_messages
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA, LogBatch

ROWS = 20_000
BYTES = 16 << 20
MAX_TEXT = 1 << 20
_MORE = "The limit of events was reached; there are more."
_KNOWN = ("level", "service", "host", "trace", "status", "origin")
_COLUMNS = ("text", "time", *_KNOWN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class Known(TypedDict, total=False):
    """What a system says about an entry beside its text; any level's name will do."""

    level: str | None
    service: str | None
    host: str | None
    trace: str | None
    status: int | None
    origin: str | None


class Entries:
    """Turns entries into batches of the window, at most `query.limit` of them.

    Levels, trace ids, statuses and envelopes within the texts are read by `adapters.kit.lines`. The window and
    `min_level` are applied again here, whatever the system filtered; selector and texts are the system's part.
    """

    def __init__(self, name: str, query: LogQuery, *, url: str = "", service: str = "") -> None:
        self.name = name
        self.url = url
        self._service = service
        self._query = query.model_copy(update={"selector": {}, "contains": ()})
        self._calendar = Calendar(query.window.until, "UTC")
        self._rows: list[tuple[object, ...]] = []
        self._bytes = 0
        self._left = query.limit
        self._since, self._until = micros(query.window.since), micros(query.window.until)
        self._cut = False

    @property
    def full(self) -> bool:
        """Whether there was more than the query's limit; a batch has said so."""
        return self._cut

    def add(self, text: str, time_us: int, **known: Unpack[Known]) -> None:
        """Take one entry; times are microseconds since 1970, cut and never rounded."""
        if not self._since <= time_us < self._until:
            return
        text = text[:MAX_TEXT]
        self._rows.append((text, time_us, *map(known.get, _KNOWN)))
        self._bytes += len(text) + 64

    def ready(self) -> Iterator[LogBatch]:
        """A batch, once there is enough for one."""
        if len(self._rows) >= ROWS or self._bytes >= BYTES or len(self._rows) >= self._left:
            yield from self._batch()

    def rest(self, truncated: str = "") -> Iterator[LogBatch]:
        """What is left, with the reason why there is no more where that is not the end of the window."""
        yield from self._batch()
        if truncated and not self._cut:
            yield LogBatch(self.name, pl.DataFrame(schema=LOG_SCHEMA), self.url, truncated)

    def _batch(self) -> Iterator[LogBatch]:
        if not self._rows:
            return
        frame = pl.DataFrame(
            self._rows,
            schema={name: pl.Int64() if name == "time" else LOG_SCHEMA[name] for name in _COLUMNS},
            orient="row",
        ).with_columns(
            pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            pl.col("level").map_batches(levels.normal, return_dtype=pl.String()),
        )
        self._rows.clear()
        self._bytes = 0
        source = Source(self.name, self._calendar, service=self._service, url=self.url)
        read = Selection(self._query).apply(read_messages(frame, source).frame)
        kept = read.head(self._left)
        self._left -= kept.height
        self._cut = kept.height < read.height
        if not read.is_empty():
            yield LogBatch(self.name, kept, self.url, _MORE if self._cut else "")
