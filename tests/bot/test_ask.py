from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import ask
from bot.errors import UserError

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("90S", timedelta(seconds=90)),
        ("45min", timedelta(minutes=45)),
        ("2w", timedelta(days=14)),
    ],
)
def test_durations_are_read(text, expected):
    assert ask.parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "30", "m", "0m", "-5m", "5 m", "5y", "999999w", "٣٠m", "1h-2m"]
)
def test_a_bad_duration_says_what_to_type(text):
    with pytest.raises(UserError, match="Try"):
        ask.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("30m", datetime(2026, 11, 21, 15, 0, tzinfo=UTC)),
        ("14:00", datetime(2026, 11, 21, 13, 0, tzinfo=UTC)),
        ("16:30", NOW),
        ("16:31", datetime(2026, 11, 20, 15, 31, tzinfo=UTC)),
        ("9:05:07", datetime(2026, 11, 21, 8, 5, 7, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 20, 23, 0, tzinfo=UTC)),
        ("2026-11-21T14:00", datetime(2026, 11, 21, 13, 0, tzinfo=UTC)),
        ("2026-11-21 14:00", datetime(2026, 11, 21, 13, 0, tzinfo=UTC)),
        ("2026-11-21T14:00Z", datetime(2026, 11, 21, 14, 0, tzinfo=UTC)),
        ("2026-11-21T14:00+05:30", datetime(2026, 11, 21, 8, 30, tzinfo=UTC)),
        ("2026-11-21t14:00:01.123456789z", datetime(2026, 11, 21, 14, 0, 1, 123456, tzinfo=UTC)),
        ("2026-07-01T14:00", datetime(2026, 7, 1, 12, 0, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_the_zone_of_the_asker(text, expected):
    assert ask.parse_moment(text, tz=AMSTERDAM, now=NOW) == expected


@pytest.mark.parametrize(
    "text",
    ["", "soon", "25:00", "14:60", "2026-02-30", "2026-13-01T00:00", "0001-01-01T00:00+10:00"],
)
def test_a_bad_moment_says_what_to_type(text):
    with pytest.raises(UserError, match="Try"):
        ask.parse_moment(text, tz=UTC, now=NOW)


def test_a_date_in_the_future_is_refused():
    with pytest.raises(UserError, match="lies in the future"):
        ask.parse_moment("2026-11-22", tz=UTC, now=NOW)


def test_a_refused_word_is_shown_short_and_cannot_format():
    with pytest.raises(UserError) as caught:
        ask.parse_moment("`*evil*`\n" * 1000, tz=UTC, now=NOW)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_since_must_come_before_until():
    with pytest.raises(UserError, match="must be before"):
        ask.check_order(NOW, NOW)
    ask.check_order(NOW - timedelta(seconds=1), NOW)
    ask.check_order(None, NOW)


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", "", "Europe", "\x00"])
def test_an_unknown_zone_says_what_to_type(name):
    with pytest.raises(UserError, match="Europe/Amsterdam"):
        ask.parse_zone(name)


def test_zones_are_found_by_name():
    assert ask.parse_zone("utc") is UTC
    assert ask.parse_zone("Europe/Amsterdam") == AMSTERDAM


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("30m", True),
        ("now", True),
        ("14:00", False),
        ("2026-11-21T14:00", False),
        ("2026-11-21T14:00Z", True),
    ],
)
def test_only_local_times_need_a_zone(text, free):
    assert ask.is_zone_free(text) is free


@given(st.text(max_size=60))
def test_any_text_is_a_past_moment_or_a_user_error(text):
    try:
        moment = ask.parse_moment(text, tz=AMSTERDAM, now=NOW)
    except UserError:
        return
    assert moment.tzinfo is UTC
    assert moment <= NOW


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Amsterdam", "America/St_Johns", "Pacific/Kiritimati"]),
    st.times(),
)
def test_a_clock_time_is_the_latest_that_has_passed(now, zone, clock):
    now = now.replace(tzinfo=UTC)
    moment = ask.parse_moment(clock.strftime("%H:%M"), tz=ZoneInfo(zone), now=now)
    assert moment <= now
    assert now - moment <= timedelta(hours=25)  # 25: the night on which clocks go back


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2026, 11, 21)))  # noqa: DTZ001
def test_what_python_prints_is_read_back(moment):
    aware = moment.replace(tzinfo=UTC)
    assert ask.parse_moment(aware.isoformat(), tz=AMSTERDAM, now=NOW) == aware
