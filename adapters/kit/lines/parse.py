"""Lines of one block to a table of events: formats found and read, envelopes off, lines joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from adapters.kit.lines import fields, joining, levels
from adapters.kit.lines.formats import LOGFMT, Format, detect, heads, matches, sample
from adapters.kit.lines.times import TIME, Calendar, convert

Heads = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_ROUNDS: Final = 16  # kinds of lines told apart in one block; what is left after that is plain text
_DEPTH: Final = 3  # envelopes within envelopes: CRI around JSON around a Java line

_TRACE: Final = r"(?i)\b(?:trace|request|correlation|req)[_-]?id[\"']?(?: ?[=:] ?|\s+)[\"']?([0-9a-z][0-9a-z_-]{7,63})\b"
_STATUS: Final = r"(?i)(?:\bstatus(?:[_ -]?code)?[\"']?(?: ?[=:] ?| )|HTTP/[0-9.]+\"? |\bHTTP |\bcode[=:] ?)[\"']?([1-5][0-9]{2})\b"


@dataclass(slots=True)
class Memory:
    """What is known about a source from its blocks so far: formats by depth, the latest first."""

    formats: dict[int, list[Format]] = field(default_factory=dict)

    def recall(self, depth: int, lines: Sequence[str], *, share: float) -> Format | None:
        """A format that was seen before, if more than such a share of the lines has it."""
        for fmt in self.formats.get(depth, []):
            if matches(fmt, lines) > len(lines) * share:
                return fmt
        return None

    def note(self, depth: int, fmt: Format) -> None:
        known = self.formats.setdefault(depth, [])
        if fmt in known:
            known.remove(fmt)
        known.insert(0, fmt)


def parse(texts: pl.Series, calendar: Calendar, memory: Memory, depth: int = 0) -> pl.DataFrame:
    """Read each line by its own format.

    Returns:
        One row a line, in order: `text` (message), `time`, `level`, `service`, `host`, `trace`, `status`, `head`
        (see `joining`) and `glue` (a container runtime split this line from the one before).
    """
    left = texts.rename("text")
    rows: pl.Series | None = None
    done: list[pl.DataFrame] = []
    for _ in range(_ROUNDS):
        if left.is_empty():
            break
        some = heads(left)
        fmt = (
            memory.recall(depth, some, share=0.6)
            or detect(some, inner=depth > 0)
            or memory.recall(depth, some, share=0)
        )
        if fmt is None:
            break
        mask, frame = _read(left, fmt, calendar)
        if frame.is_empty():
            break
        memory.note(depth, fmt)
        frame = _unwrap(frame, fmt, calendar, memory, depth)
        if frame.height == texts.len():
            return frame
        at = mask.arg_true() if rows is None else rows.filter(mask)
        done.append(frame.with_columns(at.alias("row")))
        rest = ~mask
        rows = rest.arg_true() if rows is None else rows.filter(rest)
        left = left.filter(rest)
    plain = _plain(left)
    if not done:
        return plain
    if rows is not None and not plain.is_empty():
        done.append(plain.with_columns(rows.alias("row")))
    return pl.concat(done).sort("row").drop("row")


def events(parsed: pl.DataFrame) -> pl.DataFrame:
    """Join the lines that `parse` read into events.

    Args:
        parsed: the result of `parse` with a column `line`.

    Returns:
        The columns of a `LogBatch` but `origin`, in the order of the file; lines without any text are dropped.
    """
    heads = parsed.get_column("head").to_numpy()
    glued = parsed.get_column("glue").to_numpy()
    frame = parsed.drop("glue")
    if bool((heads < joining.HEADED).any()) or bool(glued.any()):
        begins = joining.starts(frame.get_column("text"), heads, glued)
        writers = None if begins.all() else _writers(frame, heads)
        if writers is None:
            frame = joining.join(frame, begins, glued)
        else:
            order = np.argsort(writers, kind="stable")
            frame, heads, glued = frame.with_row_index("at")[order], heads[order], glued[order]
            begins = joining.starts(frame.get_column("text"), heads, glued)
            begins[1:] |= np.diff(writers[order]) != 0
            frame = joining.join(frame, begins, glued).sort("at").drop("at")
    return _finish(frame.filter(pl.col("text").str.contains(r"\S")))


def _read(lines: pl.Series, fmt: Format, calendar: Calendar) -> tuple[pl.Series, pl.DataFrame]:
    if fmt.kind == "json":
        mask, frame = fields.read_json(lines, calendar)
        glue = frame.get_column("partial").shift(1, fill_value=False).alias("glue")
        stripped = frame.with_columns(pl.col("text").str.strip_chars_end("\r\n"))
        head = pl.when("carried").then(joining.PLAIN).otherwise(joining.RECORD)
        return mask, _complete(stripped, head, glue)
    if fmt.kind == "logfmt":
        mask, frame = fields.read_logfmt(lines, LOGFMT, calendar)
        return mask, _complete(frame, pl.lit(joining.RECORD))
    return _read_text(lines, fmt, calendar)


def _read_text(lines: pl.Series, fmt: Format, calendar: Calendar) -> tuple[pl.Series, pl.DataFrame]:
    groups = lines.str.extract_groups(fmt.pattern).struct.unnest()
    mask = groups.get_column("head").is_not_null()
    if not mask.all():
        groups, lines = groups.filter(mask), lines.filter(mask)
    columns = {
        name: groups.get_column(name) for name in ("service", "host", "trace") if name in groups
    }
    if "app" in groups:
        columns["service"] = columns["service"].fill_null(groups.get_column("app"))
    if fmt.stamp is not None:
        columns["time"] = convert(groups, fmt.stamp, calendar)
    if "status" in groups:
        columns["status"] = groups.get_column("status").cast(pl.Int32, strict=False)
    columns["level"] = _level(groups, fmt, columns)
    columns["text"] = _message(lines, groups, fmt)
    frame = pl.DataFrame([column.alias(name) for name, column in columns.items()])
    glue = None
    if "part" in groups:  # CRI: a line after a partial one goes on with it
        glue = (groups.get_column("part") == "P").shift(1, fill_value=False).alias("glue")
    return mask, _complete(frame, pl.lit(_head(fmt)), glue)


def _message(lines: pl.Series, groups: pl.DataFrame, fmt: Format) -> pl.Series:
    """What follows the header, with the logger's name before it where the header held one."""
    both = pl.DataFrame([lines.alias("text"), groups.get_column("head")])
    message = both.select(pl.col("text").str.strip_prefix(pl.col("head"))).to_series()
    if fmt.header is not None and fmt.header.whole:
        message = message.str.strip_chars_start("] ")
    if "logger" in groups:
        message = (groups.get_column("logger") + ": ").fill_null("") + message
    return message


