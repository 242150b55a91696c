"""How a change's files, functions and lines meet those that a symptom names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from bot.analysis import changes, vocabulary
from bot.analysis.changes import Change, Hunk
from bot.analysis.findings import Frame
from bot.analysis.suspect_text import Feature

_MENTION = re.compile(
    r"(?<![\w.+@~-])(?:(?:[A-Za-z]:)?[\w.+@~-]*(?:[/\\]+[\w.+@~-]+)+|[\w.+-]+\.[A-Za-z]\w{0,7}\b)"
)
_TEST_AFFIX = re.compile(
    r"^(?:Test_?|test_)|(?:_?(?:unit|perf)?[Tt]ests?|Test[A-Z]\w*|TestCase|Spec|_spec|IT)$"
)
_EVERYWHERE = frozenset({"main", "init", "run", "call", "test"})


def mentions(lines: Iterable[tuple[str, float]], frames: Iterable[Frame]) -> dict[str, float]:
    """Paths and file names in weighted lines and in frames, lower case, with their weights."""
    paths: dict[str, float] = {}
    for line, weight in lines:
        for mention in _MENTION.findall(line):
            path = mention.replace("\\", "/").strip("/.").lower()
            if path and len(paths) < 200:
                paths[path] = max(paths.get(path, 0.0), weight)
    for frame in frames:
        path = frame.file.lower()
        if path:
            paths[path] = max(paths.get(path, 0.0), _frame_weight(frame))
    return paths


def measure(
    paths: Mapping[str, float],
    frames: Sequence[Frame],
    missing: set[str],
    candidates: Sequence[Change],
) -> list[dict[str, Feature]]:
    """The features of files, functions and lines, for each candidate."""
    placed = [frame for frame in frames if frame.file]
    stems = _stems(placed, paths)
    rows: list[dict[str, Feature]] = []
    for change in candidates:
        found = {
            "named_file": _named_files(paths, change),
            "tested_file": _tested_files(stems, change),
            "directory": _directories(placed, change),
            "frame_function": _functions(frames, change),
            "definition_gone": _definitions_gone(missing, change),
        }
        rows.append({name: max(features, default=(0.0, "")) for name, features in found.items()})
    for name, alone in (("named_file", "named_file_alone"), ("directory", "directory_alone")):
        _discount(rows, name, alone)
    _blame(placed, candidates, rows)
    return rows


def _discount(rows: list[dict[str, Feature]], name: str, alone: str) -> None:
    """Add a copy of a feature that is worth less when other candidates have it as strongly."""
    values = [row[name][0] for row in rows]
    for row in rows:
        value, evidence = row[name]
        equals = sum(1 for other in values if other >= value * 0.95)
        row[alone] = (value / math.sqrt(equals), evidence)


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
    tests = 0.4 if changes.is_test(frame.file) else 1.0
    return tests * (1.0 if frame.in_app else 0.4) / (1 + frame.depth / 2)


def _directories(frames: Sequence[Frame], change: Change) -> Iterable[Feature]:
    """Changes beside the failing file, in the same folder."""
    folders = {path.lower().rpartition("/")[0]: path for path in change.paths if "/" in path}
    for frame in frames:
        folder = frame.file.lower().rpartition("/")[0]
        for changed, path in folders.items():
            shared = shared_suffix(folder, changed)
            if shared:
                yield min(shared / 2, 1.0) * _frame_weight(frame), f"{path} beside {frame.file}"


def _named_files(paths: Mapping[str, float], change: Change) -> Iterable[Feature]:
    for path in change.paths:
        low = path.lower()
        base = low.rpartition("/")[2]
        for mention, weight in paths.items():
            if mention.endswith(base) or low.endswith(mention):
                yield _suffix_value(shared_suffix(mention, low), low) * weight, path
            elif f"/{mention}/" in f"/{low}":
                yield 0.5 * weight, f"{path} is below {mention}"


def _stems(frames: Sequence[Frame], paths: Mapping[str, float]) -> dict[str, float]:
    """Names of files that the symptom's tests test: StringUtilsTest -> stringutils."""
    stems: dict[str, float] = {}
    named = [(frame.file, 1.0) for frame in frames] + list(paths.items())
    for path, weight in named:
        stem = path.rpartition("/")[2].rpartition(".")[0]
        tested = _TEST_AFFIX.sub("", stem)
        if len(tested) > 3 and tested != stem:
            stems[tested.lower()] = max(stems.get(tested.lower(), 0.0), weight)
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
        if len(name) > 2 and not name.startswith("<") and name not in _EVERYWHERE:
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


def _definitions_gone(missing: set[str], change: Change) -> Iterable[Feature]:
    """The change takes away the definition, or the file, that the symptom misses."""
    for name, count in change.undefined.items():
        if count > 0 and missing and (name in missing or re.split(r"[./:]", name)[-1] in missing):
            yield 1.0, name
    for file in change.commit.files:
        if missing and file.status in {"deleted", "renamed"}:
            stem = (file.old_path or file.path).lower().rpartition("/")[2]
            if stem in missing or stem.partition(".")[0] in missing:
                yield 1.0, file.old_path or file.path


def _blame(
    frames: Sequence[Frame], candidates: Sequence[Change], rows: list[dict[str, Feature]]
) -> None:
    """Walk each frame's line back through the changes, newest first, to the one that last wrote it."""
    for frame in frames:
        if frame.line is not None:
            _walk(frame.file.lower(), frame.line, _frame_weight(frame), candidates, rows)


def _walk(
    file: str,
    line: int,
    weight: float,
    candidates: Sequence[Change],
    rows: list[dict[str, Feature]],
) -> None:
    for change, row in zip(candidates, rows, strict=True):
        for path, hunks in change.hunks.items():
            value = weight * _suffix_value(shared_suffix(file, path.lower()), path.lower())
            if not hunks or not value:
                continue
            wrote, shift = _wrote(line, hunks)
            if wrote:
                row["frame_line"] = max(row.get("frame_line", (0.0, "")), (value, f"{path}:{line}"))
                return
            line += shift


def _wrote(line: int, hunks: Sequence[Hunk]) -> tuple[bool, int]:
    """Whether a change wrote a line (numbered as after it), and else how far it moved it."""
    shift = 0
    for hunk in hunks:
        if hunk.new_start <= line < hunk.new_start + hunk.new_count:
            return True, 0
        if hunk.new_start + max(hunk.new_count, 1) - 1 < line:
            shift += hunk.old_count - hunk.new_count
    return False, shift
