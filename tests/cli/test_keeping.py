"""Export, backup and restore from the command line."""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3
import threading
from pathlib import Path

import pytest

from bot.cli import main
from storage import investigations
from storage.db import Database
from storage.models import InvestigationState
from tests.report import cases
from tests.storage.databases import START, an_investigation


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'data' / 'incident-responder.db'}")
    database.migrate()
    yield database
    database.close()


def reported(db: Database) -> int:
    case = an_investigation(db)
    body = cases.report().model_dump(mode="json")
    with db.write() as session:
        investigations.save_report(session, case.id, body, "likely", 0.8, "s", START)
        investigations.set_state(session, case.id, InvestigationState.DONE, START)
    return case.id


def test_every_format_is_written(db, tmp_path, capsys):
    number = reported(db)
    an_investigation(db)  # has no report and is left out
    for form in ("markdown", "html", "json", "csv"):
        assert main(["export", "--format", form, "--out", str(tmp_path / "out")]) == 0
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {
        f"investigation-{number}{end}"
        for end in (".md", ".html", ".json", ".suspects.csv", ".patterns.csv")
    }
    html = (tmp_path / "out" / f"investigation-{number}.html").read_text()
    assert "data:image/png;base64," in html
    saved = json.loads((tmp_path / "out" / f"investigation-{number}.json").read_text())
    assert saved["conclusion"] == cases.report().conclusion
    table = (tmp_path / "out" / f"investigation-{number}.suspects.csv").read_text()
    rows = list(csv.reader(table.splitlines()))
    assert rows[0][0] == "id"
    assert "1 reports in" in capsys.readouterr().out


def test_one_report_is_printed(db, capsys):
    number = reported(db)
    assert main(["export", str(number)]) == 0
    assert capsys.readouterr().out.startswith("# ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export"], "--out"),
        (["export", "7"], "no investigation #7"),
        (["export", "7", "--format", "pdf"], "no format"),
        (["restore", "absent.db"], "there is no file"),
    ],
)
def test_what_cannot_be_done_is_said(db, words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_backup_made_under_load_is_whole_and_comes_back(db, tmp_path, capsys):
    kept = reported(db)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            an_investigation(db)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert main(["backup", "copy.db"]) == 0
    finally:
        stop.set()
        writer.join()
    assert main(["backup", "copy.db"]) == 2
    assert main(["backup", "copy.db", "--force"]) == 0
    later = an_investigation(db).id
    db.close()
    assert main(["restore", "copy.db"]) == 0
    assert "What was there before" in capsys.readouterr().out
    again = Database(str(db.url))
    with again.read() as session:
        assert investigations.get(session, kept) is not None
        assert investigations.get(session, later) is None
    again.close()


def test_a_damaged_or_foreign_file_replaces_nothing(db, tmp_path, capsys):
    reported(db)
    (tmp_path / "text.db").write_text("not a database, but long enough to look at" * 100)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (x)")
    for name in ("text.db", "other.db"):
        assert main(["restore", name]) == 2
        assert "not a database of this product" in capsys.readouterr().err
    with db.read() as session:
        assert investigations.get(session, 1) is not None


def test_a_running_bot_is_not_restored_under(db, tmp_path, capsys):
    assert main(["backup", "copy.db"]) == 0
    (tmp_path / "data" / "alive").touch()
    assert main(["restore", "copy.db"]) == 2
    assert "stop it first" in capsys.readouterr().err


def test_postgres_is_told_of_its_own_tools(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x")
    assert main(["backup", "x.db"]) == 2
    assert "pg_dump" in capsys.readouterr().err
