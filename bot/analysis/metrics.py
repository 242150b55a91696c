"""Steps in metrics: for what logs do not say (a slow dependency, a starved CPU), and to confirm what they do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from adapters.kit.records import MetricSeries, Window
from bot.analysis.findings import Onset, Term
from bot.analysis.grid import Floats

_MIN_POINTS = 12
_EDGE = 3
_NEIGHBOURS = 5
_CLEAR = 3.0  # standard deviations of the noise that a step must be high
_MIN_WEIGHT = 12.0
_CAP = 30.0
_TOGETHER = timedelta(minutes=5)
_WORSE_UP = re.compile(
    r"err|fail|5xx|latenc|duration|p9\d|timeout|restart|lag|queue|saturat|throttl|oom|exception|pending",
    re.IGNORECASE,
)
_WORSE_DOWN = re.compile(
    r"availab|success|ready|healthy|\bup\b|throughput|rps|requests", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class MetricStep:
    """A moment at which a metric went to another level, for the worse.

    Attributes:
        key: id of the series, `M1` for the first.
        previous: time of the sample before `at`; the step lies between.
    """

    key: str
    at: datetime
    previous: datetime
    weight: float
    said: str


def steps(series: Sequence[MetricSeries], window: Window) -> list[MetricStep]:
    """The clear steps for the worse, the clearest first."""
    found = [
        step
        for number, one in enumerate(series, 1)
        if (step := _step(f"M{number}", one, window)) is not None
    ]
    return sorted(found, key=lambda step: (-step.weight, step.key))


def onset_of(found: Sequence[MetricStep]) -> Onset | None:
    """The onset as metrics alone tell it: that of the clearest step, with those that agree."""
    if not found:
        return None
    first = found[0]
    onset = Onset(at=first.at, earliest=first.previous, latest=first.at)
    return confirmed(onset, found)


def confirmed(onset: Onset, found: Sequence[MetricStep]) -> Onset:
    """An onset with the metrics that changed within five minutes of it among its terms."""
    terms = [
        Term(name="metric", weight=round(step.weight / 3, 2), evidence=f"{step.key} {step.said}")
        for step in found
        if abs(step.at - onset.at) <= _TOGETHER
    ]
    return onset.model_copy(update={"terms": (*onset.terms, *terms[:5])})


def _step(key: str, series: MetricSeries, window: Window) -> MetricStep | None:
    points = [point for point in series.points if point.at < window.until]
    values = np.asarray([point.value for point in points], dtype=np.float64)
    if len(values) < _MIN_POINTS or not np.isfinite(values).all():
        return None
    place, weight, before, after = _best(values)
    worse = _WORSE_UP if after > before else _WORSE_DOWN
    if weight < _MIN_WEIGHT or points[place].at not in window or not worse.search(series.name):
        return None
    return MetricStep(
        key=key,
        at=points[place].at,
        previous=points[place - 1].at,
        weight=min(weight, _CAP),
        said=f"{series.name[:80]} went from {before:.4g} to {after:.4g} {series.unit}".strip(),
    )


def _best(values: Floats) -> tuple[int, float, float, float]:
    """The likeliest step: place, Gaussian log-likelihood ratio (0 if it is not clear), level before and after."""
    size = len(values)
    at = np.arange(_EDGE, size - _EDGE + 1)
    sums = np.concatenate([[0.0], values.cumsum()])
    before, after = sums[at] / at, (sums[size] - sums[at]) / (size - at)
    spread = (
        float(np.median(np.abs(np.diff(values)))) * 1.0484
    )  # of the noise, from first differences
    noise = max(spread, 0.01 * float(np.abs(values).mean()), 1e-9)
    ratio = (after - before) ** 2 / (2 * noise**2 * (1 / at + 1 / (size - at)))
    place = int(at[int(ratio.argmax())])
    low, high = float(before[place - _EDGE]), float(after[place - _EDGE])
    near = (
        values[place : place + _NEIGHBOURS].mean()
        - values[max(0, place - _NEIGHBOURS) : place].mean()
    )
    # A slow slope has two levels as well, but no height where they meet.
    clear = abs(high - low) >= _CLEAR * noise and abs(near) >= 0.5 * abs(high - low)
    return place, float(ratio.max()) if clear else 0.0, low, high
