"""Every claim against the evidence: what the cited records do not hold cannot be shown as a finding.

A statement is believed when each quotation, sha, file path, number with its unit, time, identifier and service name in
it stands in the records that it cites, after normalisation. Plain words cannot be looked up; that is why a claim must
cite, why a quotation is shown with it, and why the conclusion falls when the support of the cause falls. The summary,
what was ruled out and the next steps cite nothing and are compared with all records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from bot.analysis.findings import Term
from bot.report.models import Checked, Claim, Conclusion, Narrative, Removal
from bot.verify.mentions import Mention, mentions
from bot.verify.sight import Sight, normal

__all__ = ["verify"]

MOST_CLAIMS = 40
LONGEST_STATEMENT = 2_000
_SHORTEST_QUOTE = 3
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“\[A-Z0-9])|\n+")
_WORD = re.compile(r"\w{4,}")
_SAME_STATEMENT = 0.6
_ADVICE: frozenset[str] = frozenset({"link", "id", "sha"})
"""What is looked up in advice: a next step may name a command, a file or a duration that nobody logged."""

_LOWER: dict[Conclusion, Conclusion] = {
    "confirmed": "likely",
    "likely": "inconclusive",
    "inconclusive": "inconclusive",
    "not_an_incident": "inconclusive",
}
_CEILING: dict[Conclusion, float] = {
    "confirmed": 1.0,
    "likely": 0.9,
    "inconclusive": 0.5,
    "not_an_incident": 1.0,
}


class Records:
    """What was seen, by evidence id, ready to be looked things up in."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self.sight = lru_cache(maxsize=256)(self._sight)
        self.services = frozenset(
            name
            for text in texts.values()
            for name in re.findall(r"^services?: ([A-Za-z][\w-]{2,60})$", text, re.MULTILINE)
        )

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def has_kind(self, key: str) -> bool:
        """Whether any record has an id of this letter: `C9` is invented where `C1` exists."""
        return any(known[0] == key[0] for known in self._texts)

    def _sight(self, cites: tuple[str, ...]) -> Sight:
        return Sight([self._texts[key] for key in cites])

    def everything(self) -> tuple[str, ...]:
        return tuple(self._texts)


def verify(narrative: Narrative, records: Mapping[str, str]) -> Checked:
    """Keep of a narrative what the records carry.

    Args:
        records: evidence id -> the text that was seen (`bot.report.texts`).

    Returns:
        The narrative without the statements that failed, its conclusion lowered when the cause lost its support;
        how many were removed; and each with its reason, for a repair round.
    """
    seen = Records(records)
    removals: list[Removal] = []
    claims = _claims(narrative.claims, seen, removals)
    summary = _summary(narrative, seen, removals)
    ruled_out = _free(narrative.ruled_out, "ruled_out", seen, removals)
    next_steps = _free(narrative.next_steps, "next_step", seen, removals)
    conclusion = _conclusion(narrative, claims)
    kept = narrative.model_copy(
        update={
            "claims": claims,
            "ruled_out": ruled_out,
            "next_steps": next_steps,
            "conclusion": conclusion,
            "summary": _worded(summary, conclusion, narrative.conclusion),
            **_confidence(narrative, conclusion, removals),
        }
    )
    return Checked(narrative=kept, removed=len(removals), removals=tuple(removals))


def _claims(
    claims: Sequence[Claim], records: Records, removals: list[Removal]
) -> tuple[Claim, ...]:
    kept: list[Claim] = []
    for number, claim in enumerate(claims):
        reason = "too many statements" if number >= MOST_CLAIMS else _fault(claim, records)
        if reason:
            removals.append(Removal(part="claim", text=claim.text[:500], reason=reason))
        else:
            kept.append(claim)
    return tuple(kept)


def _fault(claim: Claim, records: Records) -> str:
    """Why a claim cannot be believed; empty when the cited records carry it."""
    if not claim.text.strip():
        return "it says nothing"
    if len(claim.text) > LONGEST_STATEMENT or len(claim.quote or "") > LONGEST_STATEMENT:
        return "it is too long to be checked"
    if not claim.cites:
        return "it cites nothing"
    unknown = [key for key in claim.cites if key not in records]
    if unknown:
        return f"it cites {_listed(unknown)}, which does not exist"
    cited = tuple(dict.fromkeys(claim.cites))
    sight = records.sight(cited)
    if claim.quote is not None:
        if len(normal(claim.quote)) < _SHORTEST_QUOTE:
            return "its quotation is too short to mean anything"
        if not sight.holds_quote(claim.quote):
            return f"its quotation is not in {_listed(cited)}"
    return _missing(mentions(claim.text, records.services), sight, records, cited)


