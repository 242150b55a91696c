from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import limiter
from bot.slack.limiter import Limiter, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate_holds():
    clock = Clock()
    limits = Limiter(clock)
    wanted = (("post", "T", "C"), Rate(per_s=1, burst=3))
    assert [limits.wait_s(wanted) for _ in range(3)] == [0, 0, 0]
    assert limits.wait_s(wanted) == pytest.approx(1)
    clock.now += 1
    assert limits.wait_s(wanted) == 0


def test_channels_do_not_wait_for_each_other_but_share_the_workspaces_rate():
    limits = Limiter(Clock())
    shared = (("update", "T"), Rate(per_s=1, burst=2))
    one = (("message", "T", "C", "1"), Rate(per_s=1, burst=1))
    two = (("message", "T", "C", "2"), Rate(per_s=1, burst=1))
    assert limits.wait_s(shared, one) == 0
    assert limits.wait_s(shared, two) == 0
    assert limits.wait_s(shared) > 0


def test_waiting_for_one_rate_takes_nothing_from_the_others():
    clock = Clock()
    limits = Limiter(clock)
    shared, own = (("s",), Rate(per_s=1, burst=2)), (("o",), Rate(per_s=0.1, burst=1))
    assert limits.wait_s(shared, own) == 0
    assert limits.wait_s(shared, own) > 0
    assert limits.wait_s(shared) == 0


def test_retry_after_stops_everything_of_that_kind():
    clock = Clock()
    limits = Limiter(clock)
    wanted = (("post", "T", "C"), limiter.POSTS)
    limits.pause(*wanted, 30)
    assert limits.wait_s(wanted) == pytest.approx(30)
    clock.now += 30
    assert limits.wait_s(wanted) == 0


def test_old_channels_are_forgotten_but_never_a_paused_one():
    clock = Clock()
    limits = Limiter(clock)
    limits.pause(("post", "T", "paused"), limiter.POSTS, 60)
    for number in range(3 * limiter.KEPT):
        limits.wait_s((("post", "T", str(number)), limiter.POSTS))
    assert len(limits._buckets) <= limiter.KEPT
    assert limits.wait_s((("post", "T", "paused"), limiter.POSTS)) > 0


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_never_more_than_the_rate_and_one_burst(pauses):
    clock = Clock()
    limits = Limiter(clock)
    began = clock.now
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += limits.wait_s((("update", "T"), limiter.TIER_3)) == 0
    allowed = limiter.TIER_3.burst + (clock.now - began) * limiter.TIER_3.per_s
    assert passed <= allowed + 1e-6
