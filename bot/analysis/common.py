"""How common a word is in changes anywhere: data counted over many public repositories.

Forty candidates are too few to learn that "found" says little and `replaceEach` much. The table holds the
words that at least 1 % of the changes of several repositories touch; `python -m bot.bench.words` counts it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def _table() -> Mapping[str, float]:
    text = resources.files("bot.analysis").joinpath("common_words.json").read_text("utf-8")
    table: dict[str, float] = json.loads(text)
    return table


def share(word: str) -> float:
    """The share of changes that touch a word (lower case, singular); 0 for a rare one."""
    return _table().get(word, 0.0)
