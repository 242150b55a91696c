"""The narrator without a model: complete, honest, and able to stand its own checks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings

from adapters.kit.records import Alert
from bot.analysis.findings import Findings, LogStats
from bot.crew.offline import OfflineNarrator
from bot.report import Narrative, Records, Seen, texts
from bot.verify import verify
from tests.report.cases import SHA, findings, random_findings, random_seen, seen

NARRATOR = OfflineNarrator()


def told(found: Findings, records: Records) -> Narrative:
    return NARRATOR.narrate("why?", found, records, seconds=60)


@settings(max_examples=100, deadline=None)
@given(random_findings(), random_seen)
def test_everything_it_says_stands_in_the_evidence(found: Findings, records: Seen) -> None:
    narrative = told(found, records)
    checked = verify(narrative, texts(found, records))
    assert checked.removals == ()
    assert checked.narrative == narrative


@settings(max_examples=50, deadline=None)
@given(random_findings(), random_seen)
def test_the_terms_add_up_to_the_confidence(found: Findings, records: Seen) -> None:
    narrative = told(found, records)
    total = sum(term.weight for term in narrative.confidence_terms)
    assert narrative.confidence == pytest.approx(min(1, max(0, total)), abs=1e-3)


@settings(max_examples=50, deadline=None)
@given(random_findings(), random_seen)
def test_it_names_a_cause_only_above_one_half(found: Findings, records: Seen) -> None:
    narrative = told(found, records)
    best = max((s.probability for s in found.suspects), default=0.0)
    if best < 0.5:
        assert narrative.conclusion in {"inconclusive", "not_an_incident"}
        assert "likely cause" not in narrative.summary
    assert not any(claim.cause for claim in narrative.claims) or best >= 0.5


def test_a_clear_case_is_told_in_a_few_sentences() -> None:
    narrative = told(findings(), seen())
    assert narrative.conclusion == "likely"
    assert "checkout logs “KeyError" in narrative.summary
    assert "1,520 times, never before" in narrative.summary
    assert "first in checkout, then in web" in narrative.summary
    assert f"C1 {SHA[:10]}" in narrative.summary
    assert "81 %" in narrative.summary
    assert "metrics" in narrative.summary


def test_the_next_steps_can_be_done_as_they_are() -> None:
    steps = " ".join(told(findings(), seen()).next_steps)
    assert "show C1" in steps
    assert f"git revert {SHA[:10]}" in steps
    assert "https://wiki.example.com/co" in steps
    assert "metrics" in steps


def test_what_recurs_and_what_cannot_be_is_ruled_out() -> None:
    out = " ".join(told(findings(), seen()).ruled_out)
    assert "L3" in out
    assert "C2" in out


def test_without_a_standing_out_change_it_says_so() -> None:
    found = findings()
    weak = tuple(s.model_copy(update={"probability": 0.3}) for s in found.suspects)
    narrative = told(found.model_copy(update={"suspects": weak, "none_of_these": 0.4}), seen())
    assert narrative.conclusion == "inconclusive"
    assert "No clear suspect" in narrative.summary
    assert "revert" not in " ".join(narrative.next_steps)


def test_it_confirms_only_strong_and_independent_evidence() -> None:
    found = findings()
    sure = found.suspects[0].model_copy(update={"probability": 0.97})
    strong = found.model_copy(update={"suspects": (sure,), "none_of_these": 0.03})
    assert told(strong, seen()).conclusion == "confirmed"
    late = sure.model_copy(update={"deployed_at": None, "committed_at": strong.window.until})
    assert told(strong.model_copy(update={"suspects": (late,)}), seen()).conclusion == "likely"
    single = sure.model_copy(update={"terms": sure.terms[:1]})
    assert told(strong.model_copy(update={"suspects": (single,)}), seen()).conclusion == "likely"


def quiet() -> Findings:
    return findings().model_copy(
        update={"onset": None, "patterns": (), "propagation": (), "stats": LogStats(lines=9_000)}
    )


def test_a_quiet_window_is_not_an_incident() -> None:
    narrative = told(quiet(), Seen())
    assert narrative.conclusion == "not_an_incident"
    assert narrative.confidence <= 0.8


def test_a_quiet_window_with_a_gap_or_a_firing_alert_is_inconclusive() -> None:
    records = seen()
    assert told(quiet(), Seen(gaps=records.gaps)).conclusion == "inconclusive"
    unexplained = told(quiet().model_copy(update={"suspects": ()}), Seen(alerts=records.alerts))
    assert unexplained.conclusion == "inconclusive"


def test_an_error_without_precedent_is_no_quiet_window() -> None:
    steady = findings().patterns[0].model_copy(update={"kind": "steady", "count": 1})
    found = quiet().model_copy(update={"patterns": (steady,), "suspects": ()})
    narrative = told(found, Seen())
    assert narrative.conclusion == "inconclusive"
    assert "KeyError" in narrative.summary
    usual = steady.model_copy(update={"baseline_count": 3})
    assert (
        told(found.model_copy(update={"patterns": (usual,)}), Seen()).conclusion
        == "not_an_incident"
    )


def test_a_resolved_alert_does_not_make_an_incident() -> None:
    alert = seen().alerts[0]
    over = Alert.model_validate(
        {**alert.model_dump(), "state": "resolved", "ended_at": alert.started_at or timedelta()}
    )
    assert told(quiet(), Seen(alerts=(over,))).conclusion == "not_an_incident"


def test_without_logs_it_says_that_there_were_none() -> None:
    empty = quiet().model_copy(update={"stats": LogStats(), "suspects": ()})
    narrative = told(empty, Seen())
    assert narrative.conclusion == "inconclusive"
    assert "No log lines were read" in narrative.summary
    assert any("log source" in step for step in narrative.next_steps)
    assert any("git source" in step for step in narrative.next_steps)
