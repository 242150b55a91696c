from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest

from bot.analysis.engine import analyse, study
from bot.analysis.findings import Onset
from tests.analysis.streams import Said, at, batches, case

TRAFFIC = [
    Said(
        "GET /cart/{n} ok", at("10:00:00"), at("11:00:00"), every_s=2, service="cart", level="info"
    ),
    Said("paid order {n}", at("10:00:00"), at("11:00:00"), every_s=3, service="pay", level="info"),
]
BREAK = Said(
    "charge {n} failed: gateway refused",
    at("10:40:07"),
    at("11:00:00"),
    every_s=4,
    service="pay",
    level="error",
)


def onset(said: list[Said], baseline: list[Said] | None = None, **more: datetime) -> Onset | None:
    return analyse(case(batches(said), batches(baseline or []), **more)).onset  # type: ignore[arg-type]


def test_errors_that_begin_set_the_onset_to_the_second() -> None:
    found = onset([*TRAFFIC, BREAK])
    assert found is not None
    assert found.earliest <= at("10:40:07") <= found.latest
    assert abs(found.at - at("10:40:07")) <= timedelta(seconds=5)
    assert found.latest - found.earliest < timedelta(minutes=2)
    assert "charge <*> failed" in found.terms[0].evidence


def test_a_quiet_hour_has_no_onset() -> None:
    assert onset(TRAFFIC) is None


def test_a_service_that_falls_silent_has_an_onset() -> None:
    silent = Said(
        "paid order {n}", at("10:00:00"), at("10:30:00"), every_s=1, service="pay", level="info"
    )
    refund = Said(
        "sent receipt {n}", at("10:00:00"), at("10:30:00"), every_s=1, service="pay", level="info"
    )
    found = onset([TRAFFIC[0], silent, refund])
    assert found is not None
    assert abs(found.at - at("10:30:00")) <= timedelta(seconds=30)


def test_a_cron_burst_that_recurs_is_no_onset() -> None:
    bursts = [
        Said(
            "compacting segment {n}",
            at(f"10:{minute:02}:00"),
            at(f"10:{minute:02}:04"),
            every_s=1,
            times=40,
        )
        for minute in range(5, 60, 10)
    ]
    assert onset([*TRAFFIC, *bursts]) is None


def test_a_slow_rise_of_traffic_is_no_onset() -> None:
    ramp = [
        Said(
            "GET /home {n}",
            at(f"10:{m:02}:00"),
            at(f"10:{m:02}:00") + timedelta(minutes=1),
            every_s=60 / (20 + m),
        )
        for m in range(60)
    ]
    assert onset(ramp) is None


def test_errors_that_stop_are_not_an_onset() -> None:
    stopping = Said(
        "timeout {n}", at("10:00:00"), at("10:30:00"), every_s=2, service="pay", level="error"
    )
    assert onset([*TRAFFIC, stopping]) is None


def test_an_incident_that_is_over_is_found_at_its_beginning() -> None:
    spell = Said(
        "timeout {n}", at("10:20:00"), at("10:26:00"), every_s=1, service="pay", level="error"
    )
    found = onset([*TRAFFIC, spell])
    assert found is not None
    assert abs(found.at - at("10:20:00")) <= timedelta(seconds=15)


def test_what_also_happens_on_other_days_is_no_onset() -> None:
    nightly = [("10:30:00", "10:45:00")]
    said = [Said("backup chunk {n}", at(a), at(b), every_s=0.5, level="info") for a, b in nightly]
    said += [Said("rotating {n}", at(a), at(b), every_s=0.5, level="info") for a, b in nightly]
    before = [_earlier(one, days) for one in [*TRAFFIC, *said] for days in (1, 2, 7)]
    assert onset([*TRAFFIC, *said], before) is None
    assert onset([*TRAFFIC, *said, BREAK], before) is not None


def test_of_two_breaks_the_one_before_the_alert_counts() -> None:
    later = Said(
        "disk full {n}", at("10:50:00"), at("11:00:00"), every_s=2, service="db", level="error"
    )
    first = Said(
        "charge {n} failed", at("10:20:00"), at("11:00:00"), every_s=5, service="pay", level="error"
    )
    found = onset([*TRAFFIC, first, later], alert=at("10:22:00"))
    assert found is not None
    assert abs(found.at - at("10:20:00")) <= timedelta(seconds=15)


@pytest.mark.parametrize("minutes", [1, 59])
def test_the_edges_of_the_window_prove_nothing(minutes: int) -> None:
    moment = at("10:00:00") + timedelta(minutes=minutes)
    blip = Said("hello {n}", moment, moment + timedelta(seconds=20), every_s=2, level="info")
    assert onset([*TRAFFIC, blip]) is None


def test_services_are_ordered_by_their_first_errors() -> None:
    said = [
        *TRAFFIC,
        Said(
            "db lost connection {n}",
            at("10:40:00"),
            at("11:00:00"),
            every_s=2,
            service="db",
            level="error",
        ),
        Said(
            "charge {n} failed",
            at("10:40:09"),
            at("11:00:00"),
            every_s=2,
            service="pay",
            level="error",
        ),
        Said(
            "checkout {n} failed",
            at("10:40:20"),
            at("11:00:00"),
            every_s=2,
            service="cart",
            level="error",
        ),
    ]
    found = analyse(case(batches(said))).propagation
    assert [(c.service, c.rank) for c in found] == [("db", 1), ("pay", 2), ("cart", 3)]
    assert all(c.pattern.startswith("L") for c in found)


def test_services_that_fail_together_share_a_rank_unless_traces_order_them() -> None:
    def said(trace: str | None) -> list[Said]:
        return [
            *TRAFFIC,
            Said(
                "charge {n} failed",
                at("10:40:01"),
                at("11:00:00"),
                5,
                service="pay",
                level="error",
                trace=trace,
            ),
            Said(
                "cart {n} failed",
                at("10:40:02"),
                at("11:00:00"),
                5,
                service="cart",
                level="error",
                trace=trace,
            ),
        ]

    together = analyse(case(batches(said(None)))).propagation
    ordered = analyse(case(batches(said("t")))).propagation
    assert [(c.service, c.rank) for c in together] == [("pay", 1), ("cart", 1)]
    assert [(c.service, c.rank) for c in ordered] == [("pay", 1), ("cart", 2)]


def test_a_single_moment_or_too_few_buckets_have_no_onset() -> None:
    one = Said("boom", at("10:10:00"), at("10:10:01"), every_s=5, times=50, level="error")
    done = study(case(batches([one])))
    assert done.step is None
    assert not math.isnan(done.anomalies[0].score)


def _earlier(one: Said, days: int) -> Said:
    back = timedelta(days=days)
    return Said(
        one.text, one.since - back, one.until - back, one.every_s, one.times, one.service, one.level
    )
