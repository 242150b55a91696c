"""Questions in the thread, answered from what is stored: documented commands, people's own words, and anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.followup import Answer, Rerun, answer
from bot.followup.answer import is_command
from bot.report import Report, Seen, numbered
from tests.report.cases import ONSET, OTHER, SHA, findings, report, seen

REPORT = report()
EVIDENCE: dict[str, dict[str, object]] = {
    **{p.id: p.model_dump(mode="json") for p in findings().patterns},
    **{key: record.model_dump(mode="json") for key, record in numbered(seen())},
}


def ask(
    question: str, told: Report = REPORT, evidence: dict[str, dict[str, object]] | None = None
) -> Answer:
    return answer(question, told, EVIDENCE if evidence is None else evidence, UTC)


COMMANDS = [
    ("timeline", "Onset"),
    ("suspects", "Most likely C1, at 81 %"),
    ("patterns", "KeyError"),
    ("why", "probability of the best candidate"),
    ("gaps", "did not answer within 90 seconds"),
    ("next", "git revert"),
    ("show C3", "There is no C3. The changes go from C1 to C2."),
    ("show C1", "+    return amounts[order['currency']]"),
    ("show C2", OTHER),
    ("show D1", "1.4.2"),
    ("show A1", "shop-oncall"),
    ("show R1", "Roll back."),
    ("show M1", "I saw no metric"),
    ("lines L1", "checkout.log:4711"),
    ("around L1", "INFO retry in 250 ms"),
    ("around L2", "were not kept"),
    ("help", "compare 13:00-13:30 14:00-14:30"),
]
WORDINGS = [
    ("<@U0BOT> show me the diff of C1, please", "amounts[DEFAULT]"),
    ("what did c1 change?", "amounts[DEFAULT]"),
    ("which commit?", "Most likely C1"),
    ("who broke it", "Most likely C1"),
    ("What changed?", "Most likely C1"),
    ("Since when?", "14:02:10 UTC"),
    ("when did it start?", "14:02:10 UTC"),
    ("Who should I page?", "shop-oncall"),
    ("who wrote the change and whom do I ask? who to contact", "Ada"),
    ("how sure are you?", "sum of"),
    ("what could you not see?", "metrics"),
    ("what happened?", "Timeline"),
    ("what should I do now?", "git revert"),
    ("was there a deploy?", "1.4.2"),
    ("which services are affected?", "1. checkout"),
    ("what about web?", "upstream checkout answered"),
    ("web", "upstream checkout answered"),
    ("how many errors?", "1,520 times"),
    ("tl;dr", "Likely (77 % sure)"),
    ("timelin", "Timeline"),
    ("show the log lines of L1", "Traceback"),
    ("context of L1", "INFO order 7 received"),
]


@pytest.mark.parametrize(("question", "part"), COMMANDS, ids=[q for q, _ in COMMANDS])
def test_a_documented_command_is_answered(question: str, part: str) -> None:
    assert part in ask(question).text


@pytest.mark.parametrize(("question", "part"), WORDINGS, ids=[q for q, _ in WORDINGS])
def test_people_ask_in_their_own_words(question: str, part: str) -> None:
    assert part in ask(question).text


@pytest.mark.parametrize("said", ["thanks!", "Thank you so much", "ok, thx", "great!", "cheers :)"])
def test_thanks_are_taken_without_a_menu(said: str) -> None:
    assert ask(said).text.strip() == "You're welcome."
    assert is_command(said)


@pytest.mark.parametrize("question", ["who is on call?", "who should I page?"])
def test_whoever_wrote_a_change_is_not_said_to_be_on_call(question: str) -> None:
    lines = ask(question).text.split("\n")
    assert lines[0] == "No on-call source is connected, so I cannot say who is on call."
    assert "Ada" in lines[-1]
    assert "may not be on call" in lines[-1]
    assert "shop-oncall" in ask(question).text


def test_an_answer_cites_what_it_shows() -> None:
    assert ask("show C1").cites == ("C1",)
    assert set(ask("timeline").cites) >= {"C1", "D1", "L1"}


def test_a_listing_is_apart_from_the_sentences() -> None:
    told = ask("show C1")
    assert SHA in told.prose
    assert "--- checkout/price.py, modified" in told.listing
    assert told.text == "\n".join((told.prose, *told.listing))
    assert "```text\n--- checkout/price.py" in told.markdown


def test_two_spans_are_compared() -> None:
    told = ask("compare 13:30-14:00 14:00-14:30")
    rows = {line.rsplit(maxsplit=2)[0].strip(): line.split()[-2:] for line in told.listing[1:]}
    assert rows["checkout: events"] == ["181", "1,700"]
    assert rows["checkout: errors"] == ["0", "1,520"]
    assert rows["L1 KeyError: '<*>'"] == ["0", "1,520"]


def test_spans_are_read_in_the_askers_zone() -> None:
    told = answer(
        "compare 14:30-15:00 with 15:00 to 15:30", REPORT, EVIDENCE, ZoneInfo("Europe/Amsterdam")
    )
    assert "15:00:00 CET to 15:30:00 CET" in told.text
    assert "1,700" in told.text


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("compare", "Name two spans"),
        ("compare 13:30-14:00", "Name two spans"),
        ("compare 14:00-13:30 14:00-14:30", "ends before it begins"),
        ("compare 25:00-26:00 14:00-14:30", "not a time of day"),
        ("compare 03:00-03:30 14:00-14:30", "rerun since 03:00"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(question: str, part: str) -> None:
    assert part in ask(question).text


def test_without_counts_nothing_is_compared() -> None:
    assert (
        "no times"
        in ask("compare 13:30-14:00 14:00-14:30", REPORT.model_copy(update={"series": ()})).text
    )


@pytest.mark.parametrize(
    ("question", "rerun"),
    [
        ("rerun since 13:40", Rerun(since=ONSET.replace(hour=13, minute=40, second=0))),
        (
            "please re-run from 13:40 until 14:45",
            Rerun(
                since=ONSET.replace(hour=13, minute=40, second=0),
                until=ONSET.replace(hour=14, minute=45, second=0),
            ),
        ),
        (
            "investigate again since:2026-11-20T10:00Z",
            Rerun(since=datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ),
        ("rerun since 30 minutes", Rerun(since=REPORT.window.until - timedelta(minutes=30))),
        (
            "rerun for web since 2h",
            Rerun(since=REPORT.window.until - timedelta(hours=2), service="web"),
        ),
        ("rerun service:payments", Rerun(service="payments")),
        ("try again", Rerun()),
    ],
)
def test_a_rerun_is_handed_to_the_caller(question: str, rerun: Rerun) -> None:
    assert ask(question).rerun == rerun


def test_a_rerun_that_ends_before_it_begins_is_refused() -> None:
    told = ask("rerun since 14:30 until 13:40")
    assert told.rerun is None
    assert "before the end" in told.text


def test_only_a_rerun_starts_something() -> None:
    questions = [q for q, _ in (*COMMANDS, *WORDINGS)]
    assert [q for q in questions if ask(q).rerun is not None] == []


def test_a_free_question_gets_what_comes_nearest() -> None:
    told = ask("could the currency lookup be to blame for amounts going wrong in euros?")
    assert told.cites
    told = ask("is it the vacuum of postgres perhaps?")
    assert "L3" in told.text
    assert "nearest" in told.text


def test_a_question_about_nothing_known_says_what_can_be_asked() -> None:
    told = ask("do penguins fly?")
    assert "I have no answer" in told.text
    assert "timeline" in told.text


def test_nothing_found_is_said_plainly() -> None:
    empty = REPORT.model_copy(
        update={
            "suspects": (),
            "patterns": (),
            "onset": None,
            "timeline": (),
            "propagation": (),
            "series": (),
            "next_steps": (),
        }
    )
    for question in (
        "suspects",
        "patterns",
        "timeline",
        "since when",
        "services",
        "next",
        "deploys",
        "who is on call?",
    ):
        assert ask(question, empty, {}).text.strip()


def test_secrets_and_control_characters_leave_no_answer() -> None:
    evil = (
        seen()
        .commits[0]
        .model_copy(
            update={"title": "password=hunter2 \x1b[31m\u202e", "author": "bob@shop.example.com"}
        )
    )
    evidence = {
        **EVIDENCE,
        **{key: r.model_dump(mode="json") for key, r in numbered(Seen(commits=(evil,)))},
    }
    for question in ("show C1", "suspects", "who should I page?"):
        told = ask(question, evidence=evidence)
        assert not {"\x1b", "\u202e"} & set(told.text + told.markdown)
        assert "hunter2" not in told.text
        assert "bob@" not in told.text


def test_a_long_diff_is_cut_and_the_rest_counted() -> None:
    commit = seen().commits[0]
    change = commit.files[0].model_copy(
        update={"patch": "\n".join(f"+line {n}" for n in range(5_000))}
    )
    payload = commit.model_copy(update={"files": (change,)}).model_dump(mode="json")
    told = ask("show C1", evidence={"C1": payload})
    assert len(told.text) < 8_000
    assert told.listing[-1].endswith("more lines")


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=120),
        st.lists(
            st.sampled_from(
                ["compare", "rerun", "since", "until", "13:00-13:30", "99:99", "2026-13-45", "99999999d", "L1", "C0", "show",
                 "around", "what about", "web", "service:", "to", "-", "<@U1>", "?"]
            ),
            max_size=6,
        ).map(" ".join),
    )
)  # fmt: skip
def test_no_question_breaks_it(question: str) -> None:
    told = ask(question)
    assert told.text.strip()
    assert len(told.text) < 20_000


def test_a_record_of_another_version_is_shown_as_far_as_it_is_known() -> None:
    told = ask("show C1", evidence={"C1": {"sha": SHA, "colour": "blue"}})
    assert SHA in told.text
