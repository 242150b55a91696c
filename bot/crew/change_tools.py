"""What the Code Historian may ask: changes between two moments, one change or a hunk of it, who wrote a line last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from pydantic import BaseModel, Field

from adapters.kit.capabilities import CommitQuery, CommitSource
from adapters.kit.records import Commit, Deploy
from bot.crew.ground import Ground
from bot.crew.pages import at, page
from bot.errors import UserError
from bot.report.words import percent, short_sha

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PATH_CHANGES = 40
_SUSPECTS = 12


class ListChanges(BaseModel):
    """Arguments of `list_changes`."""

    since: str = Field(default="", max_length=40, description="HH:MM, HH:MM:SS or ISO, UTC.")
    until: str = Field(default="", max_length=40)
    path: str = Field(
        default="", max_length=300, description="Only changes of files with this text."
    )
    skip: int = Field(default=0, ge=0, le=100_000)


class ShowChange(BaseModel):
    """Arguments of `show_change`."""

    change: str = Field(max_length=64, description="Id such as C3, or a sha of a listed change.")
    file: str = Field(default="", max_length=300, description="Only this file's hunks.")
    skip: int = Field(default=0, ge=0, le=1_000_000)


class BlameLine(BaseModel):
    """Arguments of `blame_line`."""

    file: str = Field(min_length=1, max_length=300)
    line: int = Field(ge=1, le=10_000_000)


def list_changes(ground: Ground, args: ListChanges) -> str:
    """Commits and deploys between two moments, newest first."""
    span = ground.span(args.since, args.until, ground.changes_window)
    wanted = args.path.casefold()
    rows = [
        (commit.committed_at, change_line(ground, f"C{number}", commit))
        for number, commit in enumerate(ground.records.commits, start=1)
        if commit.committed_at in span
        and (not wanted or any(wanted in f.path.casefold() for f in commit.files))
    ]
    if not wanted:
        rows += [
            (deploy.at, _deploy_line(f"D{number}", deploy))
            for number, deploy in enumerate(ground.records.deploys, start=1)
            if deploy.at in span
        ]
    rows.sort(key=lambda row: row[0], reverse=True)
    title = f"{len(rows)} changes, {at(span.since)} to {at(span.until)}:"
    return page(title, [line for _, line in rows], skip=args.skip)


def change_line(ground: Ground, key: str, commit: Commit) -> str:
    """A change on one line, with its place in the ranking."""
    suspect = next((s for s in ground.findings.suspects if s.id == key), None)
    ranked = f" ranked {percent(suspect.probability)}" if suspect else ""
    files = ", ".join(change.path for change in commit.files[:4])
    more = f" and {len(commit.files) - 4} more" if len(commit.files) > 4 else ""
    return f"{key} {short_sha(commit.sha)} {at(commit.committed_at)}{ranked}: {commit.title} ({files}{more})"


def _deploy_line(key: str, deploy: Deploy) -> str:
    what = " ".join(filter(None, (deploy.service, deploy.version or short_sha(deploy.sha))))
    return f"{key} {deploy.kind} {at(deploy.at)} {what} {deploy.title} {deploy.status}"


def show_change(ground: Ground, args: ShowChange) -> str:
    """One change: message, why it is ranked where it is, and its diff or one file of it."""
    key, commit = _change(ground, args.change)
    files = [f for f in commit.files if args.file.casefold() in f.path.casefold()]
    if files and not any(f.patch for f in files):
        whole = _anew(ground, commit)
        files = [f for f in whole.files if args.file.casefold() in f.path.casefold()]
        if any(f.patch for f in files):
            key = _kept(ground, key, whole)
    lines = commit.message.splitlines()[:20]
    suspect = next((s for s in ground.findings.suspects if s.id == key), None)
    if suspect is not None:
        lines += [f"{t.weight:+.2f} {t.name}: {t.evidence}" for t in suspect.terms[:_SUSPECTS]]
    for change in files:
        lines += [f"--- {change.path} ({change.status})", *change.patch.splitlines()]
    if not files:
        lines.append("No such file in it." if args.file else "Its files are not known.")
    return page(change_line(ground, key, commit), lines, skip=args.skip)


def _change(ground: Ground, name: str) -> tuple[str, Commit]:
    wanted = name.strip().lower()
    for number, commit in enumerate(ground.records.commits, start=1):
        key = f"C{number}"
        if wanted == key.lower() or (len(wanted) >= 7 and commit.sha.lower().startswith(wanted)):
            return key, commit
    raise UserError(f"There is no change {name!r}; list_changes names them.")


def _anew(ground: Ground, commit: Commit) -> Commit:
    """The change with its patches, which are kept of the leading suspects only."""
    query = CommitQuery(
        window=ground.changes_window, at_least=1, limit=1, head=commit.sha, repo=commit.repo
    )
    for source, _ in ground.sources("git_sources"):
        if isinstance(source, CommitSource) and source.name == commit.source:
            for item in ground.items(source.name, partial(source.commits, query)):
                if item.sha == commit.sha:
                    return item
    return commit


def _kept(ground: Ground, key: str, commit: Commit) -> str:
    """Put the whole change on the shelf; it gets an id of its own, because `key` was seen without its diff."""
    text = "\n".join(
        [f"change {commit.sha} of {commit.repo}", f"title: {commit.title}", commit.message]
        + [f"path: {f.path}\n{f.patch}" for f in commit.files]
    )
    return ground.shelf.add("C", "commit", text, commit.model_dump(mode="json")) or key


def blame_line(ground: Ground, args: BlameLine) -> str:
    """Which change wrote a line of a file last: the file's changes are walked backwards from the deployed state."""
    path = args.file.strip().removeprefix("./").lstrip("/")
    for source, _ in ground.sources("git_sources"):
        if not isinstance(source, CommitSource):
            continue
        commits = _of_file(ground, source, path)
        found = _blamed(commits, path, args.line)
        if found is not None:
            commit, text = found
            key = next(
                (f"C{n}" for n, c in enumerate(ground.records.commits, 1) if c.sha == commit.sha),
                "",
            )
            key = key or _kept(ground, "", commit)
            return page(
                f"{path}:{args.line} was written last by", [change_line(ground, key, commit), text]
            )
        if commits:
            return f"None of the last {len(commits)} changes of {path} wrote line {args.line}: it is older."
    return f"No change of {path} was found; list_changes shows which files changed."


