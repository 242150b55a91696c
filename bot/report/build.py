"""Puts a report together from what was found, what was said about it and held, and what could not be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.analysis.engine import NO_LINES
from bot.analysis.findings import Findings
from bot.redact import Redactor
from bot.report.evidence import Lack, Records
from bot.report.models import Checked, Gap, Report, ReportWindow, Similar
from bot.report.timeline import timeline
from bot.report.words import plain

SHOWN_SUSPECTS = 20
_LONGEST_REASON = 300


def build(  # noqa: PLR0913 - everything that a report is made of
    number: str,
    question: str,
    findings: Findings,
    checked: Checked,
    records: Records,
    *,
    timings: Mapping[str, float],
    similar: Sequence[Similar] = (),
) -> Report:
    """Build the report that is stored, posted and printed.

    Secrets and control characters are taken out of all of it, here and once: its forms only lay it out.

    Args:
        number: the investigation's id, as people see it.
        timings: seconds by stage.
        similar: earlier incidents that were much alike.
    """
    narrative = checked.narrative
    calm = narrative.conclusion == "not_an_incident"  # then no change is suspected of anything
    seen = findings.model_copy(update={"suspects": ()}) if calm else findings
    report = Report(
        id=number,
        question=question,
        service=findings.service,
        window=ReportWindow(since=findings.window.since, until=findings.window.until),
        onset=findings.onset,
        conclusion=narrative.conclusion,
        confidence=narrative.confidence,
        confidence_terms=narrative.confidence_terms,
        summary=narrative.summary,
        patterns=findings.patterns,
        suspects=seen.suspects[:SHOWN_SUSPECTS],
        none_of_these=1.0 if calm else findings.none_of_these,
        none_terms=() if calm else findings.none_terms,
        claims=narrative.claims,
        removed_claims=checked.removed,
        gaps=_gaps(findings, records.gaps, narrative.missing),
        timeline=timeline(seen, records),
        propagation=findings.propagation,
        series=findings.series,
        stats=findings.stats,
        ruled_out=narrative.ruled_out,
        similar=tuple(similar),
        next_steps=narrative.next_steps,
        usage=narrative.usage,
        timings=dict(timings),
    )
    redactor = Redactor()
    redactor.reserve(report.model_dump_json())
    shown = redactor.model(Report.model_validate(_plain(report.model_dump())))
    if redactor.withheld:
        lack = Gap(
            system="redaction",
            reason=f"{redactor.withheld} texts could not be redacted and are withheld",
        )
        shown = shown.model_copy(update={"gaps": (*shown.gaps, lack)})
    return shown


def _plain(value: object) -> object:
    """Every text without what could drive a terminal or turn the reading order, so that every form is safe."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _gaps(
    findings: Findings, collected: Sequence[Lack], narrated: Sequence[Lack]
) -> tuple[Gap, ...]:
    """What could not be seen, once each: sources first, then what the analysis noted, then the narrator's."""
    told = any("log" in f"{gap.system} {gap.reason}".lower() for gap in collected)
    notes = [note for note in findings.notes if not (told and note == NO_LINES)]
    noted = tuple(Gap(system="logs", reason=note) for note in notes)
    everything = (*collected, *noted, *narrated)
    named = (Gap(system=g.system[:100], reason=g.reason[:_LONGEST_REASON]) for g in everything)
    return tuple(dict.fromkeys(named))
