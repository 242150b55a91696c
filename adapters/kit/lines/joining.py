"""Which lines belong to the event above them: stack traces, wrapped messages, split container lines.

Two rules. Where the events of a source begin with a header (a timestamp and a level, say), a line without
one continues the event above. Where lines have no header, or every single line got one from a collector, only
the grammar of stack traces joins: a CI log is full of indented lines that are events of their own.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Bools = npt.NDArray[np.bool_]

MAX_LINES: Final = 1_000
"""Lines of one event; what is longer goes on as another one."""
MAX_BYTES: Final = 65_536
_LOOSE_RUN = (
    60  # so many lines without a header in a row are not a wrapped message but another kind of log
)

PLAIN, RECORD, TIMED, HEADED = 0, 1, 2, 3
"""`head` of a line: none; the fields of a record; only a time; a header with which events begin."""

(
    _NORMAL,
    _INDENTED,
    _FRAME,
    _START,
    _TRACEBACK,
    _PANIC,
    _CHAIN,
    _EXCEPTION,
    _CALL,
    _BRACE,
    _BLANK,
) = range(11)
_STARTS: Final = frozenset({_START, _TRACEBACK, _PANIC})

_ERROR_NAME: Final = (
    r"(?:[A-Za-z_][\w.$:\\]*)?(?:Error|Exception|Throwable|Failure|Interrupt|Exit|Warning)\b"
)
# The one pattern that every line without a header is tried with; only what it finds is looked at closely.
_ANY_OF_IT: Final = (
    r"^(?:\s|$|at |Traceback|Caused by|Suppressed|During handling|The above exc|panic: |fatal error: |goroutine |"
    r"created by |\[signal |exit status |thread '|stack backtrace:|note: run with|Exception in thread|Unhandled |"
    r"Uncaught |--- |==[0-9]+==|#[0-9]+ |PHP |Stack trace:|from |\.\.\. [0-9]+|\*\*\* |terminate called|SUMMARY: |"
    r"READ of|WRITE of|\[cause\]|(?:allocated|freed|previously allocated) by |0x[0-9a-f]+ is located |"
    rf"[}}\])]+;?$|{_ERROR_NAME}|\S+\.[cm]?[jt]s:[0-9]+$|[^\s:]+:[0-9]+:in |[^ (]+\([^ ]*(?:, [^ ]*)*\)$)"
)
_KINDS: Final = (
    (_BLANK, r"^\s*$"),
    (
        _CHAIN,
        (
            r"^\s*(?:Caused by:|Suppressed: |During handling of the above|The above exception was|goroutine [0-9]+ \[|"
            r"created by |\[signal |exit status [0-9]+$|stack backtrace:|Stack trace:|note: run with|---> |--- End of |"
            r"SUMMARY: |\[cause\]: |\[errors\]: |PHP Stack trace:|(?:freed|allocated|previously allocated) by |"
            r"(?:READ|WRITE) of size |0x[0-9a-f]+ is located )"
        ),
    ),
    (_TRACEBACK, r"^Traceback \(most recent call last\)"),
    (_PANIC, r"^thread '[^']*' (?:\([0-9]+\) )?panicked at"),
    (_BRACE, r"^[}\])]+;?$"),
    (
        _START,
        (
            r"^(?:panic: |fatal error: |"
            r"Exception in thread |Unhandled [eE]xception|Uncaught |==[0-9]+==\s?(?:ERROR|WARNING): |PHP (?:Fatal|Parse) |"
            r"\*\*\* |terminate called|\S+\.[cm]?[jt]s:[0-9]+$|[^\s:]+:[0-9]+:in .*\([\w:]+\)$)"
        ),
    ),
    (
        _FRAME,
        (
            r"^(?:\s+at \S|at [\w.$<>/]+[(\[ ]|\s+File \"|\s*\.\.\. [0-9]+ (?:more|common)|\s*from [^ ]+:[0-9]+:in |"
            r"\s*[^\s:]+:[0-9]+:in [`']|\s*#[0-9]+ +(?:0x|/|\{main\}|\[internal|\S+\.php\(|\S+ \(.*\) at )|"
            r"\s+[0-9]+: +(?:0x[0-9a-f]+ - )?\S*::|\t[^ ]+\.go:[0-9]+|\s+\^[~^]*$|\s+\[Previous line repeated|"
            r"PHP +[0-9]+\. )"
        ),
    ),
    (_CALL, r"^[^ (]+\([^ ]*(?:, [^ ]*)*\)$"),
    (_EXCEPTION, rf"^{_ERROR_NAME}(?:$|[: ])"),
    (_INDENTED, r"^\s"),
)
_INDENTED_RUN = 20
_MESSAGE_RUN = 10


def starts(texts: pl.Series, heads: npt.NDArray[np.uint8], glued: Bools) -> Bools:
    """Which lines begin an event.

    Args:
        texts: the lines, their headers taken off, in the order of one writer.
        heads: `PLAIN`, `RECORD`, `TIMED` or `HEADED` for each.
        glued: lines that a container runtime split from the line before.
    """
    begins = np.ones(texts.len(), dtype=np.bool_)
    loose = heads < HEADED
    if loose.any():
        _by_header(begins, texts, heads)
        kinds = _kinds(texts, loose)
        _by_grammar(begins, kinds, heads)
    begins[glued] = False
    if len(begins):
        begins[0] = True
    _split_long(begins, texts)
    return begins


def join(frame: pl.DataFrame, begins: Bools, glued: Bools) -> pl.DataFrame:
    """One row for each event: fields of its first line (or the first that has them), texts joined."""
    if begins.all():
        return frame
    event = np.cumsum(begins) - 1
    sizes = np.bincount(event)
    single = pl.Series(sizes[event] == 1)
    numbered = frame.with_columns(pl.Series("event", event))
    parts = numbered.filter(~single)
    if glued.any():
        separator = pl.Series("text", np.where(glued, "", "\n")) + frame.get_column("text")
        parts = numbered.with_columns(separator.alias("text")).filter(~single)
        text = pl.col("text").str.join("").str.strip_prefix("\n")
    else:
        text = pl.col("text").str.join("\n")
    first = [name for name in frame.columns if name not in {"text", "head"}]
    merged = parts.group_by("event", maintain_order=True).agg(
        text.str.strip_chars_end("\n "),
        pl.col("head").max(),
        *(pl.col(name).drop_nulls().first() for name in first),
    )
    return (
        pl.concat([numbered.filter(single), merged.select(numbered.columns)])
        .sort("event", maintain_order=True)
        .drop("event")
    )


def is_trace(texts: pl.Series) -> pl.Series:
    """Which events are failures by their form: they begin as a crash does, or hold a stack trace."""
    crashed = texts.str.contains(
        r"^(?:Traceback \(most recent|panic: |fatal error: |==[0-9]+==\s?ERROR|thread '[^']*' (?:\([0-9]+\) )?panicked|"
        r"Unhandled [eE]xception|Uncaught |PHP Fatal)"
    )
    rows = (texts.str.contains("\n", literal=True) & ~crashed).arg_true()
    held = texts.gather(rows).str.contains(
        r"\n(?:\s*Traceback \(most recent|\s+at [\w.$]+[\w.$<>]*\()"
    )
    return crashed.scatter(rows, held) if rows.len() else crashed


def _by_header(begins: Bools, texts: pl.Series, heads: npt.NDArray[np.uint8]) -> None:
    """Lines without any header continue the one above that has a time, unless there are too many of them."""
    plain = heads == PLAIN
    if not plain.any() or plain.all():
        return
    index = np.arange(len(heads))
    last_head = np.maximum.accumulate(np.where(plain, -1, index))
    run = index - last_head
    after = (last_head >= 0) & plain
    after[after] = heads[last_head[after]] >= TIMED
    edges = np.flatnonzero(np.diff(np.concatenate(([False], plain, [False])).astype(np.int8)))
    sizes = edges[1::2] - edges[::2]
    lengths = np.zeros(len(heads), dtype=np.int64)
    lengths[plain] = np.repeat(sizes, sizes)
    indented = texts.str.contains(r"^\s").to_numpy()
    begins[after & ((lengths <= _LOOSE_RUN) | (indented & (run <= MAX_LINES)))] = False


def _kinds(texts: pl.Series, loose: Bools) -> npt.NDArray[np.uint8]:
    kinds = np.zeros(texts.len(), dtype=np.uint8)
    rows = np.flatnonzero(loose & texts.str.contains(_ANY_OF_IT).to_numpy())
    if len(rows) == 0:
        return kinds
    candidates = texts.gather(rows)
    found = np.zeros(len(rows), dtype=np.uint8)
    for kind, pattern in reversed(_KINDS):
        found[candidates.str.contains(pattern).to_numpy()] = kind
    kinds[rows] = found
    return kinds


def _by_grammar(begins: Bools, kinds: npt.NDArray[np.uint8], heads: npt.NDArray[np.uint8]) -> None:
    """Follow each stack trace from where it begins to where it ends."""
    told = kinds.tolist()
    headed = (heads == HEADED).tolist()
    reached = 0
    for at in np.flatnonzero(np.isin(kinds, (_FRAME, _CHAIN, *_STARTS))).tolist():
        if at < reached or headed[at]:
            continue
        first = _opening(told, headed, at, reached) if told[at] == _FRAME else at
        reached = _trace_end(told, headed, at)
        begins[first + 1 : reached] = False


def _opening(told: list[int], headed: list[bool], frame: int, reached: int) -> int:
    """The line above the first frame that says what happened: the exception's name, before a message of some lines."""
    for at in range(frame - 1, max(reached - 2, frame - _MESSAGE_RUN, -1), -1):
        if told[at] in {_EXCEPTION, _CHAIN}:
            return at
        if headed[at] or at < reached:
            break
    return frame - 1 if frame > reached and told[frame - 1] != _BLANK else frame


