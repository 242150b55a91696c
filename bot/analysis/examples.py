"""Fetching the lines that show a pattern, with their neighbours, by a second reading of the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from adapters.kit.records import LogBatch
from bot.analysis.findings import Example

AROUND = 10
_TEXT_CHARS = 8_000
_NEIGHBOUR_CHARS = 400


@dataclass(frozen=True, slots=True)
class _Line:
    source: str
    origin: str
    line: int | None
    at: datetime | None
    text: str


def fetch(batches: Iterable[LogBatch], rows: Sequence[int]) -> dict[int, Example]:
    """The events at these row numbers of the stream, each with up to ten events of its own file around it.

    Reading stops after the last asked row. Rows that a changed stream no longer has are left out.
    """
    near = {row + d for row in rows for d in range(-AROUND, AROUND + 1) if row + d >= 0}
    lines = _lines(batches, sorted(near))
    return {row: _example(row, lines) for row in rows if row in lines}


def _lines(batches: Iterable[LogBatch], wanted: Sequence[int]) -> dict[int, _Line]:
    found: dict[int, _Line] = {}
    if not wanted:
        return found
    offset = 0
    for batch in batches:
        height = batch.frame.height
        here = [row - offset for row in wanted if offset <= row < offset + height]
        if here:
            some = batch.frame[here].select(
                pl.col("origin").fill_null(""),
                "line",
                "time",
                pl.col("text").fill_null("").str.slice(0, _TEXT_CHARS),
            )
            for place, values in zip(here, some.iter_rows(), strict=True):
                found[offset + place] = _Line(batch.source, *values)
        offset += height
        if offset > wanted[-1]:
            break
    return found


def _example(row: int, lines: Mapping[int, _Line]) -> Example:
    mine = lines[row]

    def neighbours(rows: Iterable[int]) -> tuple[str, ...]:
        return tuple(
            lines[r].text[:_NEIGHBOUR_CHARS]
            for r in rows
            if r in lines and lines[r].origin == mine.origin
        )

    return Example(
        source=mine.source,
        origin=mine.origin,
        line=mine.line,
        at=mine.at,
        text=mine.text,
        before=neighbours(range(row - AROUND, row)),
        after=neighbours(range(row + 1, row + AROUND + 1)),
    )
