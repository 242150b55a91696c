from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.report import Gap
from bot.sandbox.limits import check_message
from bot.slack.blocks import alarms, kit, lists, modals, notes, text
from bot.slack.blocks.home import HomeFacts, SourceHealth, home
from bot.slack.blocks.kit import Block, Task
from bot.slack.blocks.report import DETAIL_MESSAGES, details, shared, verdict
from tests.slack import reports
from tests.slack.reports import EVIL, report

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ALLOWED_MARKUP = re.compile(
    r"<!date\^\d+\^\{date_short_pretty\} \{time_secs\}\|[^<>|]+>"
    r"|<https?://[^<>|\s]+\|[^<>]*>"
    r"|<@[UW][A-Z0-9]+>"
    r"|<#C[A-Z0-9]+>"
)
worst = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def assert_harmless(message: Block) -> None:
    """Nothing in it mentions, links or overruns, whatever it was made from."""
    check_message(message)
    assert len(message["text"]) <= 3_000
    assert len(message.get("blocks", [])) <= kit.MESSAGE_BLOCKS
    assert sum(map(kit.weight, message.get("blocks", []))) <= kit.MESSAGE_CHARS
    for mrkdwn in _mrkdwn(message):
        left = ALLOWED_MARKUP.sub("", mrkdwn)
        assert "<" not in left
        assert ">" not in left
    raw = json.dumps(message, ensure_ascii=False)
    for token in (
        "<!channel",
        "<!here",
        "<!everyone",
        "<@U0123456",
        "\u202e",
        "\\u0000",
        "\\u001b",
    ):
        assert token not in raw


def _mrkdwn(shape: object):
    if isinstance(shape, dict):
        if shape.get("type") == "mrkdwn":
            assert shape["verbatim"] is True
            yield shape["text"]
        for value in shape.values():
            yield from _mrkdwn(value)
    elif isinstance(shape, list):
        for one in shape:
            yield from _mrkdwn(one)


def shown(message: Block) -> str:
    return "\n".join(kit.texts(message))


@worst
@given(reports.reports)
def test_any_report_stays_within_slacks_limits_and_pings_nobody(any_report):
    assert_harmless(verdict(any_report, 42))
    pages = details(any_report, 42)
    assert 1 <= len(pages) <= DETAIL_MESSAGES
    for page in pages:
        assert_harmless(page)


def test_twenty_suspects_with_long_titles_and_huge_log_lines_fit():
    worst_report = report(
        suspects=tuple(
            reports.suspect(f"C{n}", title="<&>" * 100, url="https://git.example/" + "&" * 480)
            for n in range(20)
        ),
        patterns=tuple(reports.pattern(f"L{n}", text="`<!channel>`" * 20_000) for n in range(20)),
        summary=EVIL[2] * 200,
        next_steps=(EVIL[0] * 20,) * 9,
        gaps=tuple(Gap(system="&" * 80, reason="<" * 400) for _ in range(30)),
    )
    for message in (verdict(worst_report, 42), *details(worst_report, 42)):
        assert_harmless(message)


def test_the_first_screen_answers_what_since_when_who_and_what_next():
    first = shown(verdict(report(), 42))
    for words in (
        "Likely (82 % sure)",
        "checkout fails on carts without a currency",
        "Drop the default currency",
        "cart.py:42 is in the stack trace",
        "Roll back abc1234.",
        "loki: the token was refused",
        "None of these: 10 %",
        "1 statement was removed",
    ):
        assert words in first
    assert "three hours old" not in first  # what speaks against it is no reason for it


def test_details_hold_patterns_timeline_ruled_out_and_cost():
    rest = "\n".join(map(shown, details(report(), 42)))
    for words in (
        "312× (0× before)",
        "checkout.log:17",
        "KeyError: 'currency'",
        "first error [L1]",
        "The database: its latency",
        "no model was used",
        "clear onset: within two minutes (+120 %)",
    ):
        assert words in rest


