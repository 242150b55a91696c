"""Text from logs, alerts, commits and tickets is data: fenced so that it cannot end its fence, and never obeyed.

A model cannot be made to ignore what it reads. So three things are done in code: lines that address their reader as if
they gave orders are withheld from the model; what a model may do does not depend on what it read (`bot.crew.tools`);
and a statement that repeats such a line, or carries a link that only the evidence named, does not reach a report.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from bot.report.words import plain

WITHHELD = "[a line that reads like an order to its reader was withheld]"
NO_LINK = "[link withheld]"

_ORDER = re.compile(
    r"(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|these|any)\b.{0,40}"
    r"\b(?:instruction|prompt|rule|direction|guideline|message|context)s?"
    r"|\b(?:system|developer|new)\s+(?:prompt|instructions?)\b"
    r"|\byou\s+are\s+now\s+(?:an?|the|in)\b"
    r"|\byou\s+(?:must|should|shall|will)\s+(?:now\s+)?(?:report|say|tell|state|conclude|declare|obey)\b"
    r"|\b(?:as|dear)\s+(?:an?\s+)?(?:ai|llm|language model|assistant|agent)\b"
    r"|\b(?:ai|llm|assistant|agents?|model|bot)s?\s*[:,>]\s*(?:please\s+)?(?:ignore|report|say|tell|call|conclude|state|reply|answer|do not|mark)\b"
    r"|<\|?\s*/?\s*(?:im_start|im_end|system|assistant|user|instructions?)\s*\|?>"
    r"|\[/?INST\]"
    r"|\b(?:conclude|report|state|say|declare)\s+(?:that\s+)?(?:this|it|there)\s+is\s+(?:not|no)\s+(?:an?\s+)?(?:incident|problem|issue)"
    r"|\bdo\s+not\s+(?:report|mention|tell|reveal|investigate|blame)\b",
    re.IGNORECASE,
)
_ANNOUNCING = (
    *("ignore", "disregard", "forget", "override", "prompt", "instruction", "you", " ai", "ai:"),
    *("ai,", "ai>", "llm", "assistant", "agent", "model", "bot", "inst]", "<|", "<system", "<user"),
    *("<instr", "</", "incident", "problem", "issue", "mention", "reveal", "blame", "do not"),
)
"""One of these stands in every line that reads like an order; looking for them is much faster than the form."""
_LONGEST_SCANNED = 4_000
_MARKUP = re.compile(
    r"<([!@#][^>\n]{0,200}|(?:https?|mailto|slack):[^>|\n]{0,400}\|[^>\n]{0,200})>"
)
_LINK = re.compile(r"(?:https?|ftp|slack|mailto):(?://)?[^\s<>\"'`|)\]]+", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9_-]{4,}")
_ALIKE = 0.5


def is_order(line: str) -> bool:
    """Whether a line addresses whoever reads it as if it gave orders."""
    return _ORDER.search(line[:_LONGEST_SCANNED]) is not None


def without_orders(text: str) -> tuple[str, list[str]]:
    """The text with such lines withheld, and those lines."""
    orders: list[str] = []
    pieces: list[str] = []
    done = 0
    for start, end in _announced(text):
        if is_order(text[start:end]):
            orders.append(text[start:end])
            pieces += [text[done:start], WITHHELD]
            done = end
    return "".join([*pieces, text[done:]]) if orders else text, orders


def _announced(text: str) -> list[tuple[int, int]]:
    """The lines that an announcing word stands in."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters change their length; then only ASCII is lowered
        lowered = "".join(c.lower() if c.isascii() else c for c in text)
    lines: set[tuple[int, int]] = set()
    for word in _ANNOUNCING:
        at = lowered.find(word)
        while at >= 0:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            lines.add((text.rfind("\n", 0, at) + 1, end))
            at = lowered.find(word, end)
    return sorted(lines)


def orders_in(texts: Iterable[str]) -> list[str]:
    """All lines of these texts that read like orders, at most 200."""
    found: list[str] = []
    for text in texts:
        found += without_orders(text)[1]
        if len(found) >= 200:
            break
    return found[:200]


def fenced(text: str) -> str:
    """The text between two lines with a random word that it cannot know, and that is taken out of it."""
    word = secrets.token_hex(8)
    inner = plain(text).replace(word, "")
    return f"<<<DATA {word}\n{inner}\n{word} DATA>>>"


class Echo:
    """Knows the orders that stand in the evidence, and recognises statements that repeat them."""

    def __init__(self, orders: Iterable[str]) -> None:
        self._orders = [words for order in orders if len(words := _words(order)) >= 3]

    def heard_in(self, statement: str) -> bool:
        """Whether a statement repeats an order, in the same or similar words, or is one itself."""
        if is_order(statement):
            return True
        said = _words(statement)
        return any(
            len(said & order) >= max(3, _ALIKE * min(len(said), len(order)))
            for order in self._orders
        )


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:_LONGEST_SCANNED].lower()))


def harmless(text: str, links: frozenset[str]) -> str:
    """A model's text without chat markup, and without links but those that the sources themselves gave."""

    def link(match: re.Match[str]) -> str:
        found = match[0].rstrip(".,;:!?")
        return match[0] if found in links else NO_LINK + match[0][len(found) :]

    shown = _MARKUP.sub(lambda match: match[1].split("|")[-1].lstrip("!@#"), plain(text))
    return _LINK.sub(link, shown)


def for_prompt(text: str) -> str:
    """Text for a prompt: the framework would replace `{tools}` and its like by text of its own."""
    return re.sub(r"\{(tools|tool_names|input)\}", r"(\1)", text)
