"""From a verdict to a narrative, without a model: what counts as the same change, and who overrules whom."""

from __future__ import annotations

import pytest

from bot.crew.answers import Statement, Verdict
from bot.crew.offline import OfflineNarrator
from bot.crew.telling import Telling, deployed, own_links
from bot.crew.untrusted import Echo
from bot.report import texts
from bot.verify import verify
from tests.crew import stage
from tests.report.cases import SHA

CLAIMS = [Statement(text="C1 did it.", cites=["C1", "L1"], cause=True)]


def telling() -> Telling:
    plain = OfflineNarrator().narrate("why?", stage.FINDINGS, stage.RECORDS)
    return Telling(stage.FINDINGS, plain, frozenset(), Echo([]), {"D1": "C1"})


@pytest.mark.parametrize(
    "named", ["C1", "c1", "C1 (the currency)", "D1", SHA, SHA[:10], SHA[:7].upper()]
)
def test_a_change_is_known_by_id_deploy_or_sha(named: str) -> None:
    told = telling().narrative(
        Verdict(conclusion="likely", confidence=0.9, culprit=named, claims=CLAIMS)
    )
    assert told.conclusion == "likely"
    assert told.confidence == pytest.approx((0.9 + 0.8125) / 2, abs=1e-3)
    assert len(told.claims) == 1


def test_an_invented_culprit_does_not_reach_the_report() -> None:
    told = telling().narrative(Verdict(conclusion="likely", culprit="C77", claims=CLAIMS))
    checked = verify(told, texts(stage.FINDINGS, stage.RECORDS))
    assert checked.narrative.conclusion == "inconclusive"
    assert "C77" not in checked.narrative.model_dump_json()


def test_confirmed_needs_the_engines_consent() -> None:
    told = telling().narrative(
        Verdict(conclusion="confirmed", confidence=1.0, culprit="C1", claims=CLAIMS)
    )
    assert told.conclusion == "likely"


def test_the_terms_add_up_to_the_confidence() -> None:
    told = telling().narrative(
        Verdict(conclusion="likely", confidence=0.7, culprit="C2", claims=CLAIMS)
    )
    assert told.confidence == pytest.approx(sum(t.weight for t in told.confidence_terms))
    assert told.conclusion == "inconclusive"


@pytest.mark.parametrize(("written", "read"), [(85, 0.85), (0.85, 0.85), (-1, 0.0), (1, 1.0)])
def test_a_percentage_is_read_as_a_share(written: float, read: float) -> None:
    assert Verdict.model_validate({"confidence": written}).confidence == read


def test_what_is_too_long_is_cut_not_refused() -> None:
    flood = {"claims": [{"text": "x" * 9_000, "cites": ["L1"] * 99}] * 99}
    verdict = Verdict.model_validate(flood)
    assert len(verdict.claims) == 24
    assert len(verdict.claims[0].text) == 1_500
    assert len(verdict.claims[0].cites) == 24


def test_links_of_the_sources_are_the_only_ones() -> None:
    links = own_links(stage.FINDINGS, stage.RECORDS)
    assert all(link.startswith("http") for link in links)
    assert deployed(stage.FINDINGS, stage.RECORDS) in ({}, {"D1": "C1"})
