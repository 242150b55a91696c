"""The report: conclusion first, every statement with the evidence it rests on, gaps named.

`Narrative` is what a narrator (the crew or the offline one) says about the findings; `verify` checks it; `Report`
is what is stored, posted and printed. Its JSON form is a public contract: `incident-responder schema report`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.analysis.findings import Onset, Pattern, Suspect, Term

Conclusion = Literal["confirmed", "likely", "inconclusive", "not_an_incident"]


class Model(BaseModel):
    """Base of what a report is made of: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Claim(Model):
    """One statement, the ids it rests on, and what it quotes from them, word for word."""

    text: str
    cites: tuple[str, ...]
    quote: str | None = None


class Gap(Model):
    """A system that could not be seen, and why, in words a person can act on."""

    system: str
    reason: str


class Moment(Model):
    """One line of the timeline."""

    at: AwareDatetime
    text: str
    cites: tuple[str, ...] = ()


class Usage(Model):
    """What the models cost. `cost` is in US dollars; None when a price is unknown."""

    llm_calls: int = 0
    tokens: int = 0
    cost: float | None = 0.0


class Narrative(Model):
    """What a narrator says; nothing in it is believed before `verify` has looked it up."""

    conclusion: Conclusion
    confidence: float = Field(ge=0, le=1)
    confidence_terms: tuple[Term, ...] = ()
    summary: str
    claims: tuple[Claim, ...] = ()
    next_steps: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    missing: tuple[Gap, ...] = ()
    usage: Usage = Usage()


class ReportWindow(Model):
    """The half-open span that the evidence was asked for."""

    since: AwareDatetime
    until: AwareDatetime


class Report(Model):
    """One finished report. Lists are ordered by importance, the timeline by time."""

    id: str
    question: str
    service: str = ""
    window: ReportWindow
    onset: Onset | None = None
    conclusion: Conclusion
    confidence: float
    confidence_terms: tuple[Term, ...] = ()
    summary: str
    patterns: tuple[Pattern, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    none_of_these: float = 1.0
    none_terms: tuple[Term, ...] = ()
    claims: tuple[Claim, ...] = ()
    removed_claims: int = 0
    gaps: tuple[Gap, ...] = ()
    timeline: tuple[Moment, ...] = ()
    ruled_out: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    usage: Usage = Usage()
    timings: dict[str, float] = {}
