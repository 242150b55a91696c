from __future__ import annotations

import subprocess
from pathlib import Path

from bot.bench import report, synthetic


def test_a_small_incident_is_investigated_in_a_fresh_process() -> None:
    result = report.run(lines=8_000, commits=12, seed=3)
    assert 7_000 < result.lines < 9_000
    assert result.commits == 12
    assert result.wall_seconds > 0
    assert result.peak_rss_mib > 10
    assert result.onset_error_s is not None
    assert abs(result.onset_error_s) <= 10
    assert result.suspect_rank == 1
    assert ("commits", "12") in result.tables()[0].rows


def test_the_made_up_incident_follows_from_its_seed(tmp_path: Path) -> None:
    one = synthetic.write(tmp_path / "a", lines=2_000, commits=5, seed=1)
    two = synthetic.write(tmp_path / "b", lines=2_000, commits=5, seed=1)
    for name in synthetic.SERVICES:
        file = f"{name}.log"
        assert (one.logs / file).read_bytes() == (two.logs / file).read_bytes()
    log = ["git", f"--git-dir={one.repository}", "log", "--format=%s"]
    subjects = subprocess.run(log, capture_output=True, check=True, text=True).stdout.splitlines()
    assert len(subjects) == 5
    assert one.culprit in subjects
