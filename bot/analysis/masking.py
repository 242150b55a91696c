"""Masking: numbers, ids, addresses and hex strings become `<*>`, for a whole column of lines at once.

HTTP status codes are the exception: `status=502` and `status=200` are different stories, so a code after
`status`, `code` or `HTTP/1.1` stays as it is.
"""

from __future__ import annotations

import re

import polars as pl

WILD = "<*>"
HEAD_CHARS = 1_500
"""A message is templated by its beginning; a dump of a megabyte is not scanned to its end."""

# One alternation, one pass: the regex crate behind polars is linear in the input. Every alternative needs a
# digit and the last one takes any digit, so a masked text holds none and masking twice changes nothing.
_VARIABLE = (
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9:.,]*[0-9](?:Z|[+-][0-9]{2}:?[0-9]{2})?"
    r"|0[xX][0-9a-fA-F]+"
    r"|(?-u:\b)(?:[0-9]+[a-fA-F]|[a-fA-F]+[0-9])[0-9a-fA-F]{5,}(?-u:\b)"
    r"|[0-9]+(?:[.:,/_-][0-9]+(?-u:\b))*"
)
_STATUS = (
    r"(?:[Ss]tatus|STATUS|[Cc]ode|CODE|HTTP/(?:[0-9.]+|<\*>))[\"':=\s]{1,4}[1-5][0-9][0-9](?-u:\b)"
)
_STATUS_SLOT = re.compile(
    r"((?:[Ss]tatus|STATUS|[Cc]ode|CODE|HTTP/<\*>)[\"':=\s]{1,4})<\*>", re.ASCII
)
_EXCEPTION = (
    r"(?m)^(?:Caused by: )?(?:[A-Za-z_$][\w$]*\.)*[A-Z]\w*(?:Error|Exception|Failure)(?-u:\b)"
)
_MAX_EXCEPTIONS = 3


def mask(text: pl.Series) -> pl.Series:
    """The masked form of each text, nulls as empty strings.

    An event of several lines is known by its first line and the exceptions that its trace names.
    """
    masked = (
        _heads(text.fill_null(""))
        .to_frame("text")
        .select(pl.col("text").str.replace_all(_VARIABLE, WILD).alias("masked"), "text")
    )
    has_status = masked["text"].str.contains(_STATUS)
    if not has_status.any():
        return masked["masked"]
    return _with_status_codes(masked, has_status)


def mask_one(text: str) -> str:
    """`mask` for a single text."""
    return str(mask(pl.Series("text", [text], dtype=pl.String)).item())


def _heads(text: pl.Series) -> pl.Series:
    multiline = text.str.contains("\n", literal=True)
    if multiline.any():
        frame = text.filter(multiline).to_frame("text")
        first = pl.col("text").str.extract(r"\A([^\n]*)")
        raised = pl.col("text").str.slice(0, 60_000).str.extract_all(_EXCEPTION)
        heads = frame.select(
            pl.concat_str(
                first,
                raised.list.head(_MAX_EXCEPTIONS).list.unique(maintain_order=True).list.join(" "),
                separator=" ",
            ).str.strip_chars()
        ).to_series()
        text = text.scatter(multiline.arg_true(), heads)
    if (text.str.len_bytes() > HEAD_CHARS).any():
        text = text.str.slice(0, HEAD_CHARS)
    return text


def _with_status_codes(masked: pl.DataFrame, has_status: pl.Series) -> pl.Series:
    some = masked.filter(has_status).with_columns(
        pl.col("text").str.extract_all(_STATUS).list.eval(pl.element().str.slice(-3)).list.join(",")
    )
    distinct = some.unique()
    restored = [
        _restore(m, codes.split(",")) for m, codes in distinct.select("masked", "text").rows()
    ]
    back = some.join(
        distinct.with_columns(pl.Series("restored", restored, dtype=pl.String)),
        on=["masked", "text"],
        how="left",
        maintain_order="left",
    )
    return masked["masked"].scatter(has_status.arg_true(), back["restored"])


def _restore(masked: str, codes: list[str]) -> str:
    slots = len(_STATUS_SLOT.findall(masked))
    if slots != len(codes):
        return masked
    rest = iter(codes)
    return _STATUS_SLOT.sub(lambda slot: slot.group(1) + next(rest), masked)
