"""What speaks for and against each change, as named numbers with the words that were seen.

Every feature is about 0 to 1 (ages are logarithms), so that the fitted weights can be read as log-odds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.analysis import suspect_files, suspect_text, vocabulary
from bot.analysis.changes import Change
from bot.analysis.findings import Frame
from bot.analysis.suspect_text import Feature
from bot.analysis.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Clues:
    """A symptom, read once."""

    words: Vocabulary
    frames: tuple[Frame, ...]
    paths: Mapping[str, float]  #: mentioned paths and file names -> weight


def read_symptom(text: str, frames: tuple[Frame, ...]) -> Clues:
    """Read a symptom's text and frames into what the features compare with."""
    lines = vocabulary.weigh_lines(text, frames)
    paths = suspect_files.mentions(lines, frames)
    return Clues(words=vocabulary.read(lines), frames=frames, paths=paths)


def measure(clues: Clues, candidates: Sequence[Change]) -> list[dict[str, Feature]]:
    """The features of each candidate, in the candidates' order (newest first); zeros are left out."""
    parts = (
        suspect_text.measure(clues.words, candidates),
        suspect_files.measure(clues.paths, clues.frames, clues.words.missing, candidates),
        _shape(clues, candidates),
    )
    return [
        {name: found for row in rows for name, found in row.items() if found[0]}
        for rows in zip(*parts, strict=True)
    ]


def _shape(clues: Clues, candidates: Sequence[Change]) -> list[dict[str, Feature]]:
    newest = max((change.commit.committed_at for change in candidates), default=None)
    vague = 1 / (1 + _mass(clues.words) / 6)
    rows: list[dict[str, Feature]] = []
    for index, change in enumerate(candidates):
        days = (newest - change.commit.committed_at).total_seconds() / 86_400 if newest else 0.0
        place = f"change {index + 1} of {len(candidates)} from the head"
        rows.append(
            {
                "recency": (-math.log1p(index), place),
                "recency_if_vague": (-math.log1p(index) * vague, place),
                "age": (-math.log1p(days), f"{days:.1f} days before the head"),
                "only_docs": (-float(change.only_docs), "only documentation"),
                "only_tests": (-float(change.only_tests and not change.only_docs), "only tests"),
                "no_change": (-float(not change.paths), "changes no file"),
            }
        )
    return rows


def measure_none(clues: Clues) -> dict[str, Feature]:
    """What speaks for "none of these": the prior, and a symptom so rich that the culprit would match it."""
    in_app = sum(frame.in_app for frame in clues.frames)
    mass = _mass(clues.words)
    return {
        "prior": (1.0, "nothing may have changed here"),
        "framed": (1.0 if in_app else 0.0, f"{in_app} stack frames of our own code to match"),
        "wordy": (math.log1p(mass) / 4, "words of the symptom to match"),
    }


def _mass(words: Vocabulary) -> float:
    """How much there is in a symptom to match with."""
    return math.fsum(words.words.values()) + math.fsum(words.names.values())
