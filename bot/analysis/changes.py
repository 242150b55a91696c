"""A commit read once for ranking: its hunks, the identifiers that it adds and removes, what kind of files."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from adapters.kit.records import Commit, FileChange

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,80}")
_DEFINITION = re.compile(
    r"^[-+][ \t\w@*&<>,]{0,60}?\b(?:def|class|function|func|fn|interface|struct|enum|define|const|var|let|val|type|trait|module|"
    r"import|from|include|use|require|void|int|bool|static|public|private|protected|proc|sub)\b[ \t*&]+([A-Za-z_][\w./:-]{2,100})"
    r"|^[-+][ \t]*['\"]?([A-Za-z_$][\w.:-]{2,100})['\"]?[ \t]*(?:=>?|:=?)(?![=:])",
    re.MULTILINE,
)
_DOCS = re.compile(
    r"(?:^|/)(?:docs?|documentation|man|changelogs?|release-?notes|licenses?)/|"
    r"\.(?:md|rst|adoc|txt|1|5|7|8|tex|po|pot|svg|png|jpe?g|gif)$|"
    r"(?:^|/)(?:README|CHANGE|CHANGELOG|CHANGES|NEWS|AUTHORS|LICENSE|NOTICE|CONTRIBUTING|MAINTAINERS|CODEOWNERS|OWNERS|VERSION|VERDATE|SUBVERS)[^/]*$",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|spec|specs|__tests__|testdata|fixtures|expectations)/|"
    r"(?:^|/)test_[^/]*$|_(?:unit|perf)?tests?\.\w+$|(?:Tests?|TestCase|Spec|IT)\.\w+$|\.(?:test|spec)\.\w+$"
)


@dataclass(frozen=True, slots=True)
class Hunk:
    """One changed place: lines before and after, and the function that git names for it."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    function: str


@dataclass(slots=True)
class Change:
    """What ranking needs of a commit. Identifiers keep their case; `text` is lower case."""

    commit: Commit
    paths: tuple[str, ...]
    hunks: dict[str, list[Hunk]] = field(default_factory=dict)
    by_file: dict[str, set[str]] = field(default_factory=dict)
    added: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    tokens: list[str] = field(default_factory=list)
    text: str = ""
    lines: int = 0
    undefined: Counter[str] = field(default_factory=Counter)  #: names whose definitions it removes

    @property
    def only_docs(self) -> bool:
        return bool(self.paths) and all(_DOCS.search(path) for path in self.paths)

    @property
    def only_tests(self) -> bool:
        return bool(self.paths) and all(
            _TESTS.search(path) or _DOCS.search(path) for path in self.paths
        )


def is_doc(path: str) -> bool:
    """Whether a path is documentation, a change log or a bare version number."""
    return _DOCS.search(path) is not None


def is_test(path: str) -> bool:
    """Whether a path is a test's."""
    return _TESTS.search(path) is not None


def read(commit: Commit) -> Change:
    """Read a commit's patches. Line numbers of a file are kept under its path after the change."""
    names = [name for file in commit.files for name in (file.path, file.old_path) if name]
    change = Change(commit=commit, paths=tuple(dict.fromkeys(names)))
    texts: list[str] = []
    for file in commit.files:
        added, removed = _read_file(file, change)
        plus, minus = _IDENTIFIER.findall(added), _IDENTIFIER.findall(removed)
        change.added.update(plus)
        change.removed.update(minus)
        for match in _DEFINITION.finditer(file.patch):
            name = (match[1] or match[2]).lower().rstrip(".:/")
            change.undefined[name] += 1 if match[0][0] == "-" else -1
        change.by_file[file.path] = {*plus, *minus}
        texts += (added, removed)
    change.text = "\n".join(texts).lower()
    change.tokens = _IDENTIFIER.findall(change.text)
    change.lines = change.text.count("\n")
    return change


def _read_file(file: FileChange, change: Change) -> tuple[str, str]:
    added: list[str] = []
    removed: list[str] = []
    hunks: list[Hunk] = []
    for line in file.patch.split("\n"):
        sign = line[:1]
        if sign == "+":
            added.append(line[1:])
        elif sign == "-":
            removed.append(line[1:])
        elif sign == "@":
            match = _HUNK.match(line)
            if match:
                counts = [int(match[index] or 1) for index in (2, 4)]
                hunks.append(
                    Hunk(int(match[1]), counts[0], int(match[3]), counts[1], match[5][:200])
                )
    change.hunks[file.path] = hunks
    return "\n".join(added), "\n".join(removed)
