"""How alike two incidents are, term by term: shared log patterns, stack frames, the service, telling words.

Own score: each part says which share of the smaller side the other has too; parts that neither side has do not count.
The weights are set by hand from what identifies an incident (its patterns) down to what many share (words).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.analysis.findings import Finding, Findings, Pattern, Term

WEIGHTS = {"patterns": 0.5, "frames": 0.25, "service": 0.1, "words": 0.15}
ALIKE = 0.4
"""From this score on an earlier incident is shown."""
KEPT_PATTERNS = 12
KEPT_FRAMES = 24
KEPT_WORDS = 60


class Traits(Finding):
    """What an incident is recognised by."""

    service: str = ""
    patterns: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def traits(findings: Findings, words: Iterable[str]) -> Traits:
    """What to remember of an incident. `words` are those of its question and alert."""
    telling = _telling(findings.patterns)
    frames = [
        f"{frame.file} {frame.function}".strip()
        for pattern in telling
        for frame in pattern.frames
        if frame.in_app
    ]
    return Traits(
        service=findings.service.casefold(),
        patterns=tuple(dict.fromkeys(pattern.template[:400] for pattern in telling)),
        frames=tuple(dict.fromkeys(frames))[:KEPT_FRAMES],
        words=tuple(word for word, _ in Counter(_long(words)).most_common(KEPT_WORDS)),
    )


def likeness(now: Traits, then: Traits) -> tuple[Term, ...]:
    """The terms that add up to the likeness, from 0 to 1; empty when there is nothing to compare."""
    parts = {
        "patterns": _shared(now.patterns, then.patterns),
        "frames": _shared(now.frames, then.frames),
        "service": _shared([now.service] * bool(now.service), [then.service] * bool(then.service)),
        "words": _shared(now.words, then.words),
    }
    known = {name: part for name, part in parts.items() if part is not None}
    whole = sum(WEIGHTS[name] for name in known)
    return tuple(
        Term(name=name, weight=round(WEIGHTS[name] / whole * share, 4), evidence=evidence)
        for name, (share, evidence) in known.items()
        if share > 0
    )


def score(terms: Sequence[Term]) -> float:
    """The likeness that the terms add up to."""
    return min(1.0, sum(term.weight for term in terms))


def _telling(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Patterns of the incident itself: not what stands in the baseline, too."""
    found = [p for p in patterns if p.kind in {"new", "surging"} and not p.recurring]
    return found[:KEPT_PATTERNS]


def _long(words: Iterable[str]) -> list[str]:
    return [word for word in words if len(word) > 3 and not word.isdigit()]


def _shared(now: Sequence[str], then: Sequence[str]) -> tuple[float, str] | None:
    """Which share of the smaller side both have, and what that is; None when one side has nothing."""
    if not now and not then:
        return None
    both = [item for item in now if item in set(then)]
    smaller = max(1, min(len(now), len(then)))
    shown = "; ".join(item[:120] for item in both[:3])
    return len(both) / smaller, f"{len(both)} of {smaller}: {shown}" if both else ""
