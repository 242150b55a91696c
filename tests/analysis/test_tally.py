from __future__ import annotations

from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.records import LogBatch, Window
from bot.analysis.tally import MAX_KEYS, NO_BUCKET, Axis, axis_of, count
from tests.analysis.streams import Said, at, batches, in_batches

HOUR = Window(since=at("10:00:00"), until=at("11:00:00"))


def test_events_are_counted_by_key_and_second() -> None:
    logs = batches(
        [Said("paid {n}", at("10:00:00"), at("10:00:03"), every_s=1, times=2, service="a")]
    )
    counts = count(logs, axis_of(HOUR))
    assert counts.keys == (("a", "", "paid <*>"),)
    assert counts.bucket.tolist() == [0, 1, 2]
    assert counts.n.tolist() == [2, 2, 2]
    assert (counts.lines, counts.lines_without_time) == (6, 0)


def test_a_line_without_a_time_has_the_time_of_the_line_before_it_even_across_batches() -> None:
    rows: list[dict[str, object]] = [
        {"text": "head", "time": at("10:00:05"), "origin": "a"},
        {"text": "tail", "origin": "a"},
        {"text": "other", "origin": "b"},
    ]
    counts = count(in_batches(rows, size=1), axis_of(HOUR))
    assert dict(zip([k[2] for k in counts.keys], counts.bucket.tolist(), strict=True)) == {
        "head": 5,
        "tail": 5,
        "other": NO_BUCKET,
    }


def test_times_outside_the_window_are_counted_and_kept_off_the_axis() -> None:
    rows: list[dict[str, object]] = [
        {"text": "old", "time": HOUR.since - timedelta(days=20_000)},
        {"text": "late", "time": HOUR.until},
    ]
    counts = count(in_batches(rows), axis_of(HOUR))
    assert counts.lines_outside == 2
    assert set(counts.bucket.tolist()) == {NO_BUCKET}


def test_a_flood_of_distinct_lines_is_folded_into_bounded_keys() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [a + b + c + d for a in letters for b in letters for c in letters for d in "abcd"]
    lines = [
        f"user {word} did {other}" for word, other in zip(words, words[1:] + words[:1], strict=True)
    ]
    frame = in_batches([{"text": line, "time": at("10:00:00")} for line in lines + ["common"] * 99])
    counts = count(frame, axis_of(HOUR))
    assert counts.folded
    assert len(counts.keys) <= MAX_KEYS
    assert int(counts.n.sum()) == len(lines) + 99
    assert ("", "", "common") in counts.keys


@given(st.permutations(range(6)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_batches_does_not_matter_to_counts(order: list[int]) -> None:
    logs = batches(
        [
            Said("a {n}", at("10:00:00"), at("10:01:00"), every_s=10),
            Said("b", at("10:00:30"), at("10:01:00")),
        ],
        size=2,
    )
    assert len(logs) >= 4
    shuffled = [logs[i] for i in order if i < len(logs)] + logs[6:]
    assert _by_key(shuffled) == _by_key(logs)


def _by_key(logs: list[LogBatch]) -> set[tuple[str, int, int]]:
    counts = count(logs, axis_of(HOUR))
    rows = zip(counts.key.tolist(), counts.bucket.tolist(), counts.n.tolist(), strict=True)
    return {(counts.keys[key][2], bucket, n) for key, bucket, n in rows}


def test_without_an_axis_events_are_counted_by_their_position() -> None:
    counts = count(in_batches([{"text": "x"}, {"text": "y"}, {"text": "x"}]), None)
    assert counts.by_position
    assert sorted(zip(counts.key.tolist(), counts.bucket.tolist(), strict=True)) == [
        (0, 0),
        (0, 2),
        (1, 1),
    ]


def test_an_axis_has_whole_seconds_and_bounded_size() -> None:
    week = Window(since=at("00:00:00"), until=at("00:00:00") + timedelta(days=7))
    assert axis_of(HOUR) == Axis(start=axis_of(HOUR).start, step=1_000_000, size=3600)
    assert axis_of(week).size <= 7_200
    assert count([], axis_of(week)).lines == 0


def test_traces_tell_which_service_failed_first() -> None:
    rows: list[dict[str, object]] = [
        {"text": "x", "time": at("10:00:01"), "level": "error", "service": "cart", "trace": "t1"},
        {"text": "y", "time": at("10:00:00"), "level": "error", "service": "pay", "trace": "t1"},
        {"text": "z", "time": at("10:00:00"), "level": "info", "service": "ui", "trace": "t1"},
    ]
    traces = count(in_batches(rows), axis_of(HOUR)).traces
    assert sorted(traces["t1"], key=lambda service: traces["t1"][service]) == ["pay", "cart"]


def test_an_empty_frame_is_no_event() -> None:
    empty = LogBatch("s", in_batches([{"text": "x"}])[0].frame.clear(), truncated="it was cut")
    counts = count([empty], axis_of(HOUR))
    assert counts.lines == 0
    assert counts.truncated == ("s: it was cut",)
    assert isinstance(empty.frame, pl.DataFrame)
