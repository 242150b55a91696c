"""The immutable records that adapters return. Times are aware and in UTC; windows are half-open.

Log lines are the exception to "one object per thing": they travel as `LogBatch`, a bounded table, because
a million Python objects would cost more than the whole analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

import polars as pl
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, model_validator


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


UtcTime = Annotated[AwareDatetime, AfterValidator(_utc)]
"""An aware datetime, converted to UTC when a record is built."""


class Record(BaseModel):
    """Base of everything an adapter returns: frozen, closed to unknown fields, comparable by value."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(Record):
    """A half-open span `[since, until)` in UTC.

    Raises:
        ValueError: `since` is not before `until`.
    """

    since: UtcTime
    until: UtcTime

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.since >= self.until:
            msg = "since must be before until"
            raise ValueError(msg)
        return self

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


ChangeStatus = Literal["added", "modified", "deleted", "renamed", "copied", "typechange"]


class FileChange(Record):
    """One file in a commit.

    Attributes:
        path: path after the change, `/`-separated, relative to the repository's root.
        old_path: path before a rename or copy.
        added: lines added; -1 where the host does not say or the file is binary.
        removed: lines removed; likewise.
        patch: unified hunks (`@@ ... @@ function` headers and `+`/`-` lines), no file header; may be cut.
    """

    path: str
    old_path: str | None = None
    status: ChangeStatus = "modified"
    added: int = -1
    removed: int = -1
    patch: str = ""


class Commit(Record):
    """One change of a repository. The author is shown to people, and is never a feature of the ranking."""

    source: str
    repo: str
    sha: str
    parents: tuple[str, ...] = ()
    title: str
    message: str = ""
    author: str = ""
    committed_at: UtcTime
    url: str = ""
    files: tuple[FileChange, ...] = ()
    files_truncated: bool = False


class Deploy(Record):
    """A version of a service that began to run, or tried to."""

    source: str
    service: str
    environment: str = ""
    version: str = ""
    sha: str = ""
    repo: str = ""
    title: str = ""
    status: str = ""
    kind: Literal["deploy", "config", "feature_flag", "infrastructure", "rollback"] = "deploy"
    at: UtcTime
    url: str = ""


class Point(Record):
    """One sample of a metric."""

    at: UtcTime
    value: float


class MetricSeries(Record):
    """One series of a metric, in time order; gaps are absent points, never zeros."""

    source: str
    name: str
    labels: Mapping[str, str] = {}
    unit: str = ""
    service: str = ""
    points: tuple[Point, ...] = ()
    url: str = ""


AlertState = Literal["firing", "acknowledged", "resolved"]
Severity = Literal["critical", "error", "warning", "info", "unknown"]


class Alert(Record):
    """One alert, from a vendor's API, a webhook, or a message that the vendor posted to Slack.

    Attributes:
        source: what sent it, for example `alertmanager`.
        fingerprint: equal for repeats of the same alert on the same target, different otherwise.
        started_at: the vendor's own start; None where it does not say one.
        service: the service that the alert names; empty when it names none.
        labels: what the vendor attached, values as text.
        links: runbook, dashboard, the alert itself; label -> URL.
        text: what a person sees, plain, at most 20,000 characters.
    """

    source: str
    state: AlertState = "firing"
    title: str
    service: str = ""
    severity: Severity = "unknown"
    fingerprint: str
    started_at: UtcTime | None = None
    ended_at: UtcTime | None = None
    labels: Mapping[str, str] = {}
    links: Mapping[str, str] = {}
    text: str = ""
    url: str = ""


class Incident(Record):
    """An incident in an incident-management system, with what people noted on it."""

    source: str
    key: str
    title: str
    state: str = ""
    service: str = ""
    severity: Severity = "unknown"
    started_at: UtcTime
    resolved_at: UtcTime | None = None
    notes: tuple[str, ...] = ()
    url: str = ""


class Ticket(Record):
    """An issue of a ticket system."""

    source: str
    key: str
    title: str
    state: str = ""
    text: str = ""
    created_at: UtcTime
    updated_at: UtcTime | None = None
    url: str = ""


class Runbook(Record):
    """A written procedure for a service or an alert."""

    source: str
    title: str
    text: str
    services: tuple[str, ...] = ()
    url: str = ""


Item = TypeVar("Item", bound=Record)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of an answer, in the order of the capability's contract.

    Attributes:
        truncated: empty, or why there is more than this page and those after it will show
            ("the host lists at most 300 files"). Never a silently short answer.
        total_pages: how many pages there will be, where the vendor says so; for progress.
    """

    items: tuple[Item, ...]
    truncated: str = ""
    total_pages: int | None = None


LOG_SCHEMA: Mapping[str, pl.DataType] = {
    "text": pl.String(),  # the whole event; continuation lines joined by "\n"
    "time": pl.Datetime("us", "UTC"),  # null: the line says none
    "level": pl.String(),  # trace debug info warn error fatal, or null
    "service": pl.String(),
    "host": pl.String(),
    "trace": pl.String(),  # trace or request id
    "status": pl.Int32(),  # HTTP (or gRPC-as-HTTP) status, null when the line has none
    "origin": pl.String(),  # file, stream or container the line came from
    "line": pl.Int64(),  # 1-based number of the event's first line in `origin`, or null
}
"""Columns of a `LogBatch`, in order."""

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class LogBatch:
    """A bounded table of log events with the columns of `LOG_SCHEMA`.

    `text` is the message that people would read: envelopes (JSON, CRI, syslog header ...) are taken off and
    their fields are in the columns. Batches of one source come in time order as far as the source gives it.

    Attributes:
        source: name of the configured source.
        frame: at most about 65,536 rows and 32 MiB.
        url: link that shows these lines to a person, if there is one.
        truncated: empty, or why lines are missing from here on.
    """

    source: str
    frame: pl.DataFrame
    url: str = ""
    truncated: str = ""
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return self.frame.height
