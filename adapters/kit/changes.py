"""What all hosts of code have in common: names of repositories and revisions, sizes of patches, and what to list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from adapters.kit.capabilities import CommitQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import ChangeStatus, Commit, FileChange, Page
from adapters.kit.together import together

SCAN_LIMIT = 5_000  # changes looked at for one answer
STEP = 25  # changes completed before they are handed on
COMMIT_PATCH_BYTES = 400_000  # kept of one commit
FILE_PATCH_BYTES = 64_000  # kept of one file, so that a generated one does not crowd out the rest
TOTAL_PATCH_BYTES = 48 << 20  # kept of one answer
MESSAGE_CHARS = 20_000
MAX_FILES = 3_000
SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_BAD_REVISION = re.compile(r"^[-/.]|[\x00-\x20\x7f:?*\[\\~^]|\.\.|//|@\{")


def revision(system: str, text: str) -> str:
    """A branch, tag or commit as git allows its name (git-check-ref-format(1)); empty stays empty.

    Raises:
        AdapterError: BAD_REQUEST: it is no name, but could be a range, an option or a way out of a path.
    """
    wanted = text.strip()
    if len(wanted) > 250 or _BAD_REVISION.search(wanted):
        detail = "the head must be a branch, a tag or a commit"
        raise AdapterError(system, Reason.BAD_REQUEST, detail)
    return wanted


def wanted_repositories(configured: Sequence[str], asked: str) -> tuple[str, ...]:
    """Which repositories to ask: all that are configured, or those of them that the query's name means.

    A name without its owner means every configured repository of that name; where nothing is configured, a full
    name is taken as it is.
    """
    if not asked:
        return tuple(configured)
    if not configured:
        return (asked,) if "/" in asked else ()
    name = asked.casefold().removesuffix(".git")
    return tuple(
        repo for repo in configured if name in {repo.casefold(), repo.casefold().rpartition("/")[2]}
    )


def chosen(
    query: CommitQuery,
    newest: Callable[[], Iterable[Commit]],
    in_window: Callable[[], Iterable[Commit]],
) -> tuple[list[Commit], str]:
    """The newest `at_least` changes and all of the window, without merges, each once, and why some are missing.

    Args:
        newest: changes before the head, newest first.
        in_window: those that the host says were committed in about the window; filtered again here.
    """
    found: dict[str, Commit] = {}
    if query.at_least:
        least = min(query.at_least, query.limit)
        plain = (commit for commit in islice(newest(), SCAN_LIMIT) if len(commit.parents) < 2)
        found = {commit.sha: commit for commit in islice(plain, least)}
    for number, commit in enumerate(in_window()):
        if number == SCAN_LIMIT:
            return list(found.values()), f"only {SCAN_LIMIT:,} changes were looked at"
        if commit.sha in found or len(commit.parents) > 1:
            continue
        if commit.committed_at in query.window:
            if len(found) >= query.limit:
                return list(found.values()), f"only the newest {query.limit} changes were read"
            found[commit.sha] = commit
    return list(found.values()), ""


def completed(
    commits: Sequence[Commit], files: Callable[[Commit], Commit], cut: str
) -> Iterator[Page[Commit]]:
    """Pages of changes with their files, `STEP` at a time; one whose files cannot be read is shown without them."""
    room = TOTAL_PATCH_BYTES
    if cut and not commits:
        yield Page((), truncated=cut)
    for start in range(0, len(commits), STEP):
        part = commits[start : start + STEP]
        items: list[Commit] = []
        note = ""
        for bare, found in zip(part, together(files, part), strict=True):
            if isinstance(found, AdapterError):
                items.append(bare.model_copy(update={"files_truncated": True}))
                note = f"the files of some changes could not be read: {found.detail}"
                continue
            kept = fitted(found, room)
            room -= sum(len(file.patch) for file in kept.files)
            items.append(kept)
        if room <= 0:
            note = note or "patches beyond the size limit were left out"
        last = start + STEP >= len(commits)
        yield Page(tuple(items), truncated=(cut if last and cut else note))


def fitted(commit: Commit, room: int) -> Commit:
    """The change with its patches cut to the limits."""
    left = max(0, min(room, COMMIT_PATCH_BYTES))
    files: list[FileChange] = []
    cut = commit.files_truncated or len(commit.files) > MAX_FILES
    for file in commit.files[:MAX_FILES]:
        patch = file.patch[: min(FILE_PATCH_BYTES, left)]
        left -= len(patch)
        files.append(file if patch == file.patch else file.model_copy(update={"patch": patch}))
    return commit.model_copy(update={"files": tuple(files), "files_truncated": cut})


def hunks(diff: str) -> str:
    """The hunks of one file's diff, without its header lines."""
    at = 0 if diff.startswith("@@ ") else diff.find("\n@@ ") + 1
    return diff[at:] if diff[at : at + 3] == "@@ " else ""


