"""Makes text from outside harmless and short before it becomes part of a message.

Whoever writes a log line, a commit title or an alert writes into our messages. So every value goes through
`prose`, `code` or `literal`: redacted, without control and direction characters, on one line where it stands
in a line, unable to mention, link or format, and cut to a length that holds after escaping.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from bot.redact import redact

READ_AT_MOST = 20_000
"""What is looked at of one value. Redaction sees all of it before the cut, so no half of a secret stays."""

LINK_LIMIT = 400
"""A longer address is not worth the room that it takes from the text."""

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Look-alikes that Slack does not format: text that arrives with stars must not become our bold verdict.
_PROSE = {**_ESCAPED, "*": "∗", "`": "ˋ", "~": "∼"}
_CODE = {**_ESCAPED, "`": "ˋ"}
_KEPT_CONTROLS = {"\n", "\t"}
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_SIGILS = re.compile("<(?=[!@#])")
_JOINER = "\u2060"
_URL_SAFE = "/:?#[]@!$&'()*+,;=~%-._"


def prose(value: str, limit: int) -> str:
    """A value inside a sentence of `mrkdwn`; at most `limit` characters, escapes included."""
    text = _one_line(_clean(value))
    return _isolated(_cut(text, limit - 2 if _turns(text[:limit]) else limit, _PROSE))


def sentence(value: str, limit: int) -> str:
    """`prose` that keeps code spans: for what narrators write. Monospace cannot be mistaken for our own words."""
    text = _one_line(_clean(value))
    if text.count("`") % 2:
        return prose(value, limit)
    parts = text.split("`")
    shown = ""
    for position, part in enumerate(parts):
        mark = "`" if position % 2 else ""
        room = limit - len(shown) - 2 * len(mark)
        if room < 2 or not part:
            continue
        shown += f"{mark}{_cut(part, room, _CODE if mark else _PROSE)}{mark}"
    return _isolated(shown) if len(shown) + 2 <= limit else shown


def code(value: str, limit: int) -> str:
    """A value as a code span of `mrkdwn`; at most `limit` characters, the backticks included."""
    return f"`{_cut(_one_line(_clean(value)), limit - 2, _CODE) or ' '}`"


def literal(value: str, limit: int, *, lines: bool = False) -> str:
    """A value where Slack formats nothing: `plain_text` and the text elements of `rich_text`.

    Args:
        value: the text.
        limit: characters at most.
        lines: keep line breaks.
    """
    clean = _clean(value)
    shown = clean.strip("\n") if lines else _one_line(clean)
    return _cut(_SIGILS.sub(f"<{_JOINER}", shown), limit, {})


def escaped(value: str) -> str:
    """Our own words that may quote somebody's: layout and code spans stay, mentions and links become text."""
    return "".join(_ESCAPED.get(char, char) for char in value)


def link(url: str, label: str) -> str:
    """A link around a label that is already `mrkdwn`; the label alone when the URL is none of the web or too long."""
    safe = web_url(url)
    return f"<{safe}|{label}>" if safe and len(safe) <= LINK_LIMIT else label


def web_url(url: str) -> str:
    """The URL in a form that cannot end a Slack link early; empty unless it is plain http or https."""
    if len(url) > 2_000 or _clean(url) != url:
        return ""
    try:
        parts = urlsplit(url.strip())
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.username is not None
        ):
            return ""
    except ValueError:
        return ""
    return quote(url.strip(), safe=_URL_SAFE).replace("&", "&amp;")


def user(user_id: str) -> str:
    """Name a person by a Slack id; anything that is no id is shown as text."""
    return f"<@{user_id}>" if re.fullmatch(r"[UW][A-Z0-9]{2,20}", user_id) else prose(user_id, 80)


def when(moment: datetime) -> str:
    """A moment in the reader's own zone and language; UTC where a client cannot do that."""
    utc = moment.astimezone(UTC)
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} {{time_secs}}|{stamp(utc)}>"


def stamp(moment: datetime) -> str:
    """A moment in UTC, for places where Slack formats nothing."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _clean(value: str) -> str:
    text = _ANSI.sub("", redact(value[:READ_AT_MOST]))
    return "".join(char for char in text if char in _KEPT_CONTROLS or not _hidden(char))


def _hidden(char: str) -> bool:
    """Controls, direction overrides, invisible characters, halves of surrogate pairs."""
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"} and char != "\u200d"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, limit: int, escapes: dict[str, str]) -> str:
    """Escape character by character and stop before the limit, so that no escape is cut in half."""
    pieces: list[str] = []
    length = 0
    for position, char in enumerate(text):
        piece = escapes.get(char, char)
        rest = 0 if position == len(text) - 1 else 1  # room for the ellipsis
        if length + len(piece) + rest > limit:
            return "".join(pieces).rstrip() + "…" if limit > 0 else ""
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)


def _isolated(text: str) -> str:
    """Keep right-to-left text from reordering what stands around it."""
    return f"\u2068{text}\u2069" if _turns(text) else text


def _turns(text: str) -> bool:
    return any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in text)
