"""The deterministic engine: from log batches and changes to ranked, explained findings.

Pure and bounded: it reads the batches twice (count, then fetch examples), keeps counts and never lines, and gives
the same findings for the same input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from adapters.kit.records import Commit, Deploy, LogBatch, MetricSeries, Window
from bot.analysis import examples, metrics, propagation
from bot.analysis.anomalies import Anomaly, judge, words_of
from bot.analysis.deployed import AFTER
from bot.analysis.discretion import discreet, discreet_grid, shown_template, unspoken
from bot.analysis.findings import (
    Crossing,
    Example,
    Findings,
    Frame,
    LogStats,
    Onset,
    Pattern,
    Series,
)
from bot.analysis.frames import frames
from bot.analysis.grid import Grid, build
from bot.analysis.onset import Flags, Step, find
from bot.analysis.severity import BAD, severity
from bot.analysis.suspects import Ranking, Symptom, rank
from bot.analysis.tally import (
    NO_BUCKET,
    Axis,
    Counts,
    Ints,
    Tally,
    axis_of,
    count,
    micros,
    without_rows,
)
from bot.redact import Redactor

MAX_PATTERNS = 20
SHORT_LOG = 300
SHORT_LOG_CHARS = 40_000
NO_BASELINE = (
    "There is no baseline from before the window; it is compared with its own earlier part."
)
NO_LINES = "The window holds no log lines."
_OWN_EVIDENCE = 2.5
_PICTURED = 10
_MAX_SERIES = 12
_MIN_SCORE = 1.0
_DATED_SHARE = 0.05
"""With fewer dated lines than this the log has no time line, and lines are ordered by position."""


@dataclass(frozen=True, slots=True)
class Case:
    """What one investigation gives to the engine.

    Attributes:
        symptom: the question and the alert's text.
        as_of: the moment the investigation stands at; nothing later is used.
        logs: batches of the window; read twice, so it must be iterable again.
        baseline: batches of a time without the incident, best the same hours of earlier days; may be empty.
        commits: newest first.
    """

    window: Window
    service: str
    symptom: str
    alert_started_at: datetime | None
    as_of: datetime
    logs: Iterable[LogBatch]
    baseline: Iterable[LogBatch] = ()
    commits: tuple[Commit, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    metrics: tuple[MetricSeries, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """The logs of a case, counted and judged; what `analyse` builds its findings from.

    Attributes:
        bad: which patterns are errors.
        onset: by the logs, confirmed by metrics, or by metrics alone.
        step: the onset on the grid; None too where the log has no times.
        anomalies: every pattern that occurred or was expected, best first.
    """

    axis: Axis
    window: Counts
    baseline: Counts
    grid: Grid
    bad: Flags
    onset: Onset | None
    step: Step | None
    anomalies: tuple[Anomaly, ...]

    def services(self) -> list[str]:
        """Services by their strongest anomaly; those that only report others' failures come last."""
        best: dict[str, tuple[bool, float]] = {}
        for anomaly in self.anomalies:
            own = (anomaly.reports_other or anomaly.score < _OWN_EVIDENCE, -anomaly.score)
            known = best.get(anomaly.shape.service, own)
            best[anomaly.shape.service] = min(known, own)
        return sorted((name for name in best if name), key=lambda name: (best[name], name))

    def assign(self, batches: Iterable[LogBatch]) -> Iterator[list[int | None]]:
        """The pattern number of each row of each batch of the window; None for keys that were folded away."""
        tally = Tally(None if self.window.by_position else self.axis)
        for batch in batches:
            keys = tally.keyed(batch.frame).select("service", "level", "masked")
            yield [self.grid.owner.get(key) for key in keys.iter_rows()]


