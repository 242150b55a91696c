"""Migrations: up and down with data, from many processes at once, and equal to the models."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from storage import events, investigations, jobs, outbox, schema
from storage.db import Database
from storage.models import Row
from storage.outbox import Draft
from tests.storage.databases import BOTH, START, an_investigation, empty_database


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request.param, tmp_path) as url:
        db = Database(url)
        yield db
        db.close()


def tables(db: Database) -> set[str]:
    engine = create_engine(db.url, poolclass=NullPool)
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_lead_to_the_models(db: Database) -> None:
    engine = create_engine(db.url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": _not_of_the_search}
        )
        assert compare_metadata(context, Row.metadata) == []


def _not_of_the_search(_: object, name: str | None, *more: object) -> bool:
    """The index of the search differs between the databases and is made by migrations alone."""
    return not (name or "").startswith("memory_fts") and name not in {
        "document",
        "ix_memory_document",
    }


def test_a_schema_goes_up_down_and_up_again_with_data_in_it(empty: Database) -> None:
    assert empty.revision() is None
    empty.migrate()
    assert empty.revision() == empty.head()
    case = an_investigation(empty, alert={"title": "5xx"})
    case = an_investigation(empty, parent_id=case.id)
    with empty.write() as session:
        events.append(session, case.id, "progress", {"n": 1}, START)
        outbox.put(session, case.id, [Draft("root", 0, "root", "C1", {})], START)
        job = jobs.enqueue(
            session,
            kind="investigate",
            workspace="T1",
            payload={},
            now=START,
            investigation_id=case.id,
        )
    schema.downgrade(empty.url, "base")
    assert tables(empty) <= {"alembic_version"}
    empty.migrate()
    with empty.read() as session:
        assert investigations.recent(session, None, 10) == []
        assert jobs.get(session, job.id) is None
    an_investigation(empty)


def test_migrating_again_changes_nothing(empty: Database) -> None:
    empty.migrate()
    case = an_investigation(empty)
    empty.migrate()
    with empty.read() as session:
        assert investigations.get(session, case.id) is not None


def test_several_processes_may_migrate_at_once(empty: Database) -> None:
    url = empty.url.render_as_string(hide_password=False)
    program = "import sys; from storage.db import Database; Database(sys.argv[1]).migrate()"
    starting = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, url],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    outcomes = [(process.communicate(timeout=60)[1], process.returncode) for process in starting]
    assert outcomes == [("", 0)] * 4
    assert empty.revision() == empty.head()


def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    engine = create_engine(empty.url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE outbox (id INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        empty.migrate()
    assert tables(empty) == {"outbox"}
    assert empty.revision() is None


def test_deleting_an_investigation_takes_everything_of_it_along(db: Database) -> None:
    case = an_investigation(db)
    with db.write() as session:
        events.append(session, case.id, "progress", {}, START)
        outbox.put(session, case.id, [Draft("root", 0, "root", "C1", {})], START)
        session.delete(session.merge(case))
    assert an_investigation(db).id > case.id
    with db.read() as session:
        assert events.since(session, case.id) == []
        assert outbox.all_for(session, case.id) == []


def test_the_file_and_its_folder_are_made_for_one_reader(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/new/folder/bot.db")
    db.migrate()
    db.close()
    assert stat.S_IMODE((tmp_path / "new/folder/bot.db").stat().st_mode) == 0o600
