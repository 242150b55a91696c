"""Which change did it: candidates scored by additive log-odds, against an explicit "none of these".

Each term of a score is a fitted weight times a measured feature and carries what was seen. The weights are
data (`weights.json`), fitted by `python -m bot.bench.fit` as a conditional logit: a softmax over the
candidates and "none of these" is the probability. Who wrote a change is never looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from adapters.kit.records import Commit, Deploy
from bot.analysis import changes, deployed, suspect_features
from bot.analysis.findings import Frame, Onset, Pattern, Suspect, Term
from bot.analysis.frames import frames as read_frames
from bot.analysis.suspect_text import Feature

MAX_PATTERNS = 12
MAX_EXAMPLE = 4_000
MAX_FILES = 20

LABELS: Mapping[str, str] = {
    "name": "shared names",
    "only_here": "names that only this change touches",
    "compound": "shared names",
    "quoted": "quoted names",
    "definition_gone": "removes what is missing",
    "word_share": "shared words",
    "phrase_share": "shared phrases",
    "message": "words of the message",
    "subject_share": "words of the title",
    "path_word": "words of the paths",
    "best_file_share": "best matching file",
    "named_file": "named file",
    "named_file_alone": "named file",
    "tested_file": "file under test",
    "directory": "same folder",
    "directory_alone": "same folder",
    "frame_function": "function of a stack frame",
    "frame_line": "last wrote the failing line",
    "recency": "recency",
    "recency_if_vague": "recency",
    "age": "recency",
    "only_docs": "documentation only",
    "only_tests": "tests only",
    "no_change": "changes no file",
    "prior": "prior",
    "framed": "own stack frames",
    "wordy": "detail of the symptom",
}
"""Features that people see as one term, by what they read."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What was seen: a person's or an alert's text, frames, and the anomalous log patterns."""

    text: str
    frames: tuple[Frame, ...] = ()
    service: str = ""
    patterns: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """All changes, best first, and the probability that it was none of them; together they are 1."""

    suspects: tuple[Suspect, ...]
    none_of_these: float
    none_terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds per unit of a feature; `none` are those of "none of these"."""

    features: Mapping[str, float]
    none: Mapping[str, float]


@cache
def weights() -> Weights:
    """The fitted weights that the package carries."""
    data = json.loads(resources.files("bot.analysis").joinpath("weights.json").read_text("utf-8"))
    return Weights(features=data["features"], none=data["none"])


def rank(
    symptom: Symptom,
    commits: Sequence[Commit],
    deploys: Sequence[Deploy] = (),
    onset: Onset | None = None,
    as_of: datetime | None = None,
    alert_at: datetime | None = None,
) -> Ranking:
    """Rank changes, newest first as they come (`C1` is the first), by how well they explain a symptom.

    A change that was committed only after it began (by the onset's interval, the alert's start and `as_of`, with
    two minutes for clocks that differ) is no candidate: it comes last, with probability 0. One that was first
    deployed after it began is pushed down. Equal input gives equal output.
    """
    text, frames = _evidence(symptom)
    clues = suspect_features.read_symptom(text, frames)
    fitted = weights()
    timing = deployed.timing(commits, deploys, onset, as_of, symptom.service, alert_at)
    eligible = [index for index, when in enumerate(timing) if not when.late]
    measured = suspect_features.measure(clues, [changes.read(commits[index]) for index in eligible])
    features = dict(zip(eligible, measured, strict=True))
    scored: list[Suspect] = []
    for index, (commit, when) in enumerate(zip(commits, timing, strict=True)):
        terms = (*_terms(features.get(index, {}), fitted.features), *when.terms)
        scored.append(_suspect(index, commit, terms, when.deployed_at))
    none_terms = _terms(suspect_features.measure_none(clues), fitted.none)
    none = math.fsum(term.weight for term in none_terms)
    shares = _softmax([none, *(scored[index].score for index in eligible)])
    share_of = dict(zip(eligible, shares[1:], strict=True))
    order = sorted(
        range(len(scored)), key=lambda index: (timing[index].late, -scored[index].score, index)
    )
    ranked = tuple(
        scored[index].model_copy(update={"probability": share_of.get(index, 0.0)})
        for index in order
    )
    return Ranking(suspects=ranked, none_of_these=shares[0], none_terms=none_terms)


def _evidence(symptom: Symptom) -> tuple[str, tuple[Frame, ...]]:
    """The text to compare with: what people said, then one example of each anomalous pattern."""
    texts = [symptom.text]
    found = list(symptom.frames)
    for pattern in symptom.patterns[:MAX_PATTERNS]:
        texts += [example.text[:MAX_EXAMPLE] for example in pattern.examples[:1]] or [
            pattern.template
        ]
        found += pattern.frames
    text = "\n".join(texts)
    unique = tuple(dict.fromkeys(found or read_frames(text)))
    return text, unique


def _suspect(
    index: int,
    commit: Commit,
    terms: tuple[Term, ...],
    deployed_at: datetime | None,
) -> Suspect:
    return Suspect(
        id=f"C{index + 1}",
        sha=commit.sha,
        repo=commit.repo,
        title=commit.title,
        committed_at=commit.committed_at,
        deployed_at=deployed_at,
        url=commit.url,
        probability=0.0,
        score=math.fsum(term.weight for term in terms),
        terms=terms,
        files=tuple(file.path for file in commit.files[:MAX_FILES]),
    )


def _terms(features: Mapping[str, Feature], fitted: Mapping[str, float]) -> tuple[Term, ...]:
    """Weighted features, those of one label added up, the weightiest first."""
    added: dict[str, tuple[float, str]] = {}
    for name, (value, evidence) in features.items():
        weight = fitted.get(name, 0.0) * value
        if weight:
            label = (
                LABELS.get(name) or LABELS.get(name.rpartition("_")[0]) or name.replace("_", " ")
            )
            before = added.get(label, (0.0, ""))
            added[label] = (before[0] + weight, before[1] or evidence)
    terms = (Term(name=name, weight=total, evidence=text) for name, (total, text) in added.items())
    return tuple(sorted(terms, key=lambda term: (-abs(term.weight), term.name)))


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]
