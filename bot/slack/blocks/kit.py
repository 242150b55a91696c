"""The few Block Kit shapes that we use, with their limits.

Limits: https://docs.slack.dev/reference/block-kit/blocks. Markup is `verbatim`: Slack turns nothing into a
link or a mention that we did not write as one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bot.slack.blocks.text import literal

Block = dict[str, Any]
"""One block as Slack's JSON has it: nested objects of a dozen shapes, so the values are not typed further."""

SECTION_LIMIT = 3_000
HEADER_LIMIT = 150
MESSAGE_BLOCKS = 50
MESSAGE_CHARS = 12_000
"""Over all blocks of one message. Sums near 13,200 are refused with `msg_blocks_too_long` (bolt-js#2509)."""
FALLBACK_LIMIT = 1_000

STATUSES = ("pending", "in_progress", "complete", "error")


class Task(NamedTuple):
    """One card of the plan: what is being done, in the reader's words.

    Attributes:
        title: at most 150 characters are shown.
        status: one of `STATUSES`.
        detail: what came out of it; may be empty.
    """

    title: str
    status: str
    detail: str = ""


def section(mrkdwn: str) -> Block:
    return {"type": "section", "text": _mrkdwn(mrkdwn)}


def fields(mrkdwns: Iterable[str]) -> Block:
    """Short facts in two columns; at most ten, 2,000 characters each."""
    return {"type": "section", "fields": [_mrkdwn(text) for text in mrkdwns]}


def listing(lines: Iterable[str]) -> list[Block]:
    """Lines of `mrkdwn` in as many sections as they need."""
    parts: list[str] = []
    for line in lines:
        if parts and len(parts[-1]) + 1 + len(line) <= SECTION_LIMIT:
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
    return [section(part) for part in parts]


def header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, HEADER_LIMIT)}


def context(mrkdwn: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(mrkdwn)]}


def divider() -> Block:
    return {"type": "divider"}


def preformatted(text: str, limit: int) -> Block:
    """Lines as they are: nothing in a `rich_text` text element is formatted, linked or mentioned."""
    return _rich("rich_text_preformatted", literal(text, limit, lines=True) or " ")


def actions(buttons: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def button(label: str, action_id: str, value: str, *, style: str = "") -> Block:
    shape: Block = {
        "type": "button",
        "text": _plain(label, 75),
        "action_id": action_id,
        "value": value,
    }
    return {**shape, "style": style} if style else shape


def menu(action_id: str, choices: Sequence[tuple[str, str]]) -> Block:
    """The three dots: label and value of each choice, five at most."""
    options = [{"text": _plain(label, 75), "value": value} for label, value in choices]
    return {"type": "overflow", "action_id": action_id, "options": options}


def feedback(action_id: str, subject: str) -> Block:
    """Right or wrong, asked under every report; the values are `<subject>:right` and `<subject>:wrong`."""
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": action_id,
                "positive_button": {"text": _plain("Right", 75), "value": f"{subject}:right"},
                "negative_button": {"text": _plain("Wrong", 75), "value": f"{subject}:wrong"},
            }
        ],
    }


def plan(title: str, tasks: Sequence[Task]) -> Block:
    """The plan with one card a task. Slack wants a new `block_id` at each edit; ours follows the content."""
    cards = [_card(number, task) for number, task in enumerate(tasks, 1)]
    shape = {"type": "plan", "title": literal(title, 150) or " ", "tasks": cards}
    return {**shape, "block_id": f"plan-{_digest(shape)}"}


def message(text: str, blocks: Sequence[Block] = ()) -> Block:
    """The body of one message: `text` is what notifications and screen readers say."""
    return {"text": text, "blocks": list(blocks)} if blocks else {"text": text}


def weight(block: Block) -> int:
    """Characters of a block that count towards the message: every text in it, however deep."""
    return sum(len(text) for text in texts(block))


def texts(shape: object) -> Iterable[str]:
    """Every text that a reader would see in a block."""
    if isinstance(shape, dict):
        for key, value in shape.items():
            if key in {"text", "title"} and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(shape, (list, tuple)):
        for one in shape:
            yield from texts(one)


def split(groups: Iterable[Sequence[Block]], *, blocks: int, chars: int) -> list[list[Block]]:
    """Lay groups of blocks out into messages, in order, never parting a group that fits into one."""
    messages: list[list[Block]] = []
    room_blocks = room_chars = 0
    for group in groups:
        size = sum(weight(block) for block in group)
        if not messages or len(group) > room_blocks or size > room_chars:
            messages.append([])
            room_blocks, room_chars = blocks, chars
        messages[-1].extend(group)
        room_blocks -= len(group)
        room_chars -= size
    return messages


def _card(number: int, task: Task) -> Block:
    card: Block = {
        "type": "task_card",
        "task_id": f"task-{number}",
        "title": literal(task.title, 150) or " ",
        "status": task.status if task.status in STATUSES else "pending",
    }
    detail = literal(task.detail, 300)
    return {**card, "details": _rich("rich_text_section", detail)} if detail else card


def _rich(element: str, text: str) -> Block:
    return {
        "type": "rich_text",
        "elements": [{"type": element, "elements": [{"type": "text", "text": text}]}],
    }


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": literal(text, limit) or " ", "emoji": True}


def _digest(shape: object) -> str:
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:12]
