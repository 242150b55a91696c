"""`bench suspects`: which change did it, over labelled cases of public repositories, beside simple baselines.

The weights that ship were fitted on the open cases: on these the engine's figures here are optimistic, and
`python -m bot.bench.fit` prints the leave-one-repository-out figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import BaseModel

from bot.analysis.frames import frames
from bot.analysis.suspects import Ranking, Symptom, rank
from bot.bench import suspect_baselines, suspect_cases
from bot.bench.suspect_cases import Loaded
from bot.bench.tables import Table

NEWEST = 3
"""The harder stratum: the culprit is not among this many newest changes."""


class Prediction(BaseModel):
    """What is written per case: candidates best first, their probabilities, and that of none of them."""

    id: str
    ranked: list[str]
    probabilities: list[float]
    none_of_these: float


class Scores(BaseModel):
    """How often the culprit is first or high up. `macro_mrr`: the mean over repositories."""

    n: int
    acc1: float
    acc3: float
    acc5: float
    acc10: float
    mrr: float
    macro_mrr: float


class SuspectsResult(BaseModel):
    """The result of `bench suspects`.

    Attributes:
        skipped: cases whose repository or head is absent.
        hard: scores where the culprit is not among the three newest.
        acc1_with_none: the culprit is first, and "none of these" is not above it.
        hard_acc1_with_none: the same in the hard stratum.
        abstention: with the history cut before the culprit, how often "none of these" is first.
        calibration_error: expected calibration error of the first answer (ten bins) over the full histories.
        calibration_error_with_cut: the same, over full and cut histories together.
    """

    cases: int
    skipped: int
    all: dict[str, Scores]
    hard: dict[str, Scores]
    acc1_with_none: float
    hard_acc1_with_none: float
    abstention: float
    calibration_error: float
    calibration_error_with_cut: float

    def tables(self) -> tuple[Table, ...]:
        """The tables to print."""
        rest = (
            ("culprit first, none of these below it", f"{self.acc1_with_none:.3f}"),
            ("the same, culprit not among the 3 newest", f"{self.hard_acc1_with_none:.3f}"),
            ("abstention when the culprit is cut off", f"{self.abstention:.3f}"),
            ("expected calibration error", f"{self.calibration_error:.3f}"),
            ("the same, with the cut histories", f"{self.calibration_error_with_cut:.3f}"),
        )
        return (
            _table(f"Suspect changes, {self.cases} cases, {self.skipped} skipped", self.all),
            _table("Culprit not among the 3 newest", self.hard),
            Table("With none of these", ("what", "engine"), rest),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One ranking of one history: positions best first, and the probabilities in that order."""

    order: Sequence[int]
    probabilities: Sequence[float]
    none: float


@dataclass(slots=True)
class Tally:
    """Adds up answers; `result` divides."""

    places: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    with_none: list[tuple[int, bool]] = field(default_factory=list)
    abstained: list[bool] = field(default_factory=list)
    sure: list[tuple[float, bool]] = field(default_factory=list)
    sure_cut: list[tuple[float, bool]] = field(default_factory=list)

    def place(self, method: str, history: Loaded, order: Sequence[int]) -> int:
        """Note at which place a method has the culprit."""
        culprits = history.culprits()
        place = min(order.index(index) for index in culprits)
        self.places.setdefault(method, []).append((history.case.repo, min(culprits), place))
        return place

    def note(self, history: Loaded, answer: Answer) -> None:
        """Note what the engine says of one history."""
        top = answer.probabilities[0] if answer.probabilities else 0.0
        sure = max(top, answer.none)
        if history.history == "cut":
            self.abstained.append(answer.none > top)
            self.sure_cut.append((sure, answer.none > top))
            return
        right = self.place("engine", history, answer.order) == 0 and top > answer.none
        self.with_none.append((min(history.culprits()), right))
        self.sure.append((sure, right))

    def result(self, skipped: int) -> SuspectsResult:
        """The figures."""
        every = {method: scores(places) for method, places in self.places.items()}
        hard = {
            method: scores([place for place in places if place[1] >= NEWEST])
            for method, places in self.places.items()
        }
        return SuspectsResult(
            cases=len(self.with_none),
            skipped=skipped,
            all=every,
            hard=hard,
            acc1_with_none=_mean([right for _, right in self.with_none]),
            hard_acc1_with_none=_mean([r for first, r in self.with_none if first >= NEWEST]),
            abstention=_mean(self.abstained),
            calibration_error=calibration_error(self.sure),
            calibration_error_with_cut=calibration_error([*self.sure, *self.sure_cut]),
        )


