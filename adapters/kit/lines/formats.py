"""Which format a group of lines has, decided on a sample, and the one pattern that reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
import polars as pl

from adapters.kit.lines.headers import HEADERS, LEADS, LINES, SYSLOG_HEADERS, Header
from adapters.kit.lines.times import BY_NAME, STAMPS, Stamp

SAMPLE: Final = 96
_FEW: Final = 12
_HEAD: Final = 4_096
_PAIR = r'[A-Za-z_@][\w.@/-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
LOGFMT: Final = rf"^(?:{_PAIR}(?: +|$)){{3}}|^(?:{_PAIR}(?: +|$)){{2}}$"
_LOGFMT = re.compile(LOGFMT)
# Threads and root loggers stand where other formats have the service.
_NO_SERVICE = re.compile(
    r"^(main|root|default|thread|pool|qtp|nio|exec|http-nio|asyncio|worker-?[0-9]+)\b"
)


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a line: as JSON, as logfmt, or as text with the given beginning."""

    kind: Literal["json", "logfmt", "text"]
    name: str
    pattern: str = ""
    stamp: Stamp | None = None
    header: Header | None = None

    @property
    def prefixed(self) -> bool:
        """Whether it is the prefix that a log viewer puts before each line."""
        return self.stamp is None and self.header is not None and self.header.inner


JSON: Final = Format("json", "json")
LOGFMT_FORMAT: Final = Format("logfmt", "logfmt")


def sample(rows: pl.Series, size: int = SAMPLE) -> pl.Series:
    """Some of the rows, from all over; the steps vary, because what writers take turns at is periodic."""
    if rows.len() <= size:
        return rows
    golden = 0.618033988749895
    return rows.gather(np.unique((np.arange(size) * golden % 1 * rows.len()).astype(np.int64)))


def heads(rows: pl.Series) -> list[str]:
    """The beginnings of a sample of the rows: formats show there, and a line may be a megabyte long.

    Indented lines are left out where there are others: they belong to something, and may be nine in ten.
    """
    outer = rows.filter(~rows.str.contains(r"^\s"))
    return sample(rows if outer.is_empty() else outer).str.head(_HEAD).to_list()


def matches(fmt: Format, lines: Sequence[str]) -> int:
    """How many of the lines have the format."""
    if fmt.kind == "json":
        return sum(_like_json(line) for line in lines)
    pattern = _LOGFMT if fmt.kind == "logfmt" else _compiled(fmt.pattern)
    return sum(bool(pattern.match(line)) for line in lines)


def detect(lines: Sequence[str], *, inner: bool = False) -> Format | None:
    """The format to read next of a group of lines, or None where nothing is known about them.

    The most particular one is taken that enough of the lines have, not the most frequent: what it leaves is
    looked at again, and a general format would have taken everything.

    Args:
        lines: some of the lines, from all over the group.
        inner: they are what an envelope held, so they have no prefix of a log viewer again.
    """
    enough = 1 if len(lines) <= _FEW else max(2, len(lines) // 20)
    timed = [fmt for fmt in _line_formats() if fmt.stamp]
    untimed = [fmt for fmt in _line_formats() if not fmt.stamp and not (inner and fmt.prefixed)]
    for fmt in (JSON, *timed, LOGFMT_FORMAT):
        if matches(fmt, lines) >= enough and _believable(fmt, lines):
            return fmt
    if found := _stamped(lines, enough):
        return found
    for fmt in untimed:
        if matches(fmt, lines) >= enough:
            return fmt
    return None


def _like_json(line: str) -> bool:
    return line.lstrip().startswith("{") and (len(line) >= _HEAD or line.rstrip().endswith("}"))


def _stamped(lines: Sequence[str], enough: int) -> Format | None:
    """A time with a header after it."""
    best, lead, stamp = 0, "", STAMPS[0]
    for one_lead, one_stamp, pattern in _beginnings():
        hits = sum(bool(pattern.match(line)) for line in lines)
        if hits >= enough and hits > best:
            best, lead, stamp = hits, one_lead, one_stamp
    if not best:
        return None
    need = max(1, min(enough, best // 10))
    for header in _headers_after(lead, stamp):
        fmt = _text(lead, stamp, header)
        if matches(fmt, lines) >= need and _believable(fmt, lines):
            return fmt
    return None


def _headers_after(lead: str, stamp: Stamp) -> tuple[Header, ...]:
    if "level" in lead:
        return tuple(header for header in HEADERS if "<level>" not in header.pattern)
    if stamp.name.startswith("syslog"):
        return (*SYSLOG_HEADERS, *HEADERS)
    return HEADERS


@cache
def _beginnings() -> tuple[tuple[str, Stamp, re.Pattern[str]], ...]:
    # A bare number or clock at the beginning of a line is a time only where nothing better is found.
    stamps = sorted(STAMPS, key=lambda stamp: stamp.name in {"epoch", "clock", "short date"})
    return tuple(
        (lead, stamp, _compiled(re.sub(r"\(\?P<\w+>", "(?:", lead + stamp.pattern)))
        for stamp in stamps
        for lead in LEADS
    )


@cache
def _line_formats() -> tuple[Format, ...]:
    formats = []
    for name, header in LINES:
        stamp = BY_NAME.get(name)
        begin = header.pattern
        if stamp is not None:
            before, _, after = begin.partition("{stamp}")
            begin = (
                f"(?P<head>{before}{stamp.pattern}\\]? ?){after.removeprefix(']').lstrip()}"
                if header.whole
                else f"(?P<head>{before}{stamp.pattern}{after})"
            )
        else:
            begin = f"(?P<head>){begin}" if header.whole else f"(?P<head>{begin})"
        formats.append(Format("text", header.name, begin, stamp, header))
    return tuple(formats)


@cache
def _text(lead: str, stamp: Stamp, header: Header) -> Format:
    after = header.pattern.removeprefix("^")
    pattern = (
        f"(?P<head>{lead}{stamp.pattern}\\]? ?){after.removeprefix(']?').removeprefix(' ')}"
        if header.whole
        else f"(?P<head>{lead}{stamp.pattern}{after})"
    )
    return Format("text", f"{stamp.name}, {header.name}", pattern, stamp, header)


def _believable(fmt: Format, lines: Sequence[str]) -> bool:
    """Whether what stands in the service's place can be one."""
    if "<service>" not in fmt.pattern or fmt.stamp is None:
        return True
    pattern = _compiled(fmt.pattern)
    found = [
        match["service"] for line in lines if (match := pattern.match(line)) and match["service"]
    ]
    if any(_NO_SERVICE.match(name.lower()) for name in found):
        return False
    return len(set(found)) <= max(3, len(found) * 2 // 3)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.DOTALL)
