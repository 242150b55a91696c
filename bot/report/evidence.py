"""What was collected, as the report and the checks see it: the records behind the evidence ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
from bot.analysis.findings import Crossing, Findings, Onset, Pattern, Suspect, Term
from bot.report.words import percent

_LONGEST = 400_000
"""Characters of one record that a claim is compared with; patches and traces are far shorter."""


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


def records_of(items: Mapping[str, Mapping[str, object]]) -> Seen:
    """The records of a finished investigation from its saved evidence, under the ids that they had.

    A kind ends at the first record that cannot be read any more: those after it would change their ids.
    """

    def read(letter: str, kind: type[Kept]) -> tuple[Kept, ...]:
        found: list[Kept] = []
        while (payload := items.get(f"{letter}{len(found) + 1}")) is not None:
            record = kept(payload, kind)
            if record is None:
                break
            found.append(record)
        return tuple(found)

    return Seen(
        commits=read("C", Commit),
        deploys=read("D", Deploy),
        metrics=read("M", MetricSeries),
        alerts=read("A", Alert),
        incidents=read("I", Incident),
        tickets=read("T", Ticket),
        runbooks=read("R", Runbook),
    )


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


def texts(findings: Findings, records: Records) -> dict[str, str]:
    """What was seen behind each evidence id, as text: what claims are checked against.

    `S1` is what was read as a whole. A log pattern's text holds the engine's counts and times as well as the lines; a change's text its place in the
    ranking as well as its diff.
    """
    seen: dict[str, str] = {}
    crossings = {crossing.pattern: crossing for crossing in findings.propagation}
    for pattern in findings.patterns:
        seen[pattern.id] = _clip(_pattern(pattern, findings.onset, crossings.get(pattern.id)))
    suspects = {suspect.id: suspect for suspect in findings.suspects}
    for key, record in numbered(records):
        parts = [_flat(record)]
        suspect = suspects.pop(key, None)
        if suspect is not None:
            parts.insert(0, _suspect(suspect, findings))
        seen[key] = _clip("\n".join(parts))
    for key, suspect in suspects.items():
        seen[key] = _clip(_suspect(suspect, findings))
    seen["S1"] = _clip(_overview(findings, records))
    return seen


def _overview(findings: Findings, records: Records) -> str:
    """What was read and what was not: the record `S1`, for statements about the whole."""
    lines = [f"{name}: {value}" for name, value in findings.stats.model_dump(mode="json").items()]
    lines += [f"window: {findings.window.since.isoformat()} {findings.window.until.isoformat()}"]
    if findings.onset is not None:
        lines += [f"onset {n}: {at.isoformat()}" for n, at in _onset_moments(findings.onset)]
    lines += [f"service: {crossing.service}" for crossing in findings.propagation]
    lines.append(f"none_of_these: {_share(findings.none_of_these)}")
    lines += [f"changes: {len(records.commits)}", f"deploys: {len(records.deploys)}"]
    lines += [f"service: {findings.service}", *findings.notes]
    lines += [f"not seen: {gap.system}: {gap.reason}" for gap in records.gaps]
    return "\n".join(lines)


def _share(value: float) -> str:
    return f"{value:.6f} ({percent(value)})"


def _clip(text: str) -> str:
    return text[:_LONGEST]


def _pattern(pattern: Pattern, onset: Onset | None, crossing: Crossing | None) -> str:
    lines = [
        f"log pattern {pattern.id}",
        f"template: {pattern.template}",
        f"service: {pattern.service}",
        f"level: {pattern.level}",
        f"kind: {pattern.kind}",
        f"count: {pattern.count}",
        f"baseline_count: {pattern.baseline_count}",
        "the same burst stands in the baseline" if pattern.recurring else "",
        *(
            f"{name}: {at.isoformat()}"
            for name, at in (("first_seen", pattern.first_seen), ("last_seen", pattern.last_seen))
            if at
        ),
    ]
    if onset is not None:
        lines += [f"onset {n}: {at.isoformat()}" for n, at in _onset_moments(onset)]
    if crossing is not None:
        lines.append(
            f"service: {crossing.service} first crossed at {crossing.at.isoformat()}, rank {crossing.rank}"
        )
    for example in pattern.examples:
        place = f"{example.origin or example.source}:{example.line or ''}"
        at = example.at.isoformat() if example.at else ""
        lines += [f"{place} {at}", *example.before, example.text, *example.after]
    for frame in pattern.frames:
        lines.append(f"{frame.file}:{frame.line or ''} {frame.function} {frame.exception}")
    lines += _terms(pattern.terms)
    return "\n".join(lines)


def _onset_moments(onset: Onset) -> tuple[tuple[str, datetime], ...]:
    return (("at", onset.at), ("earliest", onset.earliest), ("latest", onset.latest))


def _suspect(suspect: Suspect, findings: Findings) -> str:
    deployed = suspect.deployed_at
    return "\n".join(
        [
            f"change {suspect.id} {suspect.sha} of {suspect.repo}",
            f"title: {suspect.title}",
            f"committed_at: {suspect.committed_at.isoformat()}",
            f"deployed_at: {deployed.isoformat()}" if deployed else "",
            f"probability: {_share(suspect.probability)}",
            f"none_of_these: {_share(findings.none_of_these)}",
            *suspect.files,
            *_terms(suspect.terms),
        ]
    )


def _terms(terms: Sequence[Term]) -> list[str]:
    return [f"{term.name} {term.weight:+.2f}: {term.evidence}" for term in terms]


def _flat(record: Record) -> str:
    """A record as `key: value` lines; patches and other long texts stay as they are."""
    lines: list[str] = []

    def walk(name: str, value: object) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                walk(str(key), item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(name, item)
        elif value not in (None, ""):
            lines.append(f"{name}: {value}")

    walk("", record.model_dump(mode="json"))
    return "\n".join(lines)
