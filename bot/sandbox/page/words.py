"""Slack's mrkdwn and standard Markdown as HTML.

Every leaf of text goes through `html.escape`; no input can add a tag, an attribute or a scheme other than
http, https and mailto. What people and log lines say is never trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby

from bot.sandbox.page.emoji import EMOJI
from bot.sandbox.page.icons import emoji_picture
from bot.sandbox.wording import unescaped

_MRKDWN = re.compile(
    r"```\n?(?P<fence>[\s\S]+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<token>[^<>\n]+)>"
    r"|(?<![\w*])\*(?=\S)(?P<bold>[^*\n]+?)(?<=\S)\*(?![\w*])"
    r"|(?<![\w_])_(?=\S)(?P<italic>[^_\n]+?)(?<=\S)_(?![\w_])"
    r"|(?<![\w~])~(?=\S)(?P<strike>[^~\n]+?)(?<=\S)~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<url>[^()\s]+)\)"
    r"|<(?P<token>[@#!][^<>\n]+|https?://[^<>\s]+)>"
    r"|(?P<bare>https?://[^\s<>()|]+[^\s<>()|.,;:!?])"
    r"|\*\*(?=\S)(?P<bold>.+?)(?<=\S)\*\*"
    r"|(?<![\w*])\*(?=\S)(?P<italic>[^*\n]+?)(?<=\S)\*(?![\w*])"
    r"|(?<!\w)_(?=\S)(?P<low>[^_\n]+?)(?<=\S)_(?!\w)"
    r"|~~(?=\S)(?P<strike>.+?)(?<=\S)~~"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
)
_LIST = re.compile(r"(?P<indent>\s*)(?:[-*+]|(?P<number>\d+)[.)])\s+(?P<words>.*)")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,})\s*")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_NAME = re.compile(r":([a-z0-9_+'-]+):")
_TAGS = {"bold": "b", "italic": "i", "low": "i", "strike": "s"}


@dataclass(frozen=True, slots=True)
class Names:
    """How ids read: user id -> name, channel id -> name."""

    users: Mapping[str, str]
    channels: Mapping[str, str]


def mrkdwn(text: str, names: Names) -> str:
    """Slack's own markup, escaped as Slack stores it, as HTML."""
    parts = []
    for quoted, lines in groupby(text.split("\n"), key=lambda line: line.startswith(("&gt;", ">"))):
        joined = "\n".join(re.sub(r"^(?:&gt;|>) ?", "", line) if quoted else line for line in lines)
        inner = _spans(joined, names)
        parts.append(f"<blockquote>{inner}</blockquote>" if quoted else inner)
    return "".join(parts) if "```" not in text else _spans(text, names)


def markdown(text: str, names: Names) -> str:
    """Standard Markdown, as far as Slack's markdown block goes, as HTML."""
    out: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        at = _block(lines, at, out, names)
    return "".join(out)


def plain(text: str) -> str:
    """Plain text as HTML; emoji names become emoji."""
    shown = escape(unescaped(text))
    return re.sub(
        _NAME, lambda m: emoji_picture(m.group(1)) if m.group(1) in EMOJI else m.group(), shown
    )


def flat(text: str) -> str:
    """Plain text for where no element may stand: attributes, options, titles."""
    return re.sub(_NAME, lambda m: EMOJI.get(m.group(1), m.group()), escape(unescaped(text)))


def link(url: str, label: str) -> str:
    """A link, if the scheme is one that is safe to click; else the words alone."""
    if not re.match(r"(?:https?://|mailto:|/)", url):
        return label
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{label}</a>'


def reference(token: str, names: Names) -> str:
    """What stands between `<` and `>`: a mention, a channel, a date, a link."""
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return f'<span class="mention">@{escape(names.users.get(target[1:], label or target[1:]))}</span>'
    if target.startswith("#"):
        return f'<span class="mention">#{escape(names.channels.get(target[1:], label or target[1:]))}</span>'
    if target.startswith("!date^"):
        return f"<time>{escape(unescaped(label))}</time>"
    if target.startswith("!"):
        return f'<span class="mention loud">@{escape(unescaped(label or target[1:].split("^")[0]))}</span>'
    shown = escape(unescaped(label or target.removeprefix("mailto:")))
    return link(unescaped(target), shown)


def _spans(text: str, names: Names) -> str:
    return _replaced(_MRKDWN, text, lambda m: _span(m, names), lambda leaf: escape(unescaped(leaf)))


def _span(match: re.Match[str], names: Names) -> str:
    kind, words = str(match.lastgroup), str(match.group(str(match.lastgroup)))
    if kind == "fence":
        return f"<pre>{escape(unescaped(_bare(words)))}</pre>"
    if kind == "code":
        return f"<code>{escape(unescaped(_bare(words)))}</code>"
    if kind == "token":
        return reference(words, names)
    if kind == "emoji":
        return emoji_picture(words)
    return f"<{_TAGS[kind]}>{_spans(words, names)}</{_TAGS[kind]}>"


