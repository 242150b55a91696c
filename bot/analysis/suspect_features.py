"""What speaks for and against each change, as named numbers with the words that were seen.

Every feature is about 0 to 1 (sizes and ages are logarithms), so that the fitted weights can be read as
log-odds. Rarity is measured over the candidates themselves: what every change touches says nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.analysis import changes, vocabulary
from bot.analysis.changes import Change, Hunk
from bot.analysis.findings import Frame
from bot.analysis.vocabulary import Vocabulary

Feature = tuple[float, str]
"""A value and its evidence."""

_MENTION = re.compile(r"(?:[A-Za-z]:)?[\w.+@~-]*(?:[/\\]+[\w.+@~-]+)+|[\w+-]+\.[A-Za-z]\w{0,7}\b")
_TEST_AFFIX = re.compile(
    r"^(?:Test_?|test_)|(?:_?(?:unit|perf)?[Tt]ests?|Test[A-Z]\w*|TestCase|Spec|_spec|IT)$"
)
_TEST_NAME = re.compile(r"\b((?:[\w$]+\.)*([A-Z][\w$]+))(?:::|#|\.)(test\w+|\w+)\b")


@dataclass(frozen=True, slots=True)
class Clues:
    """A symptom, read once."""

    words: Vocabulary
    frames: tuple[Frame, ...]
    paths: Mapping[str, float]  #: mentioned paths and file names -> weight


def read_symptom(text: str, frames: tuple[Frame, ...]) -> Clues:
    """Read a symptom's text and frames into what the features compare with."""
    lines = vocabulary.weigh_lines(text, frames)
    paths: dict[str, float] = {}
    for line, weight in lines:
        for mention in _MENTION.findall(line):
            path = mention.replace("\\", "/").strip("/.").lower()
            if path and len(paths) < 200:
                paths[path] = max(paths.get(path, 0.0), weight)
    return Clues(words=vocabulary.read(lines), frames=frames, paths=paths)


def measure(clues: Clues, candidates: Sequence[Change]) -> list[dict[str, Feature]]:
    """All text, file and shape features of each candidate, in the candidates' order."""
    measured: list[dict[str, Feature]] = [{} for _ in candidates]
    for add in (_text, _files, _blame, _shape):
        for into, found in zip(measured, add(clues, candidates), strict=True):
            into.update({name: feature for name, feature in found.items() if feature[0]})
    return measured


# --- words ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Match:
    """How often each term of a symptom stands in one change, by place."""

    diff: dict[str, float]
    title: dict[str, float]
    path: dict[str, float]


def _text(clues: Clues, candidates: Sequence[Change]) -> Iterable[dict[str, Feature]]:
    words = clues.words
    names = [_names(words, change) for change in candidates]
    compounds = [_compounds(words, change) for change in candidates]
    parts = [_parts(words, change) for change in candidates]
    titles = [_title(words, change) for change in candidates]
    paths = [_path_words(words, change) for change in candidates]
    phrases = [_phrases(words, change) for change in candidates]
    gone = [_gone(words, change) for change in candidates]
    columns = {
        "name": (names, words.names),
        "compound": (compounds, words.compounds),
        "word": (parts, words.words),
        "title": (titles, words.words | words.names),
        "path_word": (paths, words.words | words.names),
        "phrase": (phrases, {" ".join(pair): weight for pair, weight in words.phrases.items()}),
        "removed_name": (gone, dict.fromkeys(words.names | words.compounds, 1.0)),
        "quoted": (
            [_only(n | c, words.quoted) for n, c in zip(names, compounds, strict=True)],
            dict.fromkeys(words.quoted, 1.0),
        ),
    }
    result: list[dict[str, Feature]] = [{} for _ in candidates]
    for column, (counts, weights) in columns.items():
        for into, found in zip(result, _bm25(column, counts, weights, candidates), strict=True):
            into.update(found)
    return result


def _only(counts: dict[str, float], wanted: Iterable[str]) -> dict[str, float]:
    return {term: counts[term] for term in wanted if term in counts}


