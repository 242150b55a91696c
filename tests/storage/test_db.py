"""Transactions: readers that cannot write, writers that take turns, commits that are shared."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from storage import inbox, investigations
from storage.db import BusyError, Database
from storage.models import Inbox
from tests.storage.databases import START, an_investigation


def remembered(db: Database) -> set[str]:
    with db.read() as session:
        return set(session.exec(select(Inbox.event_id)).all())


def test_an_error_inside_a_transaction_undoes_all_of_it(db: Database) -> None:
    def half() -> None:
        with db.write() as session:
            inbox.remember(session, "s", "e1", START)
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert remembered(db) == set()


def test_a_reader_cannot_write(db: Database) -> None:
    with db.read() as session, pytest.raises(DBAPIError, match=r"read-?only"):
        inbox.remember(session, "s", "e1", START)
    with db.write() as session:
        assert inbox.remember(session, "s", "e1", START)


def test_a_reader_sees_one_state_while_others_write(db: Database) -> None:
    case = an_investigation(db)
    with db.read() as reader:
        assert investigations.get(reader, case.id) is not None
        before = reader.exec(select(Inbox)).all()
        with db.write() as session:
            inbox.remember(session, "s", "e1", START)
        assert reader.exec(select(Inbox)).all() == before


def test_writing_inside_writing_is_a_bug_that_says_so(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bot.db")
    with db.write(), pytest.raises(RuntimeError, match="pass the session on"), db.write():
        pass
    db.close()


def test_sixteen_writers_that_read_first_never_meet_a_locked_database(db: Database) -> None:
    def write(n: int) -> None:
        with db.write() as session:
            session.exec(select(Inbox)).all()
            inbox.remember(session, "s", str(n), START)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(200)))
    assert len(remembered(db)) == 200


def test_a_writer_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bot.db", busy_s=0.05)
    db.migrate()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with db.write() as session:
            inbox.remember(session, "s", "e", START)
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    with pytest.raises(BusyError), db.write():
        pass
    done.set()
    thread.join()
    db.close()


def test_another_processes_transaction_is_waited_for(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bot.db")
    db.migrate()
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, other.execute, ("COMMIT",))
    timer.start()
    with db.write() as session:
        assert inbox.remember(session, "s", "e", START)
    timer.join()
    other.close()
    db.close()


def test_shared_commits_return_what_each_wrote_and_fail_alone(db: Database) -> None:
    def write(n: int) -> str:
        def work(session: Session) -> str:
            inbox.remember(session, "s", str(n), START)
            if n % 10 == 7:
                raise KeyError(n)
            return f"wrote {n}"

        try:
            return db.together(work)
        except KeyError:
            return "failed"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(write, range(100)))
    assert outcomes == ["failed" if n % 10 == 7 else f"wrote {n}" for n in range(100)]
    assert remembered(db) == {str(n) for n in range(100) if n % 10 != 7}


def test_a_closed_database_refuses_latecomers(url: str) -> None:
    db = Database(url)
    an_investigation(db)
    db.close()
    with pytest.raises(RuntimeError, match="closed"), db.read():
        pass
    with pytest.raises(RuntimeError, match="closed"):
        db.together(lambda session: None)


def test_without_a_clock_the_time_is_the_databases(url: str) -> None:
    db = Database(url)
    with db.read() as session:
        now = db.now(session)
    assert now.tzinfo is UTC
    assert abs((now - datetime.now(UTC)).total_seconds()) < 60
    db.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/db", "sqlite:///x.db?mode=ro"]
)
def test_databases_that_cannot_carry_the_bot_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ValueError, match="must be sqlite") as refusal:
        Database(url)
    assert "secret" not in str(refusal.value)
