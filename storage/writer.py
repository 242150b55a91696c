"""Group commit: many small writes, one transaction.

A commit costs a flush to disk whatever its size. Sixteen threads that commit one row each wait for sixteen
flushes; one thread that commits what has gathered meanwhile waits for one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlmodel import Session

T = TypeVar("T")
LARGEST_BATCH = 256


@dataclass
class _Task:
    write: Callable[[Session], Any]
    outcome: Future[Any] = field(default_factory=Future)


class GroupWriter:
    """One thread that commits the writes of all others; it starts with the first of them."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Session]]) -> None:
        self._transaction = transaction
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def run(self, write: Callable[[Session], T]) -> T:
        """Wait until `write` is committed; return what it returned or raise what it raised."""
        task = _Task(write)
        with self._lock:
            if self._closed:
                msg = "the database is closed"
                raise RuntimeError(msg)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="group-writer", daemon=True)
                self._thread.start()
            self._tasks.put(task)
        result: T = task.outcome.result()
        return result

    def close(self) -> None:
        """Commit what is waiting, then end the thread. Later writes are refused."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            self._tasks.put(None)
        if thread is not None:
            thread.join()

    def _loop(self) -> None:
        while (first := self._tasks.get()) is not None:
            batch: list[_Task] = [first]
            last = False
            while len(batch) < LARGEST_BATCH and not self._tasks.empty():
                task = self._tasks.get()
                if task is None:
                    last = True
                    break
                batch.append(task)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[_Task]) -> None:
        try:
            with self._transaction() as session:
                results = [task.write(session) for task in batch]
        except BaseException as error:  # noqa: BLE001 - each caller gets its own error, the thread lives on
            if len(batch) == 1:
                batch[0].outcome.set_exception(error)
            else:
                for task in batch:
                    self._commit([task])
            return
        for task, result in zip(batch, results, strict=True):
            task.outcome.set_result(result)
