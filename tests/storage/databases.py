"""Databases for tests: SQLite always, Postgres when TEST_POSTGRES_URL names a server."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from storage import investigations
from storage.db import Database
from storage.models import Investigation, Row

POSTGRES = os.getenv("TEST_POSTGRES_URL", "")
START = datetime(2026, 11, 3, 14, 0, tzinfo=UTC)

BOTH = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=[
            pytest.mark.postgres,
            pytest.mark.skipif(not POSTGRES, reason="TEST_POSTGRES_URL names no Postgres server"),
        ],
    ),
]


@dataclass
class Clock:
    """A clock that stands still until it is told."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def tick(self, seconds: float) -> datetime:
        self.time += timedelta(seconds=seconds)
        return self.time


@contextmanager
def empty_database(dialect: str, folder: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if dialect == "sqlite":
        yield f"sqlite:///{folder / 'empty.db'}"
        return
    name = f"ir_test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(
        make_url(POSTGRES).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def migrated(dialect: str, folder: Path) -> Iterator[str]:
    """The URL of a database with all tables, made once a session and emptied by `fresh`."""
    with empty_database(dialect, folder) as url:
        db = Database(url)
        db.migrate()
        db.close()
        yield url


def fresh(url: str, folder: Path) -> str:
    """An empty database of the current schema: a copy of the file, or the emptied tables."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        assert made.database
        shutil.copy(made.database, folder / "bot.db")
        return f"sqlite:///{folder / 'bot.db'}"
    engine = create_engine(made.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    tables = ", ".join(table.name for table in Row.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return url


def an_investigation(db: Database, **fields: object) -> Investigation:
    known: dict[str, object] = {
        "workspace": "T1",
        "origin": uuid.uuid4().hex,
        "door": "slash",
        "channel": "C1",
        "question": "checkout returns 500",
    }
    new = investigations.NewInvestigation(**(known | fields))  # type: ignore[arg-type]
    with db.write() as session:
        return investigations.open(session, new, START)[0]
