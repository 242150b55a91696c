"""What is different: every pattern's counts before and after, scored term by term.

Two-sided on purpose: a pattern that vanished tells as much as one that appeared (a service that stopped doing its
work rarely says so).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.findings import PatternKind, Term
from bot.analysis.grid import Grid, Shape
from bot.analysis.masking import mask_one
from bot.analysis.onset import Step
from bot.analysis.parts import Parts, fading, history, news, split
from bot.analysis.severity import BAD, telling
from bot.analysis.tally import NO_BUCKET, Axis

_NOTICED = 3.0
"""Expected events from which on their absence means something."""

_CLEAR_Z = 4.0  # with a thousand patterns some are three standard deviations off by chance
OTHER = "names another service"
_LOOKED_AT = 50
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")
_DULL = frozenset(
    {
        "the",
        "and",
        "for",
        "with",
        "from",
        "was",
        "has",
        "have",
        "not",
        "that",
        "this",
        "are",
        "been",
    }
    | {"but", "its", "level", "info", "warn", "warning", "error", "errors", "failed", "failure"}
    | {
        "failures",
        "fail",
        "exception",
        "null",
        "none",
        "true",
        "false",
        "service",
        "since",
        "returns",
    }
    | {"return", "http", "https", "why", "what", "when", "where", "does", "did"}
)


_ROUTINE = Term(name="routine", weight=-1.0, evidence="neither an error level nor failure words")


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One pattern with its counts, its kind and the terms of its score."""

    pattern: int
    shape: Shape
    kind: PatternKind
    count: int
    baseline_count: int
    recurring: bool
    bad: bool
    terms: tuple[Term, ...]
    first: int
    last: int

    @property
    def reports_other(self) -> bool:
        """Whether it is an error about another service's failure."""
        return any(term.name == OTHER for term in self.terms)

    @property
    def score(self) -> float:
        return round(sum(term.weight for term in self.terms), 4)


def judge(
    grid: Grid,
    axis: Axis,
    step: Step | None,
    severities: Sequence[Term],
    words: frozenset[str],
    *,
    by_position: bool = False,
) -> list[Anomaly]:
    """Every pattern, best first: highest score, then most events, then by name.

    Args:
        severities: the severity term of each pattern of the grid.
        words: lower-case words of the question and the alert.
        by_position: the grid's buckets are positions in a log without times.
    """
    parts = split(grid, step, by_position=by_position)
    everyone = np.arange(len(grid.shapes), dtype=np.int64)
    judged_first, _ = grid.seen(everyone, since=parts.since)
    first, last = grid.seen(everyone)
    expected = parts.before * (parts.exposure_after / max(parts.exposure_before, 0.5))
    # An error is shown even when it only stands in the reference part: nobody vouched for the window's beginning.
    said = np.asarray([term.weight >= 1.0 for term in severities], dtype=np.bool_)
    gone = (expected >= _NOTICED) & (not by_position)
    shown = (parts.after > 0) | gone | ((said | by_position) & (grid.total > 0))
    candidates = np.flatnonzero(shown)
    context = _Context(
        parts=parts,
        words=words,
        others=_Others(grid),
        reference=float(parts.before.sum()),
        news=news(parts),
    )
    recurring, dispersion, paused = history(grid, parts, candidates)
    fades = fading(grid)
    total = grid.total
    found: list[Anomaly] = []
    for place, p in enumerate(candidates.tolist()):
        shape = grid.shapes[p]
        case = _Case(
            shape=shape,
            severity=severities[p],
            observed=int(parts.after[p]),
            before=int(parts.before[p]),
            expected=float(expected[p]),
            dispersion=float(dispersion[place]),
            recurring=bool(recurring[place]) and not by_position,
            paused=bool(paused[place]),
            fading=bool(fades[p]) and not by_position,
            lag_s=_lag(axis, step, int(judged_first[p])),
            context=context,
        )
        found.append(
            Anomaly(
                pattern=int(p),
                shape=shape,
                kind=case.kind,
                count=case.observed if step is not None else int(total[p]),
                baseline_count=case.before if step is not None else int(grid.base[p]),
                recurring=case.comes_again,
                bad=severities[p].weight >= BAD,
                terms=case.terms(),
                first=int(first[p]),
                last=int(last[p]),
            )
        )
    return sorted(found, key=lambda a: (-a.score, -a.count, a.shape))


def _lag(axis: Axis, step: Step | None, first: int) -> float | None:
    if step is None or first == NO_BUCKET:
        return None
    return (first - step.bucket) * axis.step_s


class _Others:
    """The services of the case, to notice an error that reports somebody else's failure."""

    def __init__(self, grid: Grid) -> None:
        names = sorted({shape.service for shape in grid.shapes if len(shape.service) > 3})
        first = Counter(name.split("-")[0] for name in names if "-" in name)
        common = {part for part, n in first.items() if n > 2 and n > len(names) / 2}
        self._name: dict[str, str] = {}
        for name in names:
            parts = re.split(r"[-_. ]", mask_one(name).lower())
            self._name["".join(parts)] = name
            if parts[0] in common and len(parts) > 2:
                self._name["".join(parts[1:])] = name
        longest_first = sorted(self._name, key=lambda name: (-len(name), name))
        spelled = ("[-_.]?".join(map(re.escape, name)) for name in longest_first)
        self._pattern = re.compile(rf"(?<![a-z-])(?:{'|'.join(spelled) or '(?!)'})(?![a-z-])")
        self._texts: dict[Shape, list[str]] = defaultdict(list)
        for key, number in grid.owner.items():
            self._texts[grid.shapes[number]].append(key[2])

    def named_by(self, shape: Shape) -> str:
        """Another service that every message of a pattern names one of, or an empty string."""
        texts = self._texts[shape][:_LOOKED_AT]
        named = [self._other(text.lower(), shape.service) for text in texts]
        return min(named) if named and all(named) else ""

    def _other(self, text: str, own: str) -> str:
        for found in self._pattern.finditer(text):
            name = self._name[re.sub(r"[-_.]", "", found.group(0))]
            if name != own:
                return name
        return ""


