"""The two errors that are written to be read by people. Everything else is a bug or an `AdapterError`."""

from __future__ import annotations

from collections.abc import Sequence


class UserError(Exception):
    """The user's words make no sense to us. The text is shown as it is and says what to type instead."""


class ConfigError(Exception):
    """Settings are bad or missing.

    Args:
        problems: all of them at once, each naming the place (file, line, key or variable) and the remedy.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
