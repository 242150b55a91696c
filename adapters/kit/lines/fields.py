"""Structured lines: what the fields of JSON and logfmt records mean, whoever named them.

The names come from the loggers' and collectors' own documentation (ECS, OpenTelemetry, Datadog, Google Cloud,
CloudWatch, journald, GELF, pino, bunyan, winston, zap, zerolog, structlog, Serilog, MongoDB, Fluent Bit).
Nested objects and dotted keys are the same to us: `{"log":{"level":..}}` and `{"log.level":..}` are `log.level`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from adapters.kit.lines import levels
from adapters.kit.lines.formats import sample
from adapters.kit.lines.times import TIME, Calendar, read_column

ROLES: Final[Mapping[str, Sequence[str]]] = {
    role: names.split()
    for role, names in {
        "time": "@timestamp timestamp time ts @t _time eventtime event_time datetime date asctime log_time t.$date t "
        "attributes.timestamp instant.epochsecond timeunixnano observedtimestamp eventtimestamp "
        "__realtime_timestamp _source_realtime_timestamp start_time starttime startutc created receivetimestamp "
        "ingestiontime timemillis",
        "text": "message msg log textpayload jsonpayload.message jsonpayload.msg @m @mt short_message "
        "body.stringvalue body attributes.message renderedmessage messagetemplate event _msg line text "
        "protopayload.status.message log.message data.message fields.message",
        "level": "level severity lvl levelname log.level loglevel log_level severitytext severity_text level_name "
        "@l jsonpayload.level jsonpayload.severity attributes.status attributes.level status priority syslog.severity s",
        "service": "service.name service servicename service_name service-name dd.service app application "
        "app_name appname application_name resource.service.name resource.attributes.service.name "
        "attributes.service jsonpayload.service resource.labels.container_name resource.labels.service_name "
        "kubernetes.labels.app kubernetes.labels.app.kubernetes.io/name kubernetes.container_name "
        "kubernetes.container.name container_name container.name syslog_identifier program ident service_id name",
        "host": "host.name hostname host host_name node attributes.host kubernetes.pod_name kubernetes.pod.name "
        "resource.labels.pod_name resource.labels.instance_id _hostname pod pod_name instance agent.hostname "
        "kubernetes.host logstream",
        "trace": "trace_id traceid trace.id dd.trace_id otel.trace_id oteltraceid logging.googleapis.com/trace trace "
        "attributes.trace_id context.trace_id trace_context.trace_id correlation_id correlationid correlation-id "
        "request_id requestid request-id x-request-id req.id req_id reqid aws_request_id awsrequestid xray_trace_id",
        "status": "status_code statuscode http.status_code http.response.status_code http_status http_status_code "
        "httpstatus response.status response.statuscode res.statuscode httprequest.status responsestatus "
        "response_code downstreamstatus status attributes.http.status_code",
        "method": "method http.method http.request.method request.method req.method request_method "
        "httprequest.requestmethod",
        "path": "path url.path http.route http.target request.path req.path req.url request_uri uri url http.url "
        "httprequest.requesturl",
        "error": "error.message err.message exception.message error err exception errormessage error_message "
        "error.type @x cause reason",
        "stack": "error.stack_trace error.stack err.stack exception.stacktrace exception.stack_trace stack_trace "
        "stacktrace stack exc_info exception.traceback traceback backtrace thrown.extendedstacktrace "
        "error.stacktrace exception_trace",
    }.items()
}
_KNOWN: Final = {name for names in ROLES.values() for name in names}
_PARENTS: Final = {name[:at] for name in _KNOWN for at, letter in enumerate(name) if letter == "."}
_KEYS = 80  # of one object; a log line with more is not written by a logger
_SAMPLE = 200
_DEPTH = 4

Columns = dict[str, pl.Series]


def read_json(texts: pl.Series, calendar: Calendar) -> tuple[pl.Series, pl.DataFrame]:
    """Read JSON objects, one a row.

    Returns:
        Which rows were read, and their columns (`text`, `time`, `level` ... as in a `LogBatch`). Rows without any
        text are left for another round, whose sample then shows how they are named.
    """
    stripped = texts.str.strip_chars()
    like = _alike(stripped, stripped.str.starts_with("{") & stripped.str.ends_with("}"))
    rows = stripped.filter(like)
    decoded, valid = _decode(rows)
    mask = _within(like, valid)
    frame = assemble(decoded, calendar)
    told = frame.get_column("text").is_not_null()
    if not told.any() and decoded:
        level = frame.get_column("level").fill_null(levels.of_status(frame.get_column("status")))
        frame = frame.with_columns(_pairs(decoded).alias("text"), level.alias("level"))
        told = frame.get_column("text").is_not_null()
    return _within(mask, told), frame.filter(told)


def read_logfmt(
    texts: pl.Series, pattern: str, calendar: Calendar
) -> tuple[pl.Series, pl.DataFrame]:
    """Read `key=value` lines; results as for `read_json`."""
    mask = texts.str.contains(pattern)
    rows = texts.filter(mask)
    keys = dict.fromkeys(
        key
        for line in sample(rows, _SAMPLE)
        for key in re.findall(r"(?:^|\s)([A-Za-z_@][\w.@/-]*)=", line)
    )
    columns: Columns = {}
    for key in list(keys)[:_KEYS]:
        if key.lower() in _KNOWN:
            columns.setdefault(key.lower(), _logfmt_value(rows, key))
    frame = assemble(columns, calendar, rows.len())
    text = frame.get_column("text")
    silent = text.is_null()
    if silent.any():
        used = "|".join(re.escape(key) for key in keys if key.lower() in _timely())
        rest = rows.filter(silent)
        if used:
            rest = rest.str.replace_all(rf'(?:^|\s)(?:{used})=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)', "")
        text = text.scatter(silent.arg_true(), rest.str.strip_chars())
    return mask, frame.with_columns(text.alias("text"))


def assemble(columns: Columns, calendar: Calendar, height: int | None = None) -> pl.DataFrame:
    """Columns of a `LogBatch` from columns of strings named in lower case, dots for nesting."""
    if height is None:
        height = next(iter(columns.values())).len() if columns else 0
    carried, partial = _carried(columns, height)
    out = {
        role: _first(columns, ROLES[role], height)
        for role in ("text", "service", "host", "trace", "method", "path", "error", "stack")
    }
    time = pl.Series("time", [None], dtype=TIME).new_from_index(0, height)
    for name in ROLES["time"]:
        if name in columns and time.null_count():
            time = time.fill_null(read_column(columns[name], calendar))
    words = [name for name in ROLES["level"] if name in columns]
    level = pl.Series("level", [None], dtype=pl.String).new_from_index(0, height)
    for name in words:
        level = level.fill_null(levels.normal(_word(columns[name], name)))
    status = pl.Series("status", [None], dtype=pl.Int32).new_from_index(0, height)
    for name in ROLES["status"]:
        if name in columns and status.null_count():
            number = columns[name].cast(pl.Int32, strict=False)
            status = status.fill_null(
                number.set(~number.is_between(100, 599).fill_null(value=False), None)
            )
    text = _with_error(_with_request(out, status), out["error"], out["stack"])
    trace = out["trace"].str.replace(r"^.*/", "")
    return pl.DataFrame(
        [
            text.alias("text"),
            time.alias("time"),
            level.alias("level"),
            out["service"].alias("service"),
            out["host"].alias("host"),
            trace.alias("trace"),
            status.alias("status"),
            carried.alias("carried"),
            partial.alias("partial"),
        ]
    )


def _carried(columns: Columns, height: int) -> tuple[pl.Series, pl.Series]:
    """Which records a container runtime made of a line, and which of a part of a line that it split at 16 KiB.

    All but the last part of a line lack the line feed (https://docs.docker.com/engine/logging/drivers/json-file/).
    """
    no = pl.Series([False]).new_from_index(0, height)
    if not {"log", "stream"} <= columns.keys():
        return no, no
    carried = columns["log"].is_not_null() & columns["stream"].is_not_null()
    ends = columns["log"].str.ends_with("\n").fill_null(value=False)
    if "time" not in columns or not ends.any():
        return carried, no
    return carried, carried & ~ends & columns["time"].is_not_null()


def _timely() -> set[str]:
    """Fields that are in columns of their own, and need not stand in the text again."""
    return {*ROLES["time"], *ROLES["level"]} - {"status"}


def _word(column: pl.Series, name: str) -> pl.Series:
    """`status: 503` is a status, `status: error` a level."""
    if name != "status":
        return column
    return column.set(column.str.contains(r"^[0-9]"), None)


def _first(columns: Columns, names: Iterable[str], height: int) -> pl.Series:
    """The first of the named columns that says something, row by row."""
    found = pl.Series("found", [None], dtype=pl.String).new_from_index(0, height)
    for name in names:
        if name in columns and found.null_count():
            column = columns[name]
            found = found.fill_null(column if names is ROLES["text"] else _plain(column))
    return found


def _plain(column: pl.Series) -> pl.Series:
    """A column without what is no text: nested objects and lists, empty strings."""
    odd = column.str.contains(r"^(?:\{.*\}|\[.*\]|\s*)$")
    return column.set(odd, None) if odd.any() else column


def _with_request(out: Columns, status: pl.Series) -> pl.Series:
    """The message and the request that it is about, where that stands in fields: `done POST /cart status=500`.

    Without it every line of an access log in JSON says the same.
    """
    text, method, path = out["text"], out["method"], out["path"]
    if method.null_count() == method.len() or path.null_count() == path.len():
        return text
    frame = pl.DataFrame([text.alias("t"), method.alias("m"), path.alias("p"), status.alias("s")])
    bare = pl.col("p").str.replace(r"[?#].*$", "")
    asked = pl.col("t").is_not_null() & pl.col("m").is_not_null() & pl.col("p").is_not_null()
    told = pl.col("t").str.contains(bare, literal=True).fill_null(value=False)
    whole = pl.concat_str(
        [pl.col("t"), pl.col("m"), bare, pl.format("status={}", "s")],
        separator=" ",
        ignore_nulls=True,
    )
    return frame.select(pl.when(asked & ~told).then(whole).otherwise(pl.col("t"))).to_series()


def _with_error(text: pl.Series, error: pl.Series, stack: pl.Series) -> pl.Series:
    """The message, and what is said beside it about the failure: `message: error`, then the stack."""
    if error.null_count() == error.len() and stack.null_count() == stack.len():
        return text
    frame = pl.DataFrame([text.alias("t"), error.alias("e"), stack.alias("s")])
    told = pl.col("t").str.contains(pl.col("e"), literal=True) | pl.col("s").str.contains(
        pl.col("e"), literal=True
    )
    head = pl.concat_str(
        ["t", pl.when(told.fill_null(value=False)).then(None).otherwise("e")],
        separator=": ",
        ignore_nulls=True,
    )
    within = pl.col("t").str.contains(pl.col("s"), literal=True).fill_null(value=False)
    whole = pl.concat_str(
        [head, pl.when(within).then(None).otherwise("s")], separator="\n", ignore_nulls=True
    )
    said = pl.any_horizontal(pl.col("t", "e", "s").is_not_null())
    return frame.select(pl.when(said).then(whole)).to_series()


def _pairs(columns: Columns) -> pl.Series:
    """A text for records that have no message: what they say, as `key=value`."""
    skip = {*_timely(), *ROLES["trace"], *ROLES["service"], *ROLES["host"]}
    said = {
        name: column
        for name, column in columns.items()
        if name not in skip and not _has_parts(name, columns)
    }
    if not said:
        said = columns
    frame = pl.DataFrame([column.alias(name) for name, column in said.items()])
    pairs = [
        pl.when(pl.col(name).is_not_null()).then(pl.format("{}={}", pl.lit(name), pl.col(name)))
        for name in frame.columns
    ]
    text = frame.select(pl.concat_str(pairs, separator=" ", ignore_nulls=True)).to_series()
    return text.set(text == "", None)


def _has_parts(name: str, columns: Columns) -> bool:
    return any(other.startswith(name + ".") for other in columns)


def _logfmt_value(rows: pl.Series, key: str) -> pl.Series:
    groups = rows.str.extract_groups(
        rf'(?:^|\s){re.escape(key)}=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))'
    ).struct.unnest()
    value = groups.select(pl.coalesce(pl.all())).to_series()
    if value.str.contains("\\", literal=True).any():
        value = value.str.replace_all('\\"', '"', literal=True).str.replace_all(
            "\\n", "\n", literal=True
        )
    return value.set(value == "", None)


def _decode(rows: pl.Series) -> tuple[Columns, pl.Series]:
    """Columns of the objects, and which rows are objects at all."""
    all_rows = pl.Series([True]).new_from_index(0, rows.len())
    columns = _columns(rows)
    if columns is not None:
        return columns, all_rows
    valid = pl.Series([_is_object(row) for row in rows], dtype=pl.Boolean)
    kept = rows.filter(valid)
    return _columns(kept) or _slow_columns(kept), valid


def _alike(texts: pl.Series, like: pl.Series) -> pl.Series:
    """Those of the rows that can share a schema: a field that is a text here and an object there divides them."""
    kinds: dict[str, set[bool]] = {}
    for record in _objects(sample(texts.filter(like), _SAMPLE)):
        for key, value in record.items():
            if key.lower() in _PARENTS and value is not None:
                kinds.setdefault(key, set()).add(isinstance(value, dict))
    for key, found in kinds.items():
        if len(found) == 2:
            narrower = like & texts.str.contains(rf'"{re.escape(key)}"\s*:\s*\{{')
            like = narrower if narrower.any() else like
    return like


def _columns(rows: pl.Series) -> Columns | None:
    """Decode with the fast reader; None where it refuses the rows."""
    schema = _schema(_objects(sample(rows, _SAMPLE)))
    if not schema:
        return {} if rows.is_empty() else None
    body = rows.str.join("\n").item().encode()
    try:
        frame = pl.read_ndjson(io.BytesIO(body), schema=schema, ignore_errors=True)
    except pl.exceptions.PolarsError:
        return None
    if frame.height != rows.len():
        return None
    return _flattened(frame)


def _flattened(frame: pl.DataFrame, prefix: str = "") -> Columns:
    """One column for each leaf, named by its path in lower case."""
    columns: Columns = {}
    for column in frame.get_columns():
        name = f"{prefix}{column.name.lower()}"
        leaves = (
            _flattened(column.struct.unnest(), f"{name}.")
            if isinstance(column.dtype, pl.Struct)
            else {name: column}
        )
        for path, values in leaves.items():
            columns[path] = columns[path].fill_null(values) if path in columns else values
    return columns


def _schema(records: Sequence[Mapping[str, Any]], prefix: str = "", depth: int = 1) -> pl.Schema:
    """What to read of objects like these: texts, and objects where fields of ours may be nested."""
    nested: dict[str, list[Mapping[str, Any]]] = {}
    keys: dict[str, None] = {}
    for record in records:
        for key, value in record.items():
            keys[key] = None
            if isinstance(value, dict) and value and f"{prefix}{key}".lower() in _PARENTS:
                nested.setdefault(key, []).append(value)
    schema = pl.Schema()
    wanted = sorted(keys, key=lambda key: f"{prefix}{key}".lower() not in _KNOWN | _PARENTS)[:_KEYS]
    for key in filter(set(wanted).__contains__, keys):
        inner = (
            _schema(nested[key], f"{prefix}{key}.", depth + 1)
            if key in nested and depth < _DEPTH
            else None
        )
        schema[key] = pl.Struct(inner) if inner else pl.String()
    return schema


def _objects(rows: Iterable[str]) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        try:
            value = orjson.loads(row)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _slow_columns(rows: pl.Series) -> Columns:
    """Decode one by one what the fast reader refuses (duplicate keys of different kinds, say)."""
    flat = [_flat(orjson.loads(row)) for row in rows]
    names = list(dict.fromkeys(name for record in flat for name in record))[:_KEYS]
    return {
        name: pl.Series(name, [record.get(name) for record in flat], dtype=pl.String)
        for name in names
    }


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 1) -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for key, value in record.items():
        name = f"{prefix}{key}".lower()
        if isinstance(value, str) or value is None:
            out.setdefault(name, value)
        else:
            out.setdefault(name, orjson.dumps(value).decode())
            if isinstance(value, dict) and depth < _DEPTH:
                for inner, text in _flat(value, f"{name}.", depth + 1).items():
                    out.setdefault(inner, text)
    return out


def _is_object(row: str) -> bool:
    try:
        return isinstance(orjson.loads(row), dict)
    except orjson.JSONDecodeError:
        return False


def _within(mask: pl.Series, kept: pl.Series) -> pl.Series:
    """`mask` with only those of its true rows that `kept` (one entry for each of them) keeps."""
    if kept.all():
        return mask
    return mask.clone().scatter(mask.arg_true(), kept)
