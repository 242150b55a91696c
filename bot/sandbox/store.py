"""Where the workspace survives a restart: one SQLite table of JSON documents, or nowhere."""

from __future__ import annotations

import base64
import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Store(Protocol):
    """Documents by kind and key. A killed process loses nothing that `put` has returned from."""

    def put(self, kind: str, key: str, value: object) -> None: ...
    def drop(self, kind: str, key: str) -> None: ...
    def items(self, kind: str) -> Iterator[tuple[str, Any]]: ...
    def all(self, kind: str, of: type[T]) -> list[T]: ...
    def close(self) -> None: ...


class NoStore:
    """Keeps nothing: a workspace that lives as long as its process."""

    def put(self, kind: str, key: str, value: object) -> None:
        """Forget it."""

    def drop(self, kind: str, key: str) -> None:
        """Nothing is there."""

    def items(self, kind: str) -> Iterator[tuple[str, Any]]:  # noqa: ARG002 - there is nothing of any kind
        return iter(())

    def all(self, kind: str, of: type[T]) -> list[T]:  # noqa: ARG002 - there is nothing of any kind
        return []

    def close(self) -> None:
        """Nothing to close."""


class SqliteStore:
    """Keeps everything in `workspace.db` under the given folder, which is made if it is missing.

    Writes reach the file system at once, the disk when the system likes: a killed process loses nothing, a
    power cut may lose the last seconds of what is a toy workspace.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "workspace.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS thing (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))"
        )

    def put(self, kind: str, key: str, value: object) -> None:
        document = json.dumps(value, default=_plain)
        self._db.execute("INSERT OR REPLACE INTO thing VALUES (?, ?, ?)", (kind, key, document))

    def drop(self, kind: str, key: str) -> None:
        self._db.execute("DELETE FROM thing WHERE kind = ? AND key = ?", (kind, key))

    def items(self, kind: str) -> Iterator[tuple[str, Any]]:
        rows = self._db.execute(
            "SELECT key, value FROM thing WHERE kind = ? ORDER BY rowid", (kind,)
        ).fetchall()
        return ((key, json.loads(value, object_hook=_restored)) for key, value in rows)

    def all(self, kind: str, of: type[T]) -> list[T]:
        return [of(**value) for _, value in self.items(kind)]

    def close(self) -> None:
        self._db.close()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode()}
    raise TypeError(f"cannot be stored: {type(value).__name__}")


def _restored(document: dict[str, Any]) -> object:
    if document.keys() == {"__bytes__"}:
        return base64.b64decode(document["__bytes__"])
    return document
