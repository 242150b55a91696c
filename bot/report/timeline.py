"""What happened, in order: changes, deploys, alerts, the onset and the first sign of each service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from adapters.kit.records import Alert
from bot.analysis.findings import Findings, Pattern
from bot.report.evidence import Records
from bot.report.models import Moment
from bot.report.words import one_line, quoted, short_sha

MOST_MOMENTS = 40
_DEPLOYS_BEFORE = timedelta(hours=24)
_SHOWN_SUSPECTS = 3
_LEAST_PROBABILITY = 0.05
_SHOWN_PATTERNS = 5


def timeline(findings: Findings, records: Records) -> tuple[Moment, ...]:
    """At most `MOST_MOMENTS` moments, oldest first; those nearest to the onset are kept."""
    moments = list(
        dict.fromkeys(
            (
                *_changes(findings),
                *_deploys(findings, records),
                *_signs(findings),
                *_reports(records),
            )
        )
    )
    centre = findings.onset.at if findings.onset else findings.window.until
    nearest = sorted(moments, key=lambda m: (abs(m.at - centre), m.text))[:MOST_MOMENTS]
    return tuple(sorted(nearest, key=lambda m: (m.at, m.text)))


def _changes(findings: Findings) -> Iterator[Moment]:
    for suspect in findings.suspects[:_SHOWN_SUSPECTS]:
        if suspect.probability < _LEAST_PROBABILITY:
            continue
        name = f"{suspect.id} {short_sha(suspect.sha)} {quoted(suspect.title, 100)}"
        yield Moment(
            at=suspect.committed_at,
            text=f"Change {name} was committed",
            cites=(suspect.id,),
        )
        if suspect.deployed_at is not None:
            yield Moment(
                at=suspect.deployed_at, text=f"Change {name} was deployed", cites=(suspect.id,)
            )


def _deploys(findings: Findings, records: Records) -> Iterator[Moment]:
    centre = findings.onset.at if findings.onset else findings.window.since
    for number, deploy in enumerate(records.deploys, start=1):
        if centre - _DEPLOYS_BEFORE <= deploy.at < findings.window.until:
            what = one_line(deploy.version or deploy.title or short_sha(deploy.sha), 80)
            name = one_line(" ".join(part for part in (deploy.service, what) if part), 120)
            kind = deploy.kind.replace("_", " ").capitalize()
            status = f" ({one_line(deploy.status, 40)})" if deploy.status else ""
            yield Moment(at=deploy.at, text=f"{kind} of {name}{status}", cites=(f"D{number}",))


def _signs(findings: Findings) -> Iterator[Moment]:
    if findings.onset is not None:
        yield Moment(at=findings.onset.at, text="Onset: this is when it most likely began")
    for crossing in findings.propagation:
        if crossing.service:
            service = one_line(crossing.service, 80)
            cites = (crossing.pattern,)
            yield Moment(at=crossing.at, text=f"First sign in {service}", cites=cites)
    shown = [p for p in findings.patterns if p.kind in {"new", "surging", "vanished"}]
    for pattern in shown[:_SHOWN_PATTERNS]:
        at = pattern.last_seen if pattern.kind == "vanished" else pattern.first_seen
        if at is not None and pattern.kind != "surging":
            yield Moment(at=at, text=_sign(pattern), cites=(pattern.id,))


def _sign(pattern: Pattern) -> str:
    what = "Last seen" if pattern.kind == "vanished" else "First seen"
    return f"{what}: {quoted(pattern.template, 120)}"


def _reports(records: Records) -> Iterator[Moment]:
    for number, alert in enumerate(records.alerts, start=1):
        yield from _alert(alert, f"A{number}")
    for number, incident in enumerate(records.incidents, start=1):
        cites, title = (f"I{number}",), quoted(incident.title, 100)
        yield Moment(
            at=incident.started_at, text=f"Incident {incident.key} {title} began", cites=cites
        )
        if incident.resolved_at is not None:
            yield Moment(
                at=incident.resolved_at, text=f"Incident {incident.key} was resolved", cites=cites
            )


def _alert(alert: Alert, key: str) -> Iterator[Moment]:
    edges: tuple[tuple[datetime | None, str], ...] = (
        (alert.started_at, "fired"),
        (alert.ended_at, "ended"),
    )
    for at, what in edges:
        if at is not None:
            yield Moment(at=at, text=f"Alert {quoted(alert.title, 100)} {what}", cites=(key,))