def _bm25(
    column: str,
    counts: Sequence[dict[str, float]],
    weights: Mapping[str, float],
    candidates: Sequence[Change],
) -> list[dict[str, Feature]]:
    """Three views of one column of counts: the whole match, its share of the best, its rarest term."""
    total = len(counts)
    frequency: dict[str, int] = {}
    for row in counts:
        for term in row:
            frequency[term] = frequency.get(term, 0) + 1
    idf = {term: math.log((total + 1) / (seen + 0.5)) for term, seen in frequency.items()}
    top = math.log((total + 1) / 1.5) or 1.0
    mean = sum(len(change.tokens) for change in candidates) / max(total, 1) or 1.0
    rows: list[tuple[float, float, list[tuple[float, str]]]] = []
    for row, change in zip(counts, candidates, strict=True):
        norm = 0.6 + 0.4 * min(len(change.tokens) / mean, 10.0)
        scored = sorted(
            (
                (weights[term] * max(idf[term], 0.0) * count / (count + norm), term)
                for term, count in row.items()
                if term in weights
            ),
            reverse=True,
        )
        strongest = max((weights[t] * max(idf[t], 0.0) for t in row if t in weights), default=0.0)
        rows.append((sum(score for score, _ in scored), strongest, scored))
    best = max((row[0] for row in rows), default=0.0)
    result: list[dict[str, Feature]] = []
    for score, strongest, scored in rows:
        evidence = ", ".join(term for _, term in scored[:5])
        result.append(
            {
                column: (math.log1p(score), evidence),
                f"{column}_share": (score / best if best else 0.0, evidence),
                f"{column}_rare": (strongest / top, evidence),
            }
            if score > 0
            else {}
        )
    return result


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


def _title(words: Vocabulary, change: Change) -> dict[str, float]:
    found: dict[str, float] = {}
    text = f"{change.commit.title}\n{change.commit.message[:4_000]}"
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
    wanted = words.phrases
    found: dict[str, float] = {}
    previous = ""
    for token in change.tokens:
        if (previous, token) in wanted:
            key = f"{previous} {token}"
            found[key] = found.get(key, 0.0) + 1
        previous = token
    return found


def _gone(words: Vocabulary, change: Change) -> dict[str, float]:
    """Names that a change takes away or leaves fewer of: what "undefined" and "cannot find" complain of."""
    found: dict[str, float] = {}
    for identifier, count in change.removed.items():
        low = identifier.lower()
        if low in words.names and change.added.get(identifier, 0) < count:
            found[low] = found.get(low, 0.0) + count - change.added.get(identifier, 0)
    for file in change.commit.files:
        if file.status in {"deleted", "renamed"}:
            path = (file.old_path or file.path).lower()
            for term in words.compounds:
                if path.endswith(term) or term.replace(".", "/") in path:
                    found[term] = found.get(term, 0.0) + 1
    return found


# --- files ----------------------------------------------------------------------------------------------


def _files(clues: Clues, candidates: Sequence[Change]) -> Iterable[dict[str, Feature]]:
    touched = [0.0] * len(candidates)
    rows: list[dict[str, Feature]] = []
    in_app = [frame for frame in clues.frames if frame.file]
    stems = _stems(clues)
    for change in candidates:
        row: dict[str, Feature] = {}
        _best(row, "frame_file", _frame_files(in_app, change))
        _best(row, "mentioned_path", _mentioned(clues, change))
        _best(row, "tested_file", _tested_files(stems, change))
        _best(row, "frame_function", _functions(clues.frames, change))
        rows.append(row)
    del touched
    return _with_rarity(rows)


def _with_rarity(rows: list[dict[str, Feature]]) -> list[dict[str, Feature]]:
    """Scale a file feature down when many candidates have it as strongly."""
    for name in ("frame_file", "mentioned_path", "tested_file", "frame_function"):
        for row in rows:
            if name in row:
                value, evidence = row[name]
                equals = sum(
                    1 for other in rows if name in other and other[name][0] >= value * 0.95
                )
                row[f"{name}_rare"] = (value / math.sqrt(equals), evidence)
    return rows


