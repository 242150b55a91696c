"""How much a change's words are those of a symptom: names, their parts, phrases, paths and messages.

Rarity is measured over the candidates themselves (what every change touches says nothing) and over changes
anywhere (`common`): forty candidates are too few to know that "found" is an ordinary word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.analysis import changes, common, vocabulary
from bot.analysis.changes import Change
from bot.analysis.vocabulary import Vocabulary

Feature = tuple[float, str]
"""A value and its evidence."""

FAINT = 1.0  # about one uncommon word: being the best match is worth little below this
View = Literal["sum", "share", "rare"]


@dataclass(frozen=True, slots=True)
class _Column:
    """One place to look in: how often each term stands there in each candidate, and what a term is worth."""

    name: str
    view: View
    counts: Sequence[dict[str, float]]
    weights: Mapping[str, float]
    idf: Mapping[str, float]


def measure(words: Vocabulary, candidates: Sequence[Change]) -> list[dict[str, Feature]]:
    """The features of words, for each candidate."""
    both = words.words | words.names
    quoted = dict.fromkeys(words.quoted, 1.0)

    def each(count: Callable[[Vocabulary, Change], dict[str, float]]) -> list[dict[str, float]]:
        return [count(words, change) for change in candidates]

    names, parts, compounds, paths = each(_names), each(_parts), each(_compounds), each(_path_words)
    messages = each(lambda known, change: _prose(known, _message(change)))
    subjects = each(lambda known, change: _prose(known, change.commit.title))
    phrases = each(_phrases)
    marked = [_only(n | c, quoted) for n, c in zip(names, compounds, strict=True)]
    places = zip(names, parts, messages, paths, strict=True)
    idf = _rarity([{*name, *part, *message, *path} for name, part, message, path in places])
    columns = (
        _Column("name", "sum", names, words.names, idf),
        _Column("word_share", "share", parts, words.words, idf),
        _Column("message", "sum", messages, both, idf),
        _Column("subject_share", "share", subjects, both, idf),
        _Column("path_word", "rare", paths, both, idf),
        _Column("compound", "rare", compounds, words.compounds, _rarity(compounds)),
        _Column("quoted", "rare", marked, quoted, _rarity(marked)),
        _Column("phrase_share", "share", phrases, words.phrases, _rarity(phrases)),
    )
    result: list[dict[str, Feature]] = [{} for _ in candidates]
    for column in columns:
        for into, feature in zip(result, _matches(column, candidates), strict=True):
            into[column.name] = feature
    files = [_best_file(both, idf, change) for change in candidates]
    best = max((value for value, _ in files), default=0.0)
    only = _only_here(words, idf, names)
    for into, (value, evidence), alone in zip(result, files, only, strict=True):
        into["best_file_share"] = (value / (best + FAINT), evidence)
        into["only_here"] = alone
    return result


def _matches(column: _Column, candidates: Sequence[Change]) -> list[Feature]:
    """BM25 of one column: the whole match, its share of the best candidate's, or its rarest term."""
    total = len(candidates)
    top = math.log((total + 1) / 1.5) or 1.0
    mean = sum(len(change.tokens) for change in candidates) / max(total, 1) or 1.0
    rows: list[tuple[float, float, str]] = []
    for row, change in zip(column.counts, candidates, strict=True):
        norm = 0.6 + 0.4 * min(len(change.tokens) / mean, 10.0)
        worth = {
            term: column.weights[term] * column.idf[term] for term in row if term in column.weights
        }
        scored = sorted(((worth[t] * row[t] / (row[t] + norm), t) for t in worth), reverse=True)
        evidence = ", ".join(term for score, term in scored[:5] if score > 0)
        score = math.fsum(score for score, _ in scored)
        rows.append((score, max(worth.values(), default=0.0), evidence))
    best = max((score for score, _, _ in rows), default=0.0)
    views: Mapping[View, Callable[[float, float], float]] = {
        "sum": lambda score, _: math.log1p(score),
        "share": lambda score, _: score / (best + FAINT),
        "rare": lambda _, strongest: strongest / top,
    }
    view = views[column.view]
    return [(view(score, strongest), evidence) for score, strongest, evidence in rows]


def _only_here(
    words: Vocabulary, idf: Mapping[str, float], names: Sequence[dict[str, float]]
) -> list[Feature]:
    """Names of the symptom that no other candidate touches and that are uncommon anywhere."""
    top = math.log((len(names) + 1) / 1.5)
    rows: list[Feature] = []
    for row in names:
        unique = sorted(
            (name for name in row if idf[name] >= top - 1e-9 and words.names[name] >= 0.5),
            key=lambda name: (-words.names[name], name),
        )
        rows.append((math.log1p(len(unique)), ", ".join(unique[:4])))
    return rows


