"""Refusing what Slack refuses: blocks, attachments and sizes, with its codes and its JSON pointers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox import shapes
from bot.sandbox.errors import Json, SlackError

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_ATTACHMENTS = 100
MOST_BLOCK_TEXT = 13_000
"""Over all blocks of a message. Undocumented: 13,172 characters were seen to fail, 12,000 are promised."""
MARKDOWN = 12_000


def check_message(body: Mapping[str, Any]) -> None:
    """Check the blocks and attachments of a message.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long`, `invalid_attachments` or
            `too_many_attachments`.
    """
    attachments = body.get("attachments") or []
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    check_blocks(body.get("blocks"), "message")
    for number, attachment in enumerate(attachments):
        check_blocks(attachment.get("blocks"), "message", f"/attachments/{number}/blocks")


def check_blocks(blocks: object, surface: str, pointer: str = "/blocks") -> None:
    """Check a list of blocks on a surface: message, modal or home.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks` or `msg_blocks_too_long`.
    """
    if blocks is None:
        return
    if not isinstance(blocks, list) or not all(isinstance(one, dict) for one in blocks):
        raise SlackError("invalid_blocks_format")
    found = list(_problems(blocks, surface, pointer))
    if found:
        raise SlackError("invalid_blocks", messages=found, errors=found)
    if surface == "message" and sum(map(text_length, blocks)) > MOST_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")


def check_markdown(text: str | None, others: Mapping[str, Any]) -> None:
    """Check `markdown_text` and that nothing stands beside it that it excludes.

    Raises:
        SlackError: `markdown_text_conflict` or `msg_too_long`.
    """
    if text is None:
        return
    if others.get("text") or others.get("blocks"):
        raise SlackError("markdown_text_conflict")
    if len(text) > MARKDOWN:
        raise SlackError("msg_too_long")


def text_length(part: object) -> int:
    """Characters that a reader sees in a block: every `text` in it."""
    if isinstance(part, list):
        return sum(map(text_length, part))
    if not isinstance(part, dict):
        return 0
    own = part.get("text")
    inside = sum(
        text_length(value)
        for key, value in part.items()
        if key != "text" or not isinstance(value, str)
    )
    return inside + (len(own) if isinstance(own, str) else 0)


def _problems(blocks: list[Json], surface: str, pointer: str) -> Iterator[str]:
    if len(blocks) > MOST_BLOCKS[surface]:
        yield f"no more than {MOST_BLOCKS[surface]} items allowed [json-pointer:{pointer}]"
        return
    if sum(1 for one in blocks if one.get("type") == "table") > 1:
        yield f"only_one_table_allowed [json-pointer:{pointer}]"
    names: set[str] = set()
    for number, block in enumerate(blocks):
        at = f"{pointer}/{number}"
        yield from _block(block, surface, at)
        name = block.get("block_id")
        if isinstance(name, str) and name:
            if name in names:
                yield f"block_id already exists [json-pointer:{at}/block_id]"
            names.add(name)


def _block(block: Json, surface: str, at: str) -> Iterator[str]:
    shape = shapes.BLOCKS.get(str(block.get("type")))
    if shape is None or surface not in shape.surfaces:
        yield f"unsupported type: {block.get('type')} [json-pointer:{at}/type]"
        return
    if len(str(block.get("block_id") or "")) > 255:
        yield f"must be less than 256 characters [json-pointer:{at}/block_id]"
    yield from _shaped(block, shape, at)
    special = _SPECIAL.get(block["type"])
    if special is not None:
        yield from special(block, surface, at)
    yield from _elements(block, shape, at)


def _shaped(part: Json, shape: shapes.Shape, at: str) -> Iterator[str]:
    for name in shape.required:
        if part.get(name) is None:
            yield f"missing required field: {name} [json-pointer:{at}]"
    for name, most in shape.texts.items():
        if part.get(name) is not None:
            yield from _text(part[name], most, f"{at}/{name}", plain=name in shape.plain)
    for name, (fewest, most) in shape.lists.items():
        items = part.get(name)
        if items is None:
            continue
        if not isinstance(items, list):
            yield f"must be an array [json-pointer:{at}/{name}]"
        elif not fewest <= len(items) <= most:
            how = (
                f"no more than {most} items allowed"
                if len(items) > most
                else f"no fewer than {fewest} items"
            )
            yield f"{how} [json-pointer:{at}/{name}]"


def _text(value: object, most: int, at: str, *, plain: bool = False) -> Iterator[str]:
    text: object = value
    if isinstance(value, dict):
        kind = value.get("type")
        if kind not in ("plain_text", "mrkdwn") or (plain and kind != "plain_text"):
            yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        text, at = value.get("text"), f"{at}/text"
    elif plain:
        yield f"must provide an object [json-pointer:{at}]"
        return
    if not isinstance(text, str):
        yield f"must be a string [json-pointer:{at}]"
    elif not text:
        yield f"must be more than 0 characters [json-pointer:{at}]"
    elif len(text) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}]"


def _elements(block: Json, shape: shapes.Shape, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for path, element in _children(block, at):
        if not isinstance(element, dict) or str(element.get("type")) not in shape.elements:
            kind = element.get("type") if isinstance(element, dict) else element
            yield f"unsupported type: {kind} [json-pointer:{path}/type]"
            continue
        yield from _element(element, path)
        action = element.get("action_id")
        if isinstance(action, str):
            if action in seen:
                yield f"`action_id` {action} already exists [json-pointer:{path}/action_id]"
            if len(action) > 255:
                yield f"must be less than 256 characters [json-pointer:{path}/action_id]"
            seen.add(action)


def _children(block: Json, at: str) -> Iterator[tuple[str, Any]]:
    items = block.get("elements")
    if isinstance(items, list):
        yield from ((f"{at}/elements/{number}", one) for number, one in enumerate(items))
    for name in ("accessory", "element"):
        if name in block and block[name] is not None:
            yield f"{at}/{name}", block[name]


def _element(element: Json, at: str) -> Iterator[str]:
    yield from _shaped(element, shapes.ELEMENTS[element["type"]], at)
    options = element.get("options")
    for number, option in enumerate(options if isinstance(options, list) else []):
        if isinstance(option, dict):
            yield from _shaped(option, shapes.OPTION, f"{at}/options/{number}")
        else:
            yield f"must provide an object [json-pointer:{at}/options/{number}]"
    for name in ("positive_button", "negative_button"):
        if isinstance(element.get(name), dict):
            yield from _shaped(element[name], shapes.FEEDBACK_BUTTON, f"{at}/{name}")
    if isinstance(element.get("confirm"), dict):
        yield from _shaped(element["confirm"], shapes.CONFIRM, f"{at}/confirm")
    if element.get("style") not in (None, "primary", "danger") and element["type"] == "button":
        yield f"invalid value for style [json-pointer:{at}/style]"


def _section(block: Json, _surface: str, at: str) -> Iterator[str]:
    if block.get("text") is None and not block.get("fields"):
        yield f"missing required field: text or fields [json-pointer:{at}]"
    fields = block.get("fields")
    for number, one in enumerate(fields if isinstance(fields, list) else []):
        yield from _text(one, 2_000, f"{at}/fields/{number}")


def _image(block: Json, _surface: str, at: str) -> Iterator[str]:
    if not block.get("image_url") and not block.get("slack_file"):
        yield f"missing required field: image_url or slack_file [json-pointer:{at}]"


def _table(block: Json, _surface: str, at: str) -> Iterator[str]:
    rows = block.get("rows")
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            yield f"must be an array of 1 to 20 cells [json-pointer:{at}/rows/{number}]"
            continue
        for column, cell in enumerate(row):
            if not isinstance(cell, dict) or str(cell.get("type")) not in shapes.CELLS:
                yield f"unsupported type of cell [json-pointer:{at}/rows/{number}/{column}]"


def _plan(block: Json, surface: str, at: str) -> Iterator[str]:
    tasks = block.get("tasks")
    for number, task in enumerate(tasks if isinstance(tasks, list) else []):
        where = f"{at}/tasks/{number}"
        if isinstance(task, dict) and task.get("type", "task_card") == "task_card":
            yield from _block({"type": "task_card", **task}, surface, where)
        else:
            yield f"unsupported type of task [json-pointer:{where}/type]"


def _task(block: Json, _surface: str, at: str) -> Iterator[str]:
    if block.get("status") not in (None, *shapes.TASK_STATES):
        yield f"invalid value for status [json-pointer:{at}/status]"
    for name in ("details", "output"):
        value = block.get(name)
        if value is not None and (not isinstance(value, dict) or value.get("type") != "rich_text"):
            yield f"must be a rich_text block [json-pointer:{at}/{name}]"


def _container(block: Json, surface: str, at: str) -> Iterator[str]:
    children = block.get("child_blocks")
    for number, child in enumerate(children if isinstance(children, list) else []):
        if isinstance(child, dict) and child.get("type") != "container":
            yield from _block(child, surface, f"{at}/child_blocks/{number}")
        else:
            yield f"unsupported type of child [json-pointer:{at}/child_blocks/{number}]"


_SPECIAL = {
    "section": _section,
    "image": _image,
    "table": _table,
    "plan": _plan,
    "task_card": _task,
    "container": _container,
}