def _best(row: dict[str, Feature], name: str, found: Iterable[Feature]) -> None:
    best = max(found, default=(0.0, ""))
    if best[0] > 0:
        row[name] = best


def shared_suffix(left: str, right: str) -> int:
    """How many trailing path components are equal, without regard to case."""
    count = 0
    for one, two in zip(reversed(left.split("/")), reversed(right.split("/")), strict=False):
        if one != two or one in {"..", "."}:
            break
        count += 1
    return count


def _suffix_value(shared: int, path: str) -> float:
    if not shared:
        return 0.0
    if shared >= 3 or shared == path.count("/") + 1:
        return 1.0
    return 0.85 if shared == 2 else 0.55


def _frame_weight(frame: Frame) -> float:
    return (1.0 if frame.in_app else 0.4) / (1 + frame.depth / 4)


def _frame_files(frames: Sequence[Frame], change: Change) -> Iterable[Feature]:
    for path in change.paths:
        low = path.lower()
        base = low.rpartition("/")[2]
        for frame in frames:
            file = frame.file.lower()
            if file.endswith(base):
                value = _suffix_value(shared_suffix(file, low), low) * _frame_weight(frame)
                yield value, f"{path} (frame {frame.depth})"


def _mentioned(clues: Clues, change: Change) -> Iterable[Feature]:
    for path in change.paths:
        low = path.lower()
        base = low.rpartition("/")[2]
        for mention, weight in clues.paths.items():
            if mention.endswith(base) or low.endswith(mention):
                shared = shared_suffix(mention, low)
                yield _suffix_value(shared, low) * weight, path
            elif f"/{mention}/" in f"/{low}":
                yield 0.5 * weight, f"{path} is below {mention}"


def _stems(clues: Clues) -> dict[str, float]:
    """Names of files that the symptom's tests test: StringUtilsTest -> stringutils."""
    stems: dict[str, float] = {}
    for frame in clues.frames:
        stem = frame.file.rpartition("/")[2].rpartition(".")[0]
        tested = _TEST_AFFIX.sub("", stem)
        if tested and tested != stem:
            stems[tested.lower()] = max(stems.get(tested.lower(), 0.0), 1.0)
    for path, weight in clues.paths.items():
        stem = path.rpartition("/")[2].rpartition(".")[0]
        tested = _TEST_AFFIX.sub("", stem)
        if tested and tested != stem and len(tested) > 3:
            stems[tested] = max(stems.get(tested, 0.0), weight)
    return stems


def _tested_files(stems: Mapping[str, float], change: Change) -> Iterable[Feature]:
    for path in change.paths:
        name = path.rpartition("/")[2].partition(".")[0].lower()
        if changes.is_test(path):
            continue
        for stem, weight in stems.items():
            if name == stem:
                yield weight, path
            elif (
                len(name) > 5 and (stem.startswith(name) or name.startswith(stem)) and len(stem) > 5
            ):
                yield 0.6 * weight, path


def _functions(frames: Sequence[Frame], change: Change) -> Iterable[Feature]:
    wanted: dict[str, tuple[float, Frame]] = {}
    for frame in frames:
        name = re.split(r"[.:$>]+", frame.function)[-1].strip("~()").lower()
        if (
            len(name) > 2
            and not name.startswith("<")
            and name not in {"main", "init", "run", "call", "test"}
        ):
            weight = _frame_weight(frame)
            if name not in wanted or wanted[name][0] < weight:
                wanted[name] = (weight, frame)
    for path, hunks in change.hunks.items():
        low = path.lower()
        for hunk in hunks:
            for identifier in vocabulary.IDENTIFIER.findall(hunk.function):
                if identifier.lower() in wanted:
                    weight, frame = wanted[identifier.lower()]
                    same = not frame.file or shared_suffix(frame.file.lower(), low) > 0
                    yield weight * (1.0 if same else 0.5), f"{identifier} in {path}"
    edited = {name.lower() for name in (*change.added, *change.removed)} if wanted else set()
    for name, (weight, _) in wanted.items():
        if name in edited:
            yield 0.6 * weight, f"{name} in changed lines"