def counted(patch: str) -> tuple[int, int]:
    """Lines added and removed by hunks."""
    lines = patch.split("\n")
    return sum(line[:1] == "+" for line in lines), sum(line[:1] == "-" for line in lines)


def names(value: object) -> object:
    """A setting that may be given as one text with commas, for a validator before pydantic's own."""
    return (
        [part for part in re.split(r"[,\s]+", value) if part] if isinstance(value, str) else value
    )


def chosen_of(
    query: CommitQuery, listed: Callable[[], Iterable[Sequence[Commit]]]
) -> tuple[list[Commit], str]:
    """Like `chosen`, of a history that its host lists newest first, page by page, without a filter by time."""
    return chosen(
        query,
        lambda: (commit for page in listed() for commit in page),
        lambda: _until_older(listed(), query.window.since),
    )


def _until_older(pages: Iterable[Sequence[Commit]], since: datetime) -> Iterator[Commit]:
    """The changes of a history that is listed newest first without a filter by time.

    Dates of neighbours may be out of order, so it ends with a page on which nothing is as young as `since`.
    """
    for page in pages:
        yield from page
        if page and all(commit.committed_at < since for commit in page):
            return


def files_of(diff: str, *, patches: bool = True) -> tuple[FileChange, ...]:
    """The files of a whole `git diff`, with their hunks."""
    return tuple(
        found
        for section in re.split(r"^diff --git ", diff, flags=re.MULTILINE)[1:]
        if (found := _file_of(section, patches=patches))
    )


def _file_of(section: str, *, patches: bool) -> FileChange | None:
    """One file; every line of a hunk begins with a sign, so what looks like a header is one."""
    head, _, _ = f"{section}\n".partition("\n@@ ")
    told = dict(_HEADER.findall(head))
    plain = re.match(r"a/(.+) b/\1$", section.partition("\n")[0])
    old = told.get("rename from") or _side(told.get("---", ""))
    path = told.get("rename to") or told.get("copy to") or _side(told.get("+++", "")) or old
    path = path or (plain[1] if plain else "")
    if not path:
        return None
    status: ChangeStatus = "renamed" if "rename to" in told else "modified"
    if "new file mode" in told or "deleted file mode" in told:
        status = "added" if "new file mode" in told else "deleted"
    patch = hunks(section).rstrip("\n")
    added, removed = counted(patch) if patch else (-1, -1)
    return FileChange(
        path=path,
        old_path=old if status == "renamed" else None,
        status=status,
        added=added,
        removed=removed,
        patch=patch if patches else "",
    )


_HEADER = re.compile(
    r"^(---|\+\+\+|rename from|rename to|copy to|new file mode|deleted file mode) ?(.*?)\t?$",
    re.MULTILINE,
)


def _side(name: str) -> str:
    """A path without the `a/` or `b/` before it; nothing for /dev/null."""
    return "" if name == "/dev/null" else re.sub(r"^[ab]/|^(?:src|dst)://", "", name)