def test_a_stack_trace_keeps_its_lines_and_indentation():
    trace = "Traceback:\n  File cart.py, line 42\nKeyError: 'currency'"
    pages = details(report(patterns=(reports.pattern("L1", text=trace),)), 42)
    assert trace in "\n".join(map(shown, pages))


def test_an_inconclusive_report_without_findings_says_so():
    empty = report(
        conclusion="inconclusive",
        confidence=0.1,
        onset=None,
        suspects=(),
        patterns=(),
        claims=(),
        timeline=(),
        next_steps=(),
        gaps=(),
        propagation=(),
        removed_claims=0,
    )
    first = shown(verdict(empty, 42))
    assert "Inconclusive" in first
    assert "No change in reach of this window stands out." in first
    assert "no clear beginning" in first
    assert_harmless(verdict(empty, 42))


def test_what_does_not_fit_is_announced():
    long = report(
        timeline=(report().timeline[0].model_copy(update={"text": "x" * 300}),) * 40,
        ruled_out=("y" * 300,) * 20,
        claims=(report().claims[0].model_copy(update={"text": "z" * 400}),) * 20,
        patterns=tuple(reports.pattern(f"L{n}", text="w" * 1_200) for n in range(30)),
    )
    assert "Ask in this thread" in shown(details(long, 42)[-1])


def test_secrets_are_taken_out_before_the_cut():
    leaky = report(
        summary="x" * 1_480 + " token=ghp_" + "a" * 36,
        patterns=(reports.pattern("L1", text="y" * 380 + " ghp_" + "b" * 36),),
    )
    raw = json.dumps([verdict(leaky, 42), *details(leaky, 42)])
    assert "ghp_" not in raw


@worst
@given(st.lists(st.builds(Task, reports.texts, st.text(max_size=12), reports.texts), max_size=12))
def test_any_progress_is_a_plan_within_limits(tasks):
    assert_harmless(notes.progress(42, "On it (#42).", tasks))


@dataclass(frozen=True)
class Shown:
    """Whatever a list shows, hostile in every field."""

    text: str
    id: int = 42
    state: str = "done"
    conclusion: str | None = "likely"
    confidence: float | None = 0.5
    created_at: datetime = NOW
    first_seen: datetime = NOW
    until: datetime = NOW

    @property
    def title(self) -> str:
        return self.text

    @property
    def service(self) -> str:
        return self.text

    @property
    def question(self) -> str:
        return self.text


@worst
@given(st.lists(reports.texts.map(Shown), max_size=40), reports.texts)
def test_any_storm_list_or_home_stays_within_limits(found, words):
    for body in (
        alarms.storm(found),
        alarms.joined(42, words),
        alarms.limited(3, words),
        alarms.refired(42, words, 60.0, NOW),
        alarms.invitation("C0123"),
        shared(report(summary=words, service=words), 42, words),
        kit.message(lists.status(found, found)),
        kit.message("\n".join(lists.line(one) for one in found[:10])),
    ):
        check_message(body)
        for token in ("<!channel", "<!everyone", "<!here", "<@U0123456"):
            assert token not in json.dumps(body)
    facts = HomeFacts(
        sources=[SourceHealth(one.text, None, one.text) for one in found],
        checked_at=NOW,
        watched=["C0123"] * 30,
        configured=[words] * 30,
        recent=found,
        model=words,
    )
    assert_view(home(facts))
    assert_view(modals.new(words, "C0123"))
    assert_view(modals.wrong(42))


def assert_view(view: Block) -> None:
    assert len(view["blocks"]) <= 100
    assert len(json.dumps(view)) < 250_000
    for block in view["blocks"]:
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= kit.SECTION_LIMIT


def test_an_edited_plan_gets_a_new_block_id_and_an_equal_one_keeps_it():
    first = kit.plan("x", [Task("a", "pending")])
    assert first == kit.plan("x", [Task("a", "pending")])
    assert first["block_id"] != kit.plan("x", [Task("a", "complete")])["block_id"]


