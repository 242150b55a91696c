"""What a simple ranker gets: the baselines that the engine has to beat, in the same run."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from adapters.kit.records import Commit

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_FILE = re.compile(r"[\w.+@/\\-]+\.\w{1,8}")


def chance(symptom: str, commits: Sequence[Commit]) -> list[float]:
    """Any order."""
    seeded = random.Random(symptom)
    return [seeded.random() for _ in commits]


def most_recent(_: str, commits: Sequence[Commit]) -> list[float]:
    """The newest first."""
    return [-float(index) for index, _ in enumerate(commits)]


def files(symptom: str, commits: Sequence[Commit]) -> list[float]:
    """Longest path suffix shared by a file named in the symptom and a changed file, ties by recency."""
    named = [name.replace("\\", "/").lower().split("/") for name in _FILE.findall(symptom)]
    return [
        max((_shared(name, path) for name in named for path in _paths(commit)), default=0)
        - index / 1000
        for index, commit in enumerate(commits)
    ]


def bm25(symptom: str, commits: Sequence[Commit]) -> list[float]:
    """Identifiers and their parts, symptom against message and diff."""
    query = set(_tokens(symptom))
    documents = [Counter(_tokens(_text(commit))) for commit in commits]
    lengths = [sum(document.values()) for document in documents]
    mean = sum(lengths) / max(len(lengths), 1) or 1.0
    seen = Counter(term for document in documents for term in query & document.keys())
    idf = {t: math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for t, n in seen.items()}
    return [
        sum(
            idf[term]
            * document[term]
            * 2.2
            / (document[term] + 1.2 * (0.25 + 0.75 * length / mean))
            for term in query & document.keys()
        )
        for document, length in zip(documents, lengths, strict=True)
    ]


def fusion(symptom: str, commits: Sequence[Commit]) -> list[float]:
    """Reciprocal ranks of files (1), BM25 (1) and recency (0.6), k = 10."""
    total = [0.0] * len(commits)
    for ranker, weight in ((files, 1.0), (bm25, 1.0), (most_recent, 0.6)):
        for place, index in enumerate(order(ranker(symptom, commits))):
            total[index] += weight / (10 + place + 1)
    return total


def order(scores: Sequence[float]) -> list[int]:
    """Positions by score, ties by recency."""
    return sorted(range(len(scores)), key=lambda index: (-scores[index], index))


BASELINES: Mapping[str, Callable[[str, Sequence[Commit]], list[float]]] = {
    "random": chance,
    "most recent": most_recent,
    "files": files,
    "BM25": bm25,
    "fusion": fusion,
}


def _shared(name: Sequence[str], path: Sequence[str]) -> int:
    count = 0
    for one, two in zip(reversed(name), reversed(path), strict=False):
        if one != two:
            break
        count += 1
    return count


def _paths(commit: Commit) -> list[list[str]]:
    return [file.path.lower().split("/") for file in commit.files]


def _text(commit: Commit) -> str:
    return "\n".join((commit.message, *(f"{file.path}\n{file.patch}" for file in commit.files)))


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    for identifier in _IDENTIFIER.findall(text):
        parts = _PART.findall(identifier)
        found.append(identifier.lower())
        if len(parts) > 1:
            found += [part.lower() for part in parts if len(part) > 2]
    return found
