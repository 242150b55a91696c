"""`bench templates`: how fast and how rightly log lines become templates, with Drain3 in the same run.

Accuracy needs a checkout of https://github.com/logpai/loghub (research use; Zhu et al., ISSRE 2023) and, for the
corrected labels, https://github.com/logpai/logparser; neither is part of this repository. One configuration serves
all systems: the one that the product runs with.
"""

from __future__ import annotations

import csv
import itertools
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import polars as pl
from pydantic import BaseModel

from bot.analysis.masking import mask
from bot.analysis.templates import mine
from bot.bench import synthetic
from bot.bench.tables import Table
from bot.errors import UserError

_CHUNK_BYTES = 8 << 20
_DRAIN3_LINES = 50_000
_REPEATS = 3


class Accuracy(BaseModel):
    """Grouping of one system's 2,000 lines.

    Attributes:
        ga: share of lines in a group that equals a true group.
        fga: F1 of the groups themselves, whatever their size.
        templates, truth: number of groups found and true.
    """

    system: str
    ga: float
    fga: float
    templates: int
    truth: int
    ga_corrected: float | None = None
    fga_corrected: float | None = None


class TemplatesResult(BaseModel):
    """The result of `bench templates`. CPU seconds are of the whole process, threads included."""

    lines: int
    bytes: int
    cpu_seconds: float
    lines_per_cpu_second: float
    drain3_lines_per_cpu_second: float
    ratio: float
    templates: int
    accuracy: list[Accuracy] = []
    ga: float | None = None
    fga: float | None = None
    ga_corrected: float | None = None
    fga_corrected: float | None = None

    def tables(self) -> tuple[Table, ...]:
        """The tables to print."""
        speed = Table(
            title="Templating speed, one core",
            columns=("what", "lines per CPU-second"),
            rows=(
                ("engine", f"{self.lines_per_cpu_second:,.0f}"),
                (
                    f"Drain3, first {_DRAIN3_LINES:,} lines",
                    f"{self.drain3_lines_per_cpu_second:,.0f}",
                ),
                ("ratio", f"{self.ratio:.1f}"),
                (
                    "read",
                    f"{self.lines:,} lines, {self.bytes / 2**20:.0f} MiB, {self.templates:,} templates",
                ),
            ),
        )
        if not self.accuracy:
            return (speed,)
        rows = [
            (a.system, _figure(a.ga), _figure(a.fga), f"{a.templates}/{a.truth}",
             _figure(a.ga_corrected), _figure(a.fga_corrected))
            for a in self.accuracy
        ]  # fmt: skip
        mean = ("mean", _figure(self.ga), _figure(self.fga), "",
                _figure(self.ga_corrected), _figure(self.fga_corrected))  # fmt: skip
        columns = ("system", "GA", "FGA", "found/true", "GA corrected", "FGA corrected")
        return (speed, Table("Grouping on Loghub-2k, original labels", columns, (*rows, mean)))


