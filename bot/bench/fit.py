"""Fit the weights of the suspect ranking, and say how well they do on repositories that they have not seen.

    python -m bot.bench.fit CASES --repos DIR [--mined FILE] [--cache FILE] [--write]

A conditional logit: softmax over a case's candidates and "none of these", with an L2 penalty on standardised
weights and the sign of every feature constrained (nothing that links a change to a symptom may count against it).
Each case is seen twice: whole, and with the history cut just before the culprit, where "none" is right.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, TypeAdapter
from scipy.optimize import minimize

from bot.analysis import changes, suspect_features, suspects
from bot.analysis.frames import frames
from bot.bench import suspect_cases
from bot.bench.suspect_cases import SuspectCase
from bot.bench.suspects import NEWEST, Scores, calibration_error, scores

Array = npt.NDArray[np.float64]

PENALTY = 3.0
NONE_PENALTY = 0.3
SHARPNESS = 1.1  # of the softmax; chosen by calibration of the left-out cases
MINED = {"log": 0.6, "fix": 0.6, "prose": 0.2}  # a mined label is noisier than a checked one
CUT = 0.55
# Where the culprit is not among the newest, recency is no help and the text has to do it.
HARD = 3.0
WEIGHTS = Path(suspects.__file__).parent / "weights.json"


class Measured(BaseModel):
    """One history of one case, as numbers."""

    id: str
    repo: str
    kind: str
    mined: bool
    cut: bool
    features: list[dict[str, float]]
    none: dict[str, float]
    culprits: list[int]


@dataclass(frozen=True, slots=True)
class Problem:
    """All histories as one matrix: rows are candidates, `segment` says of which history."""

    names: tuple[str, ...]
    none_names: tuple[str, ...]
    rows: Array
    scale: Array
    none: Array
    segment: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    guilty: Array
    answered: npt.NDArray[np.bool_]
    importance: Array

    def chances(self, weights: Array) -> tuple[Array, Array]:
        """The probability of each candidate, and of none in each history."""
        score = self.rows @ weights[: len(self.names)]
        none = self.none @ weights[len(self.names) :]
        high = np.maximum(np.maximum.reduceat(score, self.starts), none)
        power, none_power = np.exp(score - high[self.segment]), np.exp(none - high)
        total = np.add.reduceat(power, self.starts) + none_power
        return power / total[self.segment], none_power / total

    def loss(self, weights: Array, importance: Array) -> tuple[float, Array]:
        """Penalised negative log-likelihood, and its gradient."""
        chance, none = self.chances(weights)
        right = np.add.reduceat(chance * self.guilty, self.starts)
        likelihood = np.where(self.answered, right, none)
        share = chance * self.guilty / np.maximum(right, 1e-300)[self.segment]
        pull = (chance - share * self.answered[self.segment]) * importance[self.segment]
        none_pull = (none - ~self.answered) * importance
        penalty = np.concatenate(
            [np.full(len(self.names), PENALTY), np.full(len(self.none_names), NONE_PENALTY)]
        )
        value = (
            -(importance * np.log(likelihood + 1e-300)).sum() + 0.5 * (penalty * weights**2).sum()
        )
        gradient = np.concatenate([self.rows.T @ pull, self.none.T @ none_pull]) + penalty * weights
        return float(value), gradient

    def fit(self, importance: Array, start: Array | None = None, steps: int = 300) -> Array:
        """The weights, of standardised features."""
        size = len(self.names) + len(self.none_names)
        bounds = [(0.0, None)] * len(self.names) + [(None, None)] * len(self.none_names)
        result = minimize(
            self.loss,
            np.zeros(size) if start is None else start,
            args=(importance,),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": steps},
        )
        fitted: Array = result.x
        return fitted


def main(arguments: list[str] | None = None) -> None:
    """Measure, fit with each repository left out, print, and write the weights of all when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--mined", type=Path, help="what bot.bench.mine wrote")
    parser.add_argument("--cache", type=Path, help="measured features are kept in this file")
    parser.add_argument("--write", action="store_true", help=f"write {WEIGHTS.name}")
    given = parser.parse_args(arguments)
    histories = measured(given.cases, given.repos, given.mined, given.cache)
    problem = pose(histories)
    everything = problem.fit(problem.importance)
    left_out = leave_one_repository_out(problem, histories, everything)
    sys.stdout.write(summary(problem, histories, left_out))
    if given.write:
        WEIGHTS.write_bytes(orjson.dumps(exported(problem, everything), option=orjson.OPT_INDENT_2))


def measured(cases: Path, repos: Path, mined: Path | None, cache: Path | None) -> list[Measured]:
    """Every history of the cases as numbers, from the cache where there is one."""
    stored = TypeAdapter(list[Measured])
    if cache is not None and cache.is_file():
        return stored.validate_json(cache.read_bytes())
    work = [(case, False) for case in suspect_cases.read(cases)]
    work += [(case, True) for case in (suspect_cases.read(mined) if mined else [])]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = [
            one for many in pool.map(partial(_measure, repos), work, chunksize=4) for one in many
        ]
    if cache is not None:
        cache.write_bytes(stored.dump_json(found))
    return found


