"""Engines and sessions. What differs between SQLite and Postgres lives here and nowhere else.

SQLite has two engines: readers begin deferred and are refused to write; writers begin IMMEDIATE, one at a time
under a lock of the process, because a deferred transaction that turns into a writer fails with "database is
locked" whatever the busy timeout. Other processes are waited for by the busy timeout.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session, select

from storage import schema
from storage.columns import dumps, loads
from storage.models import Row
from storage.writer import GroupWriter

T = TypeVar("T")
log = structlog.get_logger()

POSTGRES_LIMITS = (
    "-c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
)


def utcnow() -> datetime:
    return datetime.now(UTC)


class BusyError(Exception):
    """Somebody else has been writing for longer than we are ready to wait. Trying again later is right."""


class Database:
    """One database, shared by all threads of the process.

    Args:
        url: `sqlite:////absolute/path.db` or `postgresql://user:password@host/name`.
        clock: the time. None: the machine's on SQLite, the server's on Postgres, so that workers cannot disagree.
        busy_s: how long a writer waits for its turn before `BusyError` (SQLite's own error for other processes).

    Raises:
        ValueError: the URL names another database, or SQLite in memory, which cannot be shared or survive.
    """

    def __init__(
        self, url: str, *, clock: Callable[[], datetime] | None = None, busy_s: float = 10.0
    ) -> None:
        self.url = _checked(url)
        self.dialect = self.url.get_backend_name()
        self._clock = clock or (utcnow if self.dialect == "sqlite" else None)
        self._busy_s = busy_s
        self._turn = threading.Lock()
        self._turn_of: int | None = None
        self._closed = False
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)
        if self.dialect == "sqlite":
            self._writer = self._sqlite("BEGIN IMMEDIATE", pool_size=1, query_only=False)
            self._reader = self._sqlite("BEGIN", pool_size=16, query_only=True)
        else:
            self._writer = create_engine(
                self.url,
                pool_size=10,
                max_overflow=22,
                pool_pre_ping=True,
                connect_args={"connect_timeout": 10, "options": POSTGRES_LIMITS},
                json_serializer=dumps,
                json_deserializer=loads,
            )
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._group = GroupWriter(self.write)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one consistent state and cannot write."""
        self._must_be_open()
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when an error leaves it.

        Nothing slow belongs inside; on SQLite every other writer waits.

        Raises:
            BusyError: the turn did not come within `busy_s`.
        """
        self._must_be_open()
        with self._my_turn(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()
            topics = sorted(session.info.get(TOPICS, ()))
        for topic in topics:
            for listener in self._listeners[topic]:
                listener()

    def together(self, write: Callable[[Session], T]) -> T:
        """Run `write` in a transaction shared with whatever else is waiting, and return when it is committed.

        For small frequent writes (progress events): a commit for many costs as much as a commit for one. When
        a batch fails, each member is run again alone, so `write` must do nothing but use its session.
        """
        return self._group.run(write)

    def subscribe(self, topic: str, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit of this process that touched the topic (see `touch`).

        A hint, never the only way to find work: other processes write too. Listeners must return at once.
        """
        self._listeners[topic].append(listener)

    def now(self, session: Session) -> datetime:
        """The time that leases are measured with (see `clock`). Aware UTC."""
        if self._clock is not None:
            return self._clock()
        now: datetime = session.exec(select(func.clock_timestamp())).one()
        return now.astimezone(UTC)

    def migrate(self) -> None:
        """Bring the schema up to `head()`. Any number of processes may do so at once."""
        schema.upgrade(self.url)

    def revision(self) -> str | None:
        """The schema's revision; None before the first `migrate`."""
        with self._reader.connect() as connection:
            return schema.current(connection)

    def head(self) -> str:
        """The revision that this code needs."""
        return schema.head()

    def close(self) -> None:
        """Finish what waits to be written and let go of all connections; a thread that comes later is refused."""
        self._group.close()
        self._closed = True
        self._reader.dispose()
        self._writer.dispose()

    def _must_be_open(self) -> None:
        if self._closed:
            msg = "the database is closed"
            raise RuntimeError(msg)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self.dialect != "sqlite":
            yield
            return
        me = threading.get_ident()
        if self._turn_of == me:
            msg = "write() inside write() in one thread: pass the session on instead"
            raise RuntimeError(msg)
        if not self._turn.acquire(timeout=self._busy_s):
            raise BusyError
        self._turn_of = me
        try:
            yield
        finally:
            self._turn_of = None
            self._turn.release()

    def _sqlite(self, begin: str, *, pool_size: int, query_only: bool) -> Engine:
        engine = create_engine(
            self.url,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=16,
            connect_args={"timeout": self._busy_s},
            json_serializer=dumps,
            json_deserializer=loads,
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _: object) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves
            # FULL: a power cut loses nothing that was acknowledged. Progress shares its commits (`together`).
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                f"query_only={int(query_only)}",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine


TOPICS = "topics"


def touch(session: Session, topic: str) -> None:
    """Note that this transaction changes `topic`; its listeners are called once it is committed."""
    session.info.setdefault(TOPICS, set()).add(topic)


def insert(session: Session, table: type[Row]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the session's dialect, with `on_conflict_do_nothing` and `on_conflict_do_update`.

    On the table, not the class, and with the values as `params` of `exec`: half the time of an ORM insert.
    """
    plain = Row.metadata.tables[str(table.__tablename__)]
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(plain)
    return postgresql.insert(plain)


def one_at_a_time(session: Session, key: int) -> None:
    """Let one transaction at a time pass here, in all processes. SQLite's writers already take turns."""
    if session.get_bind().dialect.name != "sqlite":
        session.exec(select(func.pg_advisory_xact_lock(key)))


def _checked(text: str) -> URL:
    msg = "the database must be sqlite:////path/to/file.db or postgresql://user:password@host/name"
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError(msg) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database and url.database != ":memory:" and not url.query:
        return url.set(drivername="sqlite", database=str(Path(url.database).absolute()))
    raise ValueError(msg)
