"""Labelled cases of "which change did it", and the commits of their public repositories.

A case names a symptom, the head that ran, the candidate commits and the culprit among them. With the history cut
just before the culprit the same case asks for abstention: nothing in it did it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from adapters import local_git
from adapters.kit.capabilities import CommitQuery
from adapters.kit.errors import AdapterError
from adapters.kit.records import Commit, Window
from bot.errors import UserError

CANDIDATES = 40
_ANY_TIME = Window(since=datetime(1970, 1, 1, tzinfo=UTC), until=datetime(1970, 1, 2, tzinfo=UTC))


class _Alert(BaseModel):
    service: str = ""


class SuspectCase(BaseModel):
    """One line of a cases file."""

    id: str
    repo: str
    head: str
    as_of: datetime | None = None
    candidates: list[str]
    symptom_kind: str = ""
    symptom: str
    alert: _Alert = _Alert()
    truth: list[str]


class Loaded(BaseModel):
    """A case with the commits of one of its two histories, newest first."""

    case: SuspectCase
    history: Literal["full", "cut"]
    commits: tuple[Commit, ...]

    def culprits(self) -> list[int]:
        """Positions of the commits that did it; none in a cut history."""
        return [index for index, commit in enumerate(self.commits) if commit.sha in self.case.truth]


def read(path: Path) -> list[SuspectCase]:
    """Read a cases file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        msg = f"Cannot read the cases in {path.name}; give a JSON-lines file of cases."
        raise UserError(msg) from None
    return [SuspectCase.model_validate_json(line) for line in lines if line.strip()]


def load(case: SuspectCase, repos: Path) -> Iterator[Loaded]:
    """Both histories of a case; nothing when its repository or its head is not there."""
    folder = find(case.repo, repos)
    if folder is None:
        return
    adapter = local_git.Adapter("bench", local_git.Settings(path=folder, repo=case.repo))
    try:
        full = _commits(adapter, case.head, max(len(case.candidates), 1))
        by_sha = {commit.sha: commit for commit in full}
        candidates = tuple(by_sha[sha] for sha in case.candidates if sha in by_sha)
        yield Loaded(case=case, history="full", commits=candidates)
        oldest = next(commit for commit in reversed(candidates) if commit.sha in case.truth)
        before = _commits(adapter, oldest.parents[0], CANDIDATES) if oldest.parents else ()
        yield Loaded(case=case, history="cut", commits=before)
    except (AdapterError, StopIteration):
        return


def find(repo: str, repos: Path) -> Path | None:
    """The clone of `owner/name`: `<owner>+<name>` or `<owner>/<name>`, itself or a folder with one inside."""
    for place in (repos / repo.replace("/", "+"), repos / repo):
        inside: list[Path] = sorted(place.iterdir()) if place.is_dir() else []
        for folder in [place, *inside]:
            if (folder / ".git").exists() or (folder / "objects").is_dir():
                return folder
    return None


def _commits(adapter: local_git.Adapter, head: str, count: int) -> tuple[Commit, ...]:
    query = CommitQuery(window=_ANY_TIME, head=head, at_least=count, limit=count)
    return tuple(commit for page in adapter.commits(query) for commit in page.items)