def study(case: Case, redactor: Redactor | None = None) -> Study:
    """Count and judge the logs of a case; its templates hold no secrets."""
    axis = axis_of(case.window)
    window = count(case.logs, axis)
    by_position = window.lines_without_time > (1 - _DATED_SHARE) * window.lines
    if by_position and window.lines:
        window = count(case.logs, None)
        baseline = count(case.baseline, None)
    else:
        baseline = count(case.baseline, axis.unbounded())
    grid = discreet_grid(build(window, baseline), case.logs, case.baseline, redactor or Redactor())
    window, baseline = without_rows(window), without_rows(baseline)
    moved = metrics.steps(case.metrics, case.window)
    terms = [severity(shape) for shape in grid.shapes]
    bad = np.asarray([term.weight >= BAD for term in terms], dtype=np.bool_)
    step = None if window.by_position else find(grid, axis, bad, case.alert_started_at)
    onset = metrics.confirmed(step.onset, moved) if step else metrics.onset_of(moved)
    if step is None and onset is not None and not window.by_position:
        step = Step((micros(onset.at) - axis.start) // axis.step, onset)
    words = words_of(f"{case.service} {case.symptom}")
    anomalies = judge(grid, axis, step, terms, words, by_position=window.by_position)
    return Study(axis, window, baseline, grid, bad, onset, step, tuple(anomalies))


def analyse(case: Case, redactor: Redactor | None = None) -> Findings:
    """Everything the engine can say about a case, without secrets. Deterministic; empty logs give empty findings.

    Args:
        redactor: of the investigation, so that equal secrets are told alike everywhere.
    """
    redactor = redactor or Redactor()
    done = study(case, redactor)
    chosen = [a for a in done.anomalies if a.score >= _MIN_SCORE][:MAX_PATTERNS]
    timeline = _timeline(done)
    patterns = _patterns(case, done, chosen, timeline, redactor)
    ids = {a.pattern: p.id for a, p in zip(chosen, patterns, strict=True)}
    onset = done.onset
    found_frames = [frame for pattern in patterns for frame in pattern.frames]
    told = unspoken("\n".join(redactor.lines(_told(case, done).split("\n"))))
    ranking = rank(
        Symptom(
            text=told,
            frames=tuple(dict.fromkeys([*frames(told), *found_frames])),
            service=case.service,
            patterns=tuple(_unspoken(pattern) for pattern in patterns),
        ),
        case.commits,
        case.deploys,
        onset,
        min(case.as_of, case.window.until),
        _known_at(case, patterns, onset),
    )
    findings = Findings(
        window=case.window,
        service=case.service,
        onset=onset,
        patterns=patterns,
        suspects=ranking.suspects,
        none_of_these=ranking.none_of_these,
        none_terms=ranking.none_terms,
        propagation=_crossings(done, ids),
        series=_series(done, timeline),
        stats=_stats(done),
        notes=(*_notes(done), *_too_new(ranking)),
    )
    return redactor.model(findings)


def _unspoken(pattern: Pattern) -> Pattern:
    said = [e.model_copy(update={"text": unspoken(e.text)}) for e in pattern.examples[:1]]
    template = unspoken(pattern.template)
    return pattern.model_copy(update={"template": template, "examples": tuple(said)})


def _known_at(case: Case, patterns: Sequence[Pattern], onset: Onset | None) -> datetime | None:
    """A moment at which it had certainly begun: the alert's, or the window's start for errors that are older."""
    failing = [p for p in patterns if p.level in {"error", "fatal"} and p.count >= 10]
    old = any(p.baseline_count for p in failing)
    if onset is not None or not old:
        return case.alert_started_at
    return min(case.alert_started_at or case.window.since, case.window.since)


def _told(case: Case, done: Study) -> str:
    """The symptom in words: the question, and a log that is short enough to be one (a pasted trace, a failed test).

    In a log of thousands of lines only the patterns speak; in a dozen lines every line was put there to be read.
    """
    if not 0 < done.window.lines <= SHORT_LOG:
        return case.symptom
    lines = (text for batch in case.logs for text in batch.frame["text"].drop_nulls())
    return "\n".join((case.symptom, *lines))[:SHORT_LOG_CHARS]


def _too_new(ranking: Ranking) -> Iterator[str]:
    """What is said of changes that are no candidates."""
    late = [s.id for s in ranking.suspects if any(term.name == AFTER for term in s.terms)]
    if late:
        listed = ", ".join(late[:5]) + (f" and {len(late) - 5} more" if len(late) > 5 else "")
        yield (f"Committed only after it began, so not its cause, and perhaps the fix: {listed}.")


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Evenly spaced buckets over the dated part of the window, for the picture."""

    start: int
    width: int
    size: int

    def place(self, bucket: Ints) -> Ints:
        return (bucket - self.start) // self.width


def _timeline(done: Study) -> _Timeline | None:
    starts = done.grid.starts
    if done.window.by_position or not len(starts):
        return None
    width = done.grid.width
    return _Timeline(int(starts[0]), width, int(starts[-1] - starts[0]) // width + 1)


def _patterns(
    case: Case,
    done: Study,
    chosen: Sequence[Anomaly],
    timeline: _Timeline | None,
    redactor: Redactor,
) -> tuple[Pattern, ...]:
    rows = [_example_rows(done, a, two=place < 5) for place, a in enumerate(chosen)]
    in_window = examples.fetch(case.logs, [r for own, _ in rows for r in own])
    in_baseline = examples.fetch(case.baseline, [r for _, base in rows for r in base])
    patterns: list[Pattern] = []
    for place, (a, (own, base)) in enumerate(zip(chosen, rows, strict=True)):
        raw = [in_window[r] for r in own if r in in_window]
        raw += [in_baseline[r] for r in base if r in in_baseline]
        shown = [discreet(example, redactor) for example in raw]
        before, after = (raw[0].text, shown[0].text) if raw else ("", "")
        patterns.append(
            Pattern(
                id=f"L{place + 1}",
                template=shown_template(a.shape.template, before, after, redactor),
                service=a.shape.service,
                level=a.shape.level,
                kind=a.kind,
                count=a.count,
                baseline_count=a.baseline_count,
                first_seen=_moment(done, a.first),
                last_seen=_moment(done, a.last),
                recurring=a.recurring,
                score=a.score,
                terms=a.terms,
                examples=tuple(shown),
                frames=_frames(shown),
                counts=_counts(done, a, timeline) if place < _PICTURED else (),
            )
        )
    return tuple(patterns)


def _example_rows(done: Study, anomaly: Anomaly, *, two: bool) -> tuple[list[int], list[int]]:
    """Row numbers of the examples: in the window, else in the baseline."""
    grid, p = done.grid, anomaly.pattern
    first, last = int(grid.first_row[p]), int(grid.last_row[p])
    if first == NO_BUCKET:
        base = int(grid.base_first_row[p])
        return [], [base] if base != NO_BUCKET else []
    # What surges was there before; its last event is from the time that matters.
    rows = [first, last] if anomaly.kind in {"new", "steady", "seen"} else [last, first]
    return list(dict.fromkeys(rows))[: 2 if two else 1], []


def _frames(shown: Sequence[Example]) -> tuple[Frame, ...]:
    return next((found for example in shown if (found := frames(example.text))), ())


def _moment(done: Study, bucket: int) -> datetime | None:
    if bucket == NO_BUCKET or done.window.by_position:
        return None
    return done.axis.moment(bucket)


def _counts(done: Study, anomaly: Anomaly, timeline: _Timeline | None) -> tuple[int, ...]:
    if timeline is None:
        return ()
    mine = done.grid.pattern == anomaly.pattern
    return _binned(timeline, done.grid.bucket[mine], done.grid.n[mine])


def _binned(timeline: _Timeline, bucket: Ints, n: Ints) -> tuple[int, ...]:
    sums = np.bincount(timeline.place(bucket), weights=n, minlength=timeline.size)
    return tuple(int(value) for value in sums)


def _series(done: Study, timeline: _Timeline | None) -> tuple[Series, ...]:
    """Events and errors of the services with most errors, then most events."""
    if timeline is None:
        return ()
    grid = done.grid
    services = sorted({shape.service for shape in grid.shapes})
    number = {service: i for i, service in enumerate(services)}
    of_shape = np.asarray([number[shape.service] for shape in grid.shapes], dtype=np.int64)
    bad = done.bad[grid.pattern]
    service = of_shape[grid.pattern]
    total = np.bincount(service, weights=grid.n, minlength=len(services))
    errors = np.bincount(service[bad], weights=grid.n[bad], minlength=len(services))
    ranked = sorted(number.values(), key=lambda i: (-errors[i], -total[i], i))[:_MAX_SERIES]
    out: list[Series] = []
    for i in ranked:
        mine = service == i
        out.append(
            Series(
                service=services[i],
                start=done.axis.moment(timeline.start),
                bucket_s=timeline.width * done.axis.step_s,
                total=_binned(timeline, grid.bucket[mine], grid.n[mine]),
                errors=_binned(timeline, grid.bucket[mine & bad], grid.n[mine & bad]),
            )
        )
    return tuple(series for series in out if any(series.total))


def _crossings(done: Study, ids: Mapping[int, str]) -> tuple[Crossing, ...]:
    shown = [a for a in done.anomalies if a.pattern in ids]
    found = propagation.order(done.grid, done.axis, done.step, shown, done.window.traces)
    return tuple(
        crossing.model_copy(update={"pattern": ids[anomaly.pattern]}) for crossing, anomaly in found
    )


def _stats(done: Study) -> LogStats:
    window = done.window
    return LogStats(
        lines=window.lines,
        lines_without_time=window.lines_without_time,
        templates=int((done.grid.total > 0).sum()),
        bytes=window.bytes,
        first=window.first,
        last=window.last,
    )


def _notes(done: Study) -> tuple[str, ...]:
    window, notes = done.window, []
    if not window.lines:
        return (NO_LINES,)
    if window.by_position:
        notes.append(
            "The log has no times that could be read, so there is no onset;"
            " patterns are ranked by severity, rarity and position."
        )
    elif done.onset is None:
        notes.append("No moment stands out at which the log changed.")
    if not done.baseline.lines:
        notes.append(NO_BASELINE)
    if window.lines_outside:
        notes.append(f"{window.lines_outside} lines carry times outside the window.")
    if window.folded:
        notes.append("The log has very many distinct messages; the rarest are grouped coarsely.")
    notes.extend(f"Lines are missing: {reason}" for reason in window.truncated)
    return tuple(notes)
