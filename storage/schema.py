"""Migrations: Alembic by its API, from the package itself, safe from several processes at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_KEY = 7_193_001  # any number that other users of the same Postgres do not take
LOCK_WAIT_S = 120


def upgrade(url: URL, revision: str = "head") -> None:
    """Migrate up to `revision`; a process that finds the work done, or being done, returns once it is done."""
    from alembic import command

    with _exclusive(url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: URL, revision: str) -> None:
    """Migrate down to `revision` (`base`: no tables). Data that has no place there is lost."""
    from alembic import command

    with _exclusive(url) as connection:
        command.downgrade(_config(connection), revision)


def current(connection: Connection) -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    from alembic.script import ScriptDirectory

    revision = ScriptDirectory.from_config(_config(None)).get_current_head()
    if revision is None:
        msg = "the package holds no migrations"
        raise RuntimeError(msg)
    return revision


def revisions() -> set[str]:
    """All revisions that this code knows."""
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return {script.revision for script in known}


def _config(connection: Connection | None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _exclusive(url: URL) -> Iterator[Connection]:
    """A connection in one transaction that nobody else migrates beside; not from a pool, which would keep the lock."""
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # evidence is nobody else's business
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_WAIT_S})

        @event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _: object) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode=WAL")
            # Rebuilding a table drops it; with foreign keys on, that would delete what refers to it.
            connection.execute("PRAGMA foreign_keys=OFF")

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        with engine.begin() as connection:
            yield connection
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                msg = f"the migration left rows of {broken[0]} without what they refer to"
                raise RuntimeError(msg)
        return
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        yield connection
