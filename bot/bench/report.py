"""`bench report`: the whole way from log files and a repository to a report, without a model.

The incident is written to a temporary folder first; then a fresh process investigates it as the command line
would, and its time and memory are taken.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml
from pydantic import BaseModel

from adapters.kit.records import Window
from bot.bench import synthetic
from bot.bench.tables import Table

_MINUTE_MARGIN_S = 120


class ReportResult(BaseModel):
    """The result of `bench report`.

    Attributes:
        cpu_seconds: of the process and of the git commands that it ran.
        peak_rss_mib: most memory that the process held at once.
        onset_error_s: distance of the found onset from the true one; None when none was found.
        suspect_rank: place of the guilty change, 1 is first; None when it is not listed.
    """

    lines: int
    commits: int
    bytes: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: float
    onset_error_s: float | None
    suspect_rank: int | None
    stages: dict[str, float]

    def tables(self) -> tuple[Table, ...]:
        """The table to print."""
        found = "not found" if self.onset_error_s is None else f"{self.onset_error_s:+.1f} s"
        rows = (
            ("log lines", f"{self.lines:,} ({self.bytes / 2**20:.0f} MiB)"),
            ("commits", f"{self.commits:,}"),
            ("wall time", f"{self.wall_seconds:.2f} s"),
            ("CPU time", f"{self.cpu_seconds:.2f} s"),
            ("peak memory", f"{self.peak_rss_mib:.0f} MiB"),
            ("onset, off by", found),
            ("guilty change ranked", str(self.suspect_rank or "not listed")),
            *((f"stage {name}", f"{seconds:.2f} s") for name, seconds in self.stages.items()),
        )
        return (Table("One report", ("what", "measured"), rows),)


def run(lines: int = 1_000_000, commits: int = 200, seed: int = 7) -> ReportResult:
    """Write an incident of this size, investigate it in a fresh process, and measure that."""
    with tempfile.TemporaryDirectory(prefix="incident-responder-bench-") as name:
        folder = Path(name)
        incident = synthetic.write(folder, lines=lines, commits=commits, seed=seed)
        size = sum(path.stat().st_size for path in incident.logs.iterdir())
        sources = {
            "git_sources": [{"type": "local", "config": {"path": str(incident.repository)}}],
            "log_sources": [{"type": "files", "config": {"path": str(incident.logs)}}],
        }
        (folder / "sources.yaml").write_text(yaml.safe_dump(sources), encoding="utf-8")
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            measured = pool.submit(_measure, folder).result()
    return ReportResult(lines=incident.lines, commits=incident.commits, bytes=size, **measured)


def _measure(folder: Path) -> dict[str, object]:
    from bot.collect import Ask
    from bot.config import Settings
    from bot.sources import load
    from bot.wiring import investigate_now

    window = Window(since=synthetic.START, until=synthetic.START + synthetic.SPAN)
    ask = Ask("checkout returns 500", window, as_of=window.until)
    settings = Settings(data_dir=folder / "data", _env_file=None)
    begun, cpu = time.perf_counter(), _cpu_seconds()
    report, _ = investigate_now(
        ask, load(folder / "sources.yaml", {}), settings, lambda _line: None
    )
    wall, cpu = time.perf_counter() - begun, _cpu_seconds() - cpu
    titles = [suspect.title for suspect in report.suspects]
    onset = report.onset
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_rss_mib": _peak_mib(),
        "onset_error_s": (onset.at - synthetic.ONSET).total_seconds() if onset else None,
        "suspect_rank": titles.index(synthetic.CULPRIT) + 1
        if synthetic.CULPRIT in titles
        else None,
        "stages": report.timings,
    }


def _cpu_seconds() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
