"""Literals of query languages: text from outside goes into a query through one of these and cannot leave it.

PromQL and LogQL take the string literals of Go (https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals);
their regular expressions are RE2's (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_TOKEN = re.compile(
    r'(?P<regex>[=!]~\s*)?(?P<text>"(?:[^"\\\n]|\\.)*")|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`|#[^\n]*|[^"\'`#=!]+|.',
    re.DOTALL,
)
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


def fill(template: str, service: str, label: str) -> str:
    """Put a service into an operator's query; within its double quotes it stays text whatever it holds."""
    filled = []
    for part, text, regex in _parts(template.replace("$label", label)):
        value = re2_literal(service) if regex else service
        filled.append(part.replace("$service", go_string(value)[1:-1]) if text else part)
    return "".join(filled)


def fillable(query: str) -> bool:
    """Whether `$service` stands within double quotes only, where `fill` keeps it text."""
    return all(text or "$service" not in part for part, text, _ in _parts(query))


def _parts(query: str) -> Iterator[tuple[str, bool, bool]]:
    """The tokens of a query: the token, whether it is a double-quoted text, whether that is a regular expression."""
    for token in _TOKEN.finditer(query):
        text = token.group("text")
        if token.group("regex"):
            yield token.group("regex"), False, False
        yield (text, True, bool(token.group("regex"))) if text else (token.group(), False, False)


def _scalar(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
