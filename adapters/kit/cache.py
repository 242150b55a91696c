"""Remembers answers: for the length of an investigation, and for a short while what cannot change any more.

An investigation asks the same thing more than once (the agents repeat themselves). `investigation_cache()` opens a
cache for the calls made inside it, threads that copy its context included; the shared one is for closed windows.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """A bounded least-recently-used cache with expiry. Thread-safe.

    Args:
        max_bytes: of all values together; one that is larger than a quarter of it is not kept.
        clock: monotonic seconds.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[float, int, Value]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            if self._clock() >= found[0]:
                self._drop(key)
                return None
            self._held.move_to_end(key)
            return found[2]

    def put(self, key: Hashable, value: Value, size: int, ttl_s: float) -> None:
        if size > self._max_bytes // 4:
            return
        with self._lock:
            if key in self._held:
                self._drop(key)
            self._held[key] = (self._clock() + ttl_s, size, value)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._held)))

    def _drop(self, key: Hashable) -> None:
        _, size, _ = self._held.pop(key)
        self._bytes -= size


INVESTIGATION_BYTES = 64 * 1024 * 1024
_current: ContextVar[Cache[object] | None] = ContextVar("investigation_cache", default=None)


@contextmanager
def investigation_cache() -> Iterator[None]:
    """Remember every answer to a read until the block ends."""
    token = _current.set(Cache(INVESTIGATION_BYTES))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Cache[object] | None:
    """The cache of the investigation that this code runs in, if any."""
    return _current.get()
