"""Words that can link a symptom to a change: names, their parts, and phrases; with how much each is worth.

A name is what only code looks like (`replaceEach`, `wbxl_text_id`, `admin::always_groups`); its parts and
plain words are weaker. Lines of library frames say little about our own changes and weigh little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.analysis.findings import Frame

MAX_TEXT = 40_000
MAX_TERMS = 400

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,80}")
_COMPOUND = re.compile(r"[A-Za-z0-9_]{1,60}(?:(?:::|[-./])[A-Za-z0-9_]{1,60}){1,8}")
_QUOTED = re.compile(r"[`'\"‘“]([^`'\"‘’“”\n]{2,120})[`'\"’”]")
_OBJECT = re.compile(
    r"\b(?:name|module|attribute|variable:?|identifier|symbol:|method|function|package|class|key|property|option|"
    r"command|KeyError:|field|parameter|argument|table|column|resource|plugin|template|mount option|user|group|"
    r"NameError:|NoClassDefFoundError:|ClassNotFoundException:|dependency|Depends:|reference to) "
    r"[`'\"‘]?([A-Za-z_$][\w.$:/-]{2,100})"
)
MISSING = re.compile(
    r"no attribute|not defined|undefined|undeclared|unresolved|unknown|missing|no such|not found|cannot (?:find|import|open|resolve)|"
    r"can't find|could not (?:find|resolve|load|retrieve)|NameError|KeyError|NoSuch|NoClassDef|ClassNotFound|ModuleNotFound|"
    r"ImportError|does(?: not|n't) exist|no installation candidate|unable to (?:find|locate|resolve)|not registered|disappear",
    re.IGNORECASE,
)
_STATES_ERROR = re.compile(
    r"error|exception|fatal|fail|undefined|cannot|could not|unable|invalid|denied|refused|not found|no such|panic|"
    r"assert|unexpected|missing|timed? ?out|abort|crash|broke|warning:|broken|regress|leak|unknown|unsupported",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"0x[0-9a-fA-F]+|\b[0-9a-f]{12,64}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}|"
    r"\b\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?|<url>|https?://\S{1,300}"
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TEST_NAME = re.compile(r"^[Tt]est(?=[A-Z_])|Tests?(?:Case)?$|_tests?$|_unittest$")
_FILE = re.compile(r"[\w.+@-]+")
_STOP = """the and for not with from was are has had have been that this its into but can cannot could did does
    will would should when while where which who all any one two only also then than there here our your out off
    you they them may might must because after before since due more most some such via per use used using
    at by in is it of on or to as be no an if we so up do
    java javax org com net io lang util src lib main test tests py js ts go rb php cc cpp usr bin opt home root var etc
    file line error errors failed fail fails failing failure exception info warn warning debug fatal notice
    int str string char void null none nil true false const static public private return self this class
    new object type value values data name names get set"""
STOP = frozenset(_STOP.split())


@dataclass(slots=True)
class Vocabulary:
    """Weighted terms of a symptom, all lower case; a weight is at most 1."""

    names: dict[str, float] = field(default_factory=dict)
    words: dict[str, float] = field(default_factory=dict)
    compounds: dict[str, float] = field(default_factory=dict)
    quoted: set[str] = field(default_factory=set)
    phrases: dict[str, float] = field(default_factory=dict)
    phrase_heads: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


def stem(word: str) -> str:
    """A lower-case word without its plural: enough for "jobs" and "job" to agree."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def parts(identifier: str) -> tuple[str, ...]:
    """The stemmed, lower-case parts of an identifier: `slaveProfile_store` -> slave, profile, store."""
    found = (stem(part.lower()) for part in _PARTS.findall(identifier) if len(part) > 2)
    return tuple(part for part in found if not part.isdigit() and part not in STOP)


def is_name(identifier: str) -> bool:
    """Whether it looks like code rather than like a word of a sentence."""
    body = identifier.strip("_")
    return (
        "_" in body
        or any(ch.isdigit() for ch in body)
        or (not body.islower() and not body.isupper() and not body.istitle())
        or (body.isupper() and len(body) > 3)
    )


