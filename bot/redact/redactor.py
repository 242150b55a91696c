"""Applies the rules to texts and to nested values, with equal placeholders for equal secrets."""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
import re
import secrets as entropy
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar
from urllib.parse import quote

import structlog
from pydantic import BaseModel

from bot.redact.keys import PLACEHOLDER, kind, kind_of_name
from bot.redact.rules import (
    ANCHOR,
    CARD_ANCHOR,
    CONTEXT_RULES,
    TOKEN_ANCHOR,
    TOKEN_RULES,
    Rule,
)
from bot.redact.values import is_harmless

log = structlog.get_logger()

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
M = TypeVar("M", bound=BaseModel)

WITHHELD = "[withheld: this text could not be redacted]"
_REMEMBERED = 50_000
_SHORTEST = 6
_DEEPEST = 64
_LONGEST_KEY_BLOCK = 65_536
_EDGES = " \t\"'`“”‘’.,:;=()[]{}<>"
_KEY_HEADER = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(  # of a key whose end is missing: the rest of its line, then lines of base64
    r"[A-Za-z0-9+/=\\]*(?:[ \t\r]*\n[ \t]*(?:[A-Za-z0-9+/=\\]+(?=[ \t\r]*(?:\n|\Z))|(?:Proc-Type|DEK-Info):[^\n]*|(?=\r?\n)))*"
)
_KEY_LINE = re.compile(
    r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/]{60,80}={0,2}"
)
_KEY_END = re.compile(r"[A-Za-z0-9+/]{4,80}={0,2}")
_KEY_FOOTER = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")


_protected: set[str] = set()


def protect(secrets: Iterable[str]) -> None:
    """Make every redactor that is built from now on replace these values: the credentials of this process."""
    _protected.update(secrets)


class Redactor:
    """Redacts the texts of one investigation. Thread-safe.

    Equal secrets get equal placeholders (`[secret:aws-key#1]`) over all texts that went through the same redactor,
    so that "the same token everywhere" stays visible. Secrets are remembered as keyed hashes, never as text.

    Args:
        secrets: values that must never be shown whatever they look like: the bot's own credentials. They are
            also found percent-encoded, JSON-escaped and in base64. Shorter ones than six characters are left
            alone, because they would stand in half of all words.

    Attributes:
        withheld: how many texts could not be redacted and were replaced as a whole.
        found: secrets that were replaced, by kind.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.withheld = 0
        self.found: Counter[str] = Counter()
        self._salt = entropy.token_bytes(16)
        self._placeholders: dict[bytes, str] = {}
        self._last: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._configured = _forms((*_protected, *secrets))

    def __call__(self, text: str) -> str:
        """The same as `text`, so that a redactor can be passed where a function is wanted."""
        return self.text(text)

    def text(self, text: str) -> str:
        """Return the text without its secrets, or `WITHHELD` when that is impossible. Never raises."""
        try:
            return self._text(text)
        except Exception:  # noqa: BLE001 - fails closed: what cannot be redacted is not shown
            with self._lock:
                self.withheld += 1
            log.warning("text_withheld")
            return WITHHELD

    def lines(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Redact lines that follow each other in a log: a private key may have one line of its own in each.

        A line of nothing but base64 as long as those of a key is taken for one, because the line that says so may
        stand too far above.
        """
        shown: list[str] = []
        inside = False
        for line in lines:
            words = line.strip()
            begins = _KEY_HEADER.search(line) is not None
            body = inside and _KEY_END.fullmatch(words) is not None
            if not begins and (body or _KEY_LINE.fullmatch(words)):
                shown.append(self._placeholder("private-key", words))
                inside = True
            else:
                shown.append(self.text(line))
                inside = begins and "-----END" not in line
        return tuple(shown)

    def reserve(self, text: str) -> None:
        """Keep the numbers of the placeholders in a text from being given to other secrets."""
        self._reserve(text)

    def json(self, value: object) -> JsonValue:
        """Redact every text of a nested value, keys included; a telling key makes its whole value a secret.

        Mappings become dicts and sequences lists; what is not JSON is redacted as its text.
        """
        return _plain(self._nested(value, _DEEPEST), self.text)

    def model(self, model: M) -> M:
        """Redact every text of a pydantic model. Numbers and times stay as they are."""
        return type(model).model_validate(self._nested(model.model_dump(), _DEEPEST))

    def _text(self, text: str) -> str:
        for form, secret in self._configured:
            if form in text:
                text = text.replace(form, self._placeholder("configured", secret))
        if "[secret:" in text:
            self._reserve(text)
        if "-----BEGIN" in text:
            text = self._without_keys(text)
        lowered = _lower(text)
        pieces: list[str] = []
        done = 0
        for position in _suspicious(lowered):
            if position < done:
                continue
            start = max(done, text.rfind("\n", done, position) + 1)
            end = _line_end(text, position)
            if "name" in lowered[start:end]:  # `name: DB_PASSWORD`, and its value on the next line
                end = _line_end(text, min(end + 1, len(text)))
            pieces += (text[done:start], self._line(text[start:end], lowered[start:end]))
            done = end
        return "".join((*pieces, text[done:])) if pieces else text

    def _line(self, line: str, lowered: str) -> str:
        rules = CONTEXT_RULES
        if TOKEN_ANCHOR.search(lowered):
            rules = (*TOKEN_RULES, *CONTEXT_RULES)
        for rule in rules:
            if not rule.hints or any(map(lowered.__contains__, rule.hints)):
                changed = self._apply(rule, line, lowered if rule.lowered else line)
                if changed != line:
                    line, lowered = changed, _lower(changed)
        return line

    def _apply(self, rule: Rule, line: str, seen: str) -> str:
        """Replace what the rule finds in `seen`: the line itself, or the line in lower case."""
        match = rule.pattern.search(seen)
        pieces: list[str] = []
        done = 0
        while match:
            found = _secret(rule, match)
            if found is None:  # what stands there may hold another: `token = sign_in(password=...)`
                match = rule.pattern.search(seen, match.start() + 1)
                continue
            start, end = found
            taken = PLACEHOLDER.search(line, start, end)
            if taken:  # a secret that is out already: only what stands before it can be one
                if taken.start() == start or not line[start : taken.start()].strip(_EDGES):
                    match = rule.pattern.search(seen, max(taken.end(), match.start() + 1))
                    continue
                end = taken.start()
            what = rule.kind or kind(match["key"])
            pieces += (line[done:start], self._placeholder(what, line[start:end]))
            done = end
            match = rule.pattern.search(seen, end if taken else max(end, match.end()))
        return "".join((*pieces, line[done:])) if pieces else line

    def _without_keys(self, text: str) -> str:
        pieces: list[str] = []
        done = 0
        footer = 0
        header = _KEY_HEADER.search(text)
        while header:
            if 0 <= footer < header.end():
                footer = text.find("-----END", header.end())
            end = _key_end(text, header.end(), footer)
            secret = text[header.start() : end]
            pieces += (text[done : header.start()], self._placeholder("private-key", secret))
            done = end
            header = _KEY_HEADER.search(text, end)
        return "".join((*pieces, text[done:]))

    def _nested(self, value: object, depth: int) -> object:
        if isinstance(value, str):
            return self.text(value)
        if depth == 0:
            return WITHHELD
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self._member(str(key), item, value, depth - 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._nested(item, depth - 1) for item in value]
        return self.text(value.decode("utf-8", "replace")) if isinstance(value, bytes) else value

    def _member(
        self, key: str, item: object, siblings: Mapping[object, object], depth: int
    ) -> object:
        told_by = siblings.get("name", key) if key == "value" else key
        what = kind_of_name(told_by) if isinstance(told_by, str) else ""
        if what and isinstance(item, str):
            text = self.text(item)
            return text if is_harmless(text.strip()) else self._placeholder(what, item)
        if what == "password" and isinstance(item, int) and not isinstance(item, bool):
            return self._placeholder(what, str(item))
        return self._nested(item, depth)

    def _placeholder(self, what: str, secret: str) -> str:
        digest = hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), key=self._salt).digest()
        with self._lock:
            self.found[what] += 1
            known = self._placeholders.get(digest)
            if known is None:
                if len(self._placeholders) >= _REMEMBERED:
                    return f"[secret:{what}]"
                self._last[what] += 1
                known = self._placeholders[digest] = f"[secret:{what}#{self._last[what]}]"
            return known

    def _reserve(self, text: str) -> None:
        """Placeholders that stand in the text already keep their numbers to themselves."""
        ours = set(self._placeholders.values())
        with self._lock:
            for match in PLACEHOLDER.finditer(text):
                if match[2] and match[0] not in ours:
                    self._last[match[1]] = max(self._last[match[1]], int(match[2]))


