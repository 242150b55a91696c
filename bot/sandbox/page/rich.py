"""Rich text as HTML."""

from __future__ import annotations

from html import escape

from bot.sandbox.errors import Json
from bot.sandbox.page.icons import emoji_picture
from bot.sandbox.page.words import Names, link, reference

_STYLES = {"bold": "b", "italic": "i", "strike": "s", "code": "code"}


def rich_text(block: Json, names: Names) -> str:
    """A `rich_text` block."""
    return "".join(
        _part(part, names) for part in block.get("elements") or [] if isinstance(part, dict)
    )


def _part(part: Json, names: Names) -> str:
    kind = part.get("type")
    inside = part.get("elements") or []
    if kind == "rich_text_list":
        tag = "ol" if part.get("style") == "ordered" else "ul"
        deep = min(int(part.get("indent") or 0), 3)
        items = "".join(f'<li class="deep{deep}">{_leaves(one, names)}</li>' for one in inside)
        return f"<{tag}>{items}</{tag}>"
    words = "".join(_leaf(one, names) for one in inside if isinstance(one, dict))
    if kind == "rich_text_preformatted":
        return f"<pre>{words}</pre>"
    if kind == "rich_text_quote":
        return f"<blockquote>{words}</blockquote>"
    return f"<div>{words}</div>"


def _leaves(section: Json, names: Names) -> str:
    return "".join(
        _leaf(one, names) for one in section.get("elements") or [] if isinstance(one, dict)
    )


def _leaf(leaf: Json, names: Names) -> str:
    kind = leaf.get("type")
    if kind == "text":
        words = escape(str(leaf.get("text", "")))
    elif kind == "link":
        url = str(leaf.get("url", ""))
        words = link(url, escape(str(leaf.get("text") or url)))
    elif kind == "user":
        words = reference(f"@{leaf.get('user_id')}", names)
    elif kind == "channel":
        words = reference(f"#{leaf.get('channel_id')}", names)
    elif kind == "broadcast":
        words = reference(f"!{leaf.get('range')}", names)
    elif kind == "emoji":
        words = emoji_picture(str(leaf.get("name", "")))
    elif kind == "date":
        words = f"<time>{escape(str(leaf.get('fallback') or leaf.get('timestamp')))}</time>"
    else:
        words = escape(str(leaf.get("text") or leaf.get("value") or ""))
    style = leaf.get("style")
    for name, tag in _STYLES.items():
        if isinstance(style, dict) and style.get(name):
            words = f"<{tag}>{words}</{tag}>"
    return words
