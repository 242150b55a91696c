"""In which order services began to fail. Order is evidence, not cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.analysis.anomalies import Anomaly
from bot.analysis.findings import Crossing
from bot.analysis.grid import Floats, Grid
from bot.analysis.onset import Step
from bot.analysis.tally import Axis

_TIE_S = 2.0
_ALARM = 3.0  # events above expectation until a rise counts
_MIN_TRACES = 3
_MAJORITY = 0.7


@dataclass(frozen=True, slots=True)
class _First:
    service: str
    bucket: int
    anomaly: Anomaly


def order(
    grid: Grid,
    axis: Axis,
    step: Step | None,
    anomalies: Sequence[Anomaly],
    traces: Mapping[str, Mapping[str, int]],
) -> list[tuple[Crossing, Anomaly]]:
    """Services by the first moment their errors rose, with the pattern that did it.

    Services within two seconds of the first of their group share a rank, unless the traces that both appear in
    say which one failed first. `Crossing.pattern` is left empty for the caller to name.
    """
    if step is None:
        return []
    firsts: dict[str, _First] = {}
    for anomaly in anomalies:
        if anomaly.kind not in {"new", "surging"} or anomaly.recurring or not anomaly.bad:
            continue
        bucket = _crossing(grid, axis, step, anomaly)
        known = firsts.get(anomaly.shape.service)
        if bucket is not None and (known is None or bucket < known.bucket):
            firsts[anomaly.shape.service] = _First(anomaly.shape.service, bucket, anomaly)
    named = sorted((f for f in firsts.values() if f.service), key=lambda f: (f.bucket, f.service))
    found: list[tuple[Crossing, Anomaly]] = []
    for group in _tied(named, max(_TIE_S, axis.step_s)):
        for tier in _by_traces(group, traces):
            rank = len(found) + 1
            found.extend(
                (
                    Crossing(service=f.service, at=axis.moment(f.bucket), pattern="", rank=rank),
                    f.anomaly,
                )
                for f in tier
            )
    return found


def _crossing(grid: Grid, axis: Axis, step: Step, anomaly: Anomaly) -> int | None:
    """Where the rise began that a one-sided CUSUM noticed, on the fine axis."""
    mine = grid.pattern == anomaly.pattern
    bucket, n = grid.bucket[mine], grid.n[mine].astype(np.float64)
    order_of = np.argsort(bucket, kind="stable")
    bucket, n = bucket[order_of], n[order_of]
    earliest = round((step.onset.earliest - step.onset.at).total_seconds() / axis.step_s)
    late = bucket >= step.bucket + earliest
    if not late.any():
        return None
    if anomaly.kind == "new":
        return int(bucket[late][0])
    rate = n[~late].sum() / max(1.0, step.bucket - float(grid.starts[0]))
    return _cusum(bucket[late], n[late], float(rate))


def _cusum(
    bucket: np.ndarray[tuple[int], np.dtype[np.int64]], n: Floats, rate: float
) -> int | None:
    total, start, previous = 0.0, int(bucket[0]), int(bucket[0])
    for at, seen in zip(bucket, n, strict=True):
        total -= 1.5 * rate * (int(at) - previous)
        if total <= 0:
            total, start = 0.0, int(at)
        total += float(seen)
        previous = int(at)
        if total >= _ALARM + rate:
            return start
    return None


def _tied(firsts: Sequence[_First], within_s: float) -> list[list[_First]]:
    groups: list[list[_First]] = []
    for first in firsts:
        if groups and first.bucket - groups[-1][0].bucket < within_s:
            groups[-1].append(first)
        else:
            groups.append([first])
    return groups


def _by_traces(group: list[_First], traces: Mapping[str, Mapping[str, int]]) -> list[list[_First]]:
    """Tiers of a tied group: whoever fails first in most shared traces stands before the other."""
    if len(group) < 2 or not traces:
        return [group]
    ahead: Counter[tuple[str, str]] = Counter()
    for services in traces.values():
        for one, at in services.items():
            ahead.update((one, other) for other, then in services.items() if at < then)

    def compare(a: _First, b: _First) -> int:
        wins, losses = ahead[a.service, b.service], ahead[b.service, a.service]
        if wins + losses < _MIN_TRACES or max(wins, losses) < _MAJORITY * (wins + losses):
            return 0
        return -1 if wins > losses else 1

    # A relation of majorities need not be transitive: order by won comparisons first, which always ends.
    won = {a.service: sum(compare(a, b) for b in group) for a in group}
    ranked = sorted(group, key=lambda f: (won[f.service], f.service))
    tiers = [[ranked[0]]]
    for before, after in pairwise(ranked):
        if won[before.service] == won[after.service]:
            tiers[-1].append(after)
        else:
            tiers.append([after])
    return tiers
