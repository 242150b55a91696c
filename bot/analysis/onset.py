"""When it began: patterns vote with the likelihood that their rate changed at a moment.

Every series (a pattern, or all errors of a service) gets a Poisson log-likelihood ratio for each possible moment,
divided by its own overdispersion so that bursty series do not shout. Only series whose own evidence is strong
vote: summing thousands of weak series finds the edges of the window, not incidents.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from bot.analysis.findings import Onset, Term
from bot.analysis.grid import Floats, Grid
from bot.analysis.tally import Axis, Ints, micros

Flags = npt.NDArray[np.bool_]

_MIN_EVENTS = 4
_MAX_SERIES = 2_000
_THRESHOLD = 15.0  # BIC-like: ln of some thousand series times some hundred moments
_ERROR_THRESHOLD = 9.0  # there are far fewer kinds of errors, and silence is their norm
_CAP = 60.0
_ROUTINE_CAP = 40.0
_MIN_RATIO = 1.5  # locally: a daily ramp has a huge likelihood ratio, but no step
_SAME_LEVEL = 0.9
_MIN_VOTE = 8.0
_WITHIN = 3.0  # log-likelihood units below the maximum that still belong to the interval
_LATE_VOTE = 0.25  # well after the alert: an alert does not precede its cause
_EDGE_VOTE = 0.6  # at the very beginning of the window: most likely older than it
_ALERT_SLACK = timedelta(minutes=2)
_LONG_BASELINE = 10  # coarse buckets from which on the window's first moment can be judged


@dataclass(frozen=True, slots=True)
class Step:
    """The onset on the fine axis."""

    bucket: float
    onset: Onset


@dataclass(frozen=True, slots=True)
class _Series:
    """Counts over time of what may vote, one row each."""

    rows: Floats
    members: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...]
    bad: Flags

    @property
    def weight(self) -> Floats:
        return np.where(self.bad, 1.0, 0.12)

    @property
    def threshold(self) -> Floats:
        return np.where(self.bad, _ERROR_THRESHOLD, _THRESHOLD)


def find(grid: Grid, axis: Axis, is_bad: Flags, alert_at: datetime | None) -> Step | None:
    """The most likely onset in the window, or None when nothing changed convincingly.

    Args:
        is_bad: which patterns are errors.
        alert_at: when the alert fired, if there is one; later moments count less.
    """
    if grid.after < 4:
        return None
    series = _series(grid, is_bad)
    ratio = _ratios(series, grid.before, _guard(grid, axis))
    voting = np.flatnonzero(ratio.max(axis=1, initial=0.0) > series.threshold)
    # Scaled, not clipped: a clipped vote has a flat top, and its first moment would win.
    share = np.minimum(1.0, _CAP / ratio[voting].max(axis=1, keepdims=True, initial=1.0))
    votes = ratio[voting] * share * series.weight[voting, None]
    bad = series.bad[voting]
    routine = votes[~bad].sum(axis=0)
    total = votes[bad].sum(axis=0) + routine / (1 + routine / _ROUTINE_CAP)
    total = total * _after_alert(grid, axis, alert_at)
    total[: max(1, grid.after // 30)] *= _EDGE_VOTE
    best = int(total.argmax())
    if total[best] < _MIN_VOTE:
        return None
    near = votes[:, max(0, best - 2) : best + 3].max(axis=1)
    order = np.argsort(-near, kind="stable")
    order = order[near[order] > 0.5]
    terms = [
        Term(name="change", weight=round(float(near[i]), 2), evidence=series.labels[voting[i]])
        for i in order[:5]
    ]
    return _refine(grid, axis, series, voting[order], best, terms)


def _series(grid: Grid, is_bad: Flags) -> _Series:
    total = grid.base + np.bincount(grid.pattern, weights=grid.n, minlength=len(grid.shapes))
    often = np.flatnonzero(total >= _MIN_EVENTS)
    order = np.lexsort((often, -total[often], ~is_bad[often]))
    chosen = np.sort(often[order[:_MAX_SERIES]])
    rows = grid.rows(chosen)
    members: list[tuple[int, ...]] = [(int(p),) for p in chosen]
    labels = [_label(grid, int(p)) for p in chosen]
    bad = is_bad[chosen]
    errors: dict[str, list[int]] = defaultdict(list)
    for i in np.flatnonzero(is_bad):
        errors[grid.shapes[i].service].append(int(i))
    sums: list[Floats] = []
    for service in sorted(errors):
        if len(errors[service]) > 1:
            some = errors[service][:_MAX_SERIES]
            members.append(tuple(some))
            sums.append(grid.rows(np.asarray(some, dtype=np.int64)).sum(axis=0))
            labels.append(f"all errors of {service}" if service else "all errors")
    if sums:
        rows = np.vstack([rows, *sums])
        bad = np.concatenate([bad, np.ones(len(sums), dtype=np.bool_)])
    return _Series(rows=rows, members=tuple(members), labels=tuple(labels), bad=bad)


def _label(grid: Grid, pattern: int) -> str:
    shape = grid.shapes[pattern]
    name = " ".join(part for part in (shape.service, shape.level) if part)
    return f"{name}: {shape.template}"[:160] if name else shape.template[:160]


def _guard(grid: Grid, axis: Axis) -> int:
    """First coarse bucket of the window that may be the onset: the edge of a log proves nothing."""
    if grid.before >= _LONG_BASELINE:
        return 0
    two_minutes = round(120 / (axis.step_s * grid.width))
    return max(2, min(two_minutes, grid.after // 10))


def _dispersion(rows: Floats) -> Floats:
    """Variance over mean, from first differences, so that a single step does not count as variance."""
    mean = rows.mean(axis=1)
    noise = (np.diff(rows, axis=1) ** 2).mean(axis=1) / 2
    spread: Floats = np.maximum(1.0, noise / np.maximum(mean, 1e-9))
    return spread


def _likelihood(a: Floats, ea: Floats | Ints, b: Floats, eb: Floats | Ints) -> Floats:
    """Poisson log-likelihood ratio of two rates (`a` events in `ea`, `b` in `eb`) against one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (a + b) / (ea + eb)
        left = np.where(a > 0, a * np.log(a / ea / rate), 0.0)
        right = np.where(b > 0, b * np.log(b / eb / rate), 0.0)
    ratio: Floats = np.nan_to_num(left + right, posinf=0.0, neginf=0.0)
    return ratio


