"""A disk that is full, a database that refuses to write, one that somebody else has locked: late, but not lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from bot.queue.submit import Submitted, submit
from bot.queue.threads import ThreadQueue
from storage import outbox
from storage.db import BusyError, Database
from storage.investigations import NewInvestigation
from tests import servers
from tests.queue.test_run import the_job
from tests.queue.test_threads import eventually, three_stages

TABLES = ("investigation", "investigation_event", "job", "job_step", "outbox")

FULL = """
import json, resource, sys
from sqlalchemy.exc import SQLAlchemyError
from bot.queue.submit import submit
from bot.queue.threads import ThreadQueue
from storage.db import Database
from storage.investigations import NewInvestigation

db = Database(sys.argv[1])
db.migrate()
queue = ThreadQueue(db, {}, 0)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, hard))

def ask(number):
    new = NewInvestigation(workspace="T1", origin=str(number), door="slash", question="?" * 5_000)
    return submit(db, queue, new).created

taken, refused = [], 0
for number in range(2_000):
    try:
        ask(number)
        taken.append(number)
    except SQLAlchemyError:
        refused += 1
        if refused == 3:
            break
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
again = ask(number)
print(json.dumps({"taken": taken, "refused": refused, "again": again}))
"""


def test_a_full_disk_refuses_but_forgets_nothing_that_was_taken(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    done = subprocess.run(
        [sys.executable, "-c", FULL, url],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"] == 3
    assert told["again"]
    assert len(told["taken"]) > 10
    connection = sqlite3.connect(tmp_path / "bot.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = {int(origin) for (origin,) in connection.execute("SELECT origin FROM investigation")}
    finally:
        connection.close()
    assert set(told["taken"]) <= kept


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Callable[[Database], ThreadQueue]]:
    started: list[ThreadQueue] = []

    def begin(db: Database) -> ThreadQueue:
        queue = ThreadQueue(
            db,
            {"investigate": three_stages()},
            2,
            lease_s=2,
            heartbeat_s=0.5,
            sweep_s=0.2,
            poll_s=0.05,
            backoff_s=0.1,
        )
        queue.start()
        started.append(queue)
        return queue

    yield begin
    for queue in started:
        queue.stop(1)


def ask(db: Database, queue: ThreadQueue, origin: str) -> Submitted:
    return submit(
        db, queue, NewInvestigation(workspace="T1", origin=origin, door="slash", thread_ts="1")
    )


def all_said(db: Database, asked: list[Submitted]) -> None:
    eventually(lambda: {the_job(db, one.job_id).state for one in asked} == {"done"}, 30)
    with db.read() as session:
        for one in asked:
            rows = outbox.all_for(session, one.investigation_id)
            assert [row.section for row in rows] == ["collect", "reason", "report"]


def test_a_locked_sqlite_file_delays(
    tmp_path: Path, running: Callable[[Database], ThreadQueue]
) -> None:
    db = Database(f"sqlite:///{tmp_path / 'bot.db'}", busy_s=0.2)
    db.migrate()
    queue = running(db)
    asked = [ask(db, queue, "before")]
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    eventually(lambda: _locked(other))
    with pytest.raises((SQLAlchemyError, BusyError)):
        ask(db, queue, "during")
    threading.Event().wait(0.5)
    other.execute("ROLLBACK")
    other.close()
    asked.append(ask(db, queue, "during"))
    assert asked[-1].created
    all_said(db, asked)
    queue.stop(1)
    db.close()


def _locked(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


@pytest.mark.postgres
def test_a_read_only_postgres_delays(running: Callable[[Database], ThreadQueue]) -> None:
    with servers.postgres() as server:
        db = Database(server.url)
        db.migrate()
        queue = running(db)
        asked = [ask(db, queue, f"before{n}") for n in range(5)]
        _refuse(server.url)
        with pytest.raises(SQLAlchemyError):
            ask(db, queue, "after")
        threading.Event().wait(0.5)
        _allow(server.url)
        eventually(lambda: _asked(db, queue, asked), 20)
        all_said(db, asked)
        queue.stop(1)
        db.close()


def _asked(db: Database, queue: ThreadQueue, asked: list[Submitted]) -> bool:
    try:
        asked.append(ask(db, queue, "after"))
    except SQLAlchemyError:
        return False
    return True


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'cannot write in a read-only transaction' USING ERRCODE = '25006'; END $$
"""


def _refuse(url: str) -> None:
    """As a server that has become a standby: every write fails with its error, every read works."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(REFUSE)
        for table in TABLES:
            connection.execute(
                f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION refuse()"
            )


def _allow(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP FUNCTION refuse CASCADE")
