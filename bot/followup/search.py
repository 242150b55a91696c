"""The nearest answer to a free question: the findings that share its rarest words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from bot.followup.case import Answer, Case
from bot.followup.views import COMMANDS, pattern_line
from bot.report.words import one_line, percent, quoted, short_sha

_WORD = re.compile(r"[A-Za-z0-9]+(?:[A-Z][a-z]+)*")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_STOP = frozenset(
    {
        "the",
        "and",
        "are",
        "was",
        "were",
        "that",
        "this",
        "with",
        "what",
        "which",
        "does",
        "did",
        "how",
        "can",
    }
    | {
        "you",
        "for",
        "from",
        "have",
        "has",
        "any",
        "all",
        "there",
        "they",
        "them",
        "will",
        "would",
        "should",
    }
    | {
        "could",
        "is",
        "it",
        "in",
        "on",
        "of",
        "to",
        "a",
        "an",
        "or",
        "not",
        "me",
        "my",
        "we",
        "our",
        "see",
        "tell",
    }
)
_MOST = 4


def nearest(case: Case) -> Answer:
    """What comes nearest to the question, and what can be asked instead."""
    asked = _words(case.question)
    documents = list(_documents(case))
    often = Counter(word for _, _, text in documents for word in _words(text) & asked)
    scored = [
        (sum(math.log(1 + len(documents) / often[w]) for w in _words(text) & asked), key, line)
        for key, line, text in documents
    ]
    best = sorted((s for s in scored if s[0] > 0), key=lambda s: -s[0])[:_MOST]
    if not best:
        return case.say(
            "I have no answer to that in what was collected. You can ask for:", *COMMANDS
        )
    lines = [line for _, _, line in best]
    return case.say(
        "The nearest that I have in the evidence:",
        *lines,
        "Say “help” for what else can be asked.",
        cites=[key for _, key, _ in best],
    )


def _documents(case: Case) -> Iterator[tuple[str, str, str]]:
    """Id, what is shown, and what is searched of everything that can be found."""
    for pattern in case.report.patterns:
        seen = " ".join(example.text[:2_000] for example in pattern.examples[:3])
        yield pattern.id, pattern_line(pattern), f"{pattern.template} {pattern.service} {seen}"
    for suspect in case.report.suspects:
        shown = f"{suspect.id}  {percent(suspect.probability)}  {short_sha(suspect.sha)} {quoted(suspect.title, 120)}"
        told = " ".join(f"{t.name} {t.evidence}" for t in suspect.terms)
        yield suspect.id, shown, f"{suspect.title} {' '.join(suspect.files)} {told}"
    for letter in "ADIRTMP":
        for key in case.keys(letter):
            title = case.text_of(key, "title", "name", "version", "key")
            text = f"{title} {case.text_of(key, 'text')[:4_000]} {case.text_of(key, 'service')}"
            yield key, f"{key}  {one_line(title, 160)}", text


def _words(text: str) -> frozenset[str]:
    found: set[str] = set()
    for word in _WORD.findall(text):
        found.add(word.lower())
        found.update(part.lower() for part in _PART.findall(word))
    return frozenset(w for w in found if len(w) > 2 and w not in _STOP)
