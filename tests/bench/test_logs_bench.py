from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from bot.bench import logs
from bot.errors import UserError


def incident(folder: Path) -> None:
    lines = [
        f"2026-11-20T10:{n // 60:02}:{n % 60:02}Z INFO  cart: sold item {n}" for n in range(600)
    ]
    lines[550] = "2026-11-20T10:09:10Z ERROR pay: charge 7 failed\r"
    lines[580] = "2026-11-20T10:09:40Z ERROR pay: charge 9 failed"
    with gzip.open(folder / "case.log.gz", "wb") as out:
        out.write("\n".join(lines).encode())


def cases(folder: Path) -> Path:
    case = {"id": "L1", "source": "made-up", "incident": "case.log.gz", "normal": None,
            "alert": {"service": "shop", "start_time": "2026-11-20T10:09:30Z", "message": "charges fail"},
            "truth": {"service": None, "signature_lines": [551, 581], "signature_absent": False}}  # fmt: skip
    absent = {**case, "id": "L2", "incident": "gone.log.gz"}
    path = folder / "cases.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(one) for one in (case, absent)))
    return path


def test_the_signature_is_found_and_predictions_hold_its_line_numbers(tmp_path: Path) -> None:
    incident(tmp_path)
    result = logs.run(cases(tmp_path), tmp_path, tmp_path / "out.jsonl")
    assert (result.cases, result.skipped) == (1, 1)
    assert result.template["engine"].acc1 == 1.0
    assert result.template["most frequent error"].n == 1
    prediction = orjson.loads((tmp_path / "out.jsonl").read_bytes())
    assert prediction["id"] == "L1"
    assert prediction["ranked_lines"][0] == [551, 581]
    assert set(prediction) == {"id", "ranked_lines", "ranked_services"}


def test_predictions_do_not_need_the_truth(tmp_path: Path) -> None:
    incident(tmp_path)
    path = tmp_path / "blind.jsonl"
    path.write_bytes(orjson.dumps({"id": "L1", "incident": "case.log.gz"}))
    assert logs.run(path, tmp_path, tmp_path / "out.jsonl").cases == 1


def test_the_tables_show_the_baselines_beside_the_engine(tmp_path: Path) -> None:
    incident(tmp_path)
    table = logs.run(cases(tmp_path), tmp_path).tables()[0]
    assert [row[0] for row in table.rows][:2] == ["engine", "random order"]
    assert table.markdown().startswith("| method | n | acc@1")


def test_a_missing_cases_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.jsonl"):
        logs.run(tmp_path / "gone.jsonl", tmp_path)


def test_the_open_cases_reach_their_figures(shared_data: Path) -> None:
    folder = shared_data / "rca"
    result = logs.run(folder / "logs.open.jsonl", folder)
    assert result.template["engine"].acc1 >= 0.55
    assert result.template["engine"].acc5 >= 0.80
    assert result.service["engine"].acc1 >= 0.75
