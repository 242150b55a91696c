"""From bytes to bounded blocks of clean lines, numbered as an editor would number them.

The rest of the package never sees a carriage return at a line's end, a colour code, a NUL or invalid UTF-8. A
line is what stands between two line feeds, whatever else is in it, so that line 4,711 here is line 4,711 in
`sed -n 4711p`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import polars as pl

BLOCK_BYTES = 8 << 20
"""How much text is parsed at once: at 130 bytes a line about one full `LogBatch`."""
BLOCK_LINES = 65_536
LINE_BYTES = 1 << 20
"""A longer line is cut here; what follows up to its line feed is dropped, and said."""
CUT_MARK = " [...]"
SAMPLE_BYTES = 65_536
BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

_ANSI = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
# https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
_SECTION = r"section_(?:start|end):[0-9]+:[^\r ]*\r"
_UNPRINTABLE = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_MAGIC = (
    b"\x7fELF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"%PDF-",
    b"SQLite format 3\0",
    b"\xca\xfe\xba\xbe",
)


class BinaryContentError(Exception):
    """The stream is not text. The message says what it looks like, without any of its bytes."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive lines of a stream.

    Attributes:
        lines: the lines without their ends, valid UTF-8.
        first: 1-based number of the first of them.
        cut: how many lines of this block were longer than `LINE_BYTES`.
        nuls: how many NUL bytes were removed.
    """

    lines: pl.Series
    first: int
    cut: int = 0
    nuls: int = 0


def looks_binary(sample: bytes) -> str:
    """Why the first bytes of a stream cannot be a log, or an empty text when they can.

    NUL bytes are not a reason: a log that was truncated under its writer begins with a run of them, and a log of
    Windows has one in every second place.
    """
    head = sample.lstrip(b"\0")[:SAMPLE_BYTES]
    if sample[:2] in BOMS:
        return ""
    if head.startswith(_MAGIC):
        return "it begins like a program, archive, picture or database"
    if not head:
        return ""
    odd = len(_UNPRINTABLE.findall(head))
    if odd * 10 > len(head):
        return "more than a tenth of its bytes are control characters"
    broken = head[: len(head) - 4].decode("utf-8", "replace").count("\ufffd")
    if broken * 10 > len(head) * 3:
        return "it is neither UTF-8 nor a Latin alphabet"
    return ""


def blocks(chunks: Iterable[bytes], first: int = 1) -> Iterator[Block]:
    """Cut a stream of byte chunks into blocks of whole lines.

    Args:
        chunks: the stream, in pieces of any size.
        first: number of the first line, where the stream begins in the middle of a file.

    Raises:
        BinaryContentError: the first bytes are not text.
    """
    number = first
    for body, nuls in _whole_lines(_text_only(chunks)):
        lines, cut = _split(body)
        for start in range(0, lines.len(), BLOCK_LINES):
            part = lines.slice(start, BLOCK_LINES)
            yield Block(part, number, cut if start == 0 else 0, nuls if start == 0 else 0)
            number += part.len()


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """Read a binary stream piece by piece until it ends."""
    while chunk := stream.read(BLOCK_BYTES):
        yield chunk


def _text_only(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Refuse binary content by its first bytes, and turn UTF-16 (Windows) into UTF-8."""
    source = iter(chunks)
    opening = b""
    for chunk in source:
        opening += chunk
        if len(opening.lstrip(b"\0")) >= 4096 or len(opening) > BLOCK_BYTES:
            break
    if reason := looks_binary(opening):
        raise BinaryContentError(reason)
    if encoding := BOMS.get(opening[:2]):
        yield from _reencoded([opening[2:]], source, encoding)
        return
    yield opening.removeprefix(b"\xef\xbb\xbf")
    yield from source


def _reencoded(opening: list[bytes], rest: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for part in (opening, rest):
        for chunk in part:
            yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Regroup chunks at line feeds into bodies of about `BLOCK_BYTES`, with the NULs removed and counted."""
    parts: list[bytes] = []
    size = open_line = nuls = 0
    for chunk in chunks:
        piece = chunk
        if b"\0" in piece:
            nuls += piece.count(b"\0")
            piece = piece.translate(None, b"\0")
        if open_line > LINE_BYTES:  # the rest of an over-long line is dropped up to its line feed
            end = piece.find(b"\n")
            piece = piece[end:] if end >= 0 else b""
        end = piece.rfind(b"\n")
        open_line = len(piece) - end - 1 if end >= 0 else open_line + len(piece)
        parts.append(piece)
        size += len(piece)
        if end >= 0 and size >= BLOCK_BYTES:
            parts[-1], rest = piece[: end + 1], piece[end + 1 :]
            yield b"".join(parts), nuls
            parts, size, nuls = [rest], len(rest), 0
    if body := b"".join(parts):
        yield body, nuls


def _split(body: bytes) -> tuple[pl.Series, int]:
    """The lines of a body, clean, and how many of them had to be cut."""
    if not body.isascii():
        body = body.decode("utf-8", "replace").encode()
    lines = pl.read_lines(body, name="text").get_column("text")
    if b"\x1b" in body:
        lines = lines.str.replace_all(_ANSI, "")
    if b"section_" in body:
        lines = lines.str.replace_all(_SECTION, "")
    if b"\r" in body:
        lines = lines.str.strip_chars_end("\r")
    long = lines.str.len_bytes() > LINE_BYTES
    cut = int(long.sum())
    if cut:
        kept = lines.str.head(LINE_BYTES) + CUT_MARK
        lines = kept.zip_with(long, lines)
    return lines, cut
