from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters import local_git
from adapters.kit import git as kit_git
from adapters.kit.capabilities import Checkable, CommitQuery, CommitSource
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Commit, Window
from adapters.local_git import Adapter, Settings

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALWAYS = Window(since=datetime(1990, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))


class Repo:
    """A real repository in a temporary folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str, at: datetime = T0) -> str:
        stamp = f"{int(at.timestamp())} +0000"
        return subprocess.run(
            ["git", "-C", str(self.path), "-c", "commit.gpgsign=false", *args],
            check=True,
            capture_output=True,
            text=True,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
                "GIT_AUTHOR_NAME": "Ada",
                "GIT_AUTHOR_EMAIL": "ada@example.org",
                "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.org",
                "GIT_AUTHOR_DATE": stamp,
                "GIT_COMMITTER_DATE": stamp,
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "HOME": str(self.path),
            },
        ).stdout.strip()

    def commit(self, message: str, files: dict[str, str | bytes | None], at: datetime = T0) -> str:
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            elif isinstance(content, bytes):
                file.write_bytes(content)
            else:
                file.write_text(content, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "checkout")


def listed(path: Path, query: CommitQuery | None = None, **settings: str) -> list[Commit]:
    adapter = Adapter("local", Settings.model_validate({"path": path, **settings}))
    wanted = query or CommitQuery(window=ALWAYS)
    return [commit for page in adapter.commits(wanted) for commit in page.items]


def test_it_is_a_commit_source_that_can_be_checked(repo: Repo):
    sha = repo.commit("first", {"a.txt": "1\n"})
    adapter = Adapter("local", Settings(path=repo.path))
    assert isinstance(adapter, CommitSource)
    assert isinstance(adapter, Checkable)
    assert sha[:12] in adapter.check().detail


def test_a_commit_carries_message_files_counts_hunks_and_link(repo: Repo):
    repo.commit("first", {"app/pay.py": "def charge(card):\n    x = 1\n    return card\n"})
    sha = repo.commit(
        "Refuse empty cards\n\nA body.\n",
        {"app/pay.py": "def charge(card):\n    x = 1\n    return card.number\n", "b.txt": "b\n"},
        at=T0 + timedelta(hours=1),
    )
    commit = listed(repo.path, url_template="https://git.example.org/c/{sha}")[0]
    assert (commit.sha, commit.title, commit.author) == (sha, "Refuse empty cards", "Ada")
    assert commit.message == "Refuse empty cards\n\nA body."
    assert commit.committed_at == T0 + timedelta(hours=1)
    assert commit.url == f"https://git.example.org/c/{sha}"
    assert commit.repo == "checkout"
    changed, added = commit.files
    assert (changed.path, changed.status, changed.added, changed.removed) == (
        "app/pay.py",
        "modified",
        1,
        1,
    )
    assert changed.patch.splitlines() == [
        "@@ -3 +3 @@ def charge(card):",
        "-    return card",
        "+    return card.number",
    ]
    assert (added.path, added.status) == ("b.txt", "added")


def test_renames_deletions_binaries_and_odd_names_are_told_apart(repo: Repo):
    repo.commit("first", {"old.py": "line\n" * 30, "gone.py": "x\n", "blob": b"\0\1\2"})
    repo.git("mv", "old.py", "new näme\n2.py")
    repo.commit("second", {"gone.py": None, "blob": b"\0\1\3"})
    files = {file.path: file for file in listed(repo.path)[0].files}
    assert files["new näme\n2.py"].old_path == "old.py"
    assert files["new näme\n2.py"].status == "renamed"
    assert files["gone.py"].status == "deleted"
    assert (files["blob"].added, files["blob"].patch) == (-1, "")


def test_a_patch_that_looks_like_git_output_is_only_text(repo: Repo):
    evil = "diff --git a/x b/x\n@@ -1 +1 @@\n\x01\x02:100644 100644 a b M\n--- a/x\n+++ b/x\n"
    repo.commit("first", {"a.txt": "1\n"})
    repo.commit("commit\x01with\x02marks\n\ndiff --git a/y b/y", {"a.txt": evil, "z.txt": "z\n"})
    commits = listed(repo.path)
    assert [file.path for file in commits[0].files] == ["a.txt", "z.txt"]
    assert "+diff --git a/x b/x" in commits[0].files[0].patch
    assert commits[0].files[1].patch == "@@ -0,0 +1 @@\n+z"
    assert len(commits) == 2


def test_newest_come_first_and_merges_are_left_out(repo: Repo):
    first = repo.commit("first", {"a.txt": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("side", {"b.txt": "1\n"}, at=T0 + timedelta(hours=1))
    repo.git("checkout", "-q", "main")
    main = repo.commit("main", {"c.txt": "1\n"}, at=T0 + timedelta(hours=2))
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side", at=T0 + timedelta(hours=3))
    assert [commit.sha for commit in listed(repo.path)] == [main, side, first]


def test_the_window_the_minimum_and_the_limit_are_kept(repo: Repo):
    shas = [repo.commit(f"c{n}", {"a.txt": f"{n}\n"}, at=T0 + timedelta(days=n)) for n in range(8)]
    window = Window(since=T0 + timedelta(days=2), until=T0 + timedelta(days=4))

    def chosen(**query: int) -> list[str]:
        return [c.sha for c in listed(repo.path, CommitQuery(window=window, **query))]

    assert chosen(at_least=1) == [shas[7], shas[3], shas[2]]
    assert chosen(at_least=3) == [shas[7], shas[6], shas[5], shas[3], shas[2]]
    assert chosen(at_least=5, limit=2) == [shas[7], shas[6]]


def test_a_limited_answer_says_so(repo: Repo):
    for n in range(3):
        repo.commit(f"c{n}", {"a.txt": f"{n}\n"})
    adapter = Adapter("local", Settings(path=repo.path))
    pages = list(adapter.commits(CommitQuery(window=ALWAYS, limit=2)))
    assert pages[-1].truncated == "only the newest 2 changes were read"


def test_head_and_paths_narrow_the_walk(repo: Repo):
    first = repo.commit("first", {"app/a.txt": "1\n"})
    second = repo.commit("second", {"lib/b.txt": "1\n", "app/a.txt": "2\n"})
    repo.commit("third", {"lib/c.txt": "1\n"})
    assert [c.sha for c in listed(repo.path, CommitQuery(window=ALWAYS, head=first))] == [first]
    only_app = listed(repo.path, CommitQuery(window=ALWAYS, paths=("app",)))
    assert [c.sha for c in only_app] == [second, first]
    assert {file.path for file in only_app[0].files} == {"lib/b.txt", "app/a.txt"}


def test_bare_clones_and_patchless_queries_work(repo: Repo, tmp_path: Path):
    sha = repo.commit("first", {"a.py": "x = 1\n"})
    bare = tmp_path / "shop.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    commit = listed(bare, CommitQuery(window=ALWAYS, patches=False))[0]
    assert (commit.sha, commit.repo, commit.files[0].patch) == (sha, "shop", "")


def test_another_repository_is_not_answered_for(repo: Repo):
    repo.commit("first", {"a.py": "x = 1\n"})
    assert listed(repo.path, CommitQuery(window=ALWAYS, repo="elsewhere")) == []


def failure(path: Path, head: str = "") -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        listed(path, CommitQuery(window=ALWAYS, head=head))
    return caught.value


def test_what_is_missing_is_named(repo: Repo, tmp_path: Path):
    (tmp_path / "plain").mkdir()
    empty = failure(repo.path)
    assert (empty.reason, empty.detail) == (Reason.NOT_FOUND, "checkout has no commits yet")
    assert "no folder" in failure(tmp_path / "absent").detail
    assert "not a git repository" in failure(tmp_path / "plain").detail
    repo.commit("first", {"a.py": "x = 1\n"})
    unknown = failure(repo.path, head="v9")
    assert (unknown.reason, unknown.detail) == (
        Reason.NOT_FOUND,
        "checkout has no branch, tag or commit v9",
    )


@pytest.mark.parametrize("head", ["--output=/tmp/x", "-n1", "a..b", "main:a.py", "a b", "^main"])
def test_a_head_that_is_no_name_is_refused(repo: Repo, head: str):
    repo.commit("first", {"a.py": "x = 1\n"})
    assert failure(repo.path, head=head).reason in {Reason.BAD_REQUEST, Reason.NOT_FOUND}


def test_nothing_that_the_repository_configures_is_run(repo: Repo, tmp_path: Path):
    repo.commit("first", {"a.py": "x = 1\n", ".gitattributes": "*.py diff=evil\n"})
    repo.commit("second", {"a.py": "x = 2\n"})
    mark = tmp_path / "ran"
    run = f"touch {mark}; cat"
    for key in ("diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager"):
        repo.git("config", key, run)
    repo.git("config", "core.fsmonitor", run)
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "gpg.program", run)
    repo.git("config", "diff.noprefix", "true")
    repo.git("config", "diff.context", "9")
    assert listed(repo.path)[0].files[0].patch == "@@ -1 +1 @@\n-x = 1\n+x = 2"
    assert not mark.exists()


def test_a_clone_that_lacks_an_object_loses_only_that_patch(repo: Repo):
    repo.commit("first", {"a.txt": "1\n"})
    repo.commit("second", {"a.txt": "2\n"})
    blob = repo.git("rev-parse", "HEAD:a.txt")
    repo.commit("third", {"a.txt": "3\n"})
    repo.commit("fourth", {"b.txt": "4\n"})
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    fourth, third, second, first = listed(repo.path)
    assert [c.title for c in (fourth, third, second, first)] == [
        "fourth",
        "third",
        "second",
        "first",
    ]
    assert third.files_truncated
    assert [file.path for file in third.files] == ["a.txt"]
    assert first.files[0].patch == "@@ -0,0 +1 @@\n+1"


def test_a_huge_file_does_not_crowd_out_the_others(repo: Repo):
    repo.commit("first", {"aaa.json": "x" * 99 + "\n" * 200_000, "z.py": "y = 1\n"})
    big, small = listed(repo.path)[0].files
    assert len(big.patch) <= local_git.FILE_PATCH_BYTES
    assert small.patch.endswith("+y = 1")


def test_a_commit_is_shown_by_name(repo: Repo):
    sha = repo.commit("first", {"a.txt": "1\n"})
    assert Adapter("local", Settings(path=repo.path)).show(sha[:10]).sha == sha


def test_a_link_needs_a_place_for_the_sha(tmp_path: Path):
    with pytest.raises(ValidationError, match="sha"):
        Settings(path=tmp_path, url_template="https://git.example.org/")


class _Stream:
    """Bytes that arrive in small pieces."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = data, step

    def read(self, _: int) -> bytes:
        piece, self._data = self._data[: self._step], self._data[self._step :]
        return piece


@given(
    pieces=st.lists(st.binary(max_size=60).filter(lambda b: b"WORD" not in b), min_size=1),
    step=st.integers(min_value=1, max_value=50),
)
def test_a_stream_is_split_at_the_word_whatever_the_chunks(pieces: list[bytes], step: int):
    data = b"WORD".join(pieces)
    expected = data.split(b"WORD")
    found = list(kit_git.split(_Stream(data, step), b"WORD", 1_000))  # type: ignore[arg-type]
    assert [piece for piece, _ in found] == expected
    assert not any(cut for _, cut in found)


def test_a_piece_that_is_too_long_loses_its_end(repo: Repo):
    found = list(kit_git.split(_Stream(b"a" * 500 + b"WORD" + b"b", 7), b"WORD", 100))  # type: ignore[arg-type]
    assert found[0][0].startswith(b"a" * 100)
    assert found[0][1]
    assert found[1] == (b"b", False)