def _missing(
    found: Iterable[Mention], sight: Sight, records: Records, cited: Sequence[str] = ()
) -> str:
    where = _listed(cited) if cited else "any record"
    for mention in found:
        if mention.kind == "id":
            if mention.text not in records and records.has_kind(mention.text):
                return f"{mention.text} does not exist"
        elif not sight.holds(mention) and not _is_count_of(mention, cited):
            return f"the {mention.kind} {mention.text[:120]!r} is not in {where}"
    return ""


def _is_count_of(mention: Mention, cited: Sequence[str]) -> bool:
    """Whether a number says how many records are cited: "these 3 patterns"."""
    amount = mention.quantity
    return amount is not None and not amount.dimension and 0 < amount.raw == len(cited)


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")


def _summary(narrative: Narrative, records: Records, removals: list[Removal]) -> list[str]:
    """The summary's sentences without those that fail, or that repeat a claim that failed."""
    removed = [_words(removal.text) for removal in removals]
    sight = records.sight(records.everything())
    kept: list[str] = []
    for sentence in _sentences(narrative.summary[: 4 * LONGEST_STATEMENT]):
        reason = _missing(mentions(sentence, records.services), sight, records)
        if not reason and any(_same(_words(sentence), other) for other in removed):
            reason = "it repeats a removed statement"
        if reason:
            removals.append(Removal(part="summary", text=sentence[:500], reason=reason))
        else:
            kept.append(sentence)
    return kept


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip()]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(normal(text)))


def _same(sentence: frozenset[str], removed: frozenset[str]) -> bool:
    return len(sentence) >= 3 and len(sentence & removed) >= _SAME_STATEMENT * len(sentence)


def _free(
    statements: Sequence[str], part: str, records: Records, removals: list[Removal]
) -> tuple[str, ...]:
    """Statements that cite nothing: compared with everything; of advice, only what it points at."""
    sight = records.sight(records.everything())
    kept: list[str] = []
    for statement in statements[:MOST_CLAIMS]:
        text = statement[:LONGEST_STATEMENT]
        found = mentions(text, records.services)
        if part == "next_step":
            found = [mention for mention in found if mention.kind in _ADVICE]
        reason = _missing(found, sight, records)
        if reason:
            removals.append(
                Removal.model_validate({"part": part, "text": text[:500], "reason": reason})
            )
        elif text.strip():
            kept.append(text)
    return tuple(kept)


def _conclusion(narrative: Narrative, kept: Sequence[Claim]) -> Conclusion:
    """Lowered by one for a lost support of the cause, to `inconclusive` when none is left."""
    stated = narrative.conclusion
    if stated == "inconclusive":
        return stated
    if not kept:
        return "inconclusive"
    if stated == "not_an_incident":
        return stated
    before, after = _causes(narrative.claims), _causes(kept)
    left = [claim for claim in before if claim in after]
    if not left:
        return "inconclusive"
    lowered = _LOWER[stated] if len(left) < len(before) else stated
    if lowered == "confirmed" and len({key for claim in left for key in claim.cites}) < 2:
        return "likely"
    return lowered


def _causes(claims: Sequence[Claim]) -> list[Claim]:
    """The claims about the cause: those that say so, else those that cite a change, else all."""
    said = [claim for claim in claims if claim.cause]
    about_changes = [c for c in claims if any(key[:1] in {"C", "D"} for key in c.cites)]
    return said or about_changes or list(claims)


def _worded(sentences: Sequence[str], conclusion: Conclusion, stated: Conclusion) -> str:
    said = list(sentences)
    if conclusion != stated:
        said.append(
            "The evidence does not carry all that was said about the cause; it was taken out."
        )
    return " ".join(said) or "Nothing that was said could be found in the evidence."


def _confidence(
    narrative: Narrative, conclusion: Conclusion, removals: Sequence[Removal]
) -> dict[str, object]:
    ceiling = _CEILING[conclusion]
    if conclusion == narrative.conclusion or narrative.confidence <= ceiling:
        return {}
    claims = sum(removal.part == "claim" for removal in removals)
    term = Term(
        name="removed statements",
        weight=round(ceiling - narrative.confidence, 4),
        evidence=f"{claims} of {len(narrative.claims)} statements are not carried by the evidence",
    )
    return {"confidence": ceiling, "confidence_terms": (*narrative.confidence_terms, term)}
