"""Alerts that somebody's function posts to Slack as the JSON that it received."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.kit.slack_message import Message


def embedded(message: Message) -> Mapping[str, object]:
    """The JSON object that the message consists of or ends with; empty where it holds none."""
    for text in (message.text, message.body):
        begin, end = text.find("{"), text.rfind("}")
        if 0 <= begin < end:
            try:
                found = json.loads(text[begin : end + 1], strict=False)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    return {}


def part(value: Mapping[str, object], *path: str) -> Mapping[str, object]:
    """The object at a path of keys, or an empty one."""
    for key in path:
        inside = value.get(key)
        if isinstance(inside, str) and inside.startswith("{"):
            try:
                inside = json.loads(inside)
            except (ValueError, RecursionError):
                return {}
        if not isinstance(inside, dict):
            return {}
        value = inside
    return value


def word(value: Mapping[str, object], *keys: str) -> str:
    """The first text or number under one of the keys."""
    for key in keys:
        found = value.get(key)
        if isinstance(found, str | int | float) and not isinstance(found, bool) and str(found):
            return str(found)[:1000]
    return ""
