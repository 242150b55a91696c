"""Sentences about findings, in words that the checks of `bot.verify` can follow: foreign text is always quoted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.analysis.engine import NO_BASELINE
from bot.analysis.findings import Findings, Pattern, Suspect
from bot.report import Claim, Records
from bot.report.words import counted, moment, one_line, quoted, short_sha

_SIMPLE = re.compile(r"[a-z][a-z-]{1,60}")
_MASKED = re.compile(r"\[secret:[^\]]*\]|<[^<>]*>|\W+|_")
_LONGEST_QUOTE = 240


def service_name(service: str) -> str:
    """A service's name in a sentence; an unusual one is quoted."""
    return service if _SIMPLE.fullmatch(service) else quoted(service, 60)


def change(suspect: Suspect) -> str:
    """A change as people recognise it: id, sha, title."""
    title = f" {quoted(suspect.title, 120)}" if suspect.title.strip() else ""
    return f"{suspect.id} {short_sha(suspect.sha)}{title}"


def reasons(suspect: Suspect, most: int = 2) -> str:
    """The strongest terms that speak for a change, with what was seen."""
    strongest = sorted(suspect.terms, key=lambda term: (-term.weight, term.name))
    told: list[str] = []
    for term in strongest[:most]:
        if term.weight > 0.1:
            seen = f" ({quoted(term.evidence, 100)})" if term.evidence.strip() else ""
            told.append(f"{quoted(term.name, 60)}{seen}")
    return " and ".join(told)


def symptom_sentence(findings: Findings, main: Pattern | None, *, broke: bool) -> str:
    """What broke, since when, how often; or that nothing did."""
    stats = findings.stats
    if main is None:
        if not stats.lines:
            return "No log lines were read for this window."
        return f"Nothing stands out in the {counted(stats.lines, 'log line')} of this window."
    if not broke:
        return _quiet(findings)
    since = _since(findings)
    where = f"{service_name(main.service)} " if main.service else "the logs "
    return _capital(f"{since}{where}{_happening(main)}.")


def compared(findings: Findings) -> bool:
    """Whether there were lines from before to compare with: without them nothing can be called usual."""
    return NO_BASELINE not in findings.notes


def _quiet(findings: Findings) -> str:
    number = findings.stats.lines
    lines = counted(number, "log line")
    if not compared(findings):
        shows = "shows" if number == 1 else "show"
        return f"The {lines} of this window {shows} no break, but nothing from before is there to compare with."
    looks = "looks" if number == 1 else "look"
    return f"The {lines} of this window {looks} like those before: no error or warning is new, surging or gone."


def _since(findings: Findings) -> str:
    if findings.onset is None:
        return ""
    return f"Since {moment(findings.onset.at, beside=findings.window.until)} "


def _happening(pattern: Pattern) -> str:
    what = quoted(pattern.template, 140)
    if pattern.kind in {"vanished", "dropping"}:
        word = "no longer logs" if pattern.kind == "vanished" else "logs far less"
        word = word if pattern.service else word.replace("logs", "show")
        return f"{word} {what}: {pattern.count:,} times, {pattern.baseline_count:,} before"
    word = "logs" if pattern.service else "show"
    before = f"{pattern.baseline_count:,} before" if pattern.baseline_count else "never before"
    if pattern.kind in {"steady", "seen"}:
        return f"{word} {what}: {counted(pattern.count, 'time')}"
    return f"{word} {what}: {counted(pattern.count, 'time')}, {before}"


def symptom_claim(pattern: Pattern) -> Claim:
    """A pattern as a claim, with one of its lines as the quotation."""
    where = service_name(pattern.service) if pattern.service else "the logs"
    lines = (
        one_line(line, _LONGEST_QUOTE)
        for example in pattern.examples
        for line in example.text.splitlines()
    )
    quote = next((line for line in lines if len(_MASKED.sub("", line)) >= 8), None)
    return Claim(text=_capital(f"{where} {_happening(pattern)}."), cites=(pattern.id,), quote=quote)


def _capital(sentence: str) -> str:
    """A sentence begins with a capital letter, but a service keeps its name."""
    return f"T{sentence[1:]}" if sentence.startswith("the ") else sentence


def deploys_before(records: Records, onset: datetime, within: timedelta) -> list[Claim]:
    """The last deploys before the onset, newest first."""
    claims: list[Claim] = []
    for number, deploy in enumerate(records.deploys, start=1):
        if onset - within <= deploy.at <= onset and len(claims) < 2:
            what = deploy.version or deploy.title or short_sha(deploy.sha)
            named = " ".join(quoted(part, 80) for part in (deploy.service, what) if part.strip())
            kind = deploy.kind.replace("_", " ")
            text = f"The last {kind} before it: {named} at {moment(deploy.at)}."
            claims.append(Claim(text=text, cites=(f"D{number}",)))
    return claims
