"""Commits of a git repository on this machine, read through the git command line.

https://git-scm.com/docs/git-log

The repository's content and its configuration are written by other people: no shell, no hooks, no pager, no
external diff, no signature program, no lazy fetch, and output framed by a random word that no commit can hold.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pydantic import Field, field_validator

from adapters.kit.capabilities import Check, CommitQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.git import Git, split
from adapters.kit.records import ChangeStatus, Commit, FileChange, Page
from adapters.kit.settings import AdapterSettings

TYPES: Mapping[str, tuple[str, ...]] = {"git_sources": ("local",)}

PAGE = 100
SCAN_LIMIT = 5_000  # names and times are cheap: 30 ms of CPU for thousands
RAW_COMMIT_BYTES = 4 << 20  # read of one commit; what follows is skipped
COMMIT_PATCH_BYTES = 400_000  # kept of one commit
FILE_PATCH_BYTES = 64_000  # kept of one file, so that a generated one does not crowd out the rest
TOTAL_PATCH_BYTES = 48 << 20  # kept of one answer
MESSAGE_CHARS = 20_000
MAX_FILES = 3_000

_PLAIN_DIFF = (
    "--root", "-M", "--inter-hunk-context=0", "--no-color", "--no-ext-diff", "--no-textconv",
    "--no-relative", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--encoding=UTF-8",
)  # fmt: skip
_STATUS: Mapping[str, ChangeStatus] = {
    "A": "added", "D": "deleted", "R": "renamed", "C": "copied", "T": "typechange",
}  # fmt: skip
_BAD_REVISION = re.compile(r"^[-^]|[\x00-\x20\x7f:?*\[\\]|\.\.")


class Settings(AdapterSettings):
    """Where the repository is, and how people open a commit of it."""

    path: Path = Field(description="folder of the repository: a clone or a bare clone")
    url_template: str = Field(
        default="", description="link to a commit, for example https://host/org/repo/commit/{sha}"
    )
    repo: str = Field(default="", description="name of the repository (default: the folder's name)")

    @field_validator("path")
    @classmethod
    def _home(cls, path: Path) -> Path:
        return path.expanduser()

    @field_validator("url_template")
    @classmethod
    def _links(cls, template: str) -> str:
        if template and (
            "{sha}" not in template or not template.startswith(("https://", "http://"))
        ):
            msg = "must be an http(s) link that holds {sha}"
            raise ValueError(msg)
        return template


class Adapter:
    """Reads one repository. Nothing is written, and nothing is run that the repository names."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        folder = settings.path.resolve().name
        self.repo = settings.repo or folder.removesuffix(".git") or name
        self._git = Git(name, settings.path)
        self._base = _Base(name, self.repo, settings.url_template)

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        """List non-merge changes, newest first, each whole even where only some paths were asked for.

        Raises:
            AdapterError: no such folder, not a repository, no commits yet, an unknown head, or git is too slow.
        """
        if query.repo and query.repo not in {self.repo, self.name}:
            return
        head = self._resolve(query.head)
        shas, cut = self._select(head, query)
        for start in range(0, len(shas), PAGE):
            part = shas[start : start + PAGE]
            last = start + PAGE >= len(shas)
            items, full = self._read(part, patches=query.patches, room=_room(len(part), len(shas)))
            yield Page(items=tuple(items), truncated=cut if last else full)

    def show(self, sha: str) -> Commit:
        """One commit with its patch."""
        items, _ = self._read([self._resolve(sha)], patches=True, room=COMMIT_PATCH_BYTES)
        if not items:
            raise AdapterError(self.name, Reason.NOT_FOUND, f"no commit {sha[:40]}")
        return items[0]

    def check(self) -> Check:
        """Say which commit the default branch is at."""
        version = self._git.run(["version"]).decode().strip().removeprefix("git version ")
        head = self._resolve("")
        return Check(ok=True, detail=f"{self.repo} at {head[:12]}", version=version)

    def _resolve(self, revision: str) -> str:
        """The full sha of a revision; refuses what git could take for an option or a range."""
        wanted = revision.strip() or "HEAD"
        if len(wanted) > 250 or _BAD_REVISION.search(wanted):
            raise AdapterError(
                self.name, Reason.BAD_REQUEST, "the head must be a branch, a tag or a commit"
            )
        args = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{wanted}^{{commit}}"]
        found = self._git.run(args, may_fail=True).decode().strip()
        if found:
            return found
        if not self._git.run(["for-each-ref", "--count=1"], may_fail=True):
            raise AdapterError(self.name, Reason.NOT_FOUND, f"{self.repo} has no commits yet")
        raise AdapterError(
            self.name, Reason.NOT_FOUND, f"{self.repo} has no branch, tag or commit {wanted}"
        )

    def _select(self, head: str, query: CommitQuery) -> tuple[list[str], str]:
        """Which commits to show: those of the window and the newest `at_least`, up to `limit`.

        Dates are compared here and not by git, whose `--since` stops at the first older commit although
        dates of neighbours are often out of order.
        """
        args = [
            "log",
            "--no-merges",
            f"-n{SCAN_LIMIT}",
            "--format=%H %ct",
            head,
            "--",
            *query.paths,
        ]
        chosen: list[str] = []
        for index, line in enumerate(self._git.run(args).decode().splitlines()):
            sha, _, seconds = line.partition(" ")
            if index < query.at_least or _moment(seconds) in query.window:
                if len(chosen) >= query.limit:
                    return chosen, f"only the newest {query.limit} changes were read"
                chosen.append(sha)
        return chosen, ""

    def _read(self, shas: Sequence[str], *, patches: bool, room: int) -> tuple[list[Commit], str]:
        """Read commits by name, in one call of git unless the clone lacks objects.

        Git stops at a commit whose files it can't read (a partial or damaged clone). That one is read without
        its patch, and git is started again behind it.
        """
        diff = ["--raw", "--numstat", *(["-p", "-U0"] if patches else []), *_PLAIN_DIFF]
        items: list[Commit] = []
        note = ""
        while len(items) < len(shas):
            left = shas[len(items) :]
            found = list(self._log(left, diff, room))
            if len(found) < len(left):
                found = found[:-1]  # the last may be cut
                bare = self._log(left[len(found) : len(found) + 1], ["--raw", "--no-renames"], 0)
                found += [commit.model_copy(update={"files_truncated": True}) for commit in bare]
                note = "the clone lacks objects: some patches could not be read"
            if not found:
                break
            items += found
            room -= sum(len(file.patch) for commit in found for file in commit.files)
        return items, "patches beyond the size limit were left out" if room <= 0 else note

    def _log(self, shas: Sequence[str], diff: Sequence[str], room: int) -> Iterator[Commit]:
        word = secrets.token_hex(16)
        fields = "%H%x00%P%x00%ct%x00%an%x00%s%x00%B"
        args = ["log", "--no-walk=unsorted", "--stdin", "-z", f"--format={word}{fields}%x00{word}"]
        with self._git.stream([*args, *diff], shas, may_fail=True) as out:
            for values, changed, cut in _records(out, word.encode()):
                commit, kept = _parse_commit(values, changed, self._base, max(room, 0))
                room -= kept
                yield commit.model_copy(update={"files_truncated": True}) if cut else commit


