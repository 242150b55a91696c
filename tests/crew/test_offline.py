"""The narrator without a model: complete, honest, and able to stand its own checks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given, settings

from adapters.kit.records import Alert
from bot.analysis.engine import NO_BASELINE
from bot.analysis.findings import Findings, LogStats, Term
from bot.crew.offline import OfflineNarrator
from bot.report import Narrative, Records, Seen, outline, texts
from bot.report.build import build
from bot.report.text import text
from bot.verify import verify
from tests.report.cases import ONSET, SHA, findings, random_findings, random_seen, seen

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
    assert "Most likely cause: C1" in narrative.summary
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


STRONG = (
    Term(name="last wrote the failing line", weight=2.6, evidence="checkout/price.py:88"),
    Term(name="shared names", weight=2.0, evidence="currency"),
    Term(name="removes what is missing", weight=1.4, evidence="currency"),
)


def sure(**changed: object) -> Findings:
    found = findings()
    best = found.suspects[0].model_copy(update={"probability": 0.97, "terms": STRONG, **changed})
    return found.model_copy(update={"suspects": (best,), "none_of_these": 0.03})


def test_it_confirms_what_place_time_and_words_say_independently() -> None:
    assert told(sure(), seen()).conclusion == "confirmed"


@pytest.mark.parametrize(
    "changed",
    [
        {"deployed_at": None, "committed_at": findings().window.until},
        {"deployed_at": ONSET - timedelta(hours=9)},
        {"deployed_at": None, "committed_at": ONSET - timedelta(hours=9)},
        {"terms": STRONG[1:]},
        {"terms": STRONG[:2]},
        {"terms": (*STRONG[:2], Term(name="shared words", weight=3.0, evidence="currency"))},
        {"probability": 0.9},
    ],
    ids=["later", "old deploy", "old commit", "no line", "one more", "two of words", "unsure"],
)
def test_less_than_that_is_only_likely(changed: dict[str, object]) -> None:
    assert told(sure(**changed), seen()).conclusion == "likely"


def test_what_came_after_the_onset_is_not_to_be_reverted() -> None:
    late = sure(deployed_at=None, committed_at=ONSET + timedelta(minutes=20))
    assert "revert" not in " ".join(told(late, seen()).next_steps)
    assert "revert" in " ".join(told(sure(), seen()).next_steps)


def test_a_change_that_cannot_be_it_is_no_candidate() -> None:
    found = sure(probability=0.0).model_copy(update={"none_of_these": 1.0})
    narrative = told(found, Seen())
    assert "candidate" not in narrative.summary
    assert not any("C1" in claim.cites for claim in narrative.claims)


def test_one_probability_is_told_in_one_wording() -> None:
    found = sure().model_copy(update={"onset": None, "patterns": (), "propagation": ()})
    records = Seen(gaps=seen().gaps)
    narrative = told(found, records)
    report = build(
        "7", "why?", found, verify(narrative, texts(found, records)), records, timings={}
    )
    assert report.conclusion == "inconclusive"
    assert outline.headline(report) == "Inconclusive (97 % for the best candidate)"
    assert "likely cause" not in report.summary
    assert "Best candidate: C1" in report.summary
    assert not re.search(r"\d %", report.summary)


def quiet() -> Findings:
    return findings().model_copy(
        update={"onset": None, "patterns": (), "propagation": (), "stats": LogStats(lines=9_000)}
    )


def test_a_quiet_window_is_not_an_incident() -> None:
    narrative = told(quiet(), Seen())
    assert narrative.conclusion == "not_an_incident"
    assert narrative.confidence <= 0.8


def test_without_lines_from_before_nothing_is_called_usual() -> None:
    one = quiet().model_copy(
        update={
            "patterns": (findings().patterns[2].model_copy(update={"kind": "steady", "count": 1}),),
            "stats": LogStats(lines=1),
        }
    )
    assert "The 1 log line of this window looks like those before" in told(one, Seen()).summary
    alone = one.model_copy(update={"notes": (NO_BASELINE,)})
    narrative = told(alone, Seen())
    assert narrative.conclusion == "inconclusive"
    assert "like" not in narrative.summary.split("compare")[0]


def test_beside_not_an_incident_nobody_is_suspected() -> None:
    found = quiet()
    report = build(
        "7", "why?", found, verify(told(found, Seen()), texts(found, Seen())), Seen(), timings={}
    )
    assert report.conclusion == "not_an_incident"
    assert report.confidence >= 0.6
    assert report.suspects == ()
    assert "No change is suspected" in text(report)
    assert not any("Change" in moment.text for moment in report.timeline)


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