@worst
@given(
    reports.texts.map(lambda text: text * 20),
    st.lists(st.tuples(reports.texts, reports.texts), max_size=20),
)
def test_any_answer_stays_within_limits(answer, sources):
    gaps = [Gap(system=answer, reason=answer)] * 7
    for page in notes.answer(answer, sources, gaps, listing=[answer] * 30):
        assert_harmless(page)


def test_a_listing_is_shown_line_by_line_as_it_is():
    [page] = notes.answer("The lines:", listing=["*a* <b>", "", "  indented `c`"])
    block = page["blocks"][1]["elements"][0]
    assert block["type"] == "rich_text_preformatted"
    assert block["elements"][0]["text"] == "*a* <b>\n\n  indented `c`"


@worst
@given(reports.texts, st.integers(1, 10**6), st.floats(-1, 10**7))
def test_any_note_stays_within_limits(words, count, seconds):
    for body in (
        notes.root(42, words, words, words),
        notes.failed(42, words),
        notes.refused(42, words),
        notes.cancelled(42, words),
        notes.stopping(42, words),
        alarms.repeated(count, datetime(2026, 11, 21, tzinfo=UTC)),
        alarms.recovered(words, seconds),
        notes.undelivered(42, "C0123", words, stopped=True),
    ):
        assert_harmless(body)


@given(st.text(), st.integers(1, 300))
def test_prose_and_code_never_exceed_their_limit(value, limit):
    assert len(text.prose(value, max(limit, 3))) <= max(limit, 3)
    assert len(text.code(value, max(limit, 3))) <= max(limit, 3)
    assert len(text.sentence(value, max(limit, 3))) <= max(limit, 3)
    assert text.sentence(value, limit).count("`") % 2 == 0
    assert "\n" not in text.prose(value, 300)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("roll back `abc_1*` *now*", "roll back `abc_1*` ∗now∗"),
        ("an ` alone", "an ˋ alone"),
        ("`<b>` & `c`", "`&lt;b&gt;` &amp; `c`"),
        ("``", ""),
    ],
)
def test_a_narrators_code_spans_stay_and_its_other_marks_do_not(value, shown):
    assert text.sentence(value, 100) == shown


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://user@bank.example/",
        "https://a.example/x y\u202e",
        "ftp://a.example",
        "https://",
        "//a.example",
        "https://a.example/" + "x" * 2_000,
        "https://[bad",
        "",
    ],
)
def test_a_url_that_is_no_web_page_is_not_linked(url):
    assert text.link(url, "label") == "label"


def test_a_url_cannot_close_its_own_link():
    made = text.link("https://a.example/x|y>z?a=1&b=<2>", "label")
    assert made == "<https://a.example/x%7Cy%3Ez?a=1&amp;b=%3C2%3E|label>"


def test_right_to_left_text_is_isolated():
    assert text.prose("عطل", 20) == "\u2068عطل\u2069"


def test_suspects_of_no_weight_are_counted_and_the_best_is_always_named():
    def with_share(number: int, share: float):
        made = reports.suspect(f"C{number}", title=f"Change {number}")
        return made.model_copy(update={"probability": share})

    shares = [0.3, 0.2, 0.1, *([0.02] * 7), *([0.001] * 12)]
    many = report(suspects=tuple(with_share(n, share) for n, share in enumerate(shares)))
    first = shown(verdict(many, 42))
    assert "7 more below · 12 others below 1 % each" in first
    rest = "\n".join(map(shown, details(many, 42)))
    assert "Change 7" in rest
    assert "Change 8" not in rest
    lone = report(suspects=(with_share(0, 0.002), with_share(1, 0.001)))
    assert "Change 0" in shown(verdict(lone, 42))
    assert "Change 1" not in shown(verdict(lone, 42))


def test_what_speaks_for_none_of_these_is_said_in_words():
    rest = "\n".join(map(shown, details(report(), 42)))
    assert "it need not have been a change at all (-1.0)" in rest
    assert "prior" not in rest
