"""The answers that show a part of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.analysis.findings import Pattern, Suspect
from bot.followup.case import Answer, Case
from bot.report import outline
from bot.report.words import counted, moment, one_line, percent, quoted, short_sha, span

COMMANDS = (
    "timeline, suspects, patterns, why, gaps, next: parts of the report",
    "show C3: a change with its diff; show D1, A1, R1 ...: any other record",
    "lines L2: log lines of a pattern; around L2: the lines before and after",
    "compare 13:00-13:30 14:00-14:30: counts in two spans",
    "rerun since 13:40 until 14:30: investigate again",
)
_OWNERS = ("oncall", "on_call", "team", "owner", "squad", "contact", "escalation", "slack_channel")


def shown(case: Case, at: datetime) -> str:
    """A moment in the asker's zone, without the date when it is the day of the window's end."""
    return moment(at, case.tz, beside=case.report.window.until)


def help_(case: Case) -> Answer:
    """What can be asked."""
    return case.say("You can ask me about this investigation in your own words, or say:", *COMMANDS)


def welcome(case: Case) -> Answer:
    """An answer to thanks."""
    return case.say("You're welcome.")


def summary(case: Case) -> Answer:
    """The verdict."""
    report = case.report
    cites = [key for claim in report.claims for key in claim.cites]
    return case.say(f"{outline.headline(report)}. {report.summary}", cites=cites[:6])


def timeline(case: Case) -> Answer:
    """What happened, in order."""
    moments = case.report.timeline
    if not moments:
        return case.say("Nothing that I saw carries a time, so there is no timeline.")
    lines = [
        f"{moment(m.at, case.tz)}  {one_line(m.text, 200)} {_listed(m.cites)}".rstrip()
        for m in moments
    ]
    return case.say("Timeline:", *lines, cites=[key for m in moments for key in m.cites])


def suspects(case: Case) -> Answer:
    """The leading changes with what speaks for them."""
    report = case.report
    if report.conclusion == "not_an_incident":
        return case.say("Nothing broke that I could see, so I suspect no change.", _gap_hint(case))
    if not report.suspects:
        return case.say("I saw no changes, so I have no suspects.", _gap_hint(case), cites=())
    best = report.suspects[0]
    clear = best.probability >= 0.5 and best.probability > report.none_of_these
    opening = (
        f"Most likely {best.id}, at {percent(best.probability)}."
        if clear
        else "No change stands out clearly; the best candidates are:"
    )
    lines = [_suspect(case, suspect) for suspect in report.suspects[:5]]
    closing = f"None of these: {percent(report.none_of_these)}. Say “show {best.id}” for its diff."
    return case.say(opening, *lines, closing, cites=[s.id for s in report.suspects[:5]])


def _listed(cites: tuple[str, ...]) -> str:
    return f"[{', '.join(cites)}]" if cites else ""


def _suspect(case: Case, suspect: Suspect) -> str:
    strongest = [t for t in outline.top_terms(suspect.terms) if t.weight > 0.1][:2]
    why = "; ".join(one_line(f"{t.name}: {t.evidence}", 120).rstrip(": ") for t in strongest)
    author = case.text_of(suspect.id, "author")
    parts = (
        f"{suspect.id}  {percent(suspect.probability)}  {short_sha(suspect.sha)} {quoted(suspect.title, 100)}",
        f"by {one_line(author, 60)}" if author else "",
        f"committed {shown(case, suspect.committed_at)}",
        why,
    )
    return ", ".join(part for part in parts if part)


def patterns(case: Case) -> Answer:
    """What the logs show that is unusual."""
    if not case.report.patterns:
        return case.say("No log pattern is unusual in this window.", _gap_hint(case))
    lines = [pattern_line(pattern) for pattern in case.report.patterns[:8]]
    first = case.report.patterns[0].id
    return case.say(
        *lines,
        f"Say “lines {first}” for its lines, “around {first}” for what stands around them.",
        cites=[pattern.id for pattern in case.report.patterns[:8]],
    )


def pattern_line(pattern: Pattern) -> str:
    """A pattern with its counts, on one line."""
    return f"{pattern.id}  {one_line(pattern.template, 160)}  ({one_line(outline.pattern_line(pattern), 120)})"


def why(case: Case) -> Answer:
    """How sure, and what that number is added up from."""
    report = case.report
    lines = [f"{outline.headline(report)}."]
    if report.suspects:
        best = report.suspects[0]
        name = f"{best.id} {short_sha(best.sha)} {quoted(best.title, 120)}"
        lines.append(
            f"The likeliest change is {name}, at {percent(best.probability)}. In log-odds:"
        )
        lines += [
            one_line(f"{t.weight:+.2f}  {t.name}: {t.evidence}", 200).rstrip(": ")
            for t in outline.top_terms(best.terms)
        ]
        lines.append(f"{outline.none_of_these(report)}.")
    if report.confidence_terms:
        lines.append(f"That I am {percent(report.confidence)} sure is the sum of:")
    lines += [
        one_line(f"{t.weight:+.2f}  {t.name} {f'({t.evidence})' if t.evidence else ''}", 200)
        for t in report.confidence_terms
    ]
    lines += [f"{claim.text} {outline.cited(claim)}" for claim in report.claims[:4]]
    if report.removed_claims:
        removed = counted(report.removed_claims, "statement")
        lines.append(f"{removed} removed, because the evidence does not carry it.")
    cites = [key for claim in report.claims[:4] for key in claim.cites]
    return case.say(*lines, cites=[*[s.id for s in report.suspects[:1]], *cites])


def gaps(case: Case) -> Answer:
    """What could not be seen."""
    if not case.report.gaps:
        return case.say("Every source that I asked gave a complete answer.")
    lines = [f"{one_line(g.system, 60)}: {one_line(g.reason, 240)}" for g in case.report.gaps]
    return case.say("What I could not see:", *lines)


def next_steps(case: Case) -> Answer:
    """What to do now."""
    steps = [f"{number}. {step}" for number, step in enumerate(case.report.next_steps, start=1)]
    if not steps:
        return case.say("I have no further step to offer.", _gap_hint(case))
    return case.say(*steps, cites=[*[s.id for s in case.report.suspects[:1]], *case.keys("R")[:1]])


def onset(case: Case) -> Answer:
    """Since when, and how exactly that is known."""
    found = case.report.onset
    if found is None:
        return case.say(
            "I found no moment at which the logs change clearly.",
            *(
                f"{p.id} was first seen {shown(case, p.first_seen)}."
                for p in case.report.patterns[:1]
                if p.first_seen
            ),
            cites=[p.id for p in case.report.patterns[:1]],
        )
    before = span(case.report.window.until - found.at)
    told = [one_line(term.evidence or term.name, 160) for term in found.terms[:3]]
    return case.say(
        f"It began at {moment(found.at, case.tz)}, between {shown(case, found.earliest)} and "
        f"{shown(case, found.latest)}; that is {before} before the end of what I looked at.",
        f"What changed then: {'; '.join(told)}." if told else "",
        cites=[p.id for p in case.report.patterns[:1]],
    )


def services(case: Case) -> Answer:
    """Where it showed, in which order."""
    order = case.report.propagation
    if order:
        lines = [
            f"{c.rank}. {one_line(c.service, 80)} at {shown(case, c.at)} [{c.pattern}]"
            for c in order[:10]
        ]
        return case.say(
            "First signs by service (order is evidence, not cause):",
            *lines,
            cites=[c.pattern for c in order[:10]],
        )
    named = [name for name in case.services if name]
    if not named:
        return case.say("The logs name no service.")
    return case.say(f"I saw unusual lines in: {', '.join(sorted(named)[:12])}.", cites=())


def one_service(case: Case, service: str) -> Answer:
    """What is known about one service."""
    mine = [p for p in case.report.patterns if p.service == service]
    lines = [pattern_line(p) for p in mine[:6]]
    lines += [
        f"First sign at {shown(case, c.at)}, rank {c.rank} of all services."
        for c in case.report.propagation
        if c.service == service
    ]
    for series in case.report.series:
        if series.service == service:
            events, errors = sum(series.total), sum(series.errors)
            told = f"{counted(events, 'log event')}, of which {counted(errors, 'error')}"
            lines += [f"{told}, in the window."]
    opening = f"{service}:" if mine else f"{service} shows no unusual pattern."
    return case.say(opening, *lines, cites=[p.id for p in mine[:6]])


def deploys(case: Case) -> Answer:
    """What was deployed."""
    lines = []
    for key in case.keys("D")[:8]:
        what = " ".join(
            filter(
                None, (case.text_of(key, "service"), case.text_of(key, "version", "title", "sha"))
            )
        )
        lines.append(f"{key}  {one_line(what, 120)} at {case.text_of(key, 'at')}")
    if not lines:
        return case.say("I saw no deploys.", _gap_hint(case))
    return case.say(*lines, cites=case.keys("D")[:8])


def whom_to_page(case: Case) -> Answer:
    """Who owns it, as far as alerts and runbooks say; who wrote a change is not thereby on call."""
    lines = ["No on-call source is connected, so I cannot say who is on call."]
    cites: list[str] = []
    for key in case.keys("A"):
        labels = case.evidence[key].get("labels")
        told = _owners(labels) if isinstance(labels, Mapping) else []
        if told and key not in cites:
            lines.append(f"The alert {key} names {', '.join(told)}.")
            cites.append(key)
    for key in case.keys("R")[:2]:
        title = quoted(case.text_of(key, "title"), 100)
        told_by = f"The runbook {key} {title} may name the people: {case.text_of(key, 'url')}"
        lines.append(told_by.rstrip(": "))
        cites.append(key)
    for suspect in case.report.suspects[:1]:
        author = case.text_of(suspect.id, "author")
        if author and suspect.probability >= 0.5:
            name = one_line(author, 80)
            lines.append(
                f"{suspect.id}, the likeliest change, was written by {name}, who may not be on call."
            )
            cites.append(suspect.id)
    return case.say(*lines, cites=cites)


def _owners(labels: Mapping[object, object]) -> Iterable[str]:
    return [
        f"{one_line(str(name), 40)} {quoted(str(value), 80)}"
        for name, value in labels.items()
        if str(name).lower() in _OWNERS and str(value).strip()
    ]


def _gap_hint(case: Case) -> str:
    return (
        f"I could not see everything: say “gaps” ({len(case.report.gaps)})."
        if case.report.gaps
        else ""
    )
