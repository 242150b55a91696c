"""A copy of an SQLite database while it is in use, and the way back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from storage import schema


class BadBackupError(Exception):
    """The file is not a whole database of this product; the text says why and is written for operators."""


def copy(source: Path, target: Path) -> int:
    """Copy a database, consistent at one moment, though others write meanwhile; returns its size in bytes.

    The target appears only when it is whole and checked; one that exists is replaced.

    Raises:
        BadBackupError: there is no such database, or the copy is damaged.
    """
    if not source.is_file():
        raise BadBackupError(f"there is no database at {source}")
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        with closing(_opened(source)) as origin, closing(sqlite3.connect(part)) as made:
            origin.backup(made, pages=1_000)
            # One file, not three: the write-ahead log of a backup is of no use.
            made.execute("PRAGMA journal_mode=DELETE")
        check(part)
        size = part.stat().st_size
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size


def check(path: Path) -> str:
    """The schema revision of a whole and undamaged database.

    Raises:
        BadBackupError: it is neither, or made by a later release.
    """
    if not path.is_file():
        raise BadBackupError(f"there is no file {path}")
    try:
        with closing(_opened(path)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        raise BadBackupError(f"{path} is not a database of this product") from None
    if found != ("ok",):
        raise BadBackupError(f"{path} is damaged")
    revision = str(row[0]) if row else ""
    if revision not in schema.revisions():
        raise BadBackupError(
            f"{path} has schema {revision or 'none'}, which this release does not know; use the one that made it"
        )
    return revision


def put_back(backup: Path, target: Path) -> Path | None:
    """Put a backup in the place of the database; what was there is kept beside it and returned.

    Nobody may have the database open.

    Raises:
        BadBackupError: see `check`; nothing was changed.
    """
    check(backup)
    part = target.with_name(f".{target.name}.restored")
    copy(backup, part)
    kept = None
    if target.exists():
        kept = target.with_name(f"{target.name}.before-restore")
        copy(target, kept)
    for leftover in ("-wal", "-shm"):
        target.with_name(target.name + leftover).unlink(missing_ok=True)
    part.replace(target)
    return kept


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
