"""Blocks that Slack refuses, with its pointers; and anything at all, without a crash."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.errors import SlackError
from bot.sandbox.limits import check_blocks, check_message
from bot.sandbox.shapes import BLOCKS, ELEMENTS


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def button(action_id: str = "a", text: str = "Go", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


RICH = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
}
TASK = {
    "type": "task_card",
    "task_id": "1",
    "title": "Read logs",
    "status": "complete",
    "details": RICH,
}
GOOD = [
    section("x" * 3_000, fields=[mrkdwn("x" * 2_000)]),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider"},
    {
        "type": "context",
        "elements": [
            mrkdwn("x"),
            {"type": "image", "image_url": "http://x/y.png", "alt_text": "y"},
        ],
    },
    actions(button(value="v" * 2_000), button("b", style="danger")),
    {"type": "markdown", "text": "# x"},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}], [RICH]]},
    {"type": "plan", "title": "Working", "tasks": [TASK]},
    TASK,
    RICH,
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "f",
                "positive_button": {"text": plain("Right"), "value": "r"},
                "negative_button": {"text": plain("Wrong"), "value": "w"},
            }
        ],
    },
    {"type": "alert", "text": mrkdwn("x"), "level": "warning"},
    {"type": "container", "title": plain("x"), "child_blocks": [section()]},
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "picture"},
]


def test_blocks_within_the_limits_pass() -> None:
    check_blocks(GOOD, "message")


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        (section("x" * 3_001), "/blocks/0/text/text"),
        (section(""), "/blocks/0/text/text"),
        ({"type": "section"}, "/blocks/0"),
        (section(fields=[mrkdwn("x")] * 11), "/blocks/0/fields"),
        (section(fields=[mrkdwn("x" * 2_001)]), "/blocks/0/fields/0/text"),
        (section(accessory={"type": "menu"}), "/blocks/0/accessory/type"),
        (section(block_id="x" * 256), "/blocks/0/block_id"),
        ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
        ({"type": "header", "text": mrkdwn("x")}, "/blocks/0/text/type"),
        ({"type": "header"}, "/blocks/0"),
        ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/blocks/0/elements"),
        ({"type": "context", "elements": [button()]}, "/blocks/0/elements/0/type"),
        (actions(*(button(str(n)) for n in range(26))), "/blocks/0/elements"),
        (actions(), "/blocks/0/elements"),
        (actions(button(text="x" * 76)), "/blocks/0/elements/0/text/text"),
        (actions(button(value="x" * 2_001)), "/blocks/0/elements/0/value"),
        (actions(button(style="loud")), "/blocks/0/elements/0/style"),
        (actions(button(), button()), "/blocks/0/elements/1/action_id"),
        (
            actions({"type": "overflow", "options": [{"text": plain("x"), "value": "x" * 151}]}),
            "/options/0/value",
        ),
        ({"type": "markdown", "text": "x" * 12_001}, "/blocks/0/text"),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}, "/blocks/0/rows"),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}, "/blocks/0/rows/0"),
        ({"type": "table", "rows": [["x"]]}, "/blocks/0/rows/0/0"),
        (
            {"type": "task_card", "task_id": "1", "title": "x", "details": "plain"},
            "/blocks/0/details",
        ),
        (
            {"type": "plan", "title": "x", "tasks": [{**TASK, "status": "done"}]},
            "/blocks/0/tasks/0/status",
        ),
        ({"type": "image", "alt_text": "x"}, "/blocks/0"),
        ({"type": "blink"}, "/blocks/0/type"),
        ({}, "/blocks/0/type"),
    ],
)
def test_a_block_beyond_a_limit_is_pointed_at(block, pointer) -> None:
    with pytest.raises(SlackError, match=r"^invalid_blocks$") as refused:
        check_blocks([block], "message")
    assert any(pointer in one for one in refused.value.messages)


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([GOOD[6], GOOD[6]], "invalid_blocks"),
        ([section(block_id="a"), section(block_id="a")], "invalid_blocks"),
        ([section("x" * 2_700)] * 5, "msg_blocks_too_long"),
        ({"type": "divider"}, "invalid_blocks_format"),
        (["divider"], "invalid_blocks_format"),
    ],
)
def test_blocks_are_also_limited_together(blocks, code) -> None:
    with pytest.raises(SlackError, match=rf"^{code}$"):
        check_message({"blocks": blocks})


def test_a_modal_takes_a_hundred_blocks_but_no_markdown() -> None:
    check_blocks([{"type": "divider"}] * 100, "modal")
    with pytest.raises(SlackError):
        check_blocks([{"type": "markdown", "text": "x"}], "modal")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)
KINDS = sorted({*BLOCKS, *ELEMENTS})
MEMBERS = [
    "text",
    "elements",
    "element",
    "accessory",
    "fields",
    "rows",
    "tasks",
    "title",
    "options",
    "child_blocks",
    "action_id",
    "block_id",
    "confirm",
    "positive_button",
    "value",
    "details",
    "status",
    "style",
]
PARTS = st.recursive(
    JSON,
    lambda inner: st.builds(
        lambda kind, members: {**members, "type": kind},
        st.sampled_from(KINDS),
        st.dictionaries(st.sampled_from(MEMBERS), inner | st.lists(inner, max_size=3), max_size=4),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(PARTS, max_size=4) | JSON)
def test_whatever_is_sent_is_taken_or_refused(blocks) -> None:
    with suppress(SlackError):
        check_message({"blocks": blocks})
