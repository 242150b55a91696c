"""Column types for text and JSON that strangers wrote.

Log lines, commit messages and alert texts reach the tables. They may hold NUL bytes, half surrogate pairs and
infinities, which one database stores and the other refuses; a crash there would let a log line stop an
investigation. So both types clean what they bind, and both databases hold the same thing.
"""

from __future__ import annotations

import json
import math
from typing import Any

import orjson
from sqlalchemy import JSON, String
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

JsonObject = dict[str, Any]
"""A JSON object; its shape belongs to whoever wrote it."""


def dumps(value: object) -> str:
    """JSON text in which every non-finite number is null."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # half a surrogate pair, an integer beyond 64 bits
        return json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # written by the fallback of `dumps`
        return json.loads(text)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


class FreeText(TypeDecorator[str]):
    """Text cut at `limit` characters; NUL and half surrogate pairs become U+FFFD."""

    impl = String
    cache_ok = True

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        cut = value[: self.limit].replace("\x00", "\ufffd")
        return cut.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def json_column() -> JSON:
    """JSON kept as text on both databases (`json`, not `jsonb`): what was written is what is read."""
    return JSON(none_as_null=True)