@dataclass(frozen=True, slots=True)
class _Context:
    """What is the same for all patterns of a case."""

    parts: Parts
    words: frozenset[str]
    others: _Others
    reference: float
    news: float


@dataclass(frozen=True, slots=True)
class _Case:
    """The numbers of one pattern, and the terms they give."""

    shape: Shape
    severity: Term
    observed: int
    before: int
    expected: float
    dispersion: float
    recurring: bool
    paused: bool
    fading: bool
    lag_s: float | None
    context: _Context

    @property
    def z(self) -> float:
        """Variance-stabilised difference in standard deviations (Anscombe)."""
        phi = self.dispersion
        return 2 * (math.sqrt(self.observed / phi + 0.375) - math.sqrt(self.expected / phi + 0.375))

    @property
    def ratio(self) -> float:
        return math.log2((self.observed + 0.5) / (self.expected + 0.5))

    @property
    def kind(self) -> PatternKind:
        return "seen" if self.context.parts.alone else self._course

    @property
    def _course(self) -> PatternKind:
        """How it changed from the reference part to the judged one."""
        lessens = not (self.paused or self.context.parts.by_position)
        if self.before == 0:
            return "new"
        if self.observed == 0:
            return "vanished" if lessens and self.expected >= _NOTICED else "steady"
        if self.z >= _CLEAR_Z and self.ratio >= 0.58:
            return "surging"
        if lessens and self.z <= -_CLEAR_Z and self.ratio <= -0.58:
            return "dropping"
        return "steady"

    @property
    def comes_again(self) -> bool:
        """Whether this is a level that was reached before; to fall to one is no recurrence."""
        return self.recurring and self.kind in {"surging", "steady"}

    def terms(self) -> tuple[Term, ...]:
        bad = self.severity
        less = self.kind in {"vanished", "dropping"}
        found = [self._severity(bad), *self._change()]
        if not less:
            found.extend(telling(self.shape) if bad.weight >= 1 else [_ROUTINE])
        if self.lag_s is not None and self.kind in {"new", "surging"}:
            near = math.exp(-max(0.0, self.lag_s) / 120)
            found.append(
                _term("starts at onset", 1.5 * near, f"{max(0.0, self.lag_s):.0f} s after onset")
            )
        if self.comes_again:
            found.append(_term("recurring", -3.0, "the same level was reached before"))
        if self.kind == "steady" and self.paused and not self.observed:
            found.append(_term("pauses", -1.5, "was silent for as long before"))
        if self.fading and not less:
            found.append(_term("fading", -1.5, "strongest when the window began"))
        if bad.weight >= BAD and (named := self.context.others.named_by(self.shape)):
            found.append(_term(OTHER, -1.0, f"reports {named}"))
        found.extend(self._symptom())
        return tuple(term for term in found if abs(term.weight) >= 0.005)

    def _severity(self, bad: Term) -> Term:
        if self.kind in {"vanished", "dropping"}:
            # Fewer errors are good news; fewer routine lines are not.
            return _term("severity", -max(bad.weight, 0.0), f"{bad.evidence}, and it became less")
        return bad

    def _change(self) -> list[Term]:
        parts = self.context.parts
        if parts.unsplit:
            return []
        terms = self._changed()
        if not parts.by_position:
            return terms
        if self.z < 0:
            return []
        # Routine lines come and go along any log; only of a failure does its place say much.
        trust = 1.0 if self.severity.weight >= 1.0 else 0.3
        if not parts.alone:
            return [_term(t.name, trust * t.weight, t.evidence) for t in terms]
        if trust < 1.0:
            return []
        weight = sum(term.weight for term in terms)
        return [
            _term(
                "place", weight, f"{self.observed} times towards the end, {self.before} further up"
            )
        ]

    def _changed(self) -> list[Term]:
        counts = f"{self.observed} seen, {self.expected:.1f} expected"
        weight = 0.8 if self.kind in {"vanished", "dropping"} else 1.0
        out = [
            _term("deviation", weight * min(2.0, 0.25 * abs(self.z)), f"{counts}, z {self.z:+.1f}"),
            _term(
                "ratio",
                weight * min(1.5, 0.25 * abs(self.ratio)),
                f"2^{self.ratio:+.1f} of expected",
            ),
        ]
        if self._course == "steady":
            return [_term(t.name, t.weight * 0.3, t.evidence) for t in out]
        if self._course == "new":
            news = self.context.news
            trust = min(1.0, math.log10(1 + self.context.reference) / 3)
            earlier = f"not in {self.context.reference:.0f} earlier events"
            out = [_term(t.name, t.weight * news, t.evidence) for t in out]
            out.append(_term("new", 1.5 * trust * news, earlier))
        if self.kind == "vanished":
            out.append(_term("vanished", 1.0, f"{self.before} before, none since"))
        return out

    def _symptom(self) -> list[Term]:
        own = words_of(f"{self.shape.service} {self.shape.template}")
        shared = sorted(own & self.context.words)
        if not shared:
            return []
        return [_term("symptom", min(1.5, 0.4 * len(shared)), "shares " + ", ".join(shared[:6]))]


def _term(name: str, weight: float, evidence: str) -> Term:
    return Term(name=name, weight=round(weight, 4), evidence=evidence)


def words_of(text: str) -> frozenset[str]:
    """Lower-case words that can tell one symptom from another."""
    return frozenset(word.lower() for word in _WORD.findall(text)) - _DULL
