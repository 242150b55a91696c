"""Which events of a source a query asks for; the same for every log source that filters on our side."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from adapters.kit.capabilities import LogQuery
from adapters.kit.records import LEVELS, Window

SELECTABLE = ("service", "host", "trace", "level", "origin")
"""Columns that a selector may name."""


@dataclass(slots=True)
class Selection:
    """Applies a query to the batches of one file or stream, in their order.

    Events without a time stand where they stand: they go with the event before them (with the one after, at the
    beginning). A stream without any time is wanted whole: it is not known to be outside of the window.
    """

    query: LogQuery
    _last: object = field(default=None)

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of one batch that the query asks for."""
        if frame.is_empty():
            return frame
        wanted = self._in(frame, self.query.window) & self._selected(frame)
        for text in self.query.contains:
            wanted &= frame.get_column("text").str.contains(text, literal=True)
        if self.query.min_level in LEVELS:
            enough = LEVELS[LEVELS.index(self.query.min_level) :]
            level = frame.get_column("level")
            wanted &= level.is_in(enough) | level.is_null()
        return frame if wanted.all() else frame.filter(wanted)

    def _in(self, frame: pl.DataFrame, window: Window) -> pl.Series:
        time = frame.get_column("time")
        if time.null_count():
            carried = time.fill_null(strategy="forward")
            if self._last is not None:
                carried = carried.fill_null(self._last)
            time = carried.fill_null(strategy="backward")
        if time.null_count() == time.len():
            return pl.Series([True]).new_from_index(0, time.len())
        self._last = time[-1]
        return (time >= window.since) & (time < window.until)

    def _selected(self, frame: pl.DataFrame) -> pl.Series:
        """Rows with the operator's own equalities; the asked service restricts nothing here (see `LogQuery`)."""
        wanted = pl.Series([True]).new_from_index(0, frame.height)
        for column, value in self.query.selector.items():
            given = frame.get_column(column).str.to_lowercase() == value.lower()
            wanted &= given.fill_null(value=False)
        return wanted
