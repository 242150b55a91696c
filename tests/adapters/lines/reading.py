"""Reads a text as the product does, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from adapters.kit.lines import Source, read
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def frame_of(text: str | bytes, *, zone: str = "UTC", service: str = "") -> pl.DataFrame:
    """The events of a text as one frame."""
    source = Source("test", Calendar(NOON, zone), "app.log", service)
    frames = [batch.frame for batch in read([text], source)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=LOG_SCHEMA)


def events_of(text: str | bytes, *, zone: str = "UTC") -> list[dict[str, Any]]:
    """The events of a text as dictionaries."""
    return frame_of(text, zone=zone).to_dicts()


def texts_of(text: str | bytes) -> list[str]:
    """The texts of the events."""
    return [event["text"] for event in events_of(text)]
