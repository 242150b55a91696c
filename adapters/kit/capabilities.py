"""What a source can be asked for. A vendor's `Adapter` has one method per capability that it serves.

Every method is a synchronous generator: it yields pages as they arrive, so that the caller can stop at its
deadline and keep what came. Each raises `AdapterError` and nothing else; no data is an empty answer.
Queries hold structured fields only; each vendor escapes them into its own language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from adapters.kit.records import (
    Alert,
    Commit,
    Deploy,
    Incident,
    LogBatch,
    MetricSeries,
    Page,
    Record,
    Runbook,
    Ticket,
    Window,
)


class CommitQuery(Record):
    """Which changes to list.

    Attributes:
        window: committed within it ...
        at_least: ... and never fewer than this many before `head`, whatever their age.
        limit: never more than this many.
        head: branch, tag or sha to walk back from; empty means the default branch.
        repo: which repository, where a source serves several; empty means all that it is configured for.
        paths: only changes below these paths; empty means all.
        patches: whether hunks are wanted.
    """

    window: Window
    at_least: int = 50
    limit: int = 400
    head: str = ""
    repo: str = ""
    paths: tuple[str, ...] = ()
    patches: bool = True


class LogQuery(Record):
    """Which log lines to read: those of `window` that match every given field.

    Attributes:
        service: what the question is about. A source that is asked over the network restricts to it; one that
            can afford to read everything does not, because the cause may lie in another service.
        selector: the operator's own label or field equalities from the service catalogue; always honoured.
        contains: texts that a line must hold, literally, all of them.
        min_level: at least this severe, where the source can tell.
        limit: stop after about this many events (`truncated` says so).
    """

    window: Window
    service: str = ""
    selector: Mapping[str, str] = {}
    contains: tuple[str, ...] = ()
    min_level: str = ""
    limit: int = 12_000_000


class MetricQuery(Record):
    """Which series to read. `names` are the operator's configured queries; empty means all of the service."""

    window: Window
    service: str = ""
    names: tuple[str, ...] = ()
    step_s: int = 60


class EventQuery(Record):
    """Which deploys, alerts, incidents, tickets or runbooks to list."""

    window: Window
    service: str = ""
    text: str = ""
    limit: int = 200


@runtime_checkable
class CommitSource(Protocol):
    """Lists changes, newest first."""

    name: str

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]: ...


@runtime_checkable
class DeploySource(Protocol):
    """Lists deploys that started within the window, newest first."""

    name: str

    def deploys(self, query: EventQuery) -> Iterator[Page[Deploy]]: ...


@runtime_checkable
class LogSource(Protocol):
    """Reads log events of the window."""

    name: str

    def logs(self, query: LogQuery) -> Iterator[LogBatch]: ...


@runtime_checkable
class MetricSource(Protocol):
    """Reads metric series."""

    name: str

    def metrics(self, query: MetricQuery) -> Iterator[Page[MetricSeries]]: ...


@runtime_checkable
class AlertSource(Protocol):
    """Lists alerts that were firing at some moment of the window."""

    name: str

    def alerts(self, query: EventQuery) -> Iterator[Page[Alert]]: ...


@runtime_checkable
class IncidentSource(Protocol):
    """Lists incidents that began within the window."""

    name: str

    def incidents(self, query: EventQuery) -> Iterator[Page[Incident]]: ...


@runtime_checkable
class TicketSource(Protocol):
    """Lists tickets created or updated within the window."""

    name: str

    def tickets(self, query: EventQuery) -> Iterator[Page[Ticket]]: ...


@runtime_checkable
class RunbookSource(Protocol):
    """Lists runbooks of the service; the window does not matter."""

    name: str

    def runbooks(self, query: EventQuery) -> Iterator[Page[Runbook]]: ...


class Check(Record):
    """What `doctor` shows of one source after its cheapest read."""

    ok: bool
    detail: str
    version: str = ""
    missing: tuple[str, ...] = ()
    clock_skew_s: float | None = None


@runtime_checkable
class Checkable(Protocol):
    """Can say cheaply whether it would answer; raises `AdapterError` when it would not."""

    name: str

    def check(self) -> Check: ...


@runtime_checkable
class CommitComparer(Protocol):
    """Can say how two revisions of a repository differ, and through which requests a change came in."""

    name: str

    def compare(self, repo: str, base: str, head: str) -> Iterator[Page[Commit]]:
        """The changes that `head` has and `base` has not, newest first."""
        ...

    def requests_of(self, repo: str, sha: str) -> tuple[Ticket, ...]:
        """The pull or merge requests that a commit belongs to."""
        ...


@runtime_checkable
class Dated(Protocol):
    """A source that is configured to read one thing, such as a run of a pipeline, and can say when that was."""

    name: str

    def span(self) -> Window | None:
        """From its beginning to just after its end; None where nothing of the kind is configured."""
        ...
