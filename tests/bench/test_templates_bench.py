from __future__ import annotations

from pathlib import Path

import pytest

from bot.bench import synthetic, templates
from bot.errors import UserError


def test_speed_is_measured_beside_drain3_on_the_same_lines(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(synthetic.plain_lines(3_000, seed=1)) + "no line feed at the end")
    result = templates.run(log)
    assert result.lines == 3_001
    assert result.bytes == log.stat().st_size
    assert result.lines_per_cpu_second > 0
    assert result.ratio == pytest.approx(
        result.lines_per_cpu_second / result.drain3_lines_per_cpu_second
    )
    assert result.accuracy == []


def test_accuracy_is_measured_per_system_of_a_checkout(tmp_path: Path) -> None:
    folder = tmp_path / "loghub" / "Toy"
    folder.mkdir(parents=True)
    rows = ["LineId,Content,EventId,EventTemplate"]
    rows += [f"{n},took {n} ms,E1,took <*> ms" for n in range(9)] + ["10,bye,E2,bye"]
    (folder / "Toy_2k.log_structured.csv").write_text("\n".join(rows))
    log = tmp_path / "app.log"
    log.write_text("one line\n")
    result = templates.run(log, tmp_path / "loghub")
    assert (result.ga, result.fga, result.ga_corrected) == (1.0, 1.0, None)
    assert result.tables()[1].rows[0][:3] == ("Toy", "1.000", "1.000")


def test_a_folder_without_labels_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "app.log").write_text("x\n")
    with pytest.raises(UserError, match="Loghub"):
        templates.run(tmp_path / "app.log", tmp_path / "empty")


def test_a_missing_or_empty_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("")
    for name in ("gone.log", "empty.log"):
        with pytest.raises(UserError, match=name):
            templates.run(tmp_path / name)


@pytest.mark.parametrize(
    ("found", "truth", "ga", "fga"),
    [
        ("aabb", "1122", 1.0, 1.0),
        ("aaaa", "1122", 0.0, 0.0),
        ("aabc", "1122", 0.5, 0.4),
    ],
)
def test_scores_follow_their_definitions(found: str, truth: str, ga: float, fga: float) -> None:
    assert list(templates.score(found, truth)) == [pytest.approx(ga), pytest.approx(fga)]
