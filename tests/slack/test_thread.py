from __future__ import annotations

from datetime import UTC, datetime

from bot.investigate import Step
from bot.slack.thread import SlackThread
from tests.slack.reports import report

THREAD = SlackThread(42, "C1")
STEPS = [
    Step(key="a", title="Read logs and changes", status="complete", detail="12 lines"),
    Step(key="b", title="Weigh the changes", status="in_progress"),
]


def test_progress_is_one_message_with_a_card_for_each_step_and_a_way_to_stop():
    [draft] = THREAD.progress(STEPS)
    plan, actions = draft.body["blocks"]
    assert (draft.section, draft.kind, draft.thread) == ("progress", "message", True)
    assert [card["status"] for card in plan["tasks"]] == ["complete", "in_progress"]
    assert actions["elements"][0]["value"] == "42"


def test_finished_progress_can_no_longer_be_stopped():
    done = [step.model_copy(update={"status": "complete"}) for step in STEPS]
    [draft] = THREAD.progress(done)
    assert [block["type"] for block in draft.body["blocks"]] == ["plan"]
    assert draft.body["text"] == "Investigation #42: done"


def test_rendering_again_gives_the_same_drafts_so_a_rerun_edits_and_never_posts_twice():
    assert THREAD.report(report()) == THREAD.report(report())
    assert THREAD.progress(STEPS) == THREAD.progress(STEPS)


def test_the_verdict_comes_before_its_details_and_after_the_progress():
    all_of_them = [*THREAD.root("q", "", "U1"), *THREAD.started(), *THREAD.report(report())]
    drafts = [draft for draft in all_of_them if draft.kind != "session"]
    assert [draft.seq for draft in drafts] == sorted(draft.seq for draft in drafts)
    assert [draft.section for draft in drafts][-2:] == ["report", "report.1"]
    assert len({draft.section for draft in drafts}) == len(drafts)


def test_answers_to_different_questions_are_different_messages():
    sections = {THREAD.answer(ts, "yes")[0].section for ts in ("1.1", "2.2")}
    assert len(sections) == 2


def test_an_end_closes_the_progress_message_too():
    for drafts in (
        THREAD.failed("abc"),
        THREAD.cancelled("U1"),
        THREAD.refused("No such service."),
    ):
        assert [draft.section for draft in drafts] == ["progress", "stopped", "session"]
        assert "Stop" not in str(drafts[0].body["blocks"])
    assert "abc" in str(THREAD.failed("abc")[1].body)
    assert "No such service." in str(THREAD.refused("No such service.")[1].body)


def test_without_a_channel_nothing_is_drafted():
    nowhere = SlackThread(42, "")
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert not [
        *nowhere.root("q", "", ""),
        *nowhere.started(),
        *nowhere.seen("1.1"),
        *nowhere.progress(STEPS),
        *nowhere.report(report()),
        *nowhere.answer("1", "a"),
        *nowhere.failed("x"),
        *nowhere.cancelled(),
        *nowhere.stopping(""),
        *nowhere.repeated(2, now),
        *nowhere.recovered("1", "t", 3.0),
    ]
