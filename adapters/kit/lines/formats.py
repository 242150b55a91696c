"""Which format a group of lines has, decided on a sample, and the one pattern that reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from adapters.kit.lines.headers import HEADERS, LEADS, LINES, SYSLOG_HEADERS, Header
from adapters.kit.lines.times import BY_NAME, STAMPS, Stamp

SAMPLE: Final = 96
_FEW: Final = 12
_JSON = re.compile(r"^\s*\{.*\}\s*$", re.DOTALL)
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


def matches(fmt: Format, sample: Sequence[str]) -> int:
    """How many lines of the sample have the format."""
    if fmt.kind == "json":
        return sum(bool(_JSON.match(line)) for line in sample)
    if fmt.kind == "logfmt":
        return sum(bool(_LOGFMT.match(line)) for line in sample)
    pattern = _compiled(fmt.pattern)
    return sum(bool(pattern.match(line)) for line in sample)


def detect(sample: Sequence[str], *, inner: bool = False) -> Format | None:
    """The format to read next of a group of lines, or None where nothing is known about them.

    Args:
        sample: some of the lines, from all over the group.
        inner: they are what an envelope held, so they have no envelope of a collector again.

    The most particular one is taken that enough of the sample has, not the most frequent: what it leaves is
    looked at again, and a general format would have taken everything.
    """
    enough = 1 if len(sample) <= _FEW else max(2, len(sample) // 20)
    timed = [fmt for fmt in _line_formats() if fmt.stamp]
    untimed = [fmt for fmt in _line_formats() if not fmt.stamp and not (inner and fmt.prefixed)]
    for fmt in (JSON, *timed, LOGFMT_FORMAT):
        if matches(fmt, sample) >= enough and _believable(fmt, sample):
            return fmt
    if found := _stamped(sample, enough):
        return found
    for fmt in untimed:
        if matches(fmt, sample) >= enough:
            return fmt
    return None


def _stamped(sample: Sequence[str], enough: int) -> Format | None:
    best: tuple[int, int, str, Stamp] | None = None
    for rank, (lead, stamp) in enumerate(_beginnings()):
        pattern = _compiled(lead + _unnamed(stamp.pattern))
        hits = sum(bool(pattern.match(line)) for line in sample)
        if hits >= enough and (best is None or hits > best[0]):
            best = (hits, -rank, lead, stamp)
    if best is None:
        return None
    hits, _, lead, stamp = best
    need = max(1, min(enough, hits // 10))
    for header in _headers_after(lead, stamp):
        fmt = _text(lead, stamp, header)
        if matches(fmt, sample) >= need and _believable(fmt, sample):
            return fmt
    return None


def _headers_after(lead: str, stamp: Stamp) -> tuple[Header, ...]:
    if "level" in lead:
        return tuple(header for header in HEADERS if "<level>" not in header.pattern)
    if stamp.name.startswith("syslog"):
        return (*SYSLOG_HEADERS, *HEADERS)
    return HEADERS


@cache
def _beginnings() -> tuple[tuple[str, Stamp], ...]:
    pairs = [(lead, stamp) for lead in LEADS for stamp in STAMPS]
    # A bare number or clock at the beginning of a line is a time only where nothing better is found.
    return tuple(sorted(pairs, key=lambda pair: pair[1].name in {"epoch", "clock", "short date"}))


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


def _believable(fmt: Format, sample: Sequence[str]) -> bool:
    """Whether what stands in the service's place can be one."""
    if "<service>" not in fmt.pattern or fmt.stamp is None:
        return True
    found = [
        m["service"]
        for line in sample
        if (m := _compiled(fmt.pattern).match(line)) and m["service"]
    ]
    if any(_NO_SERVICE.match(name.lower()) for name in found):
        return False
    return len(set(found)) <= max(3, len(found) * 2 // 3)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.DOTALL)


def _unnamed(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)
