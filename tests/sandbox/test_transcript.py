"""The channel as plain text: every kind of block has words, and nothing breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox import DriverError, LocalSlack
from bot.sandbox.store import NoStore
from bot.sandbox.transcript import as_text
from bot.sandbox.workspace import Workspace
from tests.sandbox.test_limits import GOOD, PARTS, mrkdwn, plain


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(lambda: 1_700_000_000.0, NoStore())


def test_every_block_has_words(workspace: Workspace) -> None:
    short = [
        {**one, "text": mrkdwn("short"), "fields": [mrkdwn("field")]}
        if one["type"] == "section"
        else one
        for one in GOOD
    ]
    short[1] = {"type": "header", "text": plain("Likely: retry")}
    assert as_text(workspace, {"blocks": short}).split("\n") == [
        "short",
        "field",
        "Likely: retry",
        "---",
        "x [image y]",
        "[Go] [Go]",
        "# x",
        "x",
        "x",
        "Working",
        "  ● Read logs - x",
        "● Read logs - x",
        "x",
        "[Right] [Wrong]",
        "x",
        "x",
        "[image picture]",
    ]


def test_references_are_spelled_out(workspace: Workspace) -> None:
    leaves: list[dict[str, Any]] = [
        {"type": "user", "user_id": "U0ALICE00"},
        {"type": "text", "text": " in "},
        {"type": "channel", "channel_id": "C0ALERTS0"},
        {"type": "broadcast", "range": "here"},
        {"type": "emoji", "name": "fire"},
        {"type": "link", "url": "https://x.example"},
    ]
    listed = {
        "type": "rich_text_list",
        "elements": [{"type": "rich_text_section", "elements": leaves}],
    }
    assert as_text(workspace, {"blocks": [{"type": "rich_text", "elements": [listed]}]}) == (
        "• @alice in #alerts@here:fire:https://x.example"
    )
    text = "<@U0NOBODY> <#C0NOWHERE|gone> <!subteam^S0ONCALL0|@on-call> <https://x.example|there> &lt;b&gt;"
    assert (
        as_text(workspace, {"text": text})
        == "@U0NOBODY #gone @on-call there (https://x.example) <b>"
    )


def test_attachments_are_set_off(workspace: Workspace) -> None:
    body = {
        "attachments": [
            {
                "pretext": "before",
                "title": "T",
                "title_link": "https://x.example",
                "fields": [{"title": "a", "value": "b"}],
            },
            {"blocks": [{"type": "divider"}]},
            {"fallback": "only this"},
        ]
    }
    assert (
        as_text(workspace, body) == "| before\n| T (https://x.example)\n| a: b\n| ---\n| only this"
    )


@settings(deadline=None)
@given(st.lists(PARTS.filter(lambda one: isinstance(one, dict)), max_size=3))
def test_no_block_breaks_the_transcript(parts) -> None:
    as_text(
        Workspace(lambda: 0.0, NoStore()), {"blocks": parts, "attachments": [{"blocks": parts}]}
    )


async def test_a_post_that_no_app_could_make_is_refused(slack: LocalSlack) -> None:
    for message in ({"blocks": "x"}, {"attachments": ["x"]}):
        with pytest.raises(DriverError, match="is a list of objects"):
            await slack.post_as_bot("#alerts", message)
