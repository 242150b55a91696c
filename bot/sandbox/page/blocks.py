"""Block Kit as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from html import escape

from bot.sandbox.errors import Json
from bot.sandbox.page.controls import control, text
from bot.sandbox.page.icons import icon
from bot.sandbox.page.rich import rich_text
from bot.sandbox.page.words import Names, link, markdown, mrkdwn, plain
from bot.sandbox.transcript import MALFORMED

_STATES = {"pending": "Waiting", "in_progress": "Working", "complete": "Done", "error": "Failed"}


def blocks(given: list[Json], names: Names) -> str:
    """A list of blocks."""
    return "".join(block(one, names) for one in given)


def block(given: Json, names: Names) -> str:
    """One block; a kind that is not drawn, or a malformed one, shows its name, so that nothing vanishes."""
    kind = str(given.get("type"))
    name = escape(str(given.get("block_id", "")))
    draw = _DRAWN.get(kind)
    inner = f'<div class="unknown">[{escape(kind)} block]</div>'
    if draw is not None:
        with suppress(*MALFORMED):
            inner = draw(given, names)
    return f'<div class="block {escape(kind)}" data-block="{name}">{inner}</div>'


def attachment(given: Json, names: Names) -> str:
    """A message attachment with its coloured bar."""
    inner = mrkdwn(str(given.get("fallback", "")), names)
    with suppress(*MALFORMED):
        inner = blocks(given["blocks"], names) if given.get("blocks") else _classic(given, names)
    colour = str(given.get("color") or "")
    safe = colour if re.fullmatch(r"[0-9a-f]{3}|[0-9a-f]{6}", colour) else ""
    before = mrkdwn(str(given["pretext"]), names) if given.get("pretext") else ""
    before = f'<div class="pretext">{before}</div>' if before else ""
    return f'{before}<div class="attachment" data-colour="{safe}">{inner}</div>'


def _classic(given: Json, names: Names) -> str:
    parts = []
    if given.get("author_name"):
        parts.append(f'<div class="small">{plain(str(given["author_name"]))}</div>')
    if given.get("title"):
        title = mrkdwn(str(given["title"]), names)
        title = link(str(given["title_link"]), title) if given.get("title_link") else title
        parts.append(f'<div class="title">{title}</div>')
    if given.get("text"):
        parts.append(f'<div class="words">{mrkdwn(str(given["text"]), names)}</div>')
    cells = "".join(_classic_field(one, names) for one in given.get("fields") or [])
    if cells:
        parts.append(f'<div class="fields">{cells}</div>')
    if not parts:
        parts.append(f'<div class="words">{mrkdwn(str(given.get("fallback", "")), names)}</div>')
    if given.get("actions"):
        buttons = (
            f'<span class="button off">{text(one.get("text"))}</span>' for one in given["actions"]
        )
        parts.append(f'<div class="row">{"".join(buttons)}</div>')
    if given.get("footer"):
        parts.append(f'<div class="small">{mrkdwn(str(given["footer"]), names)}</div>')
    return "".join(parts)


def _classic_field(given: Json, names: Names) -> str:
    css = "field" if given.get("short") else "field wide"
    value = mrkdwn(str(given.get("value", "")), names)
    return f'<div class="{css}"><b>{mrkdwn(str(given.get("title", "")), names)}</b><div>{value}</div></div>'


def _words(value: object, names: Names) -> str:
    if isinstance(value, dict) and value.get("type") == "mrkdwn":
        return mrkdwn(str(value.get("text", "")), names)
    return text(value)


def _section(given: Json, names: Names) -> str:
    inner = f'<div class="words">{_words(given["text"], names)}</div>' if given.get("text") else ""
    cells = "".join(
        f'<div class="field">{_words(one, names)}</div>' for one in given.get("fields") or []
    )
    if cells:
        inner += f'<div class="fields">{cells}</div>'
    accessory = given.get("accessory")
    if accessory:
        inner = f'<div class="beside"><div>{inner}</div><div class="accessory">{_element(accessory, names)}</div></div>'
    return inner


def _element(given: Json, names: Names) -> str:
    kind = given.get("type")
    if kind in ("mrkdwn", "plain_text"):
        return f'<span class="words">{_words(given, names)}</span>'
    if kind == "image":
        return _picture(given, "thumb")
    return control(given, names)


def _picture(given: Json, css: str) -> str:
    file = given.get("slack_file")
    url = str(
        given.get("image_url") or (file.get("url", "") if isinstance(file, dict) else "") or ""
    )
    alt = escape(str(given.get("alt_text", "")))
    if isinstance(file, dict) and file.get("id"):
        url = f"/files/{file['id']}"
    local = url[url.find("/files/") :] if "//127.0.0.1" in url or url.startswith("/files/") else ""
    if local:
        return f'<img class="{css}" src="{escape(local)}" alt="{alt}" title="{alt}">'
    return f'<span class="noimage" title="{escape(url)}">' + icon("picture") + f" {alt}</span>"


def _header(given: Json, _names: Names) -> str:
    return f"<h3>{text(given.get('text'))}</h3>"


def _context(given: Json, names: Names) -> str:
    inner = "".join(_element(one, names) for one in given.get("elements") or [])
    return f'<div class="row">{inner}</div>'


def _image(given: Json, _names: Names) -> str:
    title = f'<div class="small">{text(given["title"])}</div>' if given.get("title") else ""
    return title + _picture(given, "picture")


def _input(given: Json, names: Names) -> str:
    element = given.get("element") or {}
    optional = ' <span class="small">(optional)</span>' if given.get("optional") else ""
    hint = f'<div class="small">{text(given["hint"])}</div>' if given.get("hint") else ""
    inner = control(element, names, live=bool(given.get("dispatch_action")))
    return f'<div class="label">{text(given.get("label"))}{optional}</div>{inner}{hint}<div class="wrong"></div>'


def _table(given: Json, names: Names) -> str:
    settings = given.get("column_settings") or []
    rows = []
    for number, row in enumerate(given.get("rows") or []):
        tag = "th" if number == 0 else "td"
        cells = []
        for column, cell in enumerate(row):
            setting = (
                settings[column]
                if column < len(settings) and isinstance(settings[column], dict)
                else {}
            )
            css = " ".join(
                [
                    *(["right"] if setting.get("align") == "right" else []),
                    *(["center"] if setting.get("align") == "center" else []),
                    *(["wrap"] if setting.get("is_wrapped") else []),
                ]
            )
            cells.append(f'<{tag} class="{css}">{_cell(cell, names)}</{tag}>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'


def _cell(cell: Json, names: Names) -> str:
    if cell.get("type") == "rich_text":
        return rich_text(cell, names)
    return escape(str(cell.get("text", cell.get("value", ""))))


def _plan(given: Json, names: Names) -> str:
    tasks = given.get("tasks") or []
    done = sum(1 for one in tasks if one.get("status") == "complete")
    inner = "".join(_task(one, names) for one in tasks)
    count = f'<span class="small">{done} of {len(tasks)}</span>' if tasks else ""
    return (
        f'<details open data-keep="plan"><summary><b>{text(given.get("title"))}</b> {count}</summary>'
        f'<div class="tasks">{inner}</div></details>'
    )


def _task(given: Json, names: Names) -> str:
    status = str(given.get("status") or "pending")
    status = status if status in _STATES else "pending"
    more = "".join(
        f'<div class="note">{rich_text(given[name], names)}</div>'
        for name in ("details", "output")
        if isinstance(given.get(name), dict)
    )
    sources = "".join(
        link(str(one.get("url", "")), escape(str(one.get("text") or one.get("url") or "")))
        for one in given.get("sources") or []
        if isinstance(one, dict)
    )
    more += f'<div class="sources">{sources}</div>' if sources else ""
    mark = f'<span class="mark" title="{_STATES[status]}"></span>'
    return f'<div class="task {status}">{mark}<div><div>{text(given.get("title"))}</div>{more}</div></div>'


def _alert(given: Json, names: Names) -> str:
    level = str(given.get("level") or "default")
    css = level if level in ("info", "warning", "error", "success") else "default"
    return f'<div class="alertbox {css}">{_words(given.get("text"), names)}</div>'


def _card(given: Json, names: Names) -> str:
    parts = "".join(
        f'<div class="{css}">{_words(given[name], names)}</div>'
        for name, css in (("title", "title"), ("subtitle", "small"), ("body", "words"))
        if given.get(name)
    )
    buttons = "".join(
        control(one, names) for one in given.get("actions") or [] if isinstance(one, dict)
    )
    return f'<div class="cardbox">{parts}<div class="row">{buttons}</div></div>'


def _carousel(given: Json, names: Names) -> str:
    return f'<div class="carouselbox">{"".join(_card(one, names) for one in given.get("elements") or [])}</div>'


def _container(given: Json, names: Names) -> str:
    inner = blocks(given.get("child_blocks") or [], names)
    if not given.get("title"):
        return f'<div class="cardbox">{inner}</div>'
    opened = "" if given.get("is_collapsed") else " open"
    return (
        f'<details class="cardbox"{opened} data-keep="container">'
        f"<summary><b>{_words(given['title'], names)}</b></summary>{inner}</details>"
    )


_DRAWN: dict[str, Callable[[Json, Names], str]] = {
    "section": _section,
    "header": _header,
    "divider": lambda _given, _names: "<hr>",
    "image": _image,
    "context": _context,
    "actions": _context,
    "context_actions": _context,
    "markdown": lambda given, names: markdown(str(given.get("text", "")), names),
    "rich_text": rich_text,
    "input": _input,
    "table": _table,
    "data_table": _table,
    "plan": _plan,
    "task_card": _task,
    "alert": _alert,
    "card": _card,
    "carousel": _carousel,
    "container": _container,
}
