"""The words of a Slack message, out of its text, blocks and attachments.

Bounded and never raising: the message comes from outside, may be huge, nested or wrongly typed.
All patterns are linear in the length of the text.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_TEXT = 20_000  # characters of a message that are looked at
MAX_NODES = 4_000  # JSON values of a message that are looked at
MAX_DEPTH = 40
MAX_PAIRS = 200
MAX_LINKS = 100

_LINK = re.compile(r"<([^<>|]{1,3000})(?:\|([^<>]{0,1000}))?>|(https?://[^\s<>|\"'`)\]}]{1,3000})")
_EMPHASIS = re.compile(r"(?<![\w*])\*+(?=\S)|(?<=\S)\*+(?![\w*])|`+")
_COLUMNS = re.compile(r"\t|\s\|\s|\s{2,}|\s(?=\*[A-Za-z][^*\n:]{0,40}:?\*)")
_PAIR = re.compile(
    r"(?::[\w+-]{1,40}:\s?|[^\w\s*`:=-]{1,3}\s?)?[*`]{0,3}([^\W\d_][\w ./()#@-]{0,40}?)[*`]{0,3}"
    r"\s?(?::[*`]{0,3}(?=\s|$|[`*])|=(?!=))[*`]{0,3}\s?(.*)"
)
_TOKENS = re.compile(
    r"(?<![\w/?&.=])([A-Za-z_][\w.]{0,40})=(\"[^\"\n]{0,200}\"|[^\s,;)(}{\"&=]{1,200})"
)
_BOLD_ONLY = re.compile(r"(?::[\w+-]{1,40}:\s*)*\*([^*\n]{1,40})\*:?\s*")
_BULLET = " \t-•·>▪◦‣*"
_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xFE0F])
_CONTROLS = frozenset(
    {
        "button",
        "overflow",
        "checkboxes",
        "radio_buttons",
        "datepicker",
        "timepicker",
        "feedback_buttons",
    }
)
_TITLE_RANKS = {"header": 1, "section": 3, "markdown": 3, "alert": 3, "card": 3}
_HEADING = re.compile(r"#{1,6}\s+")
_LINES = frozenset({"rich_text_section", "rich_text_quote", "rich_text_preformatted"})


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in the message and the words that a person sees for it (empty for a bare URL)."""

    url: str
    label: str = ""


def plain(text: str) -> tuple[str, list[Link]]:
    """Slack's mrkdwn as a person reads it, with the links that it held.

    `<url|label>` becomes its label, escapes are undone, emphasis and code marks go; emoji names stay.
    """
    links: list[Link] = []
    return unescape(_EMPHASIS.sub("", _LINK.sub(lambda m: _shown(m, links), text))), links


def _shown(match: re.Match[str], links: list[Link]) -> str:
    target, label, bare = match.group(1), match.group(2), match.group(3)
    if bare:
        links.append(Link(unescape(bare)))
        return bare
    if target.startswith(("http://", "https://")):
        url = unescape(target)
        shown = unescape(label or "")
        links.append(Link(url, _EMPHASIS.sub("", shown).strip()))
        return label or target
    if target.startswith("!date"):
        return _date(target) or label or ""
    if target[0] in "@#!":
        return target[0].replace("!", "@") + (label or target[1:]).lstrip("@#")
    if target.startswith("mailto:"):
        return label or target[len("mailto:") :]
    return match.group(0)


def _date(target: str) -> str:
    """Slack shows `<!date^epoch^...>` in each reader's own zone; here it is the exact time."""
    epoch = target.split("^")[1] if "^" in target else ""
    exact = re.fullmatch(r"1\d{9}", epoch)
    return datetime.fromtimestamp(int(epoch), UTC).isoformat() if exact else ""


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clean(value: object) -> str:
    """A text that can be stored and matched: cut, no lone surrogates, no invisible marks."""
    if not isinstance(value, str):
        return ""
    text = value[:MAX_TEXT]
    if text.isascii():
        return text.replace("\r", "")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.translate(_INVISIBLE).replace("\r", "").replace("\u00a0", " ")


def word(value: object) -> str:
    return clean(value)[:200].strip()