def _head(fmt: Format) -> int:
    if fmt.header is not None and fmt.header.carrier:
        return joining.PLAIN
    if fmt.header is not None and fmt.header.tells:
        return joining.HEADED
    return joining.RECORD if fmt.stamp is None else joining.TIMED


def _level(groups: pl.DataFrame, fmt: Format, columns: dict[str, pl.Series]) -> pl.Series:
    if "level" in groups.columns:
        return levels.normal(groups.get_column("level"))
    if fmt.header is not None and fmt.header.access:
        return levels.of_status(columns["status"])
    if "pri" in groups.columns and groups.get_column("pri").count():
        return levels.of_priority(groups.get_column("pri"))
    return pl.Series("level", [None], dtype=pl.String).new_from_index(0, groups.height)


_EMPTY: Final[dict[str, pl.DataType]] = {
    "time": TIME,
    "level": pl.String(),
    "service": pl.String(),
    "host": pl.String(),
    "trace": pl.String(),
    "status": pl.Int32(),
}
COLUMNS: Final = ("text", *_EMPTY, "head", "glue")


def _complete(frame: pl.DataFrame, head: pl.Expr, glue: pl.Series | None = None) -> pl.DataFrame:
    """The frame with all columns of `COLUMNS`, in order."""
    missing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in _EMPTY.items()
        if name not in frame.columns
    ]
    return frame.with_columns(
        *missing,
        head.cast(pl.UInt8).alias("head"),
        pl.lit(value=False).alias("glue") if glue is None else glue,
    ).select(COLUMNS)


def _plain(lines: pl.Series) -> pl.DataFrame:
    return _complete(lines.to_frame("text"), pl.lit(joining.PLAIN))


def _unwrap(
    frame: pl.DataFrame, fmt: Format, calendar: Calendar, memory: Memory, depth: int
) -> pl.DataFrame:
    """Read the message as a line of its own where the format is an envelope."""
    envelope = fmt.kind != "text" or (fmt.header is not None and fmt.header.inner)
    if not envelope or depth + 1 >= _DEPTH:
        return frame
    message = frame.get_column("text")
    if detect(heads(message), inner=True) is None:
        return frame
    inner = parse(message, calendar, memory, depth + 1)
    told = inner.select(pl.all().name.suffix("_in"))
    both = pl.concat([frame, told], how="horizontal")
    # The collector knows when and where; the line itself knows what.
    return both.select(
        pl.col("text_in").alias("text"),
        pl.coalesce("time", "time_in"),
        pl.coalesce("level_in", "level").alias("level"),
        pl.coalesce("service_in", "service").alias("service"),
        *(pl.coalesce(name, f"{name}_in") for name in ("host", "trace", "status")),
        pl.max_horizontal("head_in", "head").alias("head"),
        pl.col("glue") | pl.col("glue_in"),
    )


def _writers(frame: pl.DataFrame, heads: Heads) -> Ints | None:
    """Who wrote each line, as a number; None where all are from one writer.

    A line that names no writer is from that of the line above.
    """
    key = pl.struct("service", "host")
    writers: Ints = frame.select(key.rank("dense").cast(pl.Int64)).to_series().to_numpy()
    anonymous = (
        frame.select(pl.col("service").is_null() & pl.col("host").is_null()).to_series().to_numpy()
    )
    own = ~(anonymous & (heads == joining.PLAIN))
    writers = writers[np.maximum.accumulate(np.where(own, np.arange(len(own)), 0))]
    return None if (writers == writers[0]).all() else writers


def _finish(frame: pl.DataFrame) -> pl.DataFrame:
    """What can be told from the text alone: level, trace id and status of events that have no field for it."""
    texts = frame.get_column("text")
    level = frame.get_column("level")
    if level.null_count():
        rows = level.is_null().arg_true()
        said = texts.gather(rows)
        found = levels.spoken(said)
        silent = found.is_null().arg_true()
        failed = silent.filter(joining.is_trace(said.gather(silent)))
        level = level.scatter(rows, found.scatter(failed, "error") if failed.len() else found)
    columns = [level]
    for name, pattern in (("trace", _TRACE), ("status", _STATUS)):
        column = frame.get_column(name)
        if column.null_count() and _worth(texts, pattern):
            found = texts.str.extract(pattern, 1)
            columns.append(column.fill_null(found.cast(column.dtype, strict=False)))
    return frame.with_columns(columns)


def _worth(texts: pl.Series, pattern: str) -> bool:
    """Whether a sample says that looking through all texts will find something."""
    return bool(sample(texts, 1024).str.contains(pattern).any())