def _bare(code: str) -> str:
    return re.sub(r"<(https?://[^<>|\s]+)(?:\|[^<>]*)?>", r"\1", code)


def _inline(text: str, names: Names) -> str:
    return _replaced(
        _INLINE, text, lambda m: _inline_span(m, names), lambda leaf: escape(unescaped(leaf))
    )


def _inline_span(match: re.Match[str], names: Names) -> str:
    if match.group("url"):
        return link(match.group("url"), _inline(match.group("label"), names))
    kind, words = str(match.lastgroup), str(match.group(str(match.lastgroup)))
    if kind == "code":
        return f"<code>{escape(words)}</code>"
    if kind == "token":
        return reference(words, names)
    if kind == "bare":
        return link(words, escape(words))
    if kind == "emoji":
        return emoji_picture(words)
    return f"<{_TAGS[kind]}>{_inline(words, names)}</{_TAGS[kind]}>"


def _replaced(
    pattern: re.Pattern[str],
    text: str,
    span: Callable[[re.Match[str]], str],
    leaf: Callable[[str], str],
) -> str:
    parts: list[str] = []
    at = 0
    for match in pattern.finditer(text):
        parts += [leaf(text[at : match.start()]), span(match)]
        at = match.end()
    return "".join([*parts, leaf(text[at:])])


def _block(lines: list[str], at: int, out: list[str], names: Names) -> int:
    line = lines[at]
    if line.lstrip().startswith("```"):
        return _fence(lines, at, out)
    heading = _HEADING.fullmatch(line)
    if heading:
        level = min(len(heading.group(1)) + 2, 6)
        out.append(f"<h{level}>{_inline(heading.group(2), names)}</h{level}>")
        return at + 1
    if _RULE.fullmatch(line):
        out.append("<hr>")
        return at + 1
    if _is_table(lines, at):
        return _table(lines, at, out, names)
    if line.startswith(">"):
        end = _while(lines, at, lambda one: one.startswith(">"))
        quoted = "\n".join(one.lstrip("> ") for one in lines[at:end])
        out.append(f"<blockquote>{_inline(quoted, names)}</blockquote>")
        return end
    if _LIST.fullmatch(line):
        return _listed(lines, at, out, names)
    if not line.strip():
        return at + 1
    end = max(at + 1, _while(lines, at, lambda one: bool(one.strip()) and not _starts_block(one)))
    out.append(f"<p>{_inline(chr(10).join(lines[at:end]), names)}</p>")
    return end


def _starts_block(line: str) -> bool:
    return bool(
        line.startswith((">", "|"))
        or line.lstrip().startswith("```")
        or _HEADING.fullmatch(line)
        or _LIST.fullmatch(line)
        or _RULE.fullmatch(line)
    )


def _while(lines: list[str], at: int, holds: Callable[[str], bool]) -> int:
    while at < len(lines) and holds(lines[at]):
        at += 1
    return at


def _fence(lines: list[str], at: int, out: list[str]) -> int:
    end = _while(lines, at + 1, lambda one: not one.lstrip().startswith("```"))
    out.append(f"<pre>{escape(chr(10).join(lines[at + 1 : end]))}</pre>")
    return end + 1


def _listed(lines: list[str], at: int, out: list[str], names: Names) -> int:
    first = _LIST.fullmatch(lines[at])
    tag = "ol" if first and first.group("number") else "ul"
    items = []
    end = at
    while end < len(lines) and (item := _LIST.fullmatch(lines[end])):
        depth, number = min(len(item.group("indent").expandtabs(4)) // 2, 3), item.group("number")
        which = f' value="{int(number[:6])}"' if number else ""
        css = f"deep{depth}" if number or tag == "ul" else f"deep{depth} bullet"
        items.append(f'<li class="{css}"{which}>{_inline(item.group("words"), names)}</li>')
        end += 1
    out.append(f"<{tag}>{''.join(items)}</{tag}>")
    return end


def _is_table(lines: list[str], at: int) -> bool:
    rule = lines[at + 1].strip() if at + 1 < len(lines) else ""
    return lines[at].lstrip().startswith("|") and "-" in rule and not rule.strip("|-: ")


def _table(lines: list[str], at: int, out: list[str], names: Names) -> int:
    end = _while(lines, at, lambda one: one.lstrip().startswith("|"))
    rows = []
    for number, line in enumerate(lines[at:end]):
        if number == 1:
            continue
        tag = "th" if number == 0 else "td"
        cells = (
            f"<{tag}>{_inline(cell.strip(), names)}</{tag}>"
            for cell in line.strip().strip("|").split("|")
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    out.append(f'<div class="scroll"><table>{"".join(rows)}</table></div>')
    return end
