"""Log lines can be many gigabytes: batches are kept in memory up to a bound, then in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from adapters.kit.records import LogBatch

MEMORY_BYTES = 384 * 1024 * 1024


class LogStore:
    """A re-iterable, append-only sequence of log batches with bounded memory. Thread-safe for appending."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._batches: list[LogBatch | tuple[Path, LogBatch]] = []
        self._lock = threading.Lock()
        self._left = memory_bytes
        self._folder: Path | None = None

    def append(self, batch: LogBatch) -> None:
        size = int(batch.frame.estimated_size())
        with self._lock:
            if size <= self._left:
                self._left -= size
                self._batches.append(batch)
                return
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="incident-responder-"))
            path = self._folder / f"{len(self._batches)}.arrow"
        batch.frame.write_ipc(path, compression="lz4")
        empty = LogBatch(batch.source, batch.frame.clear(), batch.url, batch.truncated, batch.notes)
        with self._lock:
            self._batches.append((path, empty))

    def __iter__(self) -> Iterator[LogBatch]:
        for held in tuple(self._batches):
            if isinstance(held, LogBatch):
                yield held
            else:
                path, batch = held
                frame = pl.read_ipc(path)
                yield LogBatch(batch.source, frame, batch.url, batch.truncated, batch.notes)

    def __len__(self) -> int:
        return len(self._batches)

    def close(self) -> None:
        """Forget everything, on disk too."""
        self._batches.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
