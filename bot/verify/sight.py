"""A record as a claim is compared with it: its text after normalisation, and the numbers and times in it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from itertools import combinations

from bot.report.words import plain
from bot.verify.mentions import (
    CLOCK,
    MOMENT,
    NUMBER,
    Clock,
    Kind,
    Mention,
    Quantity,
    clock_of,
    quantity,
)

_SINGLE = {ord(c): "'" for c in '"`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2032\u2033'}
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_ESCAPED_QUOTE = re.compile(r"\\(?=[\"'`])")
_CUT = re.compile(r"\.{3,}|\u2026|\[secret:[a-z0-9-]{1,24}(?:#[0-9]{1,6})?\]|<\*>|\[\.\.\.\]")
_MASK = re.compile(r"<[A-Za-z*_:]{1,24}>")
_FUZZ = 0.1
_NAMED_MOMENT = re.compile(
    r"^[a-z_ ]{1,40}: ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(?:Z|[+-][0-9]{2}:[0-9]{2}))$",
    re.MULTILINE,
)
_MOST_MOMENTS = 40


def normal(text: str) -> str:
    """No colours and accents, one kind of quotation mark and dash, single spaces, no case."""
    text = unicodedata.normalize("NFKD", _ESCAPED_QUOTE.sub("", plain(text)))
    if not text.isascii():
        text = "".join(c for c in text.translate(_DASHES) if not unicodedata.combining(c))
    return " ".join(text.translate(_SINGLE).split()).casefold()


class Sight:
    """The cited records of a statement, seen together or one by one.

    Args:
        texts: what was seen, one text a record.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._raw = texts

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        return tuple(normal(text) for text in self._raw)

    @cached_property
    def _numbers(self) -> dict[str, list[float]]:
        """Sorted values in base units by dimension; under "raw", every number as it is written."""
        found: dict[str, list[float]] = {"raw": []}
        for raw in self._raw:
            text = CLOCK.sub(" , ", MOMENT.sub(" , ", raw))
            for match in NUMBER.finditer(text):
                seen = quantity(match, text)
                found["raw"].append(seen.raw)
                found.setdefault(seen.dimension, []).append(seen.value)
        for values in found.values():
            values.sort()
        return found

    @cached_property
    def _clocks(self) -> frozenset[Clock]:
        found: set[Clock | None] = set()
        for text in self._raw:
            for pattern in (MOMENT, CLOCK):
                found.update(clock_of(match) for match in pattern.finditer(text))
        return frozenset(clock for clock in found if clock is not None)

    @cached_property
    def _spans(self) -> list[float]:
        """Seconds between any two moments that the records name ("committed_at", "first_seen"), sorted.

        Moments inside log lines do not take part: among many of them, some pair always fits.
        """
        named = [match[1] for text in self._raw for match in _NAMED_MOMENT.finditer(text)]
        read = (_moment(at) for at in dict.fromkeys(named[:_MOST_MOMENTS]))
        moments = [at for at in read if at is not None]
        return sorted(abs((b - a).total_seconds()) for a, b in combinations(moments, 2))

    def holds_quote(self, quote: str) -> bool:
        """Whether one record holds the quotation; what an ellipsis, a mask or a placeholder stands for may be anything."""
        parts = _parts(quote)
        return bool(parts) and any(_in_order(parts, text) for text in self._texts)

    def holds(self, mention: Mention) -> bool:
        """Whether the records hold what is mentioned."""
        looked_up: dict[Kind, Callable[[], bool]] = {
            "quote": lambda: not _parts(mention.text) or self.holds_quote(mention.text),
            "time": lambda: self._holds_time(mention),
            "number": lambda: self._holds_number(mention.quantity, mention.text),
            "path": lambda: self._holds_path(mention),
            "sha": lambda: self._has(mention.text, before=r"(?<![0-9a-z])", after=""),
            "name": lambda: self._has(_bare_name(mention.text)),
            "service": lambda: self._has(mention.text),
            "link": lambda: any(normal(mention.text) in text for text in self._texts),
        }
        return looked_up[mention.kind]() if mention.kind in looked_up else True

    def _has(self, text: str, *, before: str = r"(?<!\w)", after: str = r"(?!\w)") -> bool:
        wanted = normal(text)
        form = re.compile(before + re.escape(wanted) + after)
        return any(wanted in seen and form.search(seen) for seen in self._texts)

    def _holds_path(self, mention: Mention) -> bool:
        path = normal(mention.text.removeprefix("./").removeprefix("~/")).rstrip("/")
        form = re.compile(r"(?:(?<![\w.-])|(?<=/))" + re.escape(path.lstrip("/")) + r"(?![\w-])")
        for text in self._texts:
            if path.lstrip("/") in text and form.search(text):
                line = mention.line
                if line is None or re.search(rf"(?<![\w.]){line}(?![\w.])", text):
                    return True
        return False

    def _holds_number(self, wanted: Quantity | None, text: str) -> bool:
        if wanted is None:
            return True
        if text.isdigit() and len(text) >= 7 and self._has(text, before="(?<![0-9a-z])", after=""):
            return True  # the beginning of a sha may be all digits
        slack = (
            abs(wanted.value) * _FUZZ
            if wanted.fuzzy
            else wanted.step / 2 + abs(wanted.value) * 1e-9
        )
        raw_slack = abs(wanted.raw) * _FUZZ if wanted.fuzzy else 1e-9
        if not wanted.dimension:
            decimals = wanted.step if wanted.step < 1 else 0.0
            return _near(self._numbers["raw"], wanted.raw, max(raw_slack, decimals / 2 + 1e-12))
        if _near(self._numbers.get(wanted.dimension, ()), wanted.value, slack):
            return True
        if wanted.dimension == "time" and _near(self._spans, wanted.value, slack):
            return True
        bare = self._numbers.get("", ())
        if (
            wanted.dimension == "share"
            and 0 <= wanted.value <= 1
            and _near(bare, wanted.value, slack)
        ):
            return True
        return _near(bare, wanted.raw, raw_slack)

    def _holds_time(self, mention: Mention) -> bool:
        wanted = mention.clock
        if wanted is None:
            return any(normal(mention.text) in text for text in self._texts)
        return any(_same(wanted, seen) for seen in self._clocks)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # a log line that looks like one
        return None


def _bare_name(name: str) -> str:
    """`pay()` as `pay`, `v1.4.2` as `1.4.2`."""
    name = name.removesuffix("()")
    return name[1:] if name[:1] == "v" and name[1:2].isdigit() else name


def _parts(quote: str) -> list[str]:
    """What a quotation says, between what it leaves out; empty when it says nothing."""
    parts = (part.strip(" '") for part in _CUT.split(_MASK.sub("\u2026", normal(quote))))
    return [part for part in parts if part]


def _in_order(parts: Sequence[str], text: str) -> bool:
    position = 0
    for part in parts:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return True


def _near(values: Sequence[float], wanted: float, slack: float) -> bool:
    return bisect_left(values, wanted - slack) < bisect_right(values, wanted + slack)


def _same(wanted: Clock, seen: Clock) -> bool:
    if wanted.date and seen.date and wanted.date != seen.date:
        return False
    if wanted.second is not None:
        return (wanted.hour, wanted.minute, wanted.second) == (
            seen.hour,
            seen.minute,
            seen.second or 0,
        )
    minutes = seen.hour * 60 + seen.minute
    rounded = minutes + (1 if (seen.second or 0) >= 30 else 0)
    return wanted.hour * 60 + wanted.minute in {minutes, rounded % 1440}
