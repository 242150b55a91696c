"""Moments, in every way that logs write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.lines.times import STAMPS, Calendar, read_column

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


def moment(text: str, zone: str = "UTC", reference: datetime = NOON) -> datetime | None:
    found = read_column(pl.Series([text]), Calendar(reference, zone))[0]
    assert found is None or isinstance(found, datetime)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T03:04:05Z", AT),
        ("2026-11-21T03:04:05.5Z", AT + timedelta(milliseconds=500)),
        ("2026-11-21T03:04:05.123456789Z", AT + timedelta(microseconds=123456)),
        ("2026-11-21 03:04:05,123", AT + timedelta(milliseconds=123)),
        ("2026-11-21T08:34:05+05:30", AT),
        ("2026-11-21T03:04:05+0000", AT),
        ("2026-11-21 03:04:05 -0500", AT + timedelta(hours=5)),
        ("2026-11-21 03:04:05.000+00", AT),
        ("2026-11-21 03:04:05 UTC", AT),
        ("2026-11-21 04:04:05 CET", AT),
        ("2026/11/21 03:04:05", AT),
        ("2026-11-21-03.04.05.000000", AT),
        ("20261121T030405Z", AT),
        ("20261121 03:04:05", AT),
        ("2026-11-21T03:04Z", AT.replace(second=0)),
        ("Nov 21 03:04:05", AT),
        ("Nov  1 03:04:05", AT.replace(day=1)),
        ("Nov 1 03:04:05", AT.replace(day=1)),
        ("Nov 21 2026 03:04:05", AT),
        ("Sat Nov 21 03:04:05 2026", AT),
        ("Sat Nov 21 03:04:05.250000 2026", AT + timedelta(milliseconds=250)),
        ("Sat, 21 Nov 2026 03:04:05 +0000", AT),
        ("21/Nov/2026:04:04:05 +0100", AT),
        ("21-Nov-2026 03:04:05.000", AT),
        ("11/21/26 03:04:05", AT),
        ("11/21/2026 3:04:05 AM", AT),
        ("11/21/2026 3:04:05 PM", AT + timedelta(hours=12)),
        ("1/2/2026 12:04:05 AM", datetime(2026, 1, 2, 0, 4, 5, tzinfo=UTC)),
        ("Nov 21, 2026 3:04:05 AM", AT),
        ("26/11/21 03:04:05", AT),
        ("261121 030405", AT),
        ("1795230245", AT),
        ("1795230245.25", AT + timedelta(milliseconds=250)),
        ("1795230245250", AT + timedelta(milliseconds=250)),
        ("1795230245250000", AT + timedelta(milliseconds=250)),
        ("1795230245250000000", AT + timedelta(milliseconds=250)),
        ("03:04:05.250", AT + timedelta(milliseconds=250)),
    ],
)
def test_a_moment_is_read(text: str, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-21T25:00:00Z",
        "99999999999999999999",
    ],
)
def test_what_is_no_moment_is_null(text: str) -> None:
    assert moment(text) is None


def test_a_year_that_is_not_written_is_the_latest_that_is_not_in_the_future() -> None:
    assert moment("Dec 31 23:59:59") == datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert moment("Nov 22 11:00:00") == datetime(2026, 11, 22, 11, tzinfo=UTC)  # a day's grace
    january = datetime(2027, 1, 1, 0, 10, tzinfo=UTC)
    assert moment("Dec 31 23:59:59", reference=january) == datetime(
        2026, 12, 31, 23, 59, 59, tzinfo=UTC
    )
    assert moment("Jan  1 00:05:00", reference=january) == datetime(2027, 1, 1, 0, 5, tzinfo=UTC)
    assert moment("Feb 29 01:00:00") == datetime(2024, 2, 29, 1, tzinfo=UTC)


def test_a_date_that_is_not_written_is_that_of_the_reference_or_the_day_before() -> None:
    assert moment("23:59:00") == datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    assert moment("11:59:00") == datetime(2026, 11, 21, 11, 59, tzinfo=UTC)


def test_the_default_zone_is_for_times_without_one() -> None:
    assert moment("2026-07-01 12:00:00", "Europe/Berlin") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert moment("2026-07-01 12:00:00Z", "Europe/Berlin") == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert moment("1795230245", "Europe/Berlin") == AT


def test_hours_that_come_twice_or_never_are_read_all_the_same() -> None:
    assert moment("2026-03-29 02:30:00", "Europe/Berlin") == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )
    assert moment("2026-10-25 02:30:00", "Europe/Berlin") == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_leap_second_is_the_last_of_its_minute() -> None:
    assert moment("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_one_column_may_mix_ways_of_writing() -> None:
    texts = ["2026-11-21T03:04:05Z", None, "1795230245", "Nov 21 03:04:05", "never"]
    found = read_column(pl.Series(texts), Calendar(NOON)).to_list()
    assert found == [AT, None, AT, AT, None]


@given(st.integers(0, 4_000_000_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_iso_agrees_with_the_standard_library(micros: int, east: int) -> None:
    naive = datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    sign = "-" if east < 0 else "+"
    text = f"{naive:%Y-%m-%dT%H:%M:%S.%f}{sign}{abs(east) // 60:02d}:{abs(east) % 60:02d}"
    assert moment(text) == datetime.fromisoformat(text)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_null(text: str) -> None:
    moment(text)


def test_each_way_of_writing_has_its_own_name() -> None:
    assert len({stamp.name for stamp in STAMPS}) == len(STAMPS)
