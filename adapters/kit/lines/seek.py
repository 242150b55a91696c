"""Find a window of time in a big sorted log by bisection, so that ten minutes of a huge file are cheap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from adapters.kit.lines.parse import Memory, parse
from adapters.kit.lines.times import Calendar
from adapters.kit.records import Window

Read = Callable[[int, int], bytes]
"""(offset, size) -> bytes of the file, fewer at its end."""

_PROBE: Final = 65_536
_PROBES: Final = 12
_SLACK: Final = timedelta(minutes=2)  # writers that share a file are a little out of order


def span(read: Read, size: int, window: Window, calendar: Calendar) -> tuple[int, int]:
    """The bytes of a file that can hold lines of the window.

    Args:
        read: reads a piece of the file.
        size: of the file.

    Returns:
        (begin, end) at line starts; the whole file when its times are not in order or cannot be read.
    """
    memory = Memory()

    def moment(offset: int) -> datetime | None:
        return _first_time(read(offset, _PROBE), calendar, memory, whole=offset == 0)

    probes = [moment(size * part // _PROBES) for part in range(_PROBES)]
    known = [found for found in probes if found is not None]
    if len(known) < _PROBES or any(b < a - _SLACK for a, b in pairwise(known)):
        return 0, size
    begin = _bisect(moment, size, window.since - _SLACK)
    end = _bisect(moment, size, window.until + _SLACK) + 2 * _PROBE
    return _line_start(read, max(0, begin - _PROBE)), min(size, end)


def _bisect(moment: Callable[[int], datetime | None], size: int, wanted: datetime) -> int:
    """An offset, exact to a probe, before which all lines are earlier than `wanted`."""
    low, high = 0, size
    while high - low > _PROBE:
        middle = (low + high) // 2
        found = moment(middle)
        if found is not None and found < wanted:
            low = middle
        else:
            high = middle
    return low


def _first_time(
    piece: bytes, calendar: Calendar, memory: Memory, *, whole: bool
) -> datetime | None:
    text = piece.decode("utf-8", "replace")
    lines = text.split("\n")[0 if whole else 1 : -1]
    if not lines:
        return None
    times = parse(pl.Series("text", lines), calendar, memory).get_column("time").drop_nulls()
    first = times.first()
    return first if isinstance(first, datetime) else None


def _line_start(read: Read, offset: int) -> int:
    if offset == 0:
        return 0
    piece = read(offset - 1, _PROBE)
    return offset + piece.find(b"\n") if b"\n" in piece else 0