def _ratios(series: _Series, before: int, guard: int) -> Floats:
    """Likelihood of a step at each coarse bucket of the window, one row per series.

    A step is judged against all that came before, and against what came after to the end or within a shorter
    horizon, so that an incident that is over is found as well as one that goes on.
    """
    rows = series.rows
    size = rows.shape[1]
    after = size - before
    sums = np.concatenate([np.zeros((len(rows), 1)), rows.cumsum(axis=1)], axis=1)
    at = np.arange(before + guard, size)
    out = np.zeros((len(rows), after))
    if not len(at):
        return out
    left = sums[:, at]
    best = np.zeros_like(left)
    for horizon in sorted({after, max(3, after // 4), max(3, after // 12)}):
        end = np.minimum(at + horizon, size)
        best = np.maximum(
            best, _likelihood(left, at[None, :], sums[:, end] - left, (end - at)[None, :])
        )
    local = max(3, after // 12)
    low, high = np.maximum(at - local, 0), np.minimum(at + local, size)
    rate_before = (left - sums[:, low] + 0.5) / np.maximum(at - low, 1)
    rate_after = (sums[:, high] - left + 0.5) / (high - at)
    rising = rate_after >= _MIN_RATIO * rate_before
    falling = rate_before >= _MIN_RATIO * rate_after
    reached, sunk = _seen_before(rows, at, local)
    # Errors that stop are a recovery, not an onset.
    step = (rising & ~reached) | (falling & ~sunk & ~series.bad[:, None])
    best = np.where(step, best, 0.0)
    out[:, guard:] = best / _dispersion(rows)[:, None]
    return out


def _seen_before(rows: Floats, at: Ints, span: int) -> tuple[Flags, Flags]:
    """Whether, at each moment, the level that follows was reached before, and the same for low levels.

    This is what keeps a nightly backup, or a burst every ten minutes, from being the beginning of anything.
    """
    sums = np.concatenate([np.zeros((len(rows), 1)), rows.cumsum(axis=1)], axis=1)
    level = sums[:, span:] - sums[:, :-span]  # level[:, i] covers rows[:, i : i + span]
    ends = np.clip(at - span, 0, level.shape[1] - 1)
    begins = np.clip(at, 0, level.shape[1] - 1)
    enough = (at >= 3 * span)[None, :]
    highest = np.maximum.accumulate(level, axis=1)[:, ends]
    lowest = np.minimum.accumulate(level, axis=1)[:, ends]
    top = np.maximum.accumulate(level[:, ::-1], axis=1)[:, ::-1][:, begins]
    bottom = np.minimum.accumulate(level[:, ::-1], axis=1)[:, ::-1][:, begins]
    return enough & (highest >= _SAME_LEVEL * top), enough & (lowest * _SAME_LEVEL <= bottom)


def _after_alert(grid: Grid, axis: Axis, alert_at: datetime | None) -> Floats:
    if alert_at is None:
        return np.ones(grid.after)
    limit = (micros(alert_at + _ALERT_SLACK) - axis.start) / axis.step
    return np.where(grid.starts > limit, _LATE_VOTE, 1.0)


def _refine(
    grid: Grid, axis: Axis, series: _Series, agree: Ints, best: int, terms: list[Term]
) -> Step:
    """Look at the neighbourhood of the winning bucket at full resolution."""
    low, high = max(0, best - 2), min(grid.after, best + 2)
    fine = np.concatenate([np.arange(start, start + grid.width) for start in grid.starts[low:high]])
    chosen = agree[:200]
    rows = _fine_rows(grid, fine, series, chosen)
    before = series.rows[chosen][:, : grid.before + low].sum(axis=1)
    end = min(grid.after, best + max(4, grid.after // 4))
    total = series.rows[chosen][:, grid.before + low : grid.before + end].sum(axis=1)
    left = np.concatenate([np.zeros((len(rows), 1)), rows.cumsum(axis=1)[:, :-1]], axis=1)
    steps = np.arange(len(fine), dtype=np.float64)[None, :]
    exposure = (grid.before + low) * grid.width + steps
    ratio = (
        _likelihood(
            before[:, None] + left,
            np.maximum(exposure, 0.5),
            total[:, None] - left,
            np.maximum((end - low) * grid.width - steps, 0.5),
        )
        / _dispersion(series.rows[chosen])[:, None]
    )
    combined = (ratio * series.weight[chosen][:, None]).sum(axis=0)
    if grid.before < _LONG_BASELINE and low == 0:
        combined[: grid.width] = 0.0
    top = int(combined.argmax())
    inside = np.flatnonzero(combined >= combined[top] - _WITHIN)
    first, last = _around(inside, top)
    return Step(
        bucket=float(fine[top]),
        onset=Onset(
            at=axis.moment(float(fine[top])),
            earliest=axis.moment(float(fine[first])),
            latest=axis.moment(float(fine[last]) + 1),
            terms=tuple(terms),
        ),
    )


def _fine_rows(grid: Grid, fine: Ints, series: _Series, chosen: Ints) -> Floats:
    """Counts of the chosen series on the fine buckets `fine`."""
    out = np.zeros((len(chosen), len(fine)))
    near = (grid.bucket >= fine[0]) & (grid.bucket <= fine[-1])
    column = np.searchsorted(fine, grid.bucket[near])
    for row, number in enumerate(chosen):
        member = np.isin(grid.pattern[near], series.members[number])
        np.add.at(out[row], column[member], grid.n[near][member])
    return out


def _around(inside: Ints, top: int) -> tuple[int, int]:
    """The run of consecutive numbers in `inside` that holds `top`."""
    runs = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    run = next(run for run in runs if top in run)
    return int(run[0]), int(run[-1])