def _rarity(rows: Sequence[Iterable[str]]) -> dict[str, float]:
    """Inverse document frequency over the candidates, less for words that are common everywhere."""
    frequency: dict[str, int] = {}
    for row in rows:
        for term in row:
            frequency[term] = frequency.get(term, 0) + 1
    total = len(rows)
    return {
        term: max(math.log((total + 1) / (seen + 0.5)), 0.0) * _speciality(term)
        for term, seen in frequency.items()
    }


def _speciality(term: str) -> float:
    """1 for what few changes anywhere hold, towards 0 for what most do; a phrase is as special as its rarest."""
    share = min((common.share(word) for word in term.split()), default=0.0)
    return min(math.log(1 / max(share, 1e-6)) / math.log(1 / 0.004), 1.0)


def _best_file(weights: Mapping[str, float], idf: Mapping[str, float], change: Change) -> Feature:
    """The most that a single file of the change shares: a large change matches anything somewhere."""
    best: Feature = (0.0, "")
    for path, identifiers in change.by_file.items():
        terms: set[str] = set()
        around = " ".join((path, *(hunk.function for hunk in change.hunks.get(path, ())[:200])))
        for identifier in (*identifiers, *vocabulary.IDENTIFIER.findall(around)):
            terms.add(identifier.lower())
            terms.update(_cached_parts(identifier))
        found = [(weights[term] * idf.get(term, 0.0), term) for term in terms if term in weights]
        score = math.fsum(value for value, _ in found) / (1 + math.log1p(len(identifiers)) / 6)
        score *= 0.6 if changes.is_test(path) else 0.4 if changes.is_doc(path) else 1.0
        if score > best[0]:
            top = ", ".join(term for _, term in sorted(found, reverse=True)[:4])
            best = (score, f"{top} in {path}")
    return best


def _only(counts: dict[str, float], wanted: Iterable[str]) -> dict[str, float]:
    return {term: counts[term] for term in wanted if term in counts}


def _names(words: Vocabulary, change: Change) -> dict[str, float]:
    found: dict[str, float] = {}
    for counter in (change.added, change.removed):
        for identifier, count in counter.items():
            low = identifier.lower()
            if low in words.names:
                found[low] = found.get(low, 0.0) + count
    for hunks in change.hunks.values():
        for hunk in hunks:
            for identifier in vocabulary.IDENTIFIER.findall(hunk.function):
                low = identifier.lower()
                if low in words.names:
                    found[low] = found.get(low, 0.0) + 0.5
    return found


def _compounds(words: Vocabulary, change: Change) -> dict[str, float]:
    joined = " ".join(change.paths).lower()
    return {
        term: float(change.text.count(term) + joined.count(term))
        for term in words.compounds
        if term in change.text or term in joined
    }


def _parts(words: Vocabulary, change: Change) -> dict[str, float]:
    found: dict[str, float] = {}
    for counter in (change.added, change.removed):
        for identifier, count in counter.items():
            for part in _cached_parts(identifier):
                if part in words.words:
                    found[part] = found.get(part, 0.0) + count
    return found


_PARTS: dict[str, tuple[str, ...]] = {}


def _cached_parts(identifier: str) -> tuple[str, ...]:
    found = _PARTS.get(identifier)
    if found is None:
        if len(_PARTS) > 200_000:
            _PARTS.clear()
        found = _PARTS[identifier] = vocabulary.parts(identifier)
    return found


def _message(change: Change) -> str:
    return f"{change.commit.title}\n{change.commit.message[:4_000]}"


def _prose(words: Vocabulary, text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for identifier in vocabulary.IDENTIFIER.findall(text):
        low = identifier.lower()
        if low in words.names:
            found[low] = found.get(low, 0.0) + 1
        for part in vocabulary.parts(identifier):
            if part in words.words:
                found[part] = found.get(part, 0.0) + 1
    return found


def _path_words(words: Vocabulary, change: Change) -> dict[str, float]:
    found: dict[str, float] = {}
    for path in change.paths[:200]:
        for identifier in re.findall(r"[A-Za-z]\w{2,}", path):
            low = identifier.lower()
            if low in words.names:
                found[low] = found.get(low, 0.0) + 1
            for part in vocabulary.parts(identifier):
                if part in words.words:
                    found[part] = found.get(part, 0.0) + 1
    return found


def _phrases(words: Vocabulary, change: Change) -> dict[str, float]:
    found: dict[str, float] = {}
    previous = ""
    for token in change.tokens:
        if previous in words.phrase_heads and (pair := f"{previous} {token}") in words.phrases:
            found[pair] = found.get(pair, 0.0) + 1
        previous = token
    return found
