"""Small readers of query languages, written from their grammars: they tell literals from everything else.

A query whose skeleton (the text with its literals taken out) does not depend on what was put into it cannot have
been broken out of.
"""

from __future__ import annotations

import re

_GO = re.compile(r'"((?:[^"\\\n]|\\(?:[abfnrtv\\"]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{3}))*)"')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}  # fmt: skip


def go_literals(query: str) -> tuple[str, list[str]]:
    """The skeleton of a PromQL or LogQL query, and its double-quoted literals as the server understands them."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        found.append(_unquoted(match.group(1)))
        return "S"

    return _GO.sub(take, query), found


def _unquoted(body: str) -> str:
    def one(match: re.Match[str]) -> str:
        escape = match.group(1)
        return chr(int(escape[1:], 16)) if escape[0] in "ux" else _ESCAPES[escape]

    units = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", one, body)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def backslashed(query: str, quote: str = '"') -> tuple[str, list[str]]:
    """The skeleton and the literals where a backslash makes the next character plain, whatever it is."""
    skeleton: list[str] = []
    found: list[str] = []
    current: list[str] | None = None
    characters = iter(query)
    for character in characters:
        if current is None:
            if character == quote:
                current = []
            skeleton.append("S" if character == quote else character)
        elif character == "\\":
            current.append(next(characters))
        elif character == quote:
            found.append("".join(current))
            current = None
        else:
            current.append(character)
    assert current is None, "a literal that never ends"
    return "".join(skeleton), found
