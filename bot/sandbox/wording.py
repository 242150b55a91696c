"""How Slack rewrites what people and apps send: escapes, links, mentions, colours.

Facts: https://docs.slack.dev/messaging/formatting-message-text and, for attachments, stored messages that
their receivers published (`danger` comes back as `a30200`, a URL in a fallback inside `<>`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.sandbox.errors import Json

_TOKEN = re.compile(r"<(?:[@#!][^<>\n]+|(?:https?|mailto|tel|slack|ftp):[^<>\s][^<>\n]*)>")
_URL = re.compile(r"https?://[^\s<>|\"']+[^\s<>|\"'.,;:!?)\]]")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
_COLOURS = {"danger": "a30200", "good": "2eb886", "warning": "daa038"}
_ATTACHMENT_TEXTS = ("text", "pretext", "fallback", "title", "footer")


def normalised(text: str) -> str:
    """The text as Slack stores it: `& < >` escaped outside links and mentions, bare URLs inside `<>`."""
    parts: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        parts += [_plain(text[at : token.start()]), token.group()]
        at = token.end()
    parts.append(_plain(text[at:]))
    return "".join(parts)


def typed(text: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What Slack makes of words typed into the composer: `@alice` and `#alerts` become references.

    Args:
        text: as typed.
        users: name -> id.
        channels: name -> id.
    """

    def reference(match: re.Match[str]) -> str:
        sign, name = match.group(1), match.group(2)
        if sign == "@" and name in ("here", "channel", "everyone"):
            return f"<!{name}>"
        found = (users if sign == "@" else channels).get(name)
        if found is None:
            return match.group()
        return f"<@{found}>" if sign == "@" else f"<#{found}|{name}>"

    return re.sub(
        r"(?<![\w<|/#@])([@#])([a-z0-9][a-z0-9._-]*[a-z0-9])", reference, normalised(text)
    )


def attachment(index: int, given: Json) -> Json:
    """One attachment as Slack stores it; `index` counts from 0."""
    kept = {key: value for key, value in given.items() if value not in (None, "")}
    for key in _ATTACHMENT_TEXTS:
        if isinstance(kept.get(key), str):
            kept[key] = normalised(kept[key])
    colour = kept.get("color")
    if isinstance(colour, str):
        kept["color"] = _COLOURS.get(colour, colour.removeprefix("#").lower())
    if isinstance(kept.get("fields"), list):
        kept["fields"] = [_field(one) for one in kept["fields"] if isinstance(one, dict)]
    kept.setdefault("fallback", _fallback(kept))
    kept["id"] = index + 1
    return kept


def rich_text(text: str) -> list[Json]:
    """The one rich text block that Slack makes of a typed message."""
    elements: list[Json] = []
    at = 0
    for token in _TOKEN.finditer(text):
        if token.start() > at:
            elements.append({"type": "text", "text": unescaped(text[at : token.start()])})
        elements.append(_element(token.group()[1:-1]))
        at = token.end()
    if at < len(text):
        elements.append({"type": "text", "text": unescaped(text[at:])})
    return [
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
    ]


def unescaped(text: str) -> str:
    """The characters that a reader sees for Slack's three entities."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _plain(text: str) -> str:
    parts: list[str] = []
    at = 0
    for url in _URL.finditer(text):
        parts += [_escaped(text[at : url.start()]), f"<{_escaped(url.group())}>"]
        at = url.end()
    return "".join([*parts, _escaped(text[at:])])


def _escaped(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _field(given: Json) -> Json:
    value = given.get("value", "")
    return {
        "title": normalised(str(given.get("title", ""))),
        "value": normalised(value if isinstance(value, str) else str(value)),
        "short": bool(given.get("short", False)),
    }


def _fallback(kept: Json) -> str:
    if "blocks" in kept:
        return "[no preview available]"
    return str(
        kept.get("title") or kept.get("text") or kept.get("pretext") or "[no preview available]"
    )


def _element(token: str) -> Json:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    return {
        "type": "link",
        "url": unescaped(target),
        **({"text": unescaped(label)} if label else {}),
    }
