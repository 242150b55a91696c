"""From the Commander's verdict to a narrative: cleaned, compared with the ranking, and filled up from the engine's findings.

What a model says about its own certainty is half of the confidence; the other half is what the ranking gives to the
change that it names. Where both disagree, both are shown. `confirmed` and `not_an_incident` need the engine's consent:
otherwise a persuasive log line could talk an incident away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.analysis.findings import Findings, Suspect, Term
from bot.crew.answers import Statement, Verdict
from bot.crew.untrusted import Echo, harmless
from bot.report import Checked, Claim, Conclusion, Gap, Narrative, Records, numbered
from bot.report.words import percent

LIKELY = 0.5
MOST_CLAIMS, MOST_STEPS, MOST_RULED_OUT = 14, 6, 6
_ID = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z][1-9][0-9]{0,4})(?![A-Za-z0-9])")
_SHA = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LEAST_WORDS = 4


@dataclass(slots=True)
class Telling:
    """Turns what a model says into parts of a narrative.

    Attributes:
        links: those that the sources themselves gave; any other is withheld.
        deployed: deploy -> the change that it brought, by id.
        dropped: statements that repeated an order from the evidence.
    """

    findings: Findings
    plain: Narrative
    links: frozenset[str]
    echo: Echo
    deployed: Mapping[str, str] = field(default_factory=dict)
    dropped: int = 0

    def narrative(self, verdict: Verdict) -> Narrative:
        """The verdict as a narrative, nothing of which is checked yet."""
        culprit = self._culprit(verdict.culprit)
        conclusion, confidence, terms = self._judged(verdict, culprit)
        claims = self.claims(verdict.claims)
        other = self._disagreement(verdict, culprit, conclusion) if claims else []
        claims += other
        also = list(self.plain.next_steps) if other else []
        if verdict.conclusion == "not_an_incident" != conclusion:
            # Overruled: what it says beside its claims follows from a conclusion that is not drawn.
            verdict = Verdict()
        return Narrative(
            conclusion=conclusion,
            confidence=confidence,
            confidence_terms=terms,
            summary=" ".join(
                [*(c.text for c in other), *self._sentences(_SENTENCE.split(verdict.summary))]
            ),
            claims=tuple(claims),
            next_steps=tuple(self._sentences(verdict.next_steps) + also)[:MOST_STEPS],
            ruled_out=tuple(self._sentences(verdict.ruled_out))[:MOST_RULED_OUT],
        )

    def claims(self, statements: Iterable[Statement]) -> list[Claim]:
        """Statements as claims, without those that repeat an order."""
        kept: list[Claim] = []
        for said in statements:
            text = harmless(said.text, self.links).strip()
            if not text:
                continue
            if self.echo.heard_in(f"{text} {said.quote or ''}"):
                self.dropped += 1
                continue
            cites = tuple(dict.fromkeys(key for cite in said.cites for key in _ID.findall(cite)))
            quote = said.quote.strip() if said.quote and said.quote.strip() else None
            kept.append(Claim(text=text, cites=cites, quote=quote, cause=said.cause))
        return kept[:MOST_CLAIMS]

    def _sentences(self, texts: Iterable[str]) -> list[str]:
        kept = []
        for text in texts:
            shown = harmless(text, self.links).strip()
            if shown and self.echo.heard_in(shown):
                self.dropped += 1
            elif shown:
                kept.append(shown)
        return kept

    def _judged(self, verdict: Verdict, culprit: str) -> tuple[Conclusion, float, tuple[Term, ...]]:
        stated: Conclusion = verdict.conclusion
        if stated == "not_an_incident":
            if self.plain.conclusion == "not_an_incident":
                return stated, self.plain.confidence, self.plain.confidence_terms
            stated = "inconclusive"
        ranked = self._probability(culprit)
        terms = (
            Term(
                name="the crew's judgement",
                weight=round(verdict.confidence / 2, 4),
                evidence=f"half of {percent(verdict.confidence)}",
            ),
            Term(
                name="the ranking's view of the same cause",
                weight=round(ranked / 2, 4),
                evidence=f"half of {percent(ranked)}",
            ),
        )
        confidence = round(min(1.0, sum(term.weight for term in terms)), 4)
        if stated == "confirmed" and self.plain.conclusion != "confirmed":
            stated = "likely"
        if stated in {"likely", "confirmed"} and confidence < LIKELY:
            stated = "inconclusive"
        return stated, confidence, terms

    def _culprit(self, named: str) -> str:
        """The id of the change that is named by its id, by its deploy's, or by its sha."""
        key = next(iter(_ID.findall(named.upper())), "")
        if key:
            return self.deployed.get(key, key)
        sha = _SHA.search(named)
        known = (s.id for s in self.findings.suspects if sha and s.sha.startswith(sha[0].lower()))
        return next(known, "")

    def _probability(self, culprit: str) -> float:
        suspect = self._suspect(culprit)
        if suspect is not None:
            return suspect.probability
        return 0.0 if culprit else self.findings.none_of_these

    def _suspect(self, key: str) -> Suspect | None:
        return next((s for s in self.findings.suspects if s.id == key), None)

    def _disagreement(self, verdict: Verdict, culprit: str, conclusion: Conclusion) -> list[Claim]:
        """Both views, where the crew and the engine do not agree."""
        best = self.findings.suspects[0] if self.findings.suspects else None
        if verdict.conclusion == "not_an_incident" and conclusion != "not_an_incident":
            text = "The crew sees no incident; the deterministic analysis does, so this stays open."
            cites = tuple(p.id for p in self.findings.patterns[:1]) or ("S1",)
            return [Claim(text=text, cites=cites)]
        if best is None or culprit == best.id:
            return []
        clear = best.probability >= LIKELY and best.probability > self.findings.none_of_these
        if not culprit and not clear:
            return []
        ranked = f"The ranking of changes puts {best.id} first, at {percent(best.probability)}"
        other = self._suspect(culprit)
        if other is not None:
            text = f"{ranked}; the crew's view is {other.id}, which is ranked at {percent(other.probability)}."
            return [Claim(text=text, cites=(best.id, other.id))]
        view = f"{culprit}, which is not ranked" if culprit else "that none of the changes did it"
        return [Claim(text=f"{ranked}; the crew's view is {view}.", cites=(best.id,))]

    def filled(self, told: Narrative, checked: Checked) -> Narrative:
        """The narrative with what the engine found and the crew did not say; what fails the checks stays to be removed."""
        covered = {key for claim in checked.narrative.claims for key in claim.cites}
        more = [
            claim.model_copy(update={"cause": False})
            for claim in self.plain.claims
            if not set(claim.cites) <= covered
        ]
        return told.model_copy(
            update={
                "claims": (*told.claims, *more),
                "summary": told.summary if self._says(told, checked) else self.plain.summary,
                "next_steps": told.next_steps or self.plain.next_steps,
                "ruled_out": told.ruled_out or self.plain.ruled_out,
            }
        )

    def _says(self, told: Narrative, checked: Checked) -> bool:
        """Whether anything of the summary is left after the checks."""
        left = told.summary
        for removal in checked.removals:
            if removal.part == "summary":
                left = left.replace(removal.text, "")
        return len(left.split()) >= _LEAST_WORDS

    def notes(self) -> tuple[Gap, ...]:
        """What people should know about what was left out."""
        if not self.dropped:
            return ()
        what = "statements repeated" if self.dropped > 1 else "statement repeated"
        reason = f"{self.dropped} {what} orders that stand in logs or messages; left out"
        return (Gap(system="model", reason=reason),)


def own_links(findings: Findings, records: Records) -> frozenset[str]:
    """Links that the sources gave as a record's own, not those that stand in some text."""
    found = {suspect.url for suspect in findings.suspects}
    for _, record in numbered(records):
        found.add(str(getattr(record, "url", "") or ""))
        found.update(map(str, getattr(record, "links", {}).values()))
    return frozenset(link for link in found if link.startswith(("https://", "http://")))


def deployed(findings: Findings, records: Records) -> dict[str, str]:
    """Which ranked change each deploy brought: deploy -> change, by id."""
    ids = {suspect.sha: suspect.id for suspect in findings.suspects}
    return {
        f"D{number}": ids[deploy.sha]
        for number, deploy in enumerate(records.deploys, start=1)
        if deploy.sha in ids
    }


def gaps(failures: Sequence[tuple[str, str]]) -> tuple[Gap, ...]:
    """Agents and sources that gave no answer, as gaps."""
    return tuple(Gap(system=who, reason=why) for who, why in failures)
