"""Likeness of incidents: explained, bounded, and fair to what is not there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.similar import ALIKE, Traits, likeness, score

POOL = Traits(
    service="checkout",
    patterns=("pool exhausted after <*> ms", "GET /pay <*> 500"),
    frames=("pool.py acquire",),
    words=("timeout", "checkout"),
)


def test_the_same_incident_is_wholly_alike() -> None:
    assert score(likeness(POOL, POOL)) == 1.0


def test_nothing_shared_is_not_alike_and_has_no_terms() -> None:
    other = Traits(service="search", patterns=("index corrupt",), frames=("x.py y",), words=("a",))
    assert likeness(POOL, other) == ()


def test_a_service_alone_is_not_enough_to_be_shown() -> None:
    other = Traits(service="checkout", patterns=("certificate expired",), words=("tls",))
    assert 0 < score(likeness(POOL, other)) < ALIKE


def test_shared_patterns_are_named() -> None:
    other = Traits(patterns=("pool exhausted after <*> ms",))
    term = likeness(POOL, other)[0]
    assert (term.name, term.evidence) == ("patterns", "1 of 1: pool exhausted after <*> ms")
    assert score(likeness(POOL, other)) >= ALIKE


def test_what_neither_side_has_does_not_count() -> None:
    one = Traits(patterns=("a b c",))
    assert score(likeness(one, one)) == 1.0
    assert likeness(Traits(), Traits()) == ()


items = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=4, unique=True).map(tuple)
anything = st.builds(
    Traits, service=st.sampled_from(["", "x", "y"]), patterns=items, frames=items, words=items
)


@given(now=anything, then=anything)
def test_likeness_is_bounded_and_the_same_both_ways(now: Traits, then: Traits) -> None:
    there, back = score(likeness(now, then)), score(likeness(then, now))
    assert 0 <= there <= 1
    assert abs(there - back) < 1e-3
