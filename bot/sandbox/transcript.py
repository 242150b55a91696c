"""A channel or a message as plain text: for golden tests and for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from bot.sandbox.errors import Json
from bot.sandbox.state import Channel, Message
from bot.sandbox.wording import unescaped
from bot.sandbox.workspace import Workspace

MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""What reading raises when another app's post has a string where a block or a list belongs."""
_MARKS = {"pending": "○", "in_progress": "◐", "complete": "●", "error": "✕"}
_REFERENCE = re.compile(r"<([@#!]?)([^<>|\n]+)(?:\|([^<>\n]*))?>")


def transcript(workspace: Workspace, channel: Channel) -> str:
    """Every message of the channel, replies indented under their root, reactions in brackets."""
    lines: list[str] = []
    for root in workspace.messages.get(channel.id, {}).values():
        if root.is_reply:
            continue
        lines += _lines(workspace, root, "")
        for reply in workspace.thread(channel, root.ts):
            if reply is not root:
                lines += _lines(workspace, reply, "    ")
    return "\n".join(lines) + "\n" if lines else ""


def as_text(workspace: Workspace, body: Json) -> str:
    """What a reader sees of a message: its blocks, or its text where it has none, then attachments."""
    parts = list(_blocks(body["blocks"])) if body.get("blocks") else [str(body.get("text", ""))]
    for attachment in body.get("attachments") or []:
        with suppress(*MALFORMED):
            parts += _attachment(attachment)
    parts += [f"[file {one.get('name', '')}]" for one in body.get("files") or []]
    return _readable(workspace, "\n".join(part for part in parts if part))


def author(workspace: Workspace, body: Json) -> str:
    """The name above a message."""
    if body.get("username"):
        return str(body["username"])
    user = workspace.users.get(str(body.get("user", "")))
    if user is not None:
        return user.name
    return str(body.get("bot_profile", {}).get("name") or body.get("bot_id") or "unknown")


def _lines(workspace: Workspace, message: Message, indent: str) -> Iterator[str]:
    first, *rest = as_text(workspace, message.body).split("\n")
    edited = " (edited)" if "edited" in message.body else ""
    yield f"{indent}{author(workspace, message.body)}{edited}: {first}"
    yield from (f"{indent}  {line}" for line in rest)
    if message.reactions:
        yield f"{indent}  [{' '.join(f':{name}: {len(who)}' for name, who in message.reactions.items())}]"


def _readable(workspace: Workspace, text: str) -> str:
    def resolved(match: re.Match[str]) -> str:
        sign, target, label = match.group(1), match.group(2), match.group(3)
        if sign == "@":
            user = workspace.users.get(target)
            return f"@{user.name if user else label or target}"
        if sign == "#":
            channel = workspace.channels.get(target)
            return f"#{channel.name if channel else label or target}"
        if sign == "!":
            return label or f"@{target.split('^')[0]}"
        return f"{label} ({target})" if label and label != target else target

    return unescaped(_REFERENCE.sub(resolved, text))


def _blocks(blocks: list[Json]) -> Iterator[str]:
    for block in blocks:
        try:
            yield _block(block)
        except MALFORMED:
            yield f"[{block.get('type')} block]"


def _block(block: Json) -> str:  # noqa: PLR0911 - one return a kind of block
    kind = block.get("type")
    if kind in ("section", "card", "alert", "header", "markdown"):
        parts = [_text(block.get(name)) for name in ("title", "subtitle", "text", "body")]
        parts += [_text(one) for one in block.get("fields") or []]
        parts.append(_element(block["accessory"]) if block.get("accessory") else "")
        return "\n".join(part for part in parts if part)
    if kind in ("context", "actions", "context_actions"):
        return " ".join(_element(one) for one in block.get("elements") or [])
    if kind == "divider":
        return "---"
    if kind == "image":
        return f"[image {block.get('alt_text', '')}]"
    if kind == "plan":
        tasks = [f"  {_block({'type': 'task_card', **task})}" for task in block.get("tasks") or []]
        return "\n".join([_text(block.get("title")), *tasks])
    if kind == "task_card":
        notes = [rich(block[name]) for name in ("details", "output") if block.get(name)]
        return " - ".join(
            [f"{_MARKS.get(str(block.get('status')), '○')} {_text(block.get('title'))}", *notes]
        )
    if kind == "table":
        return "\n".join(" | ".join(_cell(cell) for cell in row) for row in block.get("rows") or [])
    if kind == "rich_text":
        return rich(block)
    return "\n".join(_blocks(block.get("child_blocks") or block.get("elements") or []))


def rich(block: Json) -> str:
    """The words of a rich text block."""
    kind = block.get("type")
    if kind in ("rich_text", "rich_text_list"):
        mark = "• " if kind == "rich_text_list" else ""
        return "\n".join(mark + rich(one) for one in block.get("elements") or [])
    if "elements" in block:
        return "".join(rich(one) for one in block["elements"])
    if kind == "user":
        return f"<@{block.get('user_id')}>"
    if kind == "channel":
        return f"<#{block.get('channel_id')}>"
    if kind == "broadcast":
        return f"<!{block.get('range')}>"
    if kind == "emoji":
        return f":{block.get('name')}:"
    return str(block.get("text") or block.get("url") or "")


def _cell(cell: Json) -> str:
    return (
        rich(cell)
        if cell.get("type") == "rich_text"
        else str(cell.get("text", cell.get("value", "")))
    )


def _element(element: Json) -> str:
    kind = element.get("type")
    if kind == "feedback_buttons":
        names = ("positive_button", "negative_button")
        return " ".join(f"[{_text(element.get(name, {}).get('text'))}]" for name in names)
    if kind in ("mrkdwn", "plain_text"):
        return str(element.get("text", ""))
    if kind == "image":
        return f"[image {element.get('alt_text', '')}]"
    return f"[{_text(element.get('text') or element.get('placeholder')) or kind}]"


def _text(value: object) -> str:
    return str(value.get("text", "")) if isinstance(value, dict) else str(value or "")


def _attachment(given: Json) -> Iterator[str]:
    if given.get("blocks"):
        yield from (f"| {line}" for line in "\n".join(_blocks(given["blocks"])).split("\n"))
        return
    title = given.get("title", "")
    parts = [
        given.get("pretext", ""),
        f"{title} ({given['title_link']})" if given.get("title_link") else title,
    ]
    parts.append(given.get("text", ""))
    parts += [f"{one.get('title')}: {one.get('value')}" for one in given.get("fields") or []]
    words = [str(part) for part in parts if part] or [str(given.get("fallback", ""))]
    for part in words:
        yield from (f"| {line}" for line in part.split("\n"))
