"""The modals: a new investigation, and what a wrong report should have said."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Block
from bot.slack.blocks.text import literal

NEW = "investigate_new"
WRONG = "feedback_wrong"
QUESTION, SERVICE, SINCE, CHANNEL = "question", "service", "since", "channel"
CAUSE, SHA = "cause", "sha"


def new(question: str = "", channel: str = "") -> Block:
    """The form behind the global shortcut and Home's button."""
    where: Block = {
        "type": "conversations_select",
        "action_id": CHANNEL,
        "default_to_current_conversation": True,
        "filter": {"include": ["public", "private", "im"], "exclude_bot_users": True},
    }
    if channel:
        where |= {"initial_conversation": channel}
    return {
        "type": "modal",
        "callback_id": NEW,
        "title": _plain("New investigation"),
        "submit": _plain("Investigate"),
        "close": _plain("Cancel"),
        "blocks": [
            _input(QUESTION, "What is wrong?", _field(QUESTION, question, lines=True)),
            _input(SERVICE, "Service", _field(SERVICE), hint="", optional=True),
            _input(
                SINCE,
                "Since",
                _field(SINCE),
                hint="30m, 2h, a time of day in your zone such as 14:00, or ISO",
                optional=True,
            ),
            _input(CHANNEL, "Where to answer", where),
        ],
    }


def wrong(number: int) -> Block:
    """Asked of whoever says that a report is wrong."""
    return {
        "type": "modal",
        "callback_id": WRONG,
        "private_metadata": str(number),
        "title": _plain("What was it really?"),
        "submit": _plain("Send"),
        "close": _plain("Not now"),
        "blocks": [
            kit.section(
                f"Investigation #{number} is noted as wrong. What you write here improves the benchmark."
            ),
            _input(CAUSE, "What broke, and why?", _field(CAUSE, lines=True)),
            _input(
                SHA,
                "The commit that did it",
                _field(SHA),
                hint="its id, if it was a change",
                optional=True,
            ),
        ],
    }


def _field(action_id: str, value: str = "", *, lines: bool = False) -> Block:
    shape: Block = {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": lines,
        "max_length": 2_000 if lines else 200,
    }
    return shape | ({"initial_value": literal(value, 1_900, lines=True)} if value else {})


def _input(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False
) -> Block:
    shape: Block = {
        "type": "input",
        "block_id": block_id,
        "label": _plain(label),
        "element": element,
        "optional": optional,
    }
    return shape | ({"hint": _plain(hint)} if hint else {})


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
