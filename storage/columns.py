"""Column types for text and JSON that strangers wrote.

Log lines, commit messages and alert texts reach the tables. They may hold NUL bytes, half surrogate pairs and
infinities, which one database stores and the other refuses; a crash there would let a log line stop an
investigation. So both types clean what they bind, and both databases hold the same thing.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import JSON, String
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

JsonObject = dict[str, Any]
"""A JSON object; its shape belongs to whoever wrote it."""


def dumps(value: object) -> str:
    """JSON text that both databases and every reader take.

    Non-finite numbers become null, integers beyond 64 bits the nearest float, half surrogate pairs U+FFFD.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return orjson.dumps(_storable(value), option=orjson.OPT_NON_STR_KEYS).decode()


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type
    return orjson.loads(text)


def _storable(value: object) -> object:
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 63:
        try:
            return float(value)
        except OverflowError:
            return None
    return value


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
        return _whole(value[: self.limit].replace("\x00", "\ufffd"))


def json_column() -> JSON:
    """JSON kept as text on both databases (`json`, not `jsonb`): what was written is what is read."""
    return JSON(none_as_null=True)
