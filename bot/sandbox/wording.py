"""How Slack rewrites what people and apps send: escapes, links, mentions, colours.

Facts: https://docs.slack.dev/messaging/formatting-message-text and, for attachments, stored messages that
their receivers published (`danger` comes back as `a30200`, a URL in a fallback inside `<>`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.sandbox.errors import Json

_TOKEN = re.compile(r"<(?:[@#!][^<>\n]+|(?:https?|mailto|tel|slack|ftp):[^<>\s][^<>\n]*)>")
_FENCE = re.compile(r"```([\s\S]+?)```")
_STYLED = re.compile(
    _TOKEN.pattern + r"|`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?=\S)(?P<bold>[^*<\n]+?)(?<=\S)\*(?![\w*])"
    r"|(?<![\w_])_(?=\S)(?P<italic>[^_<\n]+?)(?<=\S)_(?![\w_])"
    r"|(?<![\w~])~(?=\S)(?P<strike>[^~<\n]+?)(?<=\S)~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+'-]*[a-z_+][a-z0-9_+'-]*):"
)
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
    """The one rich text block that Slack's composer makes of a typed message, as stored (`normalised`)."""
    parts: list[Json] = []
    for number, piece in enumerate(_FENCE.split(text)):
        words = piece.strip("\n") if number else piece.rstrip("\n")
        if words:
            kind = "rich_text_preformatted" if number % 2 else "rich_text_section"
            parts.append({"type": kind, "elements": _styled(words, plain=bool(number % 2))})
    return [{"type": "rich_text", "elements": parts}]


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


def _styled(text: str, *, plain: bool) -> list[Json]:
    elements: list[Json] = []
    at = 0
    for match in _TOKEN.finditer(text) if plain else _STYLED.finditer(text):
        elements += _words(text[at : match.start()])
        elements += (
            [_element(match.group()[1:-1])] if match.group().startswith("<") else _style(match)
        )
        at = match.end()
    return elements + _words(text[at:])


def _words(text: str, **style: bool) -> list[Json]:
    if not text:
        return []
    return [{"type": "text", "text": unescaped(text)} | ({"style": style} if style else {})]


def _style(match: re.Match[str]) -> list[Json]:
    kind = str(match.lastgroup)
    if kind == "emoji":
        return [{"type": "emoji", "name": match.group(kind)}]
    return _words(match.group(kind), **{kind: True})


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