# --- lines ----------------------------------------------------------------------------------------------


def _blame(clues: Clues, candidates: Sequence[Change]) -> Iterable[dict[str, Feature]]:
    """Walk each frame's line back through the changes, newest first, to the one that last wrote it."""
    rows: list[dict[str, Feature]] = [{} for _ in candidates]
    for frame in clues.frames:
        if frame.line is not None and frame.file:
            _walk(frame, candidates, rows)
    return rows


def _walk(frame: Frame, candidates: Sequence[Change], rows: list[dict[str, Feature]]) -> None:
    line = frame.line or 0
    weight = _frame_weight(frame)
    file = frame.file.lower()
    found = False
    for change, row in zip(candidates, rows, strict=True):
        for path, hunks in change.hunks.items():
            if not hunks or not file.endswith(path.rpartition("/")[2].lower()):
                continue
            suffix = _suffix_value(shared_suffix(file, path.lower()), path.lower())
            if not suffix:
                continue
            distance, shift = _distance(line, hunks)
            evidence = f"{path}:{line}"
            if distance == 0 and not found:
                found = True
                _raise(row, "frame_line", weight * suffix, evidence)
            _raise(row, "near_line", weight * suffix * math.exp(-distance / 12), evidence)
            if distance:
                line += shift


def _distance(line: int, hunks: Sequence[Hunk]) -> tuple[int, int]:
    """Lines between a line (after the change) and the nearest hunk, and how the change moved it."""
    nearest = 10**6
    shift = 0
    for hunk in hunks:
        end = hunk.new_start + max(hunk.new_count, 1) - 1
        if hunk.new_start <= line <= end:
            return (0 if hunk.new_count else 1), shift
        nearest = min(nearest, abs(line - hunk.new_start), abs(line - end))
        if end < line:
            shift += hunk.old_count - hunk.new_count
    return nearest, shift


def _raise(row: dict[str, Feature], name: str, value: float, evidence: str) -> None:
    if value > row.get(name, (0.0, ""))[0]:
        row[name] = (value, evidence)


# --- shape ----------------------------------------------------------------------------------------------


def _shape(clues: Clues, candidates: Sequence[Change]) -> Iterable[dict[str, Feature]]:
    for index, change in enumerate(candidates):
        files = len(change.commit.files)
        row: dict[str, Feature] = {
            "recency": (
                -math.log1p(index),
                f"change {index + 1} of {len(candidates)} from the head",
            ),
            "newest": (1.0 if index == 0 else 0.0, "the newest change"),
            "size": (math.log1p(min(change.lines, 3000)), f"{change.lines} lines in {files} files"),
            "spread": (-math.log2(max(files, 5) / 5), f"{files} files"),
            "only_docs": (-1.0 if change.only_docs else 0.0, "only documentation"),
            "only_tests": (
                -1.0 if change.only_tests and not change.only_docs else 0.0,
                "only tests",
            ),
            "no_change": (-1.0 if not files else 0.0, "changes no file"),
            "dependency": (1.0 if change.dependencies else 0.0, ", ".join(change.dependencies[:3])),
            "configuration": (
                1.0 if change.configuration else 0.0,
                ", ".join(change.configuration[:3]),
            ),
            "revert": (
                1.0 if change.commit.title.lower().startswith("revert") else 0.0,
                "a revert",
            ),
        }
        yield row


def measure_none(clues: Clues) -> dict[str, Feature]:
    """What speaks for "none of these": the prior, and a symptom so rich that the culprit would match it."""
    in_app = sum(frame.in_app for frame in clues.frames)
    mass = sum(clues.words.words.values()) + sum(clues.words.names.values())
    return {
        "prior": (1.0, "nothing may have changed here"),
        "framed": (1.0 if in_app else 0.0, f"{in_app} stack frames of our own code to match"),
        "wordy": (math.log1p(mass) / 4, "words of the symptom to match"),
    }
