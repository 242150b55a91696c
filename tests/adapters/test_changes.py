"""What the hosts of code share: diffs as text, names, and pages of completed changes."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.changes import (
    COMMIT_PATCH_BYTES,
    FILE_PATCH_BYTES,
    completed,
    files_of,
    revision,
    wanted_repositories,
)
from adapters.kit.errors import AdapterError
from adapters.kit.records import Commit, FileChange
from tests.adapters.conformance import at


def commit(number: int = 1, patch: str = "") -> Commit:
    files = (FileChange(path="a", patch=patch),) if patch else ()
    return Commit(
        source="x",
        repo="a/b",
        sha=f"{number:040x}",
        title="t",
        committed_at=at("2026-11-20T10:00"),
        files=files,
    )


def test_a_real_diff_has_its_files(tmp_path):
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    (tmp_path / "old name.py").write_text("a = 1\nb = 2\nc = 3\nd = 4\n")
    (tmp_path / "gone.py").write_text("--- x\n+++ y\n")
    (tmp_path / "edited.py").write_text("diff --git a/x b/x\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, *person, "commit", "-q", "-m", "1"], check=True)
    subprocess.run([*git, "mv", "old name.py", "new name.py"], check=True)
    (tmp_path / "gone.py").unlink()
    (tmp_path / "edited.py").write_text("--- /dev/null\n+++ b/other\n")
    (tmp_path / "new.py").write_text("e = 5\n")
    (tmp_path / "empty.py").write_text("")
    subprocess.run([*git, "add", "-A"], check=True)
    shown = subprocess.run(
        [*git, "diff", "--cached", "-M"], check=True, capture_output=True, text=True
    )
    found = {f.path: (f.status, f.old_path, f.added, f.removed) for f in files_of(shown.stdout)}
    assert found == {
        "edited.py": ("modified", None, 2, 1),
        "empty.py": ("added", None, -1, -1),
        "gone.py": ("deleted", None, 0, 2),
        "new name.py": ("renamed", "old name.py", -1, -1),
        "new.py": ("added", None, 1, 0),
    }


@given(text=st.text(max_size=200))
def test_any_text_is_a_diff_of_some_files_or_none(text):
    files_of(f"diff --git {text}")
    files_of(text)


@given(text=st.text(max_size=60))
def test_a_revision_that_passes_can_stand_in_a_path(text):
    try:
        passed = revision("x", text)
    except AdapterError:
        return
    assert ".." not in passed
    assert "//" not in passed
    assert not passed.startswith(("-", "/", "."))
    assert not set(passed) & set(" ?*[\\~^:\x00\n")


@pytest.mark.parametrize(
    ("configured", "asked", "wanted"),
    [
        (("a/b", "a/c"), "", ("a/b", "a/c")),
        (("a/b", "a/c"), "A/B", ("a/b",)),
        (("a/b", "x/b"), "b", ("a/b", "x/b")),
        (("a/b",), "a/other", ()),
        ((), "a/b", ("a/b",)),
        ((), "b", ()),
    ],
)
def test_repositories_are_those_that_the_question_means(configured, asked, wanted):
    assert wanted_repositories(configured, asked) == wanted


def test_patches_are_cut_to_their_limits():
    long = commit(1, "+" * (FILE_PATCH_BYTES + 5))
    many = long.model_copy(update={"files": long.files * 20})
    (page,) = completed([commit(1)], lambda _bare: many, "")
    sizes = [len(file.patch) for file in page.items[0].files]
    assert max(sizes) == FILE_PATCH_BYTES
    assert sum(sizes) == COMMIT_PATCH_BYTES


def test_changes_are_handed_on_before_all_are_complete():
    asked: list[str] = []

    def filled(bare: Commit) -> Commit:
        asked.append(bare.sha)
        return bare

    pages = completed([commit(n) for n in range(60)], filled, "there are more")
    first = next(pages)
    assert len(first.items) == len(asked) == 25
    assert [page.truncated for page in pages] == ["", "there are more"]
