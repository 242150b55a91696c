"""Counting a log stream in bounded memory: events per (service, level, masked text) and time bucket.

A tally keeps no lines. It keeps, for each distinct key, how often it was seen in which bucket and the numbers of
its first and last rows, so that examples can be fetched by a second reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from adapters.kit.records import LogBatch, Window
from bot.analysis.masking import WILD, mask

Ints = npt.NDArray[np.int64]

MAX_KEYS = 50_000
"""Distinct keys kept. When a log has more, the rarest are folded into coarser ones."""

_KEEP_KEYS = 25_000
_MAX_TRACES = 20_000
_COMPACT_ROWS = 1_500_000
_NO_ROWS = pl.DataFrame(schema={"key": pl.Int32, "bucket": pl.Int32, "n": pl.Int32})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_BUCKET = -1


@dataclass(frozen=True, slots=True)
class Axis:
    """Fine time buckets: bucket `b` is `[start + b * step, start + (b + 1) * step)`, in microseconds of epoch."""

    start: int
    step: int
    size: int

    def moment(self, bucket: float) -> datetime:
        return _EPOCH + timedelta(microseconds=round(self.start + bucket * self.step))

    def unbounded(self) -> Axis:
        """An axis with the same buckets' width that holds any moment within decades, for a baseline."""
        return Axis(start=self.start - self.step * 2**30, step=self.step, size=2**31 - 1)

    @property
    def step_s(self) -> float:
        return self.step / 1e6