def _trace_end(told: list[int], headed: list[bool], start: int) -> int:
    """The line after the last one of the trace whose first certain line is `start`."""
    last, previous, mode, closed, indents = start, told[start], told[start], False, 0
    for at in range(start + 1, len(told)):
        kind = told[at]
        if headed[at] or at - last > 3:
            break
        if kind == _BLANK:
            continue
        indents = indents + 1 if kind == _INDENTED else 0
        if not _belongs(
            kind, previous, mode, apart=at - last > 1, closed=closed or indents > _INDENTED_RUN
        ):
            break
        closed = kind in {_EXCEPTION, _NORMAL} or (closed and kind == _INDENTED)
        mode = kind if kind in _STARTS else mode
        last, previous = at, kind
    return last + 1


def _belongs(kind: int, previous: int, mode: int, *, apart: bool, closed: bool) -> bool:
    """Whether a line goes on with a trace.

    Args:
        previous: kind of the line before it, blank lines left out.
        mode: kind of the line that the trace began with; only after certain words may its last line be anything.
        apart: a blank line is between.
        closed: the exception of this trace was named already.
    """
    if kind in {_FRAME, _CHAIN}:
        return True
    if kind == _CALL:
        return mode in _STARTS or previous in {_CHAIN, _FRAME, _CALL}
    if kind in _STARTS:
        return previous == _CHAIN
    if closed:
        return False
    if kind == _EXCEPTION:
        return mode in _STARTS
    if apart:
        return False
    if kind == _NORMAL:
        return (mode == _TRACEBACK and previous in {_INDENTED, _FRAME}) or previous == _PANIC
    return _INDENTED in {kind, previous}


def _split_long(begins: Bools, texts: pl.Series) -> None:
    """Begin a new event where one would become too long to hold."""
    if begins.all():
        return
    firsts = np.flatnonzero(begins)
    ends = np.append(firsts[1:], len(begins))
    length = texts.str.len_bytes().to_numpy()
    too_long = (ends - firsts > MAX_LINES) | (np.add.reduceat(length, firsts) > MAX_BYTES)
    for first, end in zip(firsts[too_long].tolist(), ends[too_long].tolist(), strict=True):
        lines = held = 0
        for at in range(first, end):
            lines, held = lines + 1, held + int(length[at])
            if at > first and (lines > MAX_LINES or held > MAX_BYTES):
                begins[at] = True
                lines, held = 1, int(length[at])