def run(file: Path | None = None, loghub: Path | None = None, *, seed: int = 7) -> TemplatesResult:
    """Measure speed on `file` (a million made-up lines without one) and accuracy on a Loghub checkout.

    Args:
        file: a log file, or the folder of a Loghub checkout, which may hold one of logparser beside it.
        loghub: the folder, where `file` is a log.

    Raises:
        UserError: the file is not there, or holds no lines.
    """
    if file is not None and file.is_dir():
        file, loghub = None, file
    with tempfile.TemporaryDirectory(prefix="incident-responder-bench-") as name:
        if file is None:
            file = Path(name) / "made-up.log"
            with file.open("w", encoding="utf-8") as out:
                out.writelines(synthetic.plain_lines(1_000_000, seed))
        result = _speed(file)
    if loghub is None:
        return result
    found = list(_accuracy(loghub))
    if not found:
        msg = (
            f"{loghub.name} holds no *_2k.log_structured.csv; give the folder of a Loghub checkout."
        )
        raise UserError(msg)
    corrected = [a for a in found if a.ga_corrected is not None]
    return result.model_copy(
        update={
            "accuracy": found,
            "ga": _mean([a.ga for a in found]),
            "fga": _mean([a.fga for a in found]),
            "ga_corrected": _mean([a.ga_corrected for a in corrected]),
            "fga_corrected": _mean([a.fga_corrected for a in corrected]),
        }
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _speed(file: Path) -> TemplatesResult:
    """Best of a few runs over the file, from bytes to the template of every distinct line."""
    try:
        size = file.stat().st_size
        runs = [_template(file) for _ in range(_REPEATS)]
        rival = _drain3(file)
    except OSError:
        raise UserError(f"Cannot read {file.name}; give a log file.") from None
    lines, templates, _ = runs[0]
    if not lines:
        raise UserError(f"{file.name} holds no lines.")
    seconds = max(min(run[2] for run in runs), 1e-6)
    return TemplatesResult(
        lines=lines,
        bytes=size,
        cpu_seconds=seconds,
        lines_per_cpu_second=lines / seconds,
        drain3_lines_per_cpu_second=rival,
        ratio=lines / seconds / rival,
        templates=templates,
    )


def _template(file: Path) -> tuple[int, int, float]:
    """Lines, templates and CPU seconds of one run."""
    begun = time.process_time()
    counted: dict[str, int] = {}
    for lines in _columns(file):
        for masked, n in mask(lines).value_counts().iter_rows():
            counted[masked] = counted.get(masked, 0) + n
    templates = len(set(mine(counted).values()))
    return sum(counted.values()), templates, time.process_time() - begun


def _columns(file: Path) -> Iterator[pl.Series]:
    """The file's lines, some megabytes at a time."""
    rest = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            whole, feed, rest = (rest + chunk).rpartition(b"\n")
            if feed:
                yield _lines_of(whole)
    if rest:
        yield _lines_of(rest)


def _lines_of(text: bytes) -> pl.Series:
    whole = pl.Series("text", [text.decode("utf-8", "replace")])
    return whole.str.split("\n").explode()


def _drain3(file: Path) -> float:
    """Lines per CPU second of Drain3 with its defaults, on the same lines as they are."""
    from drain3.drain import Drain

    with file.open(encoding="utf-8", errors="replace") as stream:
        lines = [line.rstrip("\n") for line in itertools.islice(stream, _DRAIN3_LINES)]
    drain = Drain()
    begun = time.process_time()
    for line in lines:
        drain.add_log_message(line)
    return max(len(lines), 1) / max(time.process_time() - begun, 1e-6)


def _accuracy(folder: Path) -> Iterator[Accuracy]:
    corrected = {
        path.name.partition("_2k")[0]: path for path in _found(folder, "structured_corrected.csv")
    }
    original = {path.name.partition("_2k")[0]: path for path in _found(folder, "structured.csv")}
    for system, path in sorted(original.items()):
        rows = _rows(path)
        masked = mask(
            pl.Series("text", [row["Content"] for row in rows], dtype=pl.String)
        ).to_list()
        template = mine(masked)
        found = [template[text] for text in masked]
        ga, fga = score(found, [row["EventId"] for row in rows])
        better: tuple[float | None, float | None] = (None, None)
        if system in corrected:
            truth = [row["EventTemplate"] for row in _rows(corrected[system])]
            better = score(found, truth) if len(truth) == len(found) else better
        yield Accuracy(
            system=system,
            ga=ga,
            fga=fga,
            templates=len(set(found)),
            truth=len({row["EventId"] for row in rows}),
            ga_corrected=better[0],
            fga_corrected=better[1],
        )


def _found(folder: Path, ending: str) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names if name.endswith(f"_2k.log_{ending}"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        return list(csv.DictReader(stream))


def score(found: Sequence[Hashable], truth: Sequence[Hashable]) -> tuple[float, float]:
    """Grouping accuracy and F1 of grouping (Zhu et al., ICSE-SEIP 2019; Jiang et al., ISSTA 2024)."""
    ours, theirs = _groups(found), _groups(truth)
    right = ours & theirs
    ga = sum(map(len, right)) / max(len(found), 1)
    return ga, 2 * len(right) / max(len(ours) + len(theirs), 1)


def _groups(labels: Sequence[Hashable]) -> set[frozenset[int]]:
    members: dict[Hashable, list[int]] = defaultdict(list)
    for number, label in enumerate(labels):
        members[label].append(number)
    return {frozenset(numbers) for numbers in members.values()}
