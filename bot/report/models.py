"""The models of which a report is made: what narrators say, what the checks leave of it, what is stored."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.kit.records import UtcTime
from bot.analysis.findings import Crossing, LogStats, Onset, Pattern, Series, Suspect, Term

Conclusion = Literal["confirmed", "likely", "inconclusive", "not_an_incident"]


class Model(BaseModel):
    """Base of what a report is made of: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Claim(Model):
    """One statement, the ids it rests on, and what it quotes from them, word for word.

    Attributes:
        cause: the statement names what caused the incident; when the evidence does not carry it, the
            conclusion is lowered.
    """

    text: str
    cites: tuple[str, ...]
    quote: str | None = None
    cause: bool = False


class Gap(Model):
    """A system that could not be seen, and why, in words a person can act on."""

    system: str
    reason: str


class Moment(Model):
    """One line of the timeline."""

    at: UtcTime
    text: str
    cites: tuple[str, ...] = ()


class Spent(Model):
    """What one role used of its model. `cost` is in US dollars; None when the price is unknown."""

    role: str
    model: str
    llm_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


class Usage(Model):
    """What the models cost. `cost` is in US dollars; None when a price is unknown."""

    llm_calls: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    roles: tuple[Spent, ...] = ()


class Found(Model):
    """A record that a narrator found by a question of its own, under an id that claims may cite.

    Attributes:
        text: what was seen, as claims are compared with it.
        payload: the record as it is stored as evidence.
    """

    id: str
    kind: str
    text: str
    payload: dict[str, object]


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
    found: tuple[Found, ...] = ()


class Removal(Model):
    """A statement that the evidence does not carry, and why: what a repair round tells the narrator."""

    part: Literal["claim", "summary", "ruled_out", "next_step"]
    text: str
    reason: str


class Checked(Model):
    """A narrative of which only what the evidence carries is left.

    Attributes:
        removed: how many statements were taken out; shown to people.
        removals: each of them with its reason, in the narrative's order.
    """

    narrative: Narrative
    removed: int = 0
    removals: tuple[Removal, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why statements were removed, in the narrative's order."""
        return tuple(removal.reason for removal in self.removals)


class ReportWindow(Model):
    """The half-open span that the evidence was asked for."""

    since: UtcTime
    until: UtcTime


class Similar(Model):
    """An earlier incident that was much alike.

    Attributes:
        cause: what it was then, in a line.
        score: from 0 to 1, the sum of the terms.
        times: how many earlier incidents were this much alike.
    """

    id: str
    number: int
    at: UtcTime
    service: str = ""
    question: str = ""
    conclusion: str = ""
    cause: str = ""
    score: float
    terms: tuple[Term, ...] = ()
    times: int = 1


class Report(Model):
    """One finished report. Lists are ordered by importance, the timeline by time.

    Attributes:
        series: events per bucket and service, so that the picture and comparisons need no logs.
        timings: seconds each stage took.
    """

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
    propagation: tuple[Crossing, ...] = ()
    series: tuple[Series, ...] = ()
    stats: LogStats = LogStats()
    ruled_out: tuple[str, ...] = ()
    similar: tuple[Similar, ...] = ()
    next_steps: tuple[str, ...] = ()
    usage: Usage = Usage()
    timings: dict[str, float] = {}
