"""The parts of a report in the order in which every form shows them, as words without layout."""

from __future__ import annotations

from datetime import tzinfo

from bot.analysis.findings import Example, Pattern, Suspect, Term
from bot.report.models import Claim, Report, Similar, Usage
from bot.report.words import CONCLUSIONS, counted, moment, percent, short_sha

SHOWN_SUSPECTS = 5
SHOWN_PATTERNS = 8
SHOWN_EXAMPLES = 2
SHOWN_TERMS = 6
FAINT = 0.05
"""A change that is less likely than this is not called a candidate."""


def headline(report: Report) -> str:
    """The verdict and how sure it is."""
    name, sure = CONCLUSIONS[report.conclusion], percent(report.confidence)
    if report.conclusion == "inconclusive":
        best = report.suspects[0] if report.suspects else None
        if best is None or best.probability < FAINT:
            return name
        return f"{name} ({percent(best.probability)} for the best candidate)"
    return f"{name} ({sure} sure)"


def facts(report: Report, tz: tzinfo) -> list[tuple[str, str]]:
    """Name and value of what stands at the top."""
    since, until = report.window.since, report.window.until
    window = f"{moment(since, tz)} to {moment(until, tz, beside=since)}"
    found = [("Question", report.question), ("Service", report.service), ("Window", window)]
    if report.onset is not None:
        onset = report.onset
        between = (
            f"between {moment(onset.earliest, tz, beside=onset.at)} "
            f"and {moment(onset.latest, tz, beside=onset.at)}"
        )
        found.append(("Began", f"{moment(onset.at, tz)} ({between})"))
    return [(name, value) for name, value in found if value.strip()]


def suspect_line(suspect: Suspect, tz: tzinfo) -> tuple[str, str]:
    """What names a change, and when it was made."""
    when = f"committed {moment(suspect.committed_at, tz)}"
    if suspect.deployed_at is not None:
        when += f", deployed {moment(suspect.deployed_at, tz)}"
    return f"{suspect.id}  {percent(suspect.probability)}  {short_sha(suspect.sha)}", when


def top_terms(terms: tuple[Term, ...]) -> list[Term]:
    """The terms with most weight, for or against."""
    return sorted(terms, key=lambda term: (-abs(term.weight), term.name))[:SHOWN_TERMS]


def pattern_line(pattern: Pattern) -> str:
    """Kind, counts, level and service of a pattern."""
    kind = f"{pattern.kind}, also in the baseline" if pattern.recurring else pattern.kind
    times = counted(pattern.count, "time")
    if pattern.kind != "seen":
        times += f", {pattern.baseline_count:,} before"
    parts = [kind, times, pattern.level, pattern.service]
    return " · ".join(part for part in parts if part)


def place(example: Example) -> str:
    """Where a line stands."""
    name = example.origin or example.source
    return f"{name}:{example.line}" if example.line is not None else name


def cited(claim: Claim) -> str:
    """The ids that a statement rests on."""
    return f"[{', '.join(claim.cites)}]" if claim.cites else ""


def footnote(report: Report) -> str:
    """What was read, what it cost, and how long it took."""
    parts = []
    if report.stats.lines:
        parts.append(f"{counted(report.stats.lines, 'log line')} read")
    if report.removed_claims:
        removed = counted(report.removed_claims, "statement")
        parts.append(f"{removed} removed that the evidence does not carry")
    parts.append(usage(report.usage))
    if report.timings:
        parts.append(f"{sum(report.timings.values()):.1f} s")
    return " · ".join(parts)


def usage(used: Usage) -> str:
    """What the models cost, in words."""
    if not used.llm_calls:
        return "no model was used"
    cost = "cost unknown" if used.cost is None else f"${used.cost:.3f}"
    return f"{counted(used.llm_calls, 'model call')}, {counted(used.tokens, 'token')}, {cost}"


def similar(one: Similar, tz: tzinfo) -> str:
    """When something like this was seen, and what it was then."""
    why = ", ".join(term.name for term in one.terms)
    then = f"; cause then: {one.cause}" if one.cause else ""
    alike = f"{percent(one.score)} alike" + (f" by {why}" if why else "")
    return f"Seen on {moment(one.at, tz)} (#{one.number}, {alike}){then}"


def none_of_these(report: Report) -> str:
    """How likely it was something that is not listed."""
    return f"None of these: {percent(report.none_of_these)}"


def no_suspects(report: Report) -> str:
    """Why no change is listed."""
    calm = report.conclusion == "not_an_incident"
    return "No change is suspected of anything." if calm else "No changes were seen."
