from __future__ import annotations

from pathlib import Path

from adapters.kit.errors import Reason
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at

LINES = """2026-11-20T09:59:59.999Z INFO checkout before the window
2026-11-20T10:00:00.000Z INFO checkout first
2026-11-20T10:30:00.000Z ERROR checkout broken
Traceback (most recent call last):
  File "app.py", line 1, in charge
ValueError: no
2026-11-20T11:00:00.000Z INFO checkout on the border
"""

TRACE = """Traceback (most recent call last):
  File "app.py", line 1, in charge
ValueError: no"""


def folder_of_logs(folder: Path) -> Config:
    logs = folder / "logs"
    logs.mkdir()
    (logs / "app.log").write_text(LINES)
    return {"path": str(logs)}


CASE = Case(
    group="log_sources",
    type="files",
    prepare=folder_of_logs,
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(
        ("checkout first", at("2026-11-20T10:00"), "info", None),
        (f"checkout broken\n{TRACE}", at("2026-11-20T10:30"), "error", None),
    ),
    empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
    broken=((Reason.NOT_FOUND, lambda folder: {"path": str(folder / "missing")}),),
)