def _plain(value: object, text: Callable[[str], str]) -> JsonValue:
    if isinstance(value, dict):
        return {str(key): _plain(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, text) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return text(str(value))


def _lower(text: str) -> str:
    """Lower case of the same length: one character has a longer one."""
    return text.replace("\u0130", "i").lower()


def _suspicious(lowered: str) -> Iterator[int]:
    """Positions, in order, at which a rule may find something."""
    found, cards = ANCHOR.finditer(lowered), CARD_ANCHOR.finditer(lowered)
    return heapq.merge((match.start() for match in found), (match.start() for match in cards))


def _secret(rule: Rule, match: re.Match[str]) -> tuple[int, int] | None:
    """Where the secret stands that a rule's pattern found; None when it is none."""
    found: re.Match[str] | None = match
    if rule.value is not None:
        found = rule.value.match(match.string, match.end()) if rule.tells(match) else None
    if found is None or not rule.counts(found):
        return None
    return found.span(found.lastgroup or 0)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _key_end(text: str, body: int, footer: int) -> int:
    """Where a private key ends that begins before `body`: at its footer, or where base64 ends when it was cut."""
    if 0 <= footer - body <= _LONGEST_KEY_BLOCK:
        closed = _KEY_FOOTER.match(text, footer)
        return closed.end() if closed else footer + len("-----END")
    match = _KEY_BODY.match(text, body)
    return match.end() if match else body


def _forms(secrets: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Each secret in the ways it may be written, longest first, so that a part does not spoil a whole."""
    forms: dict[str, str] = {}
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            encoded = base64.b64encode(secret.encode()).decode()
            for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], encoded):
                forms.setdefault(form, secret)
    return tuple(sorted(forms.items(), key=lambda item: (-len(item[0]), item[0])))
