"""What agents are told before they begin: the question, and what the deterministic analysis found, on two pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.analysis.findings import Findings
from bot.crew.answers import Finding
from bot.crew.change_tools import change_line
from bot.crew.ground import Ground
from bot.crew.log_tools import pattern_line
from bot.crew.pages import at, cut
from bot.report import Narrative
from bot.report.words import percent

_PATTERNS, _SUSPECTS, _TERMS, _DEPLOYS, _ALERTS = 8, 6, 3, 5, 3
LONGEST_QUESTION = 2_000


def briefing(ground: Ground) -> str:
    """The case in lines of text that is not trusted: whoever shows it to a model fences it."""
    return "\n".join(cut(line) for line in _lines(ground))


def _lines(ground: Ground) -> Iterator[str]:
    ask, findings = ground.desk.ask, ground.findings
    yield f"Question: {ask.question[:LONGEST_QUESTION]}"
    if ask.symptom and ask.symptom != ask.question:
        yield f"Alert: {ask.symptom[:LONGEST_QUESTION]}"
    yield f"Service: {ask.service or 'not named'}"
    yield f"Window: {at(ask.window.since)} to {at(ask.window.until)}, times are UTC"
    yield _onset(findings)
    yield f"Log lines read: {findings.stats.lines}; unusual patterns: {len(findings.patterns)}"
    yield from (pattern_line(pattern) for pattern in findings.patterns[:_PATTERNS])
    yield from (
        f"First sign in {c.service or 'an unnamed service'} at {at(c.at)}, rank {c.rank} [{c.pattern}]"
        for c in findings.propagation[:6]
    )
    yield from _changes(ground)
    for number, alert in enumerate(ground.records.alerts[:_ALERTS], start=1):
        yield f"A{number} {alert.state} {at(alert.started_at)} {alert.service}: {alert.title}"
    if ground.records.metrics:
        yield f"Metric series: {len(ground.records.metrics)}"
    yield from (f"Not seen: {gap.system}: {gap.reason}" for gap in ground.records.gaps[:8])


def _onset(findings: Findings) -> str:
    onset = findings.onset
    if onset is None:
        return "Onset: no clear beginning"
    return f"Onset: {at(onset.at)}, between {at(onset.earliest)} and {at(onset.latest)}"


def _changes(ground: Ground) -> Iterator[str]:
    findings, commits = ground.findings, ground.records.commits
    yield f"Changes: {len(commits)}, ranked by how likely they did it:"
    known = {f"C{number}": commit for number, commit in enumerate(commits, start=1)}
    for suspect in findings.suspects[:_SUSPECTS]:
        commit = known.get(suspect.id)
        yield (
            change_line(ground, suspect.id, commit)
            if commit
            else f"{suspect.id} {suspect.sha[:10]} {percent(suspect.probability)}: {suspect.title}"
        )
        for term in sorted(suspect.terms, key=lambda t: -abs(t.weight))[:_TERMS]:
            yield f"    {term.weight:+.2f} {term.name}: {term.evidence}"
    yield f"None of these: {percent(findings.none_of_these)}"
    for number, deploy in enumerate(ground.records.deploys[:_DEPLOYS], start=1):
        yield f"D{number} {deploy.kind} {at(deploy.at)} {deploy.service} {deploy.version} {deploy.title}"


def for_commander(
    ground: Ground,
    plain: Narrative,
    answers: Mapping[str, Finding],
    failures: Mapping[str, str],
) -> str:
    """What the Commander weighs: the case, the deterministic verdict, and each specialist's words."""
    lines = [briefing(ground), "", f"Deterministic verdict: {plain.conclusion}. {plain.summary}"]
    for role, finding in answers.items():
        suspect = f"; suspect {finding.suspect}" if finding.suspect else ""
        lines += ["", f"{role}, {percent(finding.confidence)} sure{suspect}: {finding.summary}"]
        for said in finding.statements:
            quote = f" quote: {said.quote}" if said.quote else ""
            lines.append(f"- {said.text} [{', '.join(said.cites)}]{quote}")
    lines += [f"{role} gave no answer: {reason}" for role, reason in failures.items()]
    return "\n".join(cut(line) for line in lines)