def _measure(repos: Path, work: tuple[SuspectCase, bool]) -> list[Measured]:
    case, mined = work
    clues = suspect_features.read_symptom(case.symptom, frames(case.symptom))
    none = {name: value for name, (value, _) in suspect_features.measure_none(clues).items()}
    return [
        Measured(
            id=case.id,
            repo=case.repo,
            kind=case.symptom_kind,
            mined=mined,
            cut=history.history == "cut",
            features=[
                {name: value for name, (value, _) in row.items()}
                for row in suspect_features.measure(
                    clues, [changes.read(c) for c in history.commits]
                )
            ],
            none=none,
            culprits=history.culprits(),
        )
        for history in suspect_cases.load(case, repos)
        if len(history.commits) > 1
    ]


def pose(histories: Sequence[Measured]) -> Problem:
    """Histories as one standardised matrix."""
    names = tuple(sorted({name for h in histories for row in h.features for name in row}))
    none_names = tuple(sorted({name for h in histories for name in h.none}))
    rows = np.array(
        [[row.get(name, 0.0) for name in names] for h in histories for row in h.features]
    )
    scale = np.maximum(rows.std(axis=0), 1e-6)
    lengths = np.array([len(h.features) for h in histories])
    guilty = [float(index in h.culprits) for h in histories for index in range(len(h.features))]
    return Problem(
        names=names,
        none_names=none_names,
        rows=rows / scale,
        scale=scale,
        none=np.array([[h.none.get(name, 0.0) for name in none_names] for h in histories]),
        segment=np.repeat(np.arange(len(histories)), lengths),
        starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        guilty=np.array(guilty),
        answered=np.array([bool(h.culprits) for h in histories]),
        importance=np.array(list(_importance(histories))),
    )


def _importance(histories: Sequence[Measured]) -> Iterator[float]:
    """How much each history counts: mined ones less, and less again where a repository has many."""
    mined = Counter(h.repo for h in histories if h.mined)
    for h in histories:
        base = MINED[h.kind] * (20 / max(mined[h.repo], 20)) ** 0.5 if h.mined else 1.0
        yield base * (CUT if h.cut else HARD if min(h.culprits) >= NEWEST else 1.0)


def leave_one_repository_out(
    problem: Problem, histories: Sequence[Measured], start: Array
) -> tuple[Array, Array]:
    """Chances from weights that have not seen the repository, for the checked cases."""
    repos = np.array([h.repo for h in histories])
    chance, none = np.zeros(len(problem.rows)), np.zeros(len(histories))
    for repo in sorted({h.repo for h in histories if not h.mined}):
        ours = repos == repo
        weights = problem.fit(problem.importance * ~ours, start, steps=80) * SHARPNESS
        some, nothing = problem.chances(weights)
        chance[ours[problem.segment]] = some[ours[problem.segment]]
        none[ours] = nothing[ours]
    return chance, none


def summary(problem: Problem, histories: Sequence[Measured], left_out: tuple[Array, Array]) -> str:
    """The figures of the checked cases, one a line."""
    places: list[tuple[str, int, int]] = []
    right: list[tuple[int, float, bool]] = []
    cut: list[tuple[float, bool]] = []
    for number, h in enumerate(histories):
        if h.mined:
            continue
        begin = problem.starts[number]
        chance, none = left_out[0][begin : begin + len(h.features)], left_out[1][number]
        sure = float(max(chance.max(), none))
        if h.cut:
            cut.append((sure, bool(none > chance.max())))
            continue
        order = [int(index) for index in np.argsort(-chance, kind="stable")]
        place = min(order.index(index) for index in h.culprits)
        places.append((h.repo, min(h.culprits), place))
        right.append((min(h.culprits), sure, place == 0 and bool(chance.max() > none)))
    hard = [place for place in places if place[1] >= NEWEST]
    lines = [
        f"left out, all:  {_line(scores(places))}",
        f"left out, hard: {_line(scores(hard))}",
        (
            f"with none: acc@1 {np.mean([r for _, _, r in right]):.3f},"
            f" hard {np.mean([r for first, _, r in right if first >= NEWEST]):.3f},"
            f" abstention {np.mean([r for _, r in cut]):.3f}"
        ),
        (
            f"calibration error {calibration_error([(s, r) for _, s, r in right]):.3f},"
            f" with cut {calibration_error([*((s, r) for _, s, r in right), *cut]):.3f}"
        ),
    ]
    return "\n".join(lines) + "\n"


def _line(found: Scores) -> str:
    return (
        f"n {found.n} acc@1 {found.acc1:.3f} acc@3 {found.acc3:.3f} acc@5 {found.acc5:.3f} "
        f"acc@10 {found.acc10:.3f} MRR {found.mrr:.3f} macro-MRR {found.macro_mrr:.3f}"
    )


def exported(problem: Problem, weights: Array) -> dict[str, dict[str, float]]:
    """The weights per unit of a feature, as the product reads them."""
    count = len(problem.names)
    raw = weights[:count] / problem.scale * SHARPNESS
    none = weights[count:] * SHARPNESS
    return {
        "features": {
            name: round(float(w), 4) for name, w in zip(problem.names, raw, strict=True) if w > 1e-4
        },
        "none": {
            name: round(float(w), 4) for name, w in zip(problem.none_names, none, strict=True)
        },
    }


if __name__ == "__main__":
    main()
