"""`bench logs`: does the engine rank the log template that shows the fault, and the service at fault, first?

A case names an incident's log, perhaps a log of a normal time, and the lines that show the fault. A ranked
template is a hit when it owns one of these lines. The baselines rank Drain3's templates.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import orjson
from pydantic import BaseModel, Field

from adapters.kit.lines import Source, chunks_of, read
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LogBatch, Window
from bot.analysis.engine import Case, study
from bot.bench.log_baselines import ORDERS, entries
from bot.bench.tables import Table
from bot.errors import UserError

Own = TypeVar("Own")

RANKED = 50
"""Templates that a prediction lists."""

_REFERENCE = datetime(2030, 1, 1, tzinfo=UTC)


class _Alert(BaseModel):
    service: str = ""
    start_time: str | None = None
    message: str = ""


class _Truth(BaseModel):
    service: str | None = None
    signature_lines: list[int] = []
    signature_absent: bool = False


class LogCase(BaseModel):
    """One line of a cases file; paths are relative to the data folder."""

    id: str
    source: str = ""
    incident: str
    normal: str | None = None
    alert: _Alert = Field(default_factory=_Alert)
    truth: _Truth = Field(default_factory=_Truth)


class Prediction(BaseModel):
    """What is written per case: 1-based line numbers of each ranked template's events, and services."""

    id: str
    ranked_lines: list[list[int]]
    ranked_services: list[str]


class Scores(BaseModel):
    """How often the first, one of the first three or five, and on average how far down. `macro_mrr`: by source."""

    n: int
    acc1: float
    acc3: float
    acc5: float
    mrr: float
    macro_mrr: float


class LogsResult(BaseModel):
    """The result of `bench logs`.

    Attributes:
        template: scores per method over the cases whose signature is in the log.
        service: scores per method over the cases with a known faulty service.
        skipped: cases whose files are absent.
        share: median share of the log's events that the hit template owns; small is specific.
    """

    cases: int
    skipped: int
    template: dict[str, Scores]
    service: dict[str, Scores]
    by_source: dict[str, Scores]
    share: float

    def tables(self) -> tuple[Table, ...]:
        """The tables to print."""
        return (
            _table(f"Log signature, {self.cases} cases, {self.skipped} skipped", self.template),
            _table("Log signature by source", self.by_source),
            _table("Faulty service", self.service),
        )


def run(cases: Path, data: Path, out: Path | None = None) -> LogsResult:
    """Rank the templates and services of every case, write the predictions, and score them.

    Raises:
        UserError: the cases file cannot be read.
    """
    wanted = _cases(cases)
    ranks = _Ranks()
    predictions: list[Prediction] = []
    for case in wanted:
        if not (data / case.incident).is_file():
            continue
        incident = list(_batches(data / case.incident, case))
        normal = list(_batches(data / case.normal, case)) if case.normal else []
        prediction = predict(case, incident, normal)
        predictions.append(prediction)
        ranks.note(case, "engine", prediction.ranked_lines, prediction.ranked_services)
        templates = entries(incident, normal)
        for name, order in ORDERS.items():
            ranked = order(templates)
            services = dict.fromkeys(service for entry in ranked for service in entry.services)
            ranks.note(case, name, [entry.lines for entry in ranked], list(services))
    if out is not None:
        out.write_bytes(b"".join(orjson.dumps(p.model_dump()) + b"\n" for p in predictions))
    return ranks.result(len(wanted) - len(predictions))


def predict(case: LogCase, incident: list[LogBatch], normal: list[LogBatch]) -> Prediction:
    """What the engine says about one case."""
    window = _window(incident)
    done = study(
        Case(
            window=window,
            service="",
            symptom=case.alert.message,
            alert_started_at=_moment(case),
            as_of=window.until,
            logs=incident,
            baseline=normal,
        )
    )
    lines: dict[int, list[int]] = defaultdict(list)
    for batch, patterns in zip(incident, done.assign(incident), strict=True):
        for pattern, numbers in zip(patterns, _line_numbers(batch), strict=True):
            if pattern is not None:
                lines[pattern].extend(numbers)
    ranked = [a for a in done.anomalies if a.pattern in lines][:RANKED]
    return Prediction(
        id=case.id,
        ranked_lines=[lines[a.pattern] for a in ranked],
        ranked_services=done.services(),
    )


