"""What the engine found, as data: every number carries the terms it was added up from.

Ids are stable within one investigation and are what claims cite: `L1` log pattern, `C1` change, `D1` deploy,
`M1` metric, `A1` alert, `I1` incident, `T1` ticket, `R1` runbook, `P1` past investigation.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from adapters.kit.records import UtcTime, Window


class Finding(BaseModel):
    """Base of everything the engine says: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(Finding):
    """One addend of a score: its name, its weight in log-odds or score points, and what was seen."""

    name: str
    weight: float
    evidence: str = ""


class Frame(Finding):
    """One stack frame. `depth` 0 is where the exception was raised; `in_app` is not a library."""

    file: str
    line: int | None = None
    function: str = ""
    language: str = ""
    in_app: bool = True
    depth: int = 0
    exception: str = ""


class Example(Finding):
    """One occurrence of a pattern, with up to ten lines around it.

    `origin` is the file or stream, `line` the 1-based line number in it where the source has one.
    """

    source: str
    origin: str = ""
    line: int | None = None
    at: UtcTime | None = None
    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


PatternKind = Literal["new", "surging", "dropping", "vanished", "steady", "seen"]
"""How a pattern changed; "seen" where there is nothing to compare it with."""


class Pattern(Finding):
    """A log template with its counts before and after the onset.

    Attributes:
        count: events in the incident part (from the onset on; the whole window without an onset).
        baseline_count: events in the part it is compared with, scaled to nothing: the raw count.
        recurring: the same burst also stands in the baseline.
        counts: events per bucket of `Findings.series`, for the picture; empty for minor patterns.
    """

    id: str
    template: str
    service: str = ""
    level: str = ""
    kind: PatternKind
    count: int
    baseline_count: int
    first_seen: UtcTime | None = None
    last_seen: UtcTime | None = None
    recurring: bool = False
    score: float
    terms: tuple[Term, ...] = ()
    examples: tuple[Example, ...] = ()
    frames: tuple[Frame, ...] = ()
    counts: tuple[int, ...] = ()


class Onset(Finding):
    """When it began: the most likely moment, within an interval."""

    at: UtcTime
    earliest: UtcTime
    latest: UtcTime
    terms: tuple[Term, ...] = ()


class Crossing(Finding):
    """A service's first anomalous moment; order is evidence, not cause. `rank` is shared by ties."""

    service: str
    at: UtcTime
    pattern: str
    rank: int


class Suspect(Finding):
    """A change that may have done it. `score` is in log-odds and is the sum of the terms."""

    id: str
    sha: str
    repo: str
    title: str
    committed_at: UtcTime
    deployed_at: UtcTime | None = None
    url: str = ""
    probability: float
    score: float
    terms: tuple[Term, ...] = ()
    files: tuple[str, ...] = ()
    kind: str = "commit"


class Series(Finding):
    """Events of one service per bucket: what the incident picture draws."""

    service: str
    start: UtcTime
    bucket_s: float
    total: tuple[int, ...]
    errors: tuple[int, ...]


class LogStats(Finding):
    """What was read, so that a report can say what it rests on."""

    lines: int = 0
    lines_without_time: int = 0
    templates: int = 0
    bytes: int = 0
    first: UtcTime | None = None
    last: UtcTime | None = None


class Findings(Finding):
    """Everything the deterministic engine says about one investigation, in a stable order."""

    window: Window
    service: str = ""
    onset: Onset | None = None
    patterns: tuple[Pattern, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    none_of_these: float = 1.0
    none_terms: tuple[Term, ...] = ()
    propagation: tuple[Crossing, ...] = ()
    series: tuple[Series, ...] = ()
    stats: LogStats = LogStats()
    notes: tuple[str, ...] = ()
