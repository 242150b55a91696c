"""Refusals, in the form in which Slack words them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
"""A JSON object as it travels on the wire; its shape is Slack's, not ours."""


class SlackError(Exception):
    """A call that Slack refuses: HTTP 200 with `ok: false` and this code.

    Args:
        code: Slack's error code, for example `not_in_channel`.
        messages: the details that Slack puts under `response_metadata.messages`.
        extra: further members of the answer, for example `needed` of `missing_scope`.
    """

    def __init__(self, code: str, *, messages: Sequence[str] = (), **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.extra = extra

    def answer(self) -> Json:
        answer: Json = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": [f"[ERROR] {one}" for one in self.messages]}
        return answer


class DriverError(ValueError):
    """Whoever drives the local Slack asked for something that no person could do there.

    The text says what was wrong and what exists instead; it is written to be read by the author of a test.
    """