def _of_file(ground: Ground, source: CommitSource, path: str) -> list[Commit]:
    ask = ground.desk.ask
    repos = sorted({c.repo for c in ground.records.commits if c.source == source.name}) or [
        ask.repo
    ]
    for repo in repos:
        query = CommitQuery(
            window=ground.changes_window,
            at_least=_PATH_CHANGES,
            limit=_PATH_CHANGES,
            head=ask.head,
            repo=repo,
            paths=(path,),
        )
        found = ground.items(source.name, partial(source.commits, query))
        if found:
            return found
    return []


def _blamed(commits: Sequence[Commit], path: str, line: int) -> tuple[Commit, str] | None:
    for commit in commits:
        change = next((f for f in commit.files if f.path == path), None)
        if change is None or not change.patch:
            continue
        before, text = _before(change.patch, line)
        if before is None:
            return commit, text
        line = before
        path = change.old_path or path
    return None


def _before(patch: str, line: int) -> tuple[int | None, str]:
    """Where a line stood before a change; None and the line when the change wrote it."""
    shift = 0
    for old, new, new_length, body in _hunks(patch):
        if line < new:
            break
        if line >= new + max(new_length, 1):
            shift = _shift(body, shift)
            continue
        at_new, at_old = new, old
        for text in body:
            if text.startswith("-"):
                at_old += 1
                continue
            if at_new == line:
                return (None, text) if text.startswith("+") else (at_old, text)
            at_new += 1
            at_old += 0 if text.startswith("+") else 1
    return line - shift, ""


def _shift(body: Sequence[str], shift: int) -> int:
    added = sum(text.startswith("+") for text in body)
    return shift + added - sum(text.startswith("-") for text in body)


def _hunks(patch: str) -> Iterator[tuple[int, int, int, list[str]]]:
    head: re.Match[str] | None = None
    body: list[str] = []
    for text in [*patch.splitlines(), "@@ -0,0 +0,0 @@"]:
        match = _HUNK.match(text)
        if match is None:
            body.append(text)
            continue
        if head is not None:
            yield int(head[1]), int(head[3]), int(head[4] or 1), body
        head, body = match, []