def run(cases: Path, repos: Path, out: Path | None = None) -> SuspectsResult:
    """Rank the candidates of every case, write the predictions, and score them and the baselines.

    Raises:
        UserError: the cases file cannot be read.
    """
    wanted = suspect_cases.read(cases)
    tally = Tally()
    predictions: list[Prediction] = []
    for case in wanted:
        for history in suspect_cases.load(case, repos):
            ranking = _rank(history)
            tally.note(history, _answer(history, ranking))
            if history.history == "full":
                predictions.append(_prediction(case.id, ranking))
                for name, ranker in suspect_baselines.BASELINES.items():
                    tally.place(name, history, _ordered(ranker, history))
    if out is not None:
        out.write_bytes(b"".join(orjson.dumps(p.model_dump()) + b"\n" for p in predictions))
    return tally.result(len(wanted) - len(predictions))


def scores(places: Sequence[tuple[str, int, int]]) -> Scores:
    """Score (repository, position, place) triples."""
    ranks = [place for _, _, place in places]
    by_repo: dict[str, list[float]] = {}
    for repo, _, place in places:
        by_repo.setdefault(repo, []).append(1 / (place + 1))
    hits = [_mean([rank < top for rank in ranks]) for top in (1, 3, 5, 10)]
    return Scores(
        n=len(ranks),
        acc1=hits[0],
        acc3=hits[1],
        acc5=hits[2],
        acc10=hits[3],
        mrr=_mean([1 / (rank + 1) for rank in ranks]),
        macro_mrr=_mean([_mean(values) for values in by_repo.values()]),
    )


def calibration_error(answers: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error over ten equal bins of the first answer's probability."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for probability, right in answers:
        bins.setdefault(min(int(probability * 10), 9), []).append((probability, right))
    total = max(len(answers), 1)
    return sum(
        len(part) / total * abs(_mean([p for p, _ in part]) - _mean([r for _, r in part]))
        for part in bins.values()
    )


def _rank(history: Loaded) -> Ranking:
    case = history.case
    symptom = Symptom(case.symptom, frames(case.symptom), case.alert.service)
    return rank(symptom, history.commits, (), None, case.as_of)


def _answer(history: Loaded, ranking: Ranking) -> Answer:
    position = {commit.sha: index for index, commit in enumerate(history.commits)}
    return Answer(
        order=[position[suspect.sha] for suspect in ranking.suspects],
        probabilities=[suspect.probability for suspect in ranking.suspects],
        none=ranking.none_of_these,
    )


def _prediction(case_id: str, ranking: Ranking) -> Prediction:
    return Prediction(
        id=case_id,
        ranked=[suspect.sha for suspect in ranking.suspects],
        probabilities=[suspect.probability for suspect in ranking.suspects],
        none_of_these=ranking.none_of_these,
    )


def _ordered(ranker: Callable[..., list[float]], history: Loaded) -> list[int]:
    return suspect_baselines.order(ranker(history.case.symptom, history.commits))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _table(title: str, rows: Mapping[str, Scores]) -> Table:
    columns = ("method", "n", "acc@1", "acc@3", "acc@5", "acc@10", "MRR", "macro-MRR")
    return Table(
        title,
        columns,
        tuple(
            (
                name,
                str(s.n),
                *(f"{x:.3f}" for x in (s.acc1, s.acc3, s.acc5, s.acc10, s.mrr, s.macro_mrr)),
            )
            for name, s in rows.items()
        ),
    )
