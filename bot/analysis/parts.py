"""The two parts of a log that are compared, and what can be said of a pattern from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bot.analysis.grid import Floats, Grid
from bot.analysis.onset import Flags, Step
from bot.analysis.tally import Ints

_LONGER = 1.25
"""A silence is news when it is longer by this than any before: a job of every half hour is not gone after 20 minutes."""

_EARLIER_SHARE = 0.6
"""Without an onset and a baseline, this first part of the log is what the rest is compared with."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is compared with what. Exposures are in coarse buckets in which anything was logged.

    Attributes:
        after: events per pattern in the judged part.
        before: events per pattern in the reference part, baseline included.
        since: fine bucket at which the judged part begins.
        unsplit: nothing could be told apart: a single moment, or neither time nor earlier part.
        by_position: the log has no times; where a line stands is no sign that it came or went.
        alone: there is nothing to compare with but, in a log without times, lines further up.
    """

    after: Ints
    before: Ints
    exposure_after: float
    exposure_before: float
    since: float
    unsplit: bool
    by_position: bool
    alone: bool


def split(grid: Grid, step: Step | None, *, by_position: bool = False) -> Parts:
    """The judged part and the reference part: by onset, else window against baseline, else late against early."""
    base = grid.base
    if step is not None:
        since = step.bucket
    elif grid.before:
        since = -math.inf
    else:
        since = _late_part(grid)
    after = grid.since(since)
    dated = grid.since(-math.inf)
    edge = 0.0 if since == -math.inf else _coarse_edge(grid, since)
    return Parts(
        after=after + grid.undated,
        before=base + dated - after,
        exposure_after=max(grid.after - edge, 0.5),
        exposure_before=grid.before + edge,
        since=since,
        unsplit=grid.before + edge <= 0,
        by_position=by_position,
        alone=grid.before + edge <= 0 or (by_position and not grid.before),
    )


def _late_part(grid: Grid) -> float:
    if grid.after < 4:
        return -math.inf
    return float(grid.starts[int(grid.after * _EARLIER_SHARE)])


def _coarse_edge(grid: Grid, since: float) -> float:
    if not grid.after:
        return 0.0
    index = int(np.searchsorted(grid.starts, since, side="right")) - 1
    inside = (since - float(grid.starts[max(index, 0)])) / grid.width
    return max(0.0, index + min(1.0, inside))


def news(parts: Parts) -> float:
    """How much a new pattern says, 0.25 to 1: little in a log in which everything is new, such as a build's."""
    seen = parts.after > 0
    share = float((seen & (parts.before == 0)).sum()) / max(1, int(seen.sum()))
    return min(1.0, max(0.25, -math.log2(max(share, 1e-9)) / 2))


def fading(grid: Grid) -> Flags:
    """Patterns that were strongest when the window began: something older than what is asked about."""
    quarter = grid.after // 4
    if grid.before == 0 or quarter == 0:
        return np.zeros(len(grid.shapes), dtype=np.bool_)
    early = grid.total - grid.undated - grid.since(float(grid.starts[quarter]))
    late = grid.since(float(grid.starts[quarter]))
    fading: Flags = (early >= 3) & (early / quarter >= 2 * late / (grid.after - quarter))
    return fading


def history(grid: Grid, parts: Parts, patterns: Ints) -> tuple[Flags, Floats, Flags]:
    """Each pattern's past: was the level of now reached, how bursty was it, was it ever silent for as long as now?"""
    recurring = np.zeros(len(patterns), dtype=np.bool_)
    dispersion = np.ones(len(patterns))
    paused = recurring.copy()
    edge = 0 if parts.since == -math.inf else round(_coarse_edge(grid, parts.since))
    cut = grid.before + edge
    if cut < 3:
        return recurring, dispersion, paused
    for low in range(0, len(patterns), 512):
        some = slice(low, low + 512)
        rows = grid.rows(patterns[some])
        past, now = rows[:, :cut], rows[:, cut:]
        mean = np.maximum(past.mean(axis=1), 1e-9)
        noise = (np.diff(past, axis=1) ** 2).mean(axis=1) / 2
        dispersion[some] = np.clip(noise / mean, 1.0, 1e6)
        span = max(1, min(10, now.shape[1], past.shape[1]))
        peak_past, peak_now = _peak(past, span), _peak(now, span)
        recurring[some] = (peak_past >= 3) & (peak_past >= 0.8 * peak_now) & (peak_now > 0)
        paused[some] = [now.shape[1] <= _LONGER * _silence(row) for row in past]
    return recurring, dispersion, paused


def _silence(past: Floats) -> int:
    """The longest silence of a series. One that came late and briefly may well have been silent for as long before."""
    active = np.flatnonzero(past)
    if not len(active):
        return len(past)
    inner = int(np.diff(active).max(initial=1)) - 1
    trailing = len(past) - 1 - int(active[-1])
    leading, span = int(active[0]), int(active[-1] - active[0]) + 1
    return max(inner, trailing, leading if leading > span else 0)


def _peak(rows: Floats, span: int) -> Floats:
    if not rows.shape[1]:
        return np.zeros(len(rows))
    sums = np.concatenate([np.zeros((len(rows), 1)), rows.cumsum(axis=1)], axis=1)
    span = min(span, rows.shape[1])
    peak: Floats = (sums[:, span:] - sums[:, :-span]).max(axis=1)
    return peak
