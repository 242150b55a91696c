"""`incident-responder backup` and `restore`, for SQLite; Postgres has its own tools (docs/operations.md)."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.cli.alive import alive
from bot.config import load_settings
from bot.errors import ConfigError, UserError
from bot.wiring import build_database
from storage import backup as files
from storage.backup import BadBackupError


def backup(target: Path, *, force: bool) -> int:
    """Copy the database; the bot may go on.

    Raises:
        ConfigError, UserError: it is not SQLite, there is nothing to copy, or the file exists.
    """
    if target.exists() and not force:
        raise UserError(f"{target} exists; give another name or --force")
    try:
        size = files.copy(_file(), target)
    except BadBackupError as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from None
    sys.stdout.write(f"{target}: {size:,} bytes, checked.\n")
    return 0


def restore(source: Path) -> int:
    """Put a backup in the database's place and bring it to this release's schema. The bot must be stopped.

    Raises:
        ConfigError, UserError: it is not SQLite, a bot runs on it, or the backup is not whole.
    """
    target = _file()
    if alive() == 0:
        raise UserError(
            "A bot is running on this data folder (or was, a minute ago): stop it first"
        )
    try:
        kept = files.put_back(source, target)
    except BadBackupError as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from None
    db = build_database(load_settings())
    try:
        db.migrate()
        revision = db.revision()
    finally:
        db.close()
    sys.stdout.write(f"{target} is back, at schema {revision}.\n")
    if kept is not None:
        sys.stdout.write(f"What was there before is in {kept}.\n")
    return 0


def _file() -> Path:
    db = build_database(load_settings())
    db.close()
    if db.dialect != "sqlite" or not db.url.database:
        raise ConfigError(
            ["backup and restore are for SQLite; use pg_dump and pg_restore (docs/operations.md)"]
        )
    return Path(db.url.database)