@dataclass(frozen=True, slots=True)
class _Base:
    """What every commit of one repository has in common."""

    source: str
    repo: str
    url_template: str


def _room(part: int, total: int) -> int:
    return TOTAL_PATCH_BYTES * part // max(total, 1)


def _moment(seconds: str | bytes) -> datetime:
    """A commit's time; git stores whatever number the writer gave it."""
    try:
        return datetime.fromtimestamp(min(max(int(seconds), 0), 253_402_300_799), UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _records(out: IO[bytes], word: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Fields and diff of each commit, and whether the diff was cut at `RAW_COMMIT_BYTES`."""
    pieces = split(out, word, RAW_COMMIT_BYTES)
    next(pieces)
    for (fields, _), (diff, cut) in zip(pieces, pieces, strict=False):
        yield fields, diff, cut


def _parse_commit(fields: bytes, diff: bytes, base: _Base, room: int) -> tuple[Commit, int]:
    """A commit from its fields and its `--raw --numstat -p -z` text, and the bytes of patch kept."""
    sha, parents, seconds, author, title, message = map(_text, fields.split(b"\0")[:6])
    files, kept = _parse_files(diff, min(room, COMMIT_PATCH_BYTES))
    commit = Commit(
        source=base.source,
        repo=base.repo,
        sha=sha,
        parents=tuple(parents.split()),
        title=title,
        message=message.strip()[:MESSAGE_CHARS],
        author=author,
        committed_at=_moment(seconds),
        url=base.url_template.replace("{sha}", sha),
        files=tuple(files[:MAX_FILES]),
        files_truncated=len(files) > MAX_FILES,
    )
    return commit, kept


def _parse_files(diff: bytes, room: int) -> tuple[list[FileChange], int]:
    head, patches = _patches(diff)
    tokens = iter(head.lstrip(b"\n\0").split(b"\0"))
    raw: list[tuple[ChangeStatus, str, str | None]] = []
    counts: list[tuple[int, int]] = []
    for token in tokens:
        if token[:1] == b":":
            letter = token.rsplit(b" ", 1)[-1][:1].decode()
            old = _text(next(tokens, b""))
            new = _text(next(tokens, b"")) if letter in "RC" else None
            raw.append((_STATUS.get(letter, "modified"), new or old, old if new else None))
        elif token.count(b"\t") >= 2:
            plus, minus, name = token.split(b"\t", 2)
            counts.append((_count(plus), _count(minus)))
            if not name:  # a rename: both names follow
                next(tokens, b"")
                next(tokens, b"")
    counts += [(-1, -1)] * (len(raw) - len(counts))
    files: list[FileChange] = []
    kept = 0
    for (status, path, old_path), (added, removed) in zip(raw, counts, strict=False):
        body = next(patches, b"")
        if status == "typechange":  # shown as a removal and an addition
            body += next(patches, b"")
        body = body[: min(FILE_PATCH_BYTES, room - kept)]
        kept += len(body)
        change = {"path": path, "old_path": old_path, "status": status, "patch": _text(body)}
        files.append(FileChange.model_validate({**change, "added": added, "removed": removed}))
    return files, kept


def _patches(diff: bytes) -> tuple[bytes, Iterator[bytes]]:
    """Split into the `-z` part and the hunks of each file, which git prints in the same order.

    Every line of a hunk begins with a sign, so a line that begins with "diff --git" is always a header.
    """
    at = diff.find(b"\0diff --git ")
    if at < 0:
        return diff, iter(())
    sections = diff[at + 1 :].rstrip(b"\0\n").split(b"\ndiff --git ")
    return diff[:at], (
        section[section.find(b"\n@@ ") + 1 :] if b"\n@@ " in section else b""
        for section in sections
    )


def _count(number: bytes) -> int:
    return int(number) if number.isdigit() else -1


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