def read(lines: Iterable[tuple[str, float]]) -> Vocabulary:
    """Build the vocabulary of weighted lines; a term is worth as much as the best line that has it."""
    found = Vocabulary()
    for raw, weight in lines:
        line = _NOISE.sub(" ", raw)
        missing = weight >= 0.5 and MISSING.search(line) is not None
        for match in (*_QUOTED.finditer(line), *_OBJECT.finditer(line)):
            _quote(match[1].rstrip(".:"), weight, found, missing=missing)
        previous = ""
        for identifier in IDENTIFIER.findall(line):
            _identify(identifier, weight, found, missing=missing)
            low = identifier.lower()
            if previous:
                pair = f"{previous} {low}"
                found.phrase_heads.add(previous)
                found.phrases[pair] = max(found.phrases.get(pair, 0.0), weight)
            previous = low
        for compound in _COMPOUND.findall(line):
            if any(ch.isalpha() for ch in compound) and len(compound) > 4:
                _keep(found.compounds, compound.lower(), weight)
    return found


def _identify(identifier: str, weight: float, found: Vocabulary, *, missing: bool) -> None:
    low = identifier.lower()
    if is_name(identifier):
        own = 0.4 if _TEST_NAME.search(identifier) else 1.0  # seldom what the culprit touches
        _keep(found.names, low, weight * own)
        if missing:
            found.missing.add(low)
        for joined in _tested(identifier):
            _keep(found.names, joined, weight * 0.7)
    for part in parts(identifier):
        _keep(found.words, part, weight)


def _quote(text: str, weight: float, found: Vocabulary, *, missing: bool) -> None:
    if re.fullmatch(r"[\w.$:/-]{2,80}", text) and any(ch.isalpha() for ch in text):
        low = text.lower()
        if low not in STOP:
            found.quoted.add(low)
            if missing:
                found.missing.update((low, re.split(r"[./:]", low.rstrip("./:"))[-1]))
            _keep(found.names if IDENTIFIER.fullmatch(text) else found.compounds, low, weight)


def _tested(identifier: str) -> list[str]:
    """What a test's name names: `testContainsIgnoreCase_Locale` -> containsignorecase."""
    if identifier.startswith(("test", "Test")) and len(identifier) > 7:
        head = identifier[4:].strip("_").split("_")[0].rstrip("0123456789")
        return [head.lower()] if len(head) > 3 else []
    return []


def _keep(terms: dict[str, float], term: str, weight: float) -> None:
    if term in STOP or len(term) < 3:
        return
    if term in terms or len(terms) < MAX_TERMS:
        terms[term] = max(terms.get(term, 0.0), weight)


def weigh_lines(text: str, frames: Iterable[Frame]) -> list[tuple[str, float]]:
    """Give each line of a symptom its weight.

    A line that states an error is worth 1, others beside it half; a stack frame's line, and the source line
    that Python prints below it, is worth what its depth and its owner make it.
    """
    by_file: dict[str, list[Frame]] = {}
    for frame in frames:
        by_file.setdefault(frame.file.rpartition("/")[2], []).append(frame)
    weighed: list[tuple[str, float, bool]] = []
    seen: set[str] = set()
    above: tuple[int, float] | None = None
    for line in text[:MAX_TEXT].splitlines():
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        weight = _frame_line(line, by_file)
        if weight is None and above and indent > above[0]:
            weight = above[1]
        elif weight is None or 'File "' not in line:
            above = None
        else:
            above = (indent, weight)
        if line not in seen:
            seen.add(line)
            weighed.append((line[:2_000], 1.0 if weight is None else weight, weight is None))
    stated = any(free and _STATES_ERROR.search(line) for line, _, free in weighed)
    return [
        (line, 0.5 if stated and free and not _STATES_ERROR.search(line) else weight)
        for line, weight, free in weighed
    ]


def _frame_line(line: str, by_file: Mapping[str, list[Frame]]) -> float | None:
    for token in _FILE.findall(line):
        for frame in by_file.get(token, ()):
            if frame.language and frame.line is not None and str(frame.line) in line:
                return (0.5 if frame.in_app else 0.12) / (1 + frame.depth / 4)
    return None
