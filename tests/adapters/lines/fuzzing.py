"""What must hold for the reading of any bytes whatever."""

from __future__ import annotations

import polars as pl

from adapters.kit.lines import BinaryContentError
from adapters.kit.records import LEVELS, LOG_SCHEMA
from tests.adapters.lines.reading import NOON, frame_of


def lines(data: bytes) -> pl.DataFrame | None:
    """Read any bytes; what comes out has the promised shape."""
    try:
        frame = frame_of(data)
    except BinaryContentError:
        return None
    assert frame.schema == pl.Schema(LOG_SCHEMA)
    numbers = frame.get_column("line")
    assert numbers.is_sorted()
    assert numbers.n_unique() == frame.height
    assert frame.get_column("text").null_count() == 0
    assert frame.get_column("text").str.contains(r"\S").all()
    assert set(frame.get_column("level").drop_nulls()) <= set(LEVELS)
    years = frame.get_column("time").dt.year().drop_nulls()
    assert years.is_empty() or int(years.max() or 0) <= NOON.year + 75  # type: ignore[arg-type]
    return frame
