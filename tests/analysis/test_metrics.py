from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.records import MetricSeries, Point, Window
from bot.analysis.engine import analyse
from bot.analysis.metrics import confirmed, onset_of, steps
from tests.analysis.streams import at, batches, case, plain
from tests.analysis.test_onset import BREAK, TRAFFIC

HOUR = Window(since=at("10:00:00"), until=at("11:00:00"))


def series(name: str, values: list[float]) -> MetricSeries:
    points = tuple(
        Point(at=HOUR.since + timedelta(minutes=n), value=value) for n, value in enumerate(values)
    )
    return MetricSeries(source="m", name=name, unit="s", points=points)


def noisy(levels: list[float], seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [level + rng.gauss(0, 0.05) for level in levels]


SLOW = series("http_latency_p99", noisy([0.4] * 40 + [2.5] * 20))


def test_a_latency_step_is_found_between_two_samples() -> None:
    found = steps([SLOW], HOUR)
    assert [step.key for step in found] == ["M1"]
    assert (found[0].previous, found[0].at) == (at("10:39:00"), at("10:40:00"))
    assert found[0].said.startswith("http_latency_p99 went from 0.4")


@pytest.mark.parametrize(
    "values",
    [
        noisy([0.4] * 60),
        [n / 10 for n in range(60)],
        [1.0] * 60,
        noisy([0.4] * 5),
        [*noisy([0.4] * 40), float("nan"), *noisy([2.5] * 19)],
        noisy([2.5] * 40 + [0.4] * 20),
    ],
    ids=["noise", "slope", "constant", "short", "not a number", "it got better"],
)
def test_what_is_no_step_for_the_worse_is_left_alone(values: list[float]) -> None:
    assert steps([series("http_latency_p99", values)], HOUR) == []


def test_a_falling_success_rate_is_a_step_for_the_worse() -> None:
    assert steps([series("success_ratio", noisy([1.0] * 40 + [0.2] * 20))], HOUR)


def test_metrics_confirm_the_onset_that_the_logs_tell() -> None:
    found = analyse(replace(case(batches([*TRAFFIC, BREAK])), metrics=(SLOW,)))
    assert found.onset is not None
    assert found.onset.at == at("10:40:07")
    metric = next(term for term in found.onset.terms if term.name == "metric")
    assert metric.evidence.startswith("M1 http_latency_p99")


def test_metrics_alone_tell_an_onset_when_the_logs_are_silent() -> None:
    silent = [batches(TRAFFIC), plain(["no times here"]), []]
    for logs in silent:
        found = analyse(replace(case(logs), metrics=(SLOW,)))
        assert found.onset is not None
        assert (found.onset.earliest, found.onset.at) == (at("10:39:00"), at("10:40:00"))


def test_a_step_far_from_the_onset_does_not_confirm_it() -> None:
    onset = onset_of(steps([SLOW], HOUR))
    assert onset is not None
    assert len(onset.terms) == 1
    early = onset.model_copy(update={"at": at("10:10:00"), "terms": ()})
    assert confirmed(early, steps([SLOW], HOUR)).terms == ()


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=40))
@settings(max_examples=100, deadline=None)
def test_arbitrary_values_never_break_it(values: list[float]) -> None:
    steps([series("errors", values)], HOUR)
