"""Counts on one time line: the baseline's buckets followed by the window's, with silent stretches left out.

Silence is left out because a baseline may be the same hour of seven earlier days, and a log may simply have begun
late; a rate counts against the time in which anything was logged at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bot.analysis.tally import NO_BUCKET, Counts, Ints, Key
from bot.analysis.templates import mine

Floats = npt.NDArray[np.float64]

COARSE_BUCKETS = 360
_BRIDGE = 30
"""Silent buckets that still count as observed; a longer silence is a hole in the data."""


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """What makes two lines the same pattern."""

    service: str
    level: str
    template: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Events per pattern over time.

    Attributes:
        shapes: the patterns, sorted; `pattern` arrays index it.
        starts: first fine bucket of each coarse bucket of the window, ascending.
        width: fine buckets per coarse bucket.
        before: number of coarse buckets that the baseline has, which come first in `rows`.
        pattern, bucket, n: the window's events, on fine buckets.
        undated: events per pattern whose time is unknown.
        base: events per pattern in the baseline.
        base_cells: the baseline's events as (pattern, coarse index, n).
        owner: the pattern of every key that was read.
    """

    shapes: tuple[Shape, ...]
    starts: Ints
    width: int
    before: int
    pattern: Ints
    bucket: Ints
    n: Ints
    undated: Ints
    base: Ints
    base_cells: tuple[Ints, Ints, Ints]
    first_row: Ints
    last_row: Ints
    base_first_row: Ints
    owner: dict[Key, int]

    @property
    def after(self) -> int:
        """Number of coarse buckets of the window."""
        return len(self.starts)

    @property
    def total(self) -> Ints:
        """Events per pattern in the window, dated or not."""
        return self.undated + self._sum(self.pattern, self.n)

    def coarse(self, bucket: Ints) -> Ints:
        """The coarse index, within the window, of fine buckets."""
        return np.searchsorted(self.starts, bucket, side="right") - 1

    def rows(self, patterns: Ints) -> Floats:
        """One row per asked pattern, one column per coarse bucket, baseline first."""
        place = np.full(len(self.shapes), -1, dtype=np.int64)
        place[patterns] = np.arange(len(patterns))
        out = np.zeros((len(patterns), self.before + self.after))
        base_pattern, base_index, base_n = self.base_cells
        cells = (
            (place[base_pattern], base_index, base_n),
            (place[self.pattern], self.before + self.coarse(self.bucket), self.n),
        )
        for row, column, n in cells:
            asked = row >= 0
            np.add.at(out, (row[asked], column[asked]), n[asked])
        return out

    def since(self, bucket: float) -> Ints:
        """Dated events per pattern from the fine bucket on."""
        late = self.bucket >= bucket
        return self._sum(self.pattern[late], self.n[late])

    def seen(self, patterns: Ints, *, since: float = -np.inf) -> tuple[Ints, Ints]:
        """First and last fine bucket of each asked pattern, `NO_BUCKET` where it has none."""
        first = np.full(len(self.shapes), NO_BUCKET, dtype=np.int64)
        last = first.copy()
        late = self.bucket >= since
        order = np.argsort(self.bucket[late], kind="stable")
        pattern, bucket = self.pattern[late][order], self.bucket[late][order]
        last[pattern] = bucket
        first[pattern[::-1]] = bucket[::-1]
        return first[patterns], last[patterns]

    def _sum(self, pattern: Ints, n: Ints) -> Ints:
        return np.bincount(pattern, weights=n, minlength=len(self.shapes)).astype(np.int64)


def build(window: Counts, baseline: Counts) -> Grid:
    """Mine the templates of both streams together and lay their counts out."""
    template = mine(key[2] for counts in (window, baseline) for key in counts.keys)
    shape_of = {
        key: Shape(key[0], key[1], template[key[2]])
        for counts in (window, baseline)
        for key in counts.keys
    }
    shapes = tuple(sorted(set(shape_of.values())))
    number = {shape: i for i, shape in enumerate(shapes)}
    pattern_of = np.asarray([number[shape_of[key]] for key in window.keys], dtype=np.int64)
    base_of = np.asarray([number[shape_of[key]] for key in baseline.keys], dtype=np.int64)
    dated = window.bucket != NO_BUCKET
    pattern, bucket, n = _merged(
        pattern_of[window.key[dated]], window.bucket[dated], window.n[dated]
    )
    width = _width(bucket)
    starts = _observed(bucket, width)
    base_dated = baseline.bucket != NO_BUCKET
    base_starts = _observed(baseline.bucket[base_dated], width)
    base_place = np.searchsorted(base_starts, baseline.bucket[base_dated], side="right") - 1
    size = len(shapes)
    return Grid(
        shapes=shapes,
        starts=starts,
        width=width,
        before=len(base_starts),
        pattern=pattern,
        bucket=bucket,
        n=n,
        undated=_bincount(pattern_of[window.key[~dated]], window.n[~dated], size),
        base=_bincount(base_of[baseline.key], baseline.n, size),
        base_cells=_merged(base_of[baseline.key[base_dated]], base_place, baseline.n[base_dated]),
        first_row=_extreme(pattern_of, window.first_row, size, np.minimum),
        last_row=_extreme(pattern_of, window.last_row, size, np.maximum),
        base_first_row=_extreme(base_of, baseline.first_row, size, np.minimum),
        owner={key: number[shape] for key, shape in shape_of.items()},
    )


def _merged(pattern: Ints, place: Ints, n: Ints) -> tuple[Ints, Ints, Ints]:
    """Events of several masked texts that turned out to be one pattern, added up."""
    frame = pl.DataFrame({"pattern": pattern, "place": place, "n": n})
    merged = frame.group_by("pattern", "place").agg(pl.col("n").sum())
    summed = merged.sort("pattern", "place").cast(pl.Int64)
    return summed["pattern"].to_numpy(), summed["place"].to_numpy(), summed["n"].to_numpy()


def _width(bucket: Ints) -> int:
    if not len(bucket):
        return 1
    span = int(bucket.max() - bucket.min()) + 1
    return max(1, -(-span // COARSE_BUCKETS))


def _observed(bucket: Ints, width: int) -> Ints:
    """Starts of the coarse buckets in which anything was logged, short silences included."""
    if not len(bucket):
        return np.zeros(0, dtype=np.int64)
    used = np.unique(bucket // width)
    gaps = np.diff(used)
    fill = [
        np.arange(used[i] + 1, used[i + 1]) for i in np.flatnonzero((gaps > 1) & (gaps <= _BRIDGE))
    ]
    return np.sort(np.concatenate([used, *fill])) * width


def _bincount(pattern: Ints, n: Ints, size: int) -> Ints:
    return np.bincount(pattern, weights=n, minlength=size).astype(np.int64)


def _extreme(pattern: Ints, row: Ints, size: int, pick: np.ufunc) -> Ints:
    start = np.iinfo(np.int64).max if pick is np.minimum else -1
    out = np.full(size, start, dtype=np.int64)
    pick.at(out, pattern, row)
    return np.where((out == np.iinfo(np.int64).max) | (out < 0), NO_BUCKET, out)
