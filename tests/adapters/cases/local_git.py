from __future__ import annotations

import subprocess
from pathlib import Path

from adapters.kit.errors import Reason
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at

STREAM = """commit refs/heads/main
author Ann <ann@example.org> 1795168800 +0000
committer Ann <ann@example.org> 1795168800 +0000
data 12
Begin it all
M 100644 inline app.py
data 6
a = 1

commit refs/heads/main
author Bob <bob@example.org> 1795172400 +0000
committer Bob <bob@example.org> 1795172400 +0000
data 10
Change one
M 100644 inline app.py
data 6
a = 2

"""


def repository(folder: Path) -> Config:
    path = folder / "repo"
    git = ["git", "-C", str(path)]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(path)], check=True)
    subprocess.run([*git, "fast-import", "--quiet"], input=STREAM.encode(), check=True)
    return {"path": str(path)}


def not_a_repository(folder: Path) -> Config:
    (folder / "plain").mkdir()
    return {"path": str(folder / "plain")}


CASE = Case(
    group="git_sources",
    type="local",
    prepare=repository,
    window=Window(since=at("2026-11-20T09:00"), until=at("2026-11-20T13:00")),
    expect=(
        ("Change one", at("2026-11-20T11:00")),
        ("Begin it all", at("2026-11-20T10:00")),
    ),
    empty=Window(since=at("2026-11-20T11:00:01"), until=at("2026-11-20T12:00")),
    broken=(
        (Reason.NOT_FOUND, lambda folder: {"path": str(folder / "missing")}),
        (Reason.NOT_FOUND, not_a_repository),
    ),
)
