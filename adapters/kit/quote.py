"""Literals of query languages: text from outside goes into a query through one of these and cannot leave it.

PromQL and LogQL take the string literals of Go (https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals);
their regular expressions are RE2's (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import json
import re

_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}")


def go_string(text: str) -> str:
    """A double-quoted string literal of Go that means `text`; lone surrogates become U+FFFD."""
    return json.dumps(_scalar(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def re2_literal(text: str) -> str:
    """A regular expression that matches `text` and nothing else."""
    return _RE2_SPECIAL.sub(lambda found: "\\" + found.group(), _scalar(text))


def is_label(name: str) -> bool:
    """Whether it may stand as the name of a label in PromQL and LogQL."""
    return _LABEL.fullmatch(name) is not None


def _scalar(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
