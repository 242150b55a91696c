"""The narrator that needs no model: the findings in plain words, and never more than they carry.

When it says what:

- `not_an_incident`: logs with times were read and could be compared with what was before, nothing failed to answer,
  no alert fires, no moment stands out, no warning or error is new, surging or gone, and errors are few: many old
  ones may be an incident that began before the window. One missing piece makes it `inconclusive`.
- `likely`: something broke, and one change has at least `LIKELY` of the probability and more than "none of these".
- `confirmed`: besides, at least `CONFIRMED`, and three kinds of evidence that do not follow from each other agree:
  the place (the change last wrote the line that fails), the time (it began soon after the change was deployed, or
  committed where no deploy is known), and two more strong kinds of terms. All shared words together are one kind,
  because they come from the same text. Logs and diffs alone rarely carry more than "likely".
- `inconclusive`: everything else. The best candidates are still named, as candidates.

Confidence is that the named cause is the cause (or that nothing happened); its terms add up to it. The headline shows
it; sentences do not repeat it as another number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.analysis.findings import Findings, Onset, Pattern, Suspect, Term
from bot.crew.desk import Desk
from bot.crew.phrases import (
    change,
    compared,
    deploys_before,
    reasons,
    service_name,
    symptom_claim,
    symptom_sentence,
)
from bot.report import Claim, Conclusion, Narrative, Records
from bot.report.outline import FAINT
from bot.report.words import counted, moment, percent, quoted, short_sha

LIKELY = 0.5
CONFIRMED = 0.95
_STRONG = 1.0
_NOT_A_CHANGE = 0.8
_BAD = frozenset({"warn", "error", "fatal"})
_ERRORS = frozenset({"error", "fatal"})
_UNCHANGED = frozenset({"steady", "seen"})
_MORE_PATTERNS = 4
_FEW, _FEW_SHARE = 10, 0.01
_DEPLOY_BEFORE = timedelta(hours=2)
_EXCLUDES = frozenset(
    {
        "deployed too late",
        "committed after it began",
        "not deployed",
        "documentation only",
        "tests only",
    }
)
"""Terms of `bot.analysis.suspects` that speak against a change by themselves; an old age, say, does not."""
_HIGHEST, _LOWEST = 0.97, 0.02
_WROTE_THE_LINE = "last wrote the failing line"
_KINDS = {
    _WROTE_THE_LINE: "place",
    "function of a stack frame": "place",
    "deploy before onset": "time",
    "commit before onset": "time",
    "recency": "time",
    "named file": "file",
    "file under test": "file",
    "best matching file": "words",
    "same folder": "file",
    "removes what is missing": "removal",
}
"""Kinds of terms; those that are not named rest on words that the symptom and the change share."""
_SOON_DEPLOYED, _SOON_COMMITTED = timedelta(minutes=60), timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class _Case:
    """The findings with what the narrator reads off them at once."""

    findings: Findings
    records: Records
    main: Pattern | None
    best: Suspect | None
    broke: bool

    @property
    def clear(self) -> bool:
        """Whether one change stands out."""
        best = self.best
        return best is not None and (
            best.probability >= LIKELY and best.probability > self.findings.none_of_these
        )


class OfflineNarrator:
    """Narrates findings without a model: deterministic, immediate, complete."""

    def narrate(
        self,
        question: str,
        findings: Findings,
        records: Records,
        *,
        seconds: float = 0.0,
        desk: Desk | None = None,
    ) -> Narrative:
        """Say what broke, since when, which change did it, how sure that is, and what to do next.

        Args:
            question: not needed; the findings were made for it.
            seconds: not needed; it takes milliseconds.
            desk: not needed; it asks nobody.
        """
        del question, seconds, desk
        case = _read(findings, records)
        conclusion = _conclusion(case)
        terms = _confidence(case, conclusion)
        return Narrative(
            conclusion=conclusion,
            confidence=round(min(1.0, max(0.0, sum(term.weight for term in terms))), 4),
            confidence_terms=terms,
            summary=_summary(case, conclusion),
            claims=_claims(case, conclusion),
            next_steps=_next_steps(case, conclusion),
            ruled_out=_ruled_out(case),
        )


def _read(findings: Findings, records: Records) -> _Case:
    unusual = [p for p in findings.patterns if p.kind not in _UNCHANGED and not p.recurring]
    bad = [p for p in unusual if p.level in _BAD or p.frames or p.kind in {"vanished", "dropping"}]
    firing = any(alert.state != "resolved" for alert in records.alerts)
    main = next(iter((*bad, *unusual, *findings.patterns)), None)
    best = findings.suspects[0] if findings.suspects else None
    failing = any(
        (p.frames or p.level in _ERRORS) and not p.baseline_count and not p.recurring
        for p in findings.patterns
    )
    broke = findings.onset is not None or bool(bad) or firing or failing
    return _Case(findings, records, main, best, broke)


def _conclusion(case: _Case) -> Conclusion:
    if not case.broke:
        return "not_an_incident" if _saw_everything(case) else "inconclusive"
    if not case.clear:
        return "inconclusive"
    return "confirmed" if _is_confirmed(case) else "likely"


def _saw_everything(case: _Case) -> bool:
    stats = case.findings.stats
    dated = stats.lines > stats.lines_without_time
    # Errors that were there before may be the incident itself, begun before the window.
    return dated and not _has_errors(case) and compared(case.findings) and not case.records.gaps


def _has_errors(case: _Case) -> bool:
    """Whether errors are more than the few that every log holds."""
    errors = sum(p.count for p in case.findings.patterns if p.level in _ERRORS)
    return errors >= _FEW and errors > _FEW_SHARE * case.findings.stats.lines


def _is_confirmed(case: _Case) -> bool:
    best, onset = case.best, case.findings.onset
    if best is None or onset is None or best.probability < CONFIRMED:
        return False
    if not (_in_place(best, onset) and _soon(best, onset)):
        return False
    strong = {term.name for term in best.terms if term.weight >= _STRONG and term.evidence}
    kinds = {_KINDS.get(name, "words") for name in strong} - {"place", "time"}
    return _WROTE_THE_LINE in strong and len(kinds) >= 2


def _in_place(suspect: Suspect, onset: Onset | None) -> bool:
    """Whether the change was there when it began; without a beginning, nothing speaks against that."""
    return onset is None or (suspect.deployed_at or suspect.committed_at) <= onset.latest


def _soon(suspect: Suspect, onset: Onset) -> bool:
    if suspect.deployed_at is not None:
        return onset.at - suspect.deployed_at <= _SOON_DEPLOYED
    return onset.at - suspect.committed_at <= _SOON_COMMITTED


def _confidence(case: _Case, conclusion: Conclusion) -> tuple[Term, ...]:
    gaps = min(3, len(case.records.gaps))
    if conclusion == "not_an_incident":
        lines = case.findings.stats.lines
        terms = [Term(name="no unusual pattern and no onset", weight=0.6)]
        terms.append(
            Term(name="lines read", weight=0.2 if lines >= 1000 else 0.0, evidence=str(lines))
        )
        terms += [Term(name="metrics read too", weight=0.1)] if case.records.metrics else []
        return tuple(terms)
    if case.best is None:
        return (Term(name="no change was seen", weight=0.0),)
    best = case.best
    shown = round(best.probability, 4)
    terms = [Term(name="probability of the best candidate", weight=shown, evidence=best.id)]
    if case.findings.onset is None:
        terms.append(Term(name="no clear beginning", weight=-round(0.1 * shown, 4)))
    if gaps:
        weight = -round(0.05 * gaps * shown, 4)
        terms.append(Term(name="sources that gave no answer", weight=weight, evidence=str(gaps)))
    total = sum(term.weight for term in terms)
    limited = min(_HIGHEST, max(_LOWEST, total))
    if abs(limited - total) > 1e-9:
        terms.append(Term(name="limit without an experiment", weight=round(limited - total, 4)))
    return tuple(terms)


def _summary(case: _Case, conclusion: Conclusion) -> str:
    sentences = [symptom_sentence(case.findings, case.main, broke=case.broke)]
    sentences += _where_first(case)
    if conclusion != "not_an_incident":
        sentences.append(_cause_sentence(case, conclusion))
    if case.records.gaps:
        systems = dict.fromkeys(gap.system for gap in case.records.gaps)
        listed = ", ".join(quoted(system, 40) for system in list(systems)[:3])
        sentences.append(f"Not everything could be seen: {listed}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _where_first(case: _Case) -> list[str]:
    order = [crossing for crossing in case.findings.propagation if crossing.service]
    first = [c for c in order if c.rank == order[0].rank] if order else []
    later = [c for c in order if c.rank != order[0].rank][:2] if order else []
    if not later:
        return []
    names = " and ".join(service_name(c.service) for c in first[:2])
    then = ", then in ".join(service_name(c.service) for c in later)
    return [f"It showed first in {names}, then in {then}."]


def _cause_sentence(case: _Case, conclusion: Conclusion) -> str:
    best, none = case.best, case.findings.none_of_these
    if best is None:
        return "No changes were seen, so none can be named as the cause."
    share = percent(best.probability)
    if best.probability < FAINT:
        return f"No change that was seen explains it: the likeliest has {share}."
    if case.clear:
        why = f", because of {reasons(best)}" if reasons(best) else ""
        if conclusion == "inconclusive":
            return f"Best candidate: {change(best)}{why}; but nothing that was seen shows a break."
        return f"Most likely cause: {change(best)}{why}."
    if none >= best.probability:
        return (
            f"No clear suspect: that it was none of the changes seen has {percent(none)}, "
            f"the best candidate, {change(best)}, has {share}."
        )
    return f"No clear suspect: the best candidate, {change(best)}, has only {share}."


def _claims(case: _Case, conclusion: Conclusion) -> tuple[Claim, ...]:
    findings, main = case.findings, case.main
    claims: list[Claim] = []
    if conclusion == "not_an_incident":
        lines = counted(findings.stats.lines, "log line")
        were = "was" if findings.stats.lines == 1 else "were"
        text = f"{lines} {were} read and no error or warning is new, surging or gone."
        return (Claim(text=text, cites=("S1",)),)
    if main is not None:
        claims.append(symptom_claim(main))
    if findings.onset is not None:
        onset = findings.onset
        text = (
            f"It began at {moment(onset.at)}, "
            f"between {moment(onset.earliest)} and {moment(onset.latest)}."
        )
        claims.append(Claim(text=text, cites=(main.id if main else "S1",)))
    claims += _cause_claims(case, conclusion)
    claims += _propagation_claims(findings)
    claims += [
        symptom_claim(p)
        for p in findings.patterns
        if p is not main and p.kind not in _UNCHANGED and not p.recurring
    ][:_MORE_PATTERNS]
    if findings.onset is not None:
        claims += deploys_before(case.records, findings.onset.at, _DEPLOY_BEFORE)
    return tuple(claims)


def _cause_claims(case: _Case, conclusion: Conclusion) -> list[Claim]:
    best, main = case.best, case.main
    if best is None or best.probability < FAINT:
        return []
    cites = (best.id, main.id) if main else (best.id,)
    why = reasons(best)
    named = conclusion in {"likely", "confirmed"}
    text = f"{change(best)} is the {'most likely cause' if named else 'best candidate'}"
    return [Claim(text=text + (f": {why}." if why else "."), cites=cites, cause=named)]


def _propagation_claims(findings: Findings) -> list[Claim]:
    known = {pattern.id for pattern in findings.patterns}
    order = [c for c in findings.propagation if c.service and c.pattern in known][:4]
    if len({crossing.rank for crossing in order}) < 2:
        return []
    parts = [f"{service_name(c.service)} at {moment(c.at)}" for c in order]
    text = f"First signs by service: {', '.join(parts)}. Order is evidence, not cause."
    return [Claim(text=text, cites=tuple(dict.fromkeys(c.pattern for c in order)))]


def _ruled_out(case: _Case) -> tuple[str, ...]:
    findings = case.findings
    recurring = [
        f"{p.id} {quoted(p.template, 100)} also stands in the baseline: it is not specific to this incident."
        for p in findings.patterns
        if p.recurring
    ]
    unlikely: list[str] = []
    for suspect in findings.suspects[1:]:
        against = next((term for term in suspect.terms if term.name in _EXCLUDES), None)
        if suspect.probability < 0.05 and against is not None:
            why = f" ({quoted(against.evidence, 80)})" if against.evidence else ""
            unlikely.append(
                f"{change(suspect)}: {quoted(against.name, 60)} speaks against it{why}."
            )
    return (*recurring[:3], *unlikely[:3])


def _next_steps(case: _Case, conclusion: Conclusion) -> tuple[str, ...]:
    steps = [*_change_steps(case), *_source_steps(case)]
    if conclusion == "inconclusive" and not case.broke and _has_errors(case):
        steps.insert(
            0, "The errors were there before this window too: ask again with an earlier start."
        )
    if conclusion == "not_an_incident":
        return (
            "If people still see the problem, ask again with a wider window or another service.",
        )
    return tuple(steps[:6])


def _change_steps(case: _Case) -> list[str]:
    best, main = case.best, case.main
    steps: list[str] = []
    if best is not None and case.clear:
        sha = short_sha(best.sha)
        steps.append(f"Read the diff of {best.id}: reply “show {best.id}”.")
        if _in_place(best, case.findings.onset):
            steps.append(
                f"If it fits, revert {sha} (git revert {sha}) or roll back to the version before it."
            )
    elif case.findings.suspects and case.findings.none_of_these >= _NOT_A_CHANGE:
        steps.append(
            "No change that I saw fits: look at configuration, dependencies, traffic and infrastructure, "
            "or name another repository (repo:...)."
        )
    elif case.findings.suspects:
        listed = ", ".join(s.id for s in case.findings.suspects[:3])
        steps.append(
            f"Compare the diffs of {listed} with the lines of the pattern; none stands out by itself."
        )
    if main is not None:
        steps.append(f"Look at the lines around it: reply “around {main.id}”.")
    return steps


def _source_steps(case: _Case) -> list[str]:
    steps: list[str] = []
    for number, runbook in enumerate(case.records.runbooks[:1], start=1):
        link = f": {runbook.url}" if runbook.url.startswith(("https://", "http://")) else "."
        steps.append(f"Follow the runbook R{number} {quoted(runbook.title, 100)}{link}")
    blind = dict.fromkeys(gap.system for gap in case.records.gaps)
    if blind:
        listed = ", ".join(quoted(system, 60) for system in list(blind)[:2])
        steps.append(f"Reply “rerun” once {listed} can be seen.")
    if not case.findings.stats.lines:
        steps.append(
            "Point a log source at the service, or widen the window: no log lines were read."
        )
    if not case.findings.suspects:
        steps.append("Point a git source at the service's repository: no changes were read.")
    return steps
