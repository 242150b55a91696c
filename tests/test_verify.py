"""No statement is believed that the cited records do not carry, whatever a narrator makes up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.report import Checked, Claim, Conclusion, Narrative, texts
from bot.verify import verify
from tests.report.cases import OTHER, SHA, findings, seen

RECORDS = texts(findings(), seen())


def narrative(
    *claims: Claim,
    conclusion: Conclusion = "likely",
    confidence: float = 0.8,
    summary: str = "",
    **more: object,
) -> Narrative:
    return Narrative.model_validate(
        {
            "conclusion": conclusion,
            "confidence": confidence,
            "summary": summary,
            "claims": claims,
            **more,
        }
    )


def check(text: str, *cites: str, quote: str | None = None) -> Checked:
    return verify(narrative(Claim(text=text, cites=cites, quote=quote)), RECORDS)


TRUE = [
    ("Commit 3f9c2d1 reads the currency.", ["C1"]),
    (f"{SHA} did it.", ["C1"]),
    ("checkout/price.py:88 raises it.", ["L1"]),
    ("It happens in price.py and in /srv/app/checkout/price.py.", ["L1"]),
    ("checkout logged it 1,520 times and never before.", ["L1"]),
    ("It was logged about 1,500 times.", ["L1"]),
    ("Retries wait 250 ms, or 0.25 s.", ["L1"]),
    ("It began at 14:02:10 UTC.", ["L1"]),
    ("It began at 14:02.", ["L1"]),
    ("It began on 2026-11-21 at 14:02 UTC, 2026-11-21T15:02:10+01:00 in Berlin.", ["L1"]),
    ("The log says \"amounts[order['currency']]\".", ["L1"]),
    ("It says `KeyError: 'currency'`.", ["L1"]),
    ("The change has a probability of 81 %, or 81.2 %.", ["C1"]),
    ("Version v1.4.2 was deployed at 13:58:10 UTC.", ["D1"]),
    ("The service web answered badly 20 s later.", ["L2", "L1"]),
    ("These 2 patterns belong together.", ["L1", "L2"]),
    ("The runbook is at https://wiki.example.com/co.", ["R1"]),
    ("Users could not pay.", ["L1"]),
]
FALSE = [
    ("Commit deadbee1 did it.", ["C1"], "sha"),
    (f"{OTHER[:8]} did it.", ["C1"], "sha"),
    ("checkout/cart.py raises it.", ["L1"], "path"),
    ("checkout/price.py:99 raises it.", ["L1"], "path"),
    ("It was logged 1,521 times.", ["L1"], "number"),
    ("It was logged about 3,000 times.", ["L1"], "number"),
    ("Retries wait 250 s.", ["L1"], "number"),
    ("CPU was at 97 %.", ["L1"], "number"),
    ("It began at 13:47.", ["L1"], "time"),
    ("It began on 2026-11-20 at 14:02:10.", ["L1"], "time"),
    ('The log says "connection pool exhausted".', ["L1"], "quote"),
    ("It raised a ConnectionPoolTimeoutError.", ["L1"], "name"),
    ("It calls charge_card() twice.", ["L1"], "name"),
    ("Version 1.4.3 did it.", ["D1"], "name"),
    ("The payments service fails.", ["L1"], "service"),
    ("db is slow.", ["L1"], ""),
    ("See https://evil.example.com/login.", ["L1"], "link"),
    ("L9 shows it too.", ["L1"], "L9"),
    ("Pod checkout-7d9f8b6c5-x2x1z died.", ["L1"], "name"),
]


@pytest.mark.parametrize(("text", "cites"), TRUE, ids=[text for text, _ in TRUE])
def test_what_the_evidence_carries_is_kept(text: str, cites: list[str]) -> None:
    checked = check(text, *cites)
    assert checked.removals == ()
    assert [claim.text for claim in checked.narrative.claims] == [text]


@pytest.mark.parametrize(
    ("text", "cites", "reason"), [f for f in FALSE if f[2]], ids=[text for text, _, r in FALSE if r]
)
def test_what_nobody_saw_is_removed_with_its_reason(
    text: str, cites: list[str], reason: str
) -> None:
    checked = check(text, *cites)
    assert checked.narrative.claims == ()
    assert checked.removed >= 1
    assert reason in checked.reasons[0]


def test_a_claim_must_cite_what_exists() -> None:
    assert "cites nothing" in check("Users could not pay.").reasons[0]
    assert "C9" in check("Users could not pay.", "L1", "C9").reasons[0]


def test_a_fact_of_another_record_does_not_count() -> None:
    assert check("It happened 900 times.", "L2").removed == 0
    assert check("It happened 900 times.", "L1").removed == 1


@pytest.mark.parametrize(
    "quote",
    [
        "KeyError: 'currency'",
        'keyerror:   "currency"',
        "Traceback (most recent call last): ... in total",
        "KeyError: <*> Traceback",
        'File "/srv/app/checkout/price.py", line 88, in total return amounts',
        "\x1b[31mKeyError\x1b[0m: 'currency'",
    ],
)
def test_a_quotation_is_found_after_normalisation(quote: str) -> None:
    assert check("It fails.", "L1", quote=quote).removed == 0


@pytest.mark.parametrize(
    "quote", ["KeyError: 'amount'", "in total ... Traceback", "...", "", "x" * 5_000]
)
def test_an_invented_or_empty_quotation_is_removed(quote: str) -> None:
    assert check("It fails.", "L1", quote=quote).removed == 1


def cause(text: str = "C1 did it.", *cites: str) -> Claim:
    return Claim(text=text, cites=cites or ("C1", "L1"), cause=True)


def test_a_cause_without_support_makes_it_inconclusive() -> None:
    said = narrative(
        cause("Commit deadbee1 emptied the pool.", "C1"),
        Claim(text="Users could not pay.", cites=("L1",)),
        conclusion="confirmed",
        confidence=0.95,
        summary="Commit deadbee1 emptied the pool. Users could not pay.",
    )
    checked = verify(said, RECORDS)
    assert checked.narrative.conclusion == "inconclusive"
    assert checked.narrative.confidence == 0.5
    assert sum(term.weight for term in checked.narrative.confidence_terms) == pytest.approx(-0.45)
    assert "deadbee1" not in checked.narrative.model_dump_json()
    assert "Users could not pay." in checked.narrative.summary
    assert "taken out" in checked.narrative.summary


def test_a_cause_with_half_its_support_falls_by_one() -> None:
    said = narrative(cause(), cause("Commit deadbee1 did it.", "C1"), conclusion="confirmed")
    assert verify(said, RECORDS).narrative.conclusion == "likely"
    said = narrative(cause(), cause("Commit deadbee1 did it.", "C1"), conclusion="likely")
    assert verify(said, RECORDS).narrative.conclusion == "inconclusive"


def test_confirmed_takes_two_records() -> None:
    alone = narrative(cause("C1 did it.", "C1"), conclusion="confirmed")
    assert verify(alone, RECORDS).narrative.conclusion == "likely"
    assert (
        verify(narrative(cause(), conclusion="confirmed"), RECORDS).narrative.conclusion
        == "confirmed"
    )


def test_a_conclusion_without_any_claim_is_inconclusive() -> None:
    assert verify(narrative(conclusion="likely"), RECORDS).narrative.conclusion == "inconclusive"
    assert (
        verify(narrative(conclusion="not_an_incident"), RECORDS).narrative.conclusion
        == "inconclusive"
    )


def test_sentences_of_the_summary_are_checked_one_by_one() -> None:
    said = narrative(cause(), summary="checkout failed 1,520 times. CPU was at 97 %. C1 did it.")
    checked = verify(said, RECORDS)
    assert checked.narrative.summary == "checkout failed 1,520 times. C1 did it."
    assert checked.removals[0].part == "summary"


def test_a_summary_may_not_repeat_a_removed_claim_in_other_words() -> None:
    said = narrative(
        Claim(text="The database connection pool ran empty at 13:11.", cites=("L1",)),
        summary="The database connection pool ran empty. Users could not pay.",
    )
    assert verify(said, RECORDS).narrative.summary.startswith("Users could not pay.")


def test_advice_may_name_commands_but_no_invented_sha_or_link() -> None:
    steps = (
        "Run `kubectl rollout undo deploy/checkout` and wait 5 minutes.",
        f"Revert {SHA[:10]}.",
        "Revert deadbee1.",
        "Open https://evil.example.com/fix.",
        "Read C9.",
    )
    checked = verify(narrative(cause(), next_steps=steps), RECORDS)
    assert checked.narrative.next_steps == steps[:2]
    assert {removal.part for removal in checked.removals} == {"next_step"}


def test_what_was_ruled_out_is_checked_too() -> None:
    said = narrative(
        cause(), ruled_out=("C2 changes docs/total.md only.", "CPU was at 97 % all day.")
    )
    assert verify(said, RECORDS).narrative.ruled_out == ("C2 changes docs/total.md only.",)


def test_a_redacted_quotation_is_found_in_the_raw_record() -> None:
    records = {"L1": "login password=hunter2 for ann failed"}
    said = narrative(
        Claim(text="It fails.", cites=("L1",), quote="password=[secret:password#1] for ann")
    )
    assert verify(said, records).removed == 0


def test_too_many_statements_are_cut() -> None:
    said = narrative(*[Claim(text="It fails.", cites=("L1",))] * 60)
    checked = verify(said, RECORDS)
    assert len(checked.narrative.claims) == 40
    assert checked.removed == 20


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=200),
    st.text(max_size=80),
    st.lists(st.sampled_from(["L1", "C1", "C9", "", "x"]), max_size=3),
)
def test_no_text_of_a_model_breaks_it(text: str, quote: str, cites: list[str]) -> None:
    claim = Claim(text=text, cites=tuple(cites), quote=quote, cause=True)
    said = narrative(claim, summary=text, next_steps=(text,), ruled_out=(quote,))
    checked = verify(said, RECORDS)
    assert checked.removed == len(checked.removals)
    assert verify(checked.narrative, RECORDS).narrative.claims == checked.narrative.claims


@given(st.integers(10, 10**9))
def test_no_invented_number_passes(number: int) -> None:
    carried = {line for text in RECORDS.values() for line in text.split()}
    if not any(str(number) in word for word in carried):
        assert check(f"It failed {number} times.", "L1", "L2", "C1").removed == 1
