"""Asks a vendor several things at once, where a list must be completed item by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from adapters.kit.errors import AdapterError

Item = TypeVar("Item")
Result = TypeVar("Result")


def together(
    task: Callable[[Item], Result], items: Sequence[Item], workers: int = 8
) -> list[Result | AdapterError]:
    """The results in the order of the items; where there is none, the error instead of it.

    The cache of the investigation holds within the threads too.
    """
    if not items:
        return []
    with ThreadPoolExecutor(min(workers, len(items)), thread_name_prefix="vendor") as pool:
        futures = [pool.submit(copy_context().run, attempted, task, item) for item in items]
        return [future.result() for future in futures]


def attempted(task: Callable[[Item], Result], item: Item) -> Result | AdapterError:
    """What a call gives, or its error as a value, where there is something else to do then."""
    try:
        return task(item)
    except AdapterError as error:
        return error