def axis_of(window: Window, buckets: int = 7_200) -> Axis:
    """At most about `buckets` buckets of whole seconds over the window."""
    start = micros(window.since)
    span = micros(window.until) - start
    step = 1_000_000 * max(1, -(-span // (buckets * 1_000_000)))
    return Axis(start=start, step=step, size=max(1, -(-span // step)))


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


Key = tuple[str, str, str]
"""Service, level, masked text; empty strings where unknown."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A read stream. `key`, `bucket` and `n` are parallel: `n` events of key number `key` in `bucket`.

    Attributes:
        bucket: index on the axis; on `by_position` streams the row number of the event instead.
        first_row: per key, the number of its first row in the stream; `last_row` likewise.
        traces: per trace id, the first error of each service in it, in epoch microseconds.
    """

    keys: tuple[Key, ...]
    key: Ints
    bucket: Ints
    n: Ints
    first_row: Ints
    last_row: Ints
    by_position: bool = False
    lines: int = 0
    lines_without_time: int = 0
    lines_outside: int = 0
    bytes: int = 0
    first: datetime | None = None
    last: datetime | None = None
    truncated: tuple[str, ...] = ()
    folded: bool = False
    traces: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def without_rows(counts: Counts) -> Counts:
    """The same stream without its counts, which are many and are laid out elsewhere by now."""
    none = np.zeros(0, dtype=np.int64)
    return replace(counts, key=none, bucket=none, n=none)


def _fold_gently(key: Key) -> Key:
    """A coarser key for a rare string: its first three words, and roughly its length."""
    service, level, masked = key
    tokens = masked.split()
    head = [token if token.isalpha() else WILD for token in tokens[:3]]
    return service, level, " ".join([*head, *[WILD] * min(3, len(tokens) - len(head))])


def _fold_hard(key: Key) -> Key:
    return key[0], key[1], WILD


def _fold_away(key: Key) -> Key:
    return "", key[1], WILD


class Tally:
    """Adds batches up. `axis` None counts by position in the stream: for logs without times."""

    def __init__(self, axis: Axis | None) -> None:
        self._axis = axis
        self._ids: dict[Key, int] = {}
        self._parts: list[pl.DataFrame] = []
        self._part_rows = self._kept_rows = 0
        self._first: list[int] = []
        self._last: list[int] = []
        self._last_seen: dict[str, tuple[int, str]] = {}
        self._trace_parts: list[pl.DataFrame] = []
        self._trace_rows = 0
        self._truncated: dict[str, None] = {}
        self._span: tuple[datetime | None, datetime | None] = (None, None)
        self._rows = self._without_time = self._outside = self._bytes = 0
        self._folded = False

    def add(self, batch: LogBatch) -> None:
        if batch.truncated:
            self._truncated[f"{batch.source}: {batch.truncated}"] = None
        if not batch.frame.height:
            return
        frame = self.keyed(batch.frame)
        grouped = frame.group_by("service", "level", "masked", "bucket").agg(
            pl.len().cast(pl.Int32).alias("n"),
            pl.col("row").min().alias("first"),
            pl.col("row").max().alias("last"),
        )
        self._parts.append(self._with_ids(grouped))
        self._part_rows += grouped.height
        if len(self._ids) > MAX_KEYS:
            self._fold_rare_keys()
        # Doubling: however many rows stay distinct, each is merged a bounded number of times.
        if self._part_rows > _COMPACT_ROWS + 1.5 * self._kept_rows:
            self._compact()

    def close(self) -> Counts:
        rows = self._compact().sort("key", "bucket")
        self._parts.clear()
        first, last = self._span
        return Counts(
            keys=tuple(self._ids),
            key=rows["key"].to_numpy(),
            bucket=rows["bucket"].to_numpy(),
            n=rows["n"].to_numpy(),
            first_row=np.asarray(self._first, dtype=np.int64),
            last_row=np.asarray(self._last, dtype=np.int64),
            by_position=self._axis is None,
            lines=self._rows,
            lines_without_time=self._without_time,
            lines_outside=self._outside,
            bytes=self._bytes,
            first=first,
            last=last,
            truncated=tuple(self._truncated),
            folded=self._folded,
            traces=self._traces(),
        )

    def keyed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of the stream's next batch with their keys and buckets, in their order."""
        slim = (
            frame.select(
                pl.col("service").fill_null(""),
                pl.col("level").fill_null(""),
                mask(frame["text"]).alias("masked"),
                pl.col("time").cast(pl.Int64),
                pl.col("origin").fill_null(""),
                "trace",
            )
            .with_row_index("row", offset=self._rows)
            .with_columns(pl.col("row").cast(pl.Int64))
        )
        self._measure(frame)
        self._rows += frame.height
        if self._axis is None:
            return slim.with_columns(pl.col("row").alias("bucket"))
        slim = self._carried(slim)
        axis = self._axis
        bucket = (pl.col("time") - axis.start).floordiv(axis.step)
        inside = (pl.col("time") >= axis.start) & (bucket < axis.size)
        slim = slim.with_columns(
            pl.when(inside).then(bucket).otherwise(NO_BUCKET).fill_null(NO_BUCKET).alias("bucket")
        )
        self._outside += slim.filter(pl.col("time").is_not_null() & ~inside).height
        self._note_traces(slim)
        return slim

    def _measure(self, frame: pl.DataFrame) -> None:
        self._bytes += int(frame["text"].str.len_bytes().sum())
        self._without_time += frame["time"].null_count()
        low, high = frame["time"].min(), frame["time"].max()
        first, last = self._span
        if isinstance(low, datetime) and isinstance(high, datetime):
            self._span = (min(first or low, low), max(last or high, high))

    def _carried(self, slim: pl.DataFrame) -> pl.DataFrame:
        """A line without a time continues the line before it in its file: same moment, same service."""
        untimed = pl.col("time").is_null()
        if slim["time"].null_count():
            known = pl.DataFrame(
                [(origin, *last) for origin, last in self._last_seen.items()],
                schema={"origin": pl.String, "last_time": pl.Int64, "last_service": pl.String},
                orient="row",
            )
            writer = pl.when(untimed).then(None).otherwise("service").forward_fill().over("origin")
            carried = pl.coalesce(writer, "last_service", pl.lit(""))
            slim = slim.join(known, on="origin", how="left", maintain_order="left").with_columns(
                pl.coalesce(pl.col("time").forward_fill().over("origin"), "last_time").alias(
                    "time"
                ),
                pl.when(untimed & (pl.col("service") == ""))
                .then(carried)
                .otherwise("service")
                .alias("service"),
            )
        timed = slim.filter(pl.col("time").is_not_null())
        if timed.height:
            last = timed.group_by("origin").agg(pl.col("time").last(), pl.col("service").last())
            self._last_seen.update({origin: (at, who) for origin, at, who in last.iter_rows()})
        return slim

    def _note_traces(self, slim: pl.DataFrame) -> None:
        if self._trace_rows >= _MAX_TRACES:
            return
        errors = slim.filter(
            pl.col("trace").is_not_null()
            & pl.col("level").is_in(["error", "fatal"])
            & (pl.col("bucket") != NO_BUCKET)
        )
        if errors.height:
            firsts = (
                errors.group_by("trace", "service")
                .agg(pl.col("time").min())
                .sort("time", "trace", "service")
                .head(_MAX_TRACES - self._trace_rows)
            )
            self._trace_parts.append(firsts)
            self._trace_rows += firsts.height

    def _traces(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for part in self._trace_parts:
            for trace, service, time in part.iter_rows():
                before = found[trace].get(service, time)
                found[trace][service] = min(before, time)
        return {trace: services for trace, services in found.items() if len(services) > 1}

    def _with_ids(self, grouped: pl.DataFrame) -> pl.DataFrame:
        distinct = (
            grouped.group_by("service", "level", "masked")
            .agg(pl.col("first").min(), pl.col("last").max())
            .sort("first", "service", "level", "masked")
        )
        ids: list[int] = []
        for service, level, masked, first, last in distinct.iter_rows():
            number = self._ids.setdefault((service, level, masked), len(self._ids))
            if number == len(self._first):
                self._first.append(first)
                self._last.append(last)
            self._last[number] = max(self._last[number], last)
            ids.append(number)
        numbered = distinct.select(
            "service", "level", "masked", pl.Series("key", ids, dtype=pl.Int32)
        )
        return grouped.join(numbered, on=["service", "level", "masked"], how="left").select(
            "key", pl.col("bucket").cast(pl.Int32), "n"
        )

    def _compact(self) -> pl.DataFrame:
        parts = pl.concat([_NO_ROWS, *self._parts])
        self._parts.clear()
        # One number for both: hashing it takes half the memory of hashing two columns.
        cell = (pl.col("key").cast(pl.Int64) * 2**32 + pl.col("bucket") + 1).alias("cell")
        summed = parts.select(cell, "n").group_by("cell").agg(pl.col("n").sum())
        rows = summed.select(
            (pl.col("cell") // 2**32).cast(pl.Int32).alias("key"),
            (pl.col("cell") % 2**32 - 1).cast(pl.Int32).alias("bucket"),
            pl.col("n").cast(pl.Int32),
        )
        self._parts.append(rows)
        self._part_rows = self._kept_rows = rows.height
        return rows

    def _fold_rare_keys(self) -> None:
        """Keep the most frequent keys and fold the tail, harder if a gentle fold does not help."""
        rows = self._compact()
        totals = np.bincount(rows["key"], weights=rows["n"], minlength=len(self._ids))
        keys = list(self._ids)
        by_rank = sorted(range(len(keys)), key=lambda i: (-totals[i], keys[i]))
        target = list(keys)
        for fold in (_fold_gently, _fold_hard, _fold_away):
            for i in by_rank[_KEEP_KEYS:]:
                target[i] = fold(keys[i])
            if len(set(target)) <= MAX_KEYS * 3 // 4:
                break
        self._renumber(rows, target)
        self._folded = True

    def _renumber(self, rows: pl.DataFrame, target: list[Key]) -> None:
        ids: dict[Key, int] = {}
        first: list[int] = []
        last: list[int] = []
        renamed: list[int] = []
        for old, key in enumerate(target):
            new = ids.setdefault(key, len(ids))
            renamed.append(new)
            if new == len(first):
                first.append(self._first[old])
                last.append(self._last[old])
            first[new] = min(first[new], self._first[old])
            last[new] = max(last[new], self._last[old])
        self._ids, self._first, self._last = ids, first, last
        numbers = np.asarray(renamed, dtype=np.int64)
        renumbered = pl.Series("key", numbers[rows["key"].to_numpy()], dtype=pl.Int32)
        self._parts = [rows.with_columns(renumbered)]
        self._compact()


def count(batches: Iterable[LogBatch], axis: Axis | None) -> Counts:
    """Read a stream once."""
    tally = Tally(axis)
    for batch in batches:
        tally.add(batch)
    return tally.close()
