"""The many names of a severity, and the six that the product knows."""

from __future__ import annotations

from typing import Final

import polars as pl

_NAMES: Final = {
    "trace": "trace trc trce tracing finest finer verbose vrb silly t v .",
    "debug": "debug dbg dbug debu fine d debug1 debug2 debug3 debug4 debug5 -",
    "info": "info inf information informational notice note log fyi config i n normal default http deprecated statement *",
    "warn": "warn warning wrn warnings w #",
    "error": "error err eror severe e failure failed fail exception",
    "fatal": "fatal ftl crit critical alert emerg emergency panic dpanic f c a p",
}
NORMAL: Final = {name: level for level, names in _NAMES.items() for name in names.split()}

# RFC 5424 severities, by number; and what pino, bunyan and OpenTelemetry call their levels.
_SYSLOG: Final = ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")
_NUMBERS: Final = {
    **{str(number): level for number, level in enumerate(_SYSLOG)},
    "10": "trace",
    "20": "debug",
    "30": "info",
    "40": "warn",
    "50": "error",
    "60": "fatal",
}

# As bare words only in capitals: "error while reading" is a message, "ERROR while reading" has a level.
CAPITALS: Final = (
    "TRACE|DEBUG|DBG|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|ERROR|ERR|EROR|SEVERE|CRITICAL|CRIT|"
    "FATAL|FTL|PANIC|EMERG|ALERT|FINEST|FINER|FINE|VERBOSE|VRB|TRC"
)
ANY_CASE: Final = (
    "(?i:trace|debug|dbg|information|info|inf|notice|warning|warn|wrn|error|err|eror|severe|critical|crit|"
    "fatal|ftl|panic|emergency|emerg|alert|finest|finer|fine|verbose|vrb|trc|dpanic)"
)
# Before a colon, where `panic:` and `fatal error:` begin a crash of Go and are a part of it.
BEFORE_COLON: Final = "trace|debug|info|notice|warning|warn|error|critical|fatal|verbose"
# Somewhere near the beginning of a text that has no header that we know.
_SPOKEN_WITHIN: Final = 200
_ANY_WORD: Final = f"{CAPITALS}|rror|arning|atal:|panic:|critical:|##\\[|::debug"
_SPOKEN: Final = (
    rf"^.{{0,80}}?(?:^|[\s\[(|<:])(?:({CAPITALS})(?:[\s\]:)|>,]|$)"
    r"|(?:##\[|::)(error|warning|debug)\b"
    r"|([Ee]rror|[Ww]arning|[Ff]atal|panic|critical):)"
)


def normal(column: pl.Series) -> pl.Series:
    """The product's level of each vendor level (name or number), null where it says nothing.

    Numbers of two digits are read as pino and bunyan mean them, of one digit as syslog does.
    """
    found = {name: _one(name) for name in column.unique().to_list() if name is not None}
    if not found:
        return pl.Series(column.name, [None], dtype=pl.String).new_from_index(0, column.len())
    return column.replace_strict(found, default=None, return_dtype=pl.String)


def spoken(texts: pl.Series) -> pl.Series:
    """The level that a text without a header gives itself (`ERROR: disk full`), else null."""
    heads = texts.str.head(_SPOKEN_WITHIN)
    rows = heads.str.contains(_ANY_WORD).arg_true()  # cheap, and few pass
    groups = heads.gather(rows).str.extract_groups(_SPOKEN).struct.unnest()
    found = normal(groups.select(pl.coalesce(pl.all())).to_series())
    nothing = pl.Series(texts.name, [None], dtype=pl.String).new_from_index(0, texts.len())
    return nothing.scatter(rows, found)


def of_priority(column: pl.Series) -> pl.Series:
    """The level of a syslog priority (`facility * 8 + severity`, RFC 5424 section 6.2.1)."""
    severity = column.cast(pl.Int32, strict=False) % 8
    return severity.replace_strict(dict(enumerate(_SYSLOG)), default=None, return_dtype=pl.String)


def of_status(column: pl.Series) -> pl.Series:
    """The level that an access log's line has by its HTTP status."""
    status = pl.col("status")
    return (
        column.alias("status")
        .to_frame()
        .select(
            pl.when(status >= 500)
            .then(pl.lit("error"))
            .when(status >= 400)
            .then(pl.lit("warn"))
            .when(status.is_not_null())
            .then(pl.lit("info"))
        )
        .to_series()
    )


def _one(name: str) -> str | None:
    word = name.strip().strip("[]()<>:|").lower()
    return NORMAL.get(word) or _NUMBERS.get(word) or NORMAL.get(word.partition(" ")[0])
