from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.kit.capabilities import EventQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.slack_history import Adapter, Settings
from tests.adapters.cases import slack_history as case
from tests.adapters.loopback import Reply, in_turn, serving

QUERY = EventQuery(window=case.CASE.window)


def read(script, **some: object):
    with serving(script) as server:
        adapter = Adapter("slack", Settings.model_validate({**case.configured(server.url), **some}))
        pages = list(adapter.tickets(QUERY))
        return pages, [one for page in pages for one in page.items], server.asked


def test_replies_stand_below_the_message_that_began_the_thread():
    _, items, _ = read(case.api)
    assert items[0].text == "U1: Checkout is down!\nAnyone?\nU1: looking"


def test_messages_of_apps_count_where_that_is_asked_for():
    _, items, _ = read(case.api, bots=True)
    assert "bot says" in {one.title for one in items}


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 30), max_size=20), st.integers(1, 6))
def test_messages_are_neither_lost_nor_doubled_at_a_page_border(micros, size):
    found = [
        case.message(f"2026-11-20T10:00:00.{n:06d}", f"m{n}") for n in sorted(micros, reverse=True)
    ]
    _, items, _ = read(lambda asked: case.paged(asked, found, size))
    assert [one.title for one in items] == [f"m{n}" for n in sorted(micros)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("missing_scope", Reason.AUTH),
        ("not_in_channel", Reason.AUTH),
        ("channel_not_found", Reason.NOT_FOUND),
        ("ratelimited", Reason.RATE_LIMITED),
        ("fatal_error", Reason.UNAVAILABLE),
        ("invalid_cursor", Reason.BAD_REQUEST),
    ],
)
def test_what_slack_refuses_with_200_has_its_reason(error, reason):
    with pytest.raises(AdapterError) as caught:
        read(in_turn(Reply(json.dumps({"ok": False, "error": error}))))
    assert caught.value.reason is reason


def test_cursors_that_never_end_end_after_some_pages():
    count = iter(range(1000))

    def endless(_asked):
        body = {"ok": True, "messages": [], "response_metadata": {"next_cursor": str(next(count))}}
        return Reply(json.dumps(body))

    pages, _, asked = read(endless)
    assert len(asked) == 25
    assert "Only 0 messages" in pages[0].truncated


@pytest.mark.parametrize("channel", ["general", "C1&limit=1", ""])
def test_a_channel_that_is_no_id_is_refused(channel):
    with pytest.raises(ValidationError, match="no id of a channel"):
        Settings.model_validate({"token": "t", "channels": [channel]})
