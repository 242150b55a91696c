"""What was collected, as the report and the checks see it: the records behind the evidence ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import ValidationError

from adapters.kit.records import (
    Alert,
    Commit,
    Deploy,
    Incident,
    MetricSeries,
    Record,
    Runbook,
    Ticket,
)


class Lack(Protocol):
    """A system that gave no answer, and why."""

    @property
    def system(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Records(Protocol):
    """The records of one investigation; the position in its tuple is a record's id (`commits[0]` is `C1`)."""

    @property
    def commits(self) -> Sequence[Commit]: ...
    @property
    def deploys(self) -> Sequence[Deploy]: ...
    @property
    def metrics(self) -> Sequence[MetricSeries]: ...
    @property
    def alerts(self) -> Sequence[Alert]: ...
    @property
    def incidents(self) -> Sequence[Incident]: ...
    @property
    def tickets(self) -> Sequence[Ticket]: ...
    @property
    def runbooks(self) -> Sequence[Runbook]: ...
    @property
    def gaps(self) -> Sequence[Lack]: ...


@dataclass(frozen=True)
class Seen:
    """`Records` as plain values, for what comes from storage and for tests."""

    commits: tuple[Commit, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    metrics: tuple[MetricSeries, ...] = ()
    alerts: tuple[Alert, ...] = ()
    incidents: tuple[Incident, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    gaps: tuple[Lack, ...] = field(default=())


Kept = TypeVar("Kept", bound=Record)


def kept(payload: Mapping[str, object], kind: type[Kept]) -> Kept | None:
    """Read a saved record back; None when it was saved by a version that knew other fields."""
    known = {name: payload[name] for name in kind.model_fields if name in payload}
    try:
        return kind.model_validate(known)
    except ValidationError:
        return None


def numbered(records: Records) -> Iterator[tuple[str, Record]]:
    """Every record with its id, in the order of the ids."""
    groups: tuple[tuple[str, Sequence[Record]], ...] = (
        ("C", records.commits),
        ("D", records.deploys),
        ("M", records.metrics),
        ("A", records.alerts),
        ("I", records.incidents),
        ("T", records.tickets),
        ("R", records.runbooks),
    )
    for letter, group in groups:
        for number, record in enumerate(group, start=1):
            yield f"{letter}{number}", record
