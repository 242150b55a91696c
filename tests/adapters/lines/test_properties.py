"""What holds for any input."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.capabilities import LogQuery
from adapters.kit.lines import Selection
from adapters.kit.records import Window
from tests import fuzz
from tests.adapters.lines.fuzzing import lines
from tests.adapters.lines.reading import NOON, frame_of

WORDS = st.sampled_from(
    [
        "2026-11-21 03:04:05,123 ERROR shop: boom",
        "2026-11-21 03:04:06,123 INFO shop: up",
        "  at a.B.c(D.java:1)",
        "Caused by: x.Y: z",
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "ValueError: no",
        "panic: no",
        "goroutine 1 [running]:",
        "plain words",
        "more plain words",
        "}",
        "",
        "   ",
        "2026-11-21T03:04:05.1Z stamped only",
        "ERROR:root:no",
    ]
)


@given(st.binary(max_size=3000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    lines(data)


@given(st.integers(0, 1_000_000))
@settings(max_examples=80, deadline=None)
def test_damaged_logs_are_read_or_refused(seed: int) -> None:
    lines(fuzz.mutated(random.Random(seed)))


@given(st.lists(WORDS, min_size=1, max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_line_is_lost_and_none_is_read_twice(parts: list[str]) -> None:
    frame = frame_of("\n".join(parts))
    spoken = [number for number, part in enumerate(parts, start=1) if part.strip()]
    covered: list[int] = []
    for first, text in frame.select("line", "text").iter_rows():
        height = text.count("\n") + 1
        covered += [number for number in range(first, first + height) if number in set(spoken)]
    assert covered == spoken


@given(st.lists(WORDS, min_size=1, max_size=40), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_how_a_stream_is_cut(parts: list[str], size: int) -> None:
    from adapters.kit.lines import Source, read
    from adapters.kit.lines.times import Calendar

    data = "\n".join(parts).encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    whole = list(read([data], Source("a", Calendar(NOON))))
    cut = list(read(chunks, Source("a", Calendar(NOON))))
    assert [b.frame.to_dicts() for b in whole] == [b.frame.to_dicts() for b in cut]


@given(st.integers(0, 120), st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_windows_are_half_open(start: int, length: int) -> None:
    begin = datetime(2026, 11, 21, 3, tzinfo=UTC)
    text = "".join(
        f"{begin + timedelta(seconds=s):%Y-%m-%d %H:%M:%S},000 INFO shop: tick {s}\n"
        for s in range(180)
    )
    since, until = begin + timedelta(seconds=start), begin + timedelta(seconds=start + length)
    kept = Selection(LogQuery(window=Window(since=since, until=until))).apply(frame_of(text))
    assert kept.get_column("text").to_list() == [
        f"shop: tick {s}" for s in range(start, min(180, start + length))
    ]


def test_the_fuzzer_finds_nothing_in_half_a_second() -> None:
    for name, path in fuzz.TARGETS.items():
        assert fuzz.run(name, fuzz.load(path), 0.5, seed=7) > 0