def _cases(path: Path) -> list[LogCase]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        msg = f"Cannot read the cases in {path.name}; give a JSON-lines file of cases."
        raise UserError(msg) from None
    return [LogCase.model_validate_json(line) for line in lines if line.strip()]


def _batches(path: Path, case: LogCase) -> Iterator[LogBatch]:
    source = Source(name="bench", calendar=Calendar(_moment(case) or _REFERENCE), origin=path.name)
    with path.open("rb") as file:
        stream = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
        yield from read(chunks_of(cast("BinaryIO", stream)), source)


def _moment(case: LogCase) -> datetime | None:
    try:
        moment = datetime.fromisoformat(case.alert.start_time or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _window(batches: Sequence[LogBatch]) -> Window:
    """The span of the log's own times: a case does not say which window somebody asked for."""
    times = [
        moment
        for batch in batches
        for moment in (batch.frame["time"].min(), batch.frame["time"].max())
        if isinstance(moment, datetime)
    ]
    if not times:
        return Window(since=_REFERENCE, until=_REFERENCE + timedelta(hours=1))
    return Window(since=min(times), until=max(times) + timedelta(microseconds=1))


def _line_numbers(batch: LogBatch) -> Iterator[range]:
    """The lines of each event: its first one and the continuations that were joined to it."""
    counts = batch.frame["text"].fill_null("").str.count_matches("\n", literal=True)
    for first, more in zip(batch.frame["line"], counts, strict=True):
        yield range(first, first + 1 + more)


class _Ranks:
    """Ranks of the truth per method, and the scores that they make."""

    def __init__(self) -> None:
        self._template: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
        self._service: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
        self._shares: list[float] = []
        self._cases = 0

    def note(self, case: LogCase, method: str, lines: list[list[int]], services: list[str]) -> None:
        """Look up where one method ranked the truth of one case."""
        signature = set(case.truth.signature_lines)
        own = method == "engine"
        self._cases += own
        if signature and not case.truth.signature_absent:
            rank = _rank(lines, lambda mine: not signature.isdisjoint(mine))
            self._template[method].append((case.source, rank))
            if own and rank:
                self._shares.append(len(lines[rank - 1]) / (sum(map(len, lines)) or 1))
        if case.truth.service:
            rank = _rank(services, lambda mine: mine == case.truth.service)
            self._service[method].append((case.source, rank))

    def result(self, skipped: int) -> LogsResult:
        by_source: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
        for source, rank in self._template["engine"]:
            by_source[source].append((source, rank))
        shares = sorted(self._shares)
        return LogsResult(
            cases=self._cases,
            skipped=skipped,
            template={name: _scores(ranks) for name, ranks in self._template.items()},
            service={name: _scores(ranks) for name, ranks in self._service.items()},
            by_source={name: _scores(ranks) for name, ranks in sorted(by_source.items())},
            share=shares[len(shares) // 2] if shares else 0.0,
        )


def _rank(ranked: Sequence[Own], hit: Callable[[Own], bool]) -> int | None:
    return next((place for place, own in enumerate(ranked, 1) if hit(own)), None)


def _scores(ranks: Sequence[tuple[str, int | None]]) -> Scores:
    n = len(ranks) or 1
    found = [rank for _, rank in ranks if rank is not None]
    by_source: dict[str, list[float]] = defaultdict(list)
    for source, rank in ranks:
        by_source[source].append(1 / rank if rank else 0.0)
    return Scores(
        n=len(ranks),
        acc1=sum(rank <= 1 for rank in found) / n,
        acc3=sum(rank <= 3 for rank in found) / n,
        acc5=sum(rank <= 5 for rank in found) / n,
        mrr=sum(1 / rank for rank in found) / n,
        macro_mrr=sum(sum(v) / len(v) for v in by_source.values()) / (len(by_source) or 1),
    )


def _table(title: str, scores: Mapping[str, Scores]) -> Table:
    return Table(
        title=title,
        columns=("method", "n", "acc@1", "acc@3", "acc@5", "MRR", "macro-MRR"),
        rows=tuple(
            (name, str(s.n), *(f"{v:.3f}" for v in (s.acc1, s.acc3, s.acc5, s.mrr, s.macro_mrr)))
            for name, s in scores.items()
        ),
    )