def dicts(value: object) -> list[Mapping[str, object]]:
    items = value[:MAX_NODES] if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]


class Walk:
    """Collects the words of one message; stops quietly at the limits."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.links: list[Link] = []
        self.pairs: list[tuple[str, str]] = []
        self.colors: list[str] = []
        self.footers: list[str] = []
        self.actions: list[str] = []
        self.block_ids: list[str] = []
        self.images: list[str] = []
        self._titles: list[tuple[int, int, Link]] = []
        self._room = MAX_TEXT
        self._nodes = MAX_NODES

    def ranked(self) -> tuple[Link, ...]:
        best = sorted(self._titles, key=lambda item: item[:2])
        return tuple(dict.fromkeys(title for _rank, _order, title in best))[:8]

    def text(self, value: object, *, title_rank: int | None = None, pairs: bool = True) -> None:
        """Add marked-up text; with a rank its first line may be the headline."""
        raw = clean(value)[: self._room]
        if not raw.strip():
            return
        shown, links = plain(raw)
        self._room -= len(raw)
        kept = [line.rstrip() for line in shown.split("\n") if line.strip()]
        self.lines.extend(kept)
        self.links.extend(links[: MAX_LINKS - len(self.links)])
        if title_rank is not None and kept:
            self.title(kept[0], links[0].url if links else "", title_rank)
        if pairs:
            self._read_pairs(raw)

    def title(self, label: str, url: str, rank: int) -> None:
        heading = _HEADING.match(label)
        label = label[heading.end() :] if heading else label
        self._titles.append((rank, len(self._titles), Link(url, label.strip()[:500])))

    def attachment(self, node: Mapping[str, object]) -> None:
        self._nodes -= 1
        if self._nodes <= 0 or self._room <= 0:
            return
        before = len(self.lines)
        self.text(node.get("pretext"), title_rank=4)
        self.text(node.get("author_name"))
        title, url = clean(node.get("title")), _word_url(node.get("title_link"))
        if title.strip():
            shown, links = plain(title)
            url = url or (links[0].url if links else "")
            self.title(shown, url, 1)
            self.text(title, pairs=False)
        if url and len(self.links) < MAX_LINKS:
            self.links.append(Link(url, plain(title)[0].strip()[:500]))
        self.text(node.get("text"), title_rank=5)
        for item in dicts(node.get("fields")):
            self._field(item)
        self.blocks(node.get("blocks"))
        for item in dicts(node.get("actions"))[:50]:
            self._control(item)
        fallback = plain(clean(node.get("fallback")))[0].strip().split("\n")[0]
        if len(self.lines) == before:
            self.text(node.get("fallback"))
        if fallback:
            self.title(fallback, "", 6)
        self.colors += filter(None, [word(node.get("color")).lstrip("#").casefold()])
        self.footers += filter(None, [word(node.get("footer")).casefold()])

    def blocks(self, value: object) -> None:
        """Walk blocks depth first without recursion, in reading order."""
        stack: list[tuple[object, int]] = [(value, 0)]
        while stack and self._nodes > 0 and self._room > 0:
            node, depth = stack.pop()
            self._nodes -= 1
            if depth > MAX_DEPTH:
                continue
            if isinstance(node, list):
                stack.extend((item, depth + 1) for item in reversed(node[: self._nodes]))
            elif isinstance(node, Mapping):
                stack.extend((item, depth + 1) for item in reversed(self._block(node)))

    def _block(self, node: Mapping[str, object]) -> list[object]:
        """Take what one block says itself; returns the parts of it that are still to be walked."""
        kind = word(node.get("type"))
        block_id = word(node.get("block_id"))
        if block_id and len(self.block_ids) < MAX_LINKS:
            self.block_ids.append(block_id)
        if kind in _CONTROLS or kind.endswith("_select"):
            self._control(node)
            return []
        if kind in _LINES:
            self.text(_inline(node), title_rank=3)
            return []
        alt = word(node.get("alt_text"))
        if alt and len(self.images) < MAX_LINKS:
            self.images.append(alt)
        rank = _TITLE_RANKS.get(kind)
        for key in ("title", "subtitle", "text", "body"):
            part = node.get(key)
            self.text(part.get("text") if isinstance(part, Mapping) else part, title_rank=rank)
        self._paired_fields(node.get("fields"))
        return [
            node.get(key) for key in ("elements", "accessory", "rows", "blocks", "tasks", "cards")
        ]

    def _paired_fields(self, value: object) -> None:
        """Fields of a section; some senders put the name into one field and its value into the next."""
        name = ""
        for item in dicts(value)[:50]:
            raw = clean(item.get("text")).strip()
            self.text(raw)
            first, _, rest = raw.partition("\n")
            heading = _BOLD_ONLY.fullmatch(first)
            if heading and rest.strip():
                self._pair(heading.group(1).strip(" :"), rest)
            elif heading:
                name = heading.group(1).strip(" :")
            elif name and raw:
                self._pair(name, raw)
                name = ""

    def _field(self, item: Mapping[str, object]) -> None:
        self._nodes -= 1
        if self._nodes <= 0 or self._room <= 0:
            return
        name, value = plain(clean(item.get("title")))[0].strip(), clean(item.get("value"))
        if name and value.strip():
            self._pair(name.strip(" :"), value)
            self.lines.append(f"{name}: {plain(value)[0].strip()}"[: max(0, self._room)])
            self._room -= len(value) + len(name)
            self.links.extend(plain(value)[1][: MAX_LINKS - len(self.links)])
        else:
            self.text(name)
            self.text(value)

    def _control(self, node: Mapping[str, object]) -> None:
        """A button says nothing about the alert, but its link and action id do."""
        action = word(node.get("action_id"))
        if action and len(self.actions) < MAX_LINKS:
            self.actions.append(action)
        url, label = _word_url(node.get("url")), node.get("text")
        if url and len(self.links) < MAX_LINKS:
            words = label.get("text") if isinstance(label, Mapping) else label
            self.links.append(Link(url, plain(clean(words)[:300])[0].strip()[:200]))

    def _pair(self, name: str, value: str) -> None:
        shown = plain(value[:2000])[0].strip(' \t\n*`"')
        if shown and len(self.pairs) < MAX_PAIRS:
            self.pairs.append((name.strip()[:60], shown))

    def _read_pairs(self, raw: str) -> None:
        """`*Name:* value`, `name = value`, and a name whose value stands on the next line."""
        waiting = ""
        for line in raw.split("\n"):
            if len(self.pairs) >= MAX_PAIRS:
                return
            for column in _COLUMNS.split(_strip_links(line[:2000])):
                part = column.strip().lstrip(_BULLET[:-1])
                tokens = _TOKENS.findall(part)
                if len(tokens) > 1 or (tokens and not part.startswith(tokens[0][0])):
                    for name, value in tokens:
                        self._pair(name, value)
                    continue
                match = _PAIR.fullmatch(part)
                if match is None:
                    if waiting and part:
                        self._pair(waiting, part)
                        waiting = ""
                elif match.group(2).strip(" *`"):
                    self._pair(match.group(1), match.group(2))
                    waiting = ""
                else:
                    waiting = match.group(1)


def _strip_links(text: str) -> str:
    """Links as their labels, so that the colon of a URL is not taken for that of a pair."""
    return _LINK.sub(lambda match: _shown(match, []), text)


def _word_url(value: object) -> str:
    url = unescape(clean(value)[:3000].strip().strip("<>"))
    return url if url.startswith(("http://", "https://")) else ""


def _inline(node: Mapping[str, object]) -> str:
    """One line of rich text, written back as mrkdwn."""
    parts: list[str] = []
    for item in dicts(node.get("elements"))[:500]:
        kind, text = word(item.get("type")), clean(item.get("text"))
        if kind == "link":
            url = _word_url(item.get("url"))
            parts.append(f"<{url}|{text}>" if text else f"<{url}>")
        elif kind == "emoji":
            parts.append(f":{word(item.get('name'))}:")
        elif kind in {"user", "usergroup"}:
            parts.append(f"<@{word(item.get('user_id') or item.get('usergroup_id'))}>")
        else:
            style = item.get("style")
            bold = isinstance(style, Mapping) and style.get("bold") and text.strip()
            parts.append(f"*{text.strip()}* " if bold else text)
    return "".join(parts)
