"""The stream loop: block after block, with the last event of each held back until its end is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from adapters.kit.lines.blocks import Block, blocks
from adapters.kit.lines.joining import HEADED, MAX_LINES, RECORD
from adapters.kit.lines.parse import Memory, events, parse
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA, LogBatch

_HELD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines come from, and what they leave unsaid.

    Attributes:
        name: of the configured source.
        calendar: default zone, and the moment that years and dates are inferred from.
        origin: file, stream or container.
        service: service of events that name none.
        url: link for people.
    """

    name: str
    calendar: Calendar
    origin: str = ""
    service: str = ""
    url: str = ""


def read(
    chunks: Iterable[bytes | str], source: Source, *, first_line: int | None = 1
) -> Iterator[LogBatch]:
    """Read a stream of log text.

    Args:
        chunks: the text, in pieces that need not end where lines do.
        source: what the batches say about it.
        first_line: number of the first line; None where it is not known (then `line` is null).

    Yields:
        Batches of at most about 65,536 events, in the order of the stream. Memory does not grow with its length.

    Raises:
        BinaryContentError: it is not text.
    """
    memory = Memory()
    held: pl.Series | None = None
    before: Block | None = None
    data = (
        chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk for chunk in chunks
    )
    for block in blocks(data, first_line or 1):
        if before is not None:
            held, batch = _batch(
                _with_held(held, before), source, memory, numbered=first_line is not None
            )
            yield batch
        before = block
    if before is not None:
        _, batch = _batch(
            _with_held(held, before), source, memory, numbered=first_line is not None, last=True
        )
        yield batch


def read_messages(frame: pl.DataFrame, source: Source) -> LogBatch:
    """Read messages that a system handed over one by one, with the fields that it knows.

    Args:
        frame: a column `text`, and any others of `LOG_SCHEMA`; in the order of time. What a column says wins over
            what the message says, but for the level and the service of a message that is itself a log line.
    """
    parsed = parse(frame.get_column("text").fill_null(""), source.calendar, Memory(), depth=1)
    given = [name for name in LOG_SCHEMA if name in frame.columns and name != "text"]
    told = frame.select(
        pl.col(name).cast(LOG_SCHEMA[name]).alias(f"{name}_given") for name in given
    )
    both = pl.concat([parsed, told], how="horizontal")
    columns: list[pl.Expr] = []
    for name in given:
        order = [f"{name}_given", name] if name in parsed.columns else [f"{name}_given"]
        if name == "level":
            order.reverse()
        columns.append(pl.coalesce(order).alias(name))
    timed = pl.max_horizontal("head", pl.lit(RECORD, pl.UInt8)).alias("head")
    both = both.with_columns(*columns, timed).drop(f"{name}_given" for name in given)
    if "line" not in both.columns:
        both = both.with_columns(pl.lit(None, pl.Int64).alias("line"))
    return LogBatch(source.name, _framed(events(both), source), url=source.url)


def _with_held(held: pl.Series | None, block: Block) -> Block:
    if held is None or held.is_empty():
        return block
    return replace(block, lines=pl.concat([held, block.lines]), first=block.first - held.len())


def _batch(
    block: Block, source: Source, memory: Memory, *, numbered: bool, last: bool = False
) -> tuple[pl.Series | None, LogBatch]:
    """Parse a block; keep back the lines that may belong to an event which the next block goes on with."""
    parsed = parse(block.lines, source.calendar, memory)
    numbers = pl.int_range(block.first, block.first + block.lines.len(), dtype=pl.Int64, eager=True)
    held = None
    if not last and (count := _open_end(parsed, block.lines)):
        held = block.lines.tail(count)
        parsed, numbers = parsed.head(parsed.height - count), numbers.head(parsed.height - count)
    if not numbered:
        numbers = pl.Series("line", [None], dtype=pl.Int64).new_from_index(0, parsed.height)
    frame = events(parsed.with_columns(numbers.alias("line")))
    notes = tuple(_notes(block, source))
    return held, LogBatch(source.name, _framed(frame, source), url=source.url, notes=notes)


def _open_end(parsed: pl.DataFrame, lines: pl.Series) -> int:
    """How many lines at the end of a block belong to its last event, as far as one can tell without the next."""
    tail = parsed.get_column("head").tail(MAX_LINES)
    starts = (tail == HEADED).arg_true()
    count = tail.len() - int(starts[-1]) if starts.len() else min(tail.len(), 100)
    if count >= parsed.height or int(lines.tail(count).str.len_bytes().sum()) > _HELD_BYTES:
        return 0
    return count


def _notes(block: Block, source: Source) -> Iterator[str]:
    if block.cut:
        yield f"{source.origin or source.name}: {block.cut} over-long lines were cut after 1 MiB."
    if block.nuls:
        yield f"{source.origin or source.name}: {block.nuls} NUL bytes were skipped."


def _framed(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The columns of `LOG_SCHEMA`, with what the source says where the lines say nothing."""
    origin = pl.lit(source.origin or None, pl.String)
    if "origin" in frame:
        origin = pl.col("origin").fill_null(origin)
    service = pl.col("service").fill_null(source.service) if source.service else pl.col("service")
    return frame.with_columns(service, origin.alias("origin")).select(
        pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items()
    )
