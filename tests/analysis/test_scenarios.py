"""Golden scenarios: each folder of `scenarios/` holds what was logged and what the engine says about it.

`scenario.json` lists who says what how often; `findings.json` is the engine's answer in short. To add a case, add
a folder; to accept a changed answer, run `python -m tests.analysis.test_scenarios` and read the difference.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from adapters.kit.records import Commit, Deploy, LogBatch, Window
from bot.analysis.engine import Case, analyse
from bot.analysis.findings import Findings
from tests.analysis.streams import Said, batches, plain

FOLDER = Path(__file__).parent / "scenarios"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


class Speech(BaseModel):
    """One message; `since` and `until` default to the window's, and `days_before` moves it back."""

    text: str
    since: datetime | None = None
    until: datetime | None = None
    every_s: float = 10.0
    times: int = 1
    service: str | None = None
    level: str | None = None
    trace: str | None = None


class Scenario(BaseModel):
    why: str
    window: Window
    symptom: str
    service: str = ""
    alert_started_at: datetime | None = None
    logs: list[Speech] = []
    baseline_window: Window | None = None
    baseline: list[Speech] = []
    lines: list[str] = []
    commits: list[Commit] = []
    deploys: list[Deploy] = []


def load(name: str) -> Case:
    text = (FOLDER / name / "scenario.json").read_text(encoding="utf-8")
    scenario = Scenario.model_validate_json(text)
    window = scenario.window
    logs = plain(scenario.lines) if scenario.lines else spoken(scenario.logs, window)
    return Case(
        window=window,
        service=scenario.service,
        symptom=scenario.symptom,
        alert_started_at=scenario.alert_started_at,
        as_of=window.until,
        logs=logs,
        baseline=spoken(scenario.baseline, scenario.baseline_window or window),
        commits=tuple(scenario.commits),
        deploys=tuple(scenario.deploys),
    )


def spoken(speeches: list[Speech], window: Window) -> list[LogBatch]:
    said = [
        Said(
            text=speech.text,
            since=speech.since or window.since,
            until=speech.until or window.until,
            **speech.model_dump(include={"every_s", "times", "service", "level", "trace"}),
        )
        for speech in speeches
    ]
    return batches(said)


def in_short(findings: Findings) -> dict[str, object]:
    """What a person would compare: the onset, the first patterns with their terms, the order of services."""
    onset = findings.onset
    return {
        "onset": onset
        and {
            "at": onset.at.isoformat(),
            "earliest": onset.earliest.isoformat(),
            "latest": onset.latest.isoformat(),
        },
        "patterns": [
            {
                "id": p.id,
                "kind": p.kind,
                "service": p.service,
                "template": p.template,
                "count": p.count,
                "baseline_count": p.baseline_count,
                "recurring": p.recurring,
                "terms": {term.name: round(term.weight, 2) for term in p.terms},
            }
            for p in findings.patterns[:6]
        ],
        "propagation": [[c.rank, c.service, c.at.isoformat()] for c in findings.propagation],
        "suspects": [s.title for s in findings.suspects[:2]],
        "notes": list(findings.notes),
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_says_what_it_said(name: str) -> None:
    golden = json.loads((FOLDER / name / "findings.json").read_text(encoding="utf-8"))
    assert in_short(analyse(load(name))) == golden


def accept() -> None:
    """Write the present answers as the golden ones."""
    for name in NAMES:
        text = json.dumps(in_short(analyse(load(name))), indent=2, ensure_ascii=False)
        (FOLDER / name / "findings.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    accept()
