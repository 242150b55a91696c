from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.masking import mask, mask_one

LINE = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            [
                "status=502",
                "HTTP/1.1",
                '" 200 ',
                "code: 404",
                "0xdeadbeef",
                "10.0.0.1:8080",
                "a1b2c3d4e5",
            ]
        ),
        st.uuids().map(str),
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("took 35 ms", "took <*> ms"),
        ("from 10.1.2.3:443 to 10.9.9.9", "from <*> to <*>"),
        ("order 3f2504e0-4f89-41d3-9a0c-0305e82c3301 failed", "order <*> failed"),
        ("commit deadbeef42cafe done", "commit <*> done"),
        ("at 0x7ffe1234", "at <*>"),
        ("2026-11-20T10:00:00.123Z up", "<*> up"),
        ("decade facade", "decade facade"),
    ],
)
def test_what_varies_is_masked(line: str, masked: str) -> None:
    assert mask_one(line) == masked


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ('GET /cart/17 HTTP/1.1" 502 148', 'GET /cart/<*> HTTP/<*>" 502 <*>'),
        ("status=200 took=12", "status=200 took=<*>"),
        ("upstream code: 503 after 3 tries", "upstream code: 503 after <*> tries"),
        ("exit code 1", "exit code <*>"),
    ],
)
def test_status_codes_stay_literal(line: str, masked: str) -> None:
    assert mask_one(line) == masked


def test_an_event_of_several_lines_is_known_by_its_head_and_its_exceptions() -> None:
    event = "order 17 failed\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:7)\nCaused by: x.TimeoutException: 9"
    assert mask_one(event) == (
        "order <*> failed java.lang.IllegalStateException Caused by: x.TimeoutException"
    )


def test_nulls_and_dumps_are_survived() -> None:
    texts = pl.Series("text", [None, "", "x" * 1_000_000, "\x00\x00", "\n\n"], dtype=pl.String)
    masked = mask(texts)
    assert masked.len() == 5
    assert masked.str.len_bytes().max() == 1_500
    assert masked[0] == ""


@given(LINE)
@settings(max_examples=300, deadline=None)
def test_masking_twice_changes_nothing(line: str) -> None:
    once = mask_one(line)
    assert mask_one(once) == once


@given(st.lists(LINE, max_size=10))
@settings(max_examples=50, deadline=None)
def test_a_column_is_masked_like_its_lines(lines: list[str]) -> None:
    assert mask(pl.Series("text", lines, dtype=pl.String)).to_list() == [mask_one(x) for x in lines]
