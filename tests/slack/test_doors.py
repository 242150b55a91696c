from __future__ import annotations

import asyncio

from slack_bolt.request.async_request import AsyncBoltRequest

from bot.sandbox import LocalSlack
from storage import events, jobs, messages
from tests.slack.conftest import Rig, alert


def texts(found):
    return [one["text"] for one in found]


async def test_a_slash_command_gets_a_root_message_progress_and_the_report_in_its_thread(
    rig: Rig, slack: LocalSlack
):
    shown = await slack.slash(
        "alerts", "/investigate", "checkout returns 500s service:checkout since:30m"
    )
    assert [one["text"] for one in shown] == ["On it (#1)."]
    await slack.wait_for(lambda s: s.messages("alerts"))
    root = slack.messages("alerts")[-1]
    assert "checkout returns 500s" in root["text"]
    found = await rig.thread("alerts", root["ts"], 4)
    assert found[1]["blocks"][0]["type"] == "plan"
    assert "Likely (82 % sure)" in found[2]["text"]
    await rig.until(lambda: rig.investigations()[0].state == "done")
    stored = rig.investigations()[0]
    assert (stored.service, stored.door, stored.thread_ts) == ("checkout", "slash", root["ts"])


async def test_bad_words_get_an_ephemeral_usage_line_and_nothing_is_stored(
    rig: Rig, slack: LocalSlack
):
    shown = await slack.slash("alerts", "/investigate", "checkout since:noonish")
    assert "Usage: " in shown[0]["text"]
    assert "Example: " in shown[0]["text"]
    assert rig.investigations() == []
    assert slack.messages("alerts") == []


async def test_an_error_quotes_words_without_repeating_their_mentions(rig: Rig, slack: LocalSlack):
    shown = await slack.slash("alerts", "/investigate", "x since:<!channel>")
    assert "<!" not in shown[0]["text"]


async def test_help_and_status_answer_only_the_asker(rig: Rig, slack: LocalSlack):
    assert "/investigate status" in (await slack.slash("alerts", "/investigate", "help"))[0]["text"]
    rig.go.clear()
    await slack.slash("alerts", "/investigate", "x service:checkout")
    shown = await slack.slash("alerts", "/investigate", "status")
    assert "#1 " in shown[0]["text"]


async def test_a_clock_time_means_the_askers_zone(rig: Rig, slack: LocalSlack):
    await slack.slash("alerts", "/investigate", "x since:00:00")
    assert slack.calls("users.info")
    assert rig.investigations()[0].tz not in {"", "UTC"}
    await slack.slash("alerts", "/investigate", "y since:00:01")
    assert len(slack.calls("users.info")) == 1


async def test_a_mention_is_answered_in_its_own_thread_once(rig: Rig, slack: LocalSlack):
    ts = await slack.mention("alerts", "why is checkout slow? service:checkout")
    await rig.thread("alerts", ts, 4)
    await rig.until(lambda: slack.reactions("alerts", ts) == {"eyes": [slack.bot_user_id]})
    assert len(rig.investigations()) == 1
    assert len(slack.messages("alerts")) == 1


async def test_a_mention_that_makes_no_sense_is_explained_to_its_author_alone(
    rig: Rig, slack: LocalSlack
):
    await slack.mention("alerts", "since:tomorrowish x")
    await slack.wait_for(lambda s: s.ephemerals("alerts"))
    await slack.slash("alerts", "/investigate", "help")
    told = [one["text"] for one in slack.ephemerals("alerts") if "Usage: " in one["text"]]
    assert len(told) == 1
    assert len(slack.messages("alerts")) == 1


async def test_an_alert_post_is_investigated_in_its_thread_and_repeats_are_counted_there(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.post_as_bot("alerts", alert())
    await rig.thread("alerts", ts, 4)
    await slack.post_as_bot("alerts", alert())
    await slack.post_as_bot("alerts", alert())
    await rig.until(
        lambda: any("has fired 3 times" in one for one in texts(slack.messages("alerts", ts)))
    )
    assert len(rig.investigations()) == 1
    assert sum("has fired" in one for one in texts(slack.messages("alerts", ts))) == 1
    stored = rig.investigations()[0]
    assert stored.alert is not None
    assert stored.alert["source"] == "alertmanager"


async def test_a_resolve_is_noted_in_the_thread_and_starts_nothing(rig: Rig, slack: LocalSlack):
    ts = await slack.post_as_bot("alerts", alert())
    await rig.thread("alerts", ts, 4)
    await slack.post_as_bot("alerts", alert("RESOLVED", "good"))
    await rig.until(lambda: any("Recovered" in one for one in texts(slack.messages("alerts", ts))))
    assert len(rig.investigations()) == 1


async def test_human_chatter_and_other_bots_are_left_alone(rig: Rig, slack: LocalSlack):
    await slack.post("alerts", "lunch?")
    await slack.post_as_bot("alerts", {"text": "Your weekly digest is ready"}, name="Digest")
    ts = await slack.post("alerts", "who is on call?")
    await slack.post("alerts", "me", user="bob", thread_ts=ts)
    await slack.slash("alerts", "/investigate", "help")
    assert rig.investigations() == []
    assert slack.calls("chat.postMessage") == []


async def test_the_only_person_in_a_thread_is_answered_without_a_mention(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.post_as_bot("alerts", alert())
    await rig.thread("alerts", ts, 4)
    await slack.post("alerts", "which change was it?", thread_ts=ts)
    await rig.until(
        lambda: any("You asked: which change" in one for one in texts(slack.messages("alerts", ts)))
    )
    assert rig.asked[0]["text"] == "which change was it?"
    assert [one.text for one in rig.rows(lambda s: messages.thread(s, 1, 9))] == [
        "which change was it?"
    ]


async def test_people_talking_to_each_other_are_not_answered_unless_they_mention_us(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.mention("alerts", "checkout is down", user="alice")
    await rig.thread("alerts", ts, 4)
    await slack.post("alerts", "I am on it", user="bob", thread_ts=ts)
    await slack.post("alerts", "thanks!", user="alice", thread_ts=ts)
    await slack.mention("alerts", "and since when?", user="bob", thread_ts=ts)
    await rig.until(lambda: rig.asked)
    assert [one["text"] for one in rig.asked] == ["and since when?"]
    assert len(rig.investigations()) == 1


async def test_a_command_of_ours_is_answered_whoever_types_it(rig: Rig, slack: LocalSlack):
    ts = await slack.mention("alerts", "checkout is down", user="alice")
    await rig.thread("alerts", ts, 4)
    await slack.post("alerts", "I am on it, show me later", user="bob", thread_ts=ts)
    await slack.post("alerts", "show C1", user="bob", thread_ts=ts)
    await rig.until(lambda: rig.asked)
    assert [one["text"] for one in rig.asked] == ["show C1"]


async def test_words_addressed_to_somebody_else_are_no_question(rig: Rig, slack: LocalSlack):
    ts = await slack.mention("alerts", "checkout is down")
    await rig.thread("alerts", ts, 4)
    await slack.post("alerts", "@bob can you look?", thread_ts=ts)
    await slack.slash("alerts", "/investigate", "help")
    assert rig.asked == []


async def test_in_a_thread_of_others_we_speak_only_when_mentioned(rig: Rig, slack: LocalSlack):
    ts = await slack.post("alerts", "checkout looks odd", user="bob")
    await slack.mention("alerts", "look at checkout", user="alice", thread_ts=ts)
    await rig.thread("alerts", ts, 5)
    await slack.post("alerts", "nice", user="alice", thread_ts=ts)
    await slack.slash("alerts", "/investigate", "help")
    assert rig.asked == []


async def test_stop_says_so_at_once_and_the_work_ends(rig: Rig, slack: LocalSlack):
    rig.go.clear()
    ts = await slack.mention("alerts", "checkout is down")
    found = await rig.thread("alerts", ts, 2)
    await rig.until(lambda: rig.investigations()[0].state == "running")
    await slack.click("alerts", found[1]["ts"], "investigation_stop", user="bob")
    await rig.until(lambda: rig.investigations()[0].state == "cancelled")
    await rig.until(
        lambda: any("was stopped" in one for one in texts(slack.messages("alerts", ts)))
    )


async def test_what_waits_is_told_its_place_and_can_be_stopped_before_it_begins(
    slack: LocalSlack, db
):
    rig = Rig(slack, db, max_concurrent=1)
    await rig.start()
    try:
        rig.go.clear()
        await slack.slash("alerts", "/investigate", "first")
        await rig.until(lambda: rig.investigations()[0].state == "running")
        shown = await slack.slash("alerts", "/investigate", "second")
        assert shown[0]["text"].startswith("Queued (#2), position 1")
        stopped = await slack.slash("alerts", "/investigate", "stop #2")
        assert stopped[0]["text"] == "Stopping #2."
        await rig.until(lambda: rig.investigations()[0].state == "cancelled")
        assert rig.rows(lambda s: jobs.for_investigation(s, 2))[0].state == "cancelled"
    finally:
        await rig.stop()


async def test_investigate_again_starts_a_new_one_in_the_same_thread_when_the_old_is_over(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.mention("alerts", "checkout is down")
    found = await rig.thread("alerts", ts, 4)
    await rig.until(lambda: rig.investigations()[0].state == "done")
    await slack.click("alerts", found[2]["ts"], "investigate_again")
    await rig.until(lambda: len(rig.investigations()) == 2)
    assert rig.investigations()[0].parent_id == 1
    await rig.thread("alerts", ts, 7)


async def test_feedback_is_kept_and_thanked_for(rig: Rig, slack: LocalSlack):
    ts = await slack.mention("alerts", "checkout is down")
    found = await rig.thread("alerts", ts, 4)
    await slack.click("alerts", found[2]["ts"], "feedback", value="negative")
    await slack.wait_for(lambda s: s.ephemerals("alerts"))
    kept = [one for one in rig.rows(lambda s: events.since(s, 1)) if one.kind == "feedback"]
    assert [one.payload["verdict"] for one in kept] == ["wrong"]


async def test_the_message_shortcut_investigates_in_the_messages_thread(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.post("alerts", "payments are failing since lunch", user="bob")
    await slack.shortcut("investigate_message", channel="alerts", ts=ts)
    await rig.thread("alerts", ts, 4)
    stored = rig.investigations()[0]
    assert (stored.door, stored.question) == ("shortcut", "payments are failing since lunch")


async def test_the_same_event_delivered_to_two_replicas_is_answered_once(
    rig: Rig, slack: LocalSlack
):
    other = Rig(slack, rig.db)
    event = {
        "type": "app_mention",
        "channel": slack.workspace.find_channel("alerts").id,
        "user": slack.workspace.find_user("alice").id,
        "ts": await slack.post("alerts", "hello"),
        "text": f"<@{slack.bot_user_id}> checkout is down",
    }
    body = {"type": "event_callback", "event_id": "Ev1", "team_id": slack.team_id, "event": event}
    replies = await asyncio.gather(
        *(
            app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
            for app in (rig.app, other.app, rig.app, other.app)
        )
    )
    await other.handler.close_async()
    assert [one.status for one in replies] == [200] * 4
    assert len(rig.investigations()) == 1


async def test_investigate_again_waits_for_the_one_that_runs(rig: Rig, slack: LocalSlack):
    ts = await slack.mention("alerts", "checkout is down")
    found = await rig.thread("alerts", ts, 4)
    await rig.until(lambda: rig.investigations()[0].state == "done")
    rig.go.clear()
    await slack.click("alerts", found[2]["ts"], "investigate_again")
    await rig.until(lambda: len(rig.investigations()) == 2)
    await slack.click("alerts", found[2]["ts"], "investigate_again")
    await slack.wait_for(lambda s: s.ephemerals("alerts"))
    assert "still running" in slack.ephemerals("alerts")[0]["text"]
    assert len(rig.investigations()) == 2


async def test_stop_asks_which_one_when_several_run_and_says_so_when_none_does(
    rig: Rig, slack: LocalSlack
):
    nothing = await slack.slash("alerts", "/investigate", "stop")
    assert "Nothing is running" in nothing[0]["text"]
    rig.go.clear()
    await slack.slash("alerts", "/investigate", "first")
    await slack.slash("alerts", "/investigate", "second")
    assert "Say which" in (await slack.slash("alerts", "/investigate", "stop"))[0]["text"]
    unknown = await slack.slash("alerts", "/investigate", "stop #99")
    assert unknown[0]["text"].startswith("#99 is not running")


async def test_stop_and_help_work_as_words_in_our_thread(rig: Rig, slack: LocalSlack):
    rig.go.clear()
    ts = await slack.mention("alerts", "checkout is down")
    await rig.until(lambda: rig.investigations() and rig.investigations()[0].state == "running")
    await slack.mention("alerts", "help", thread_ts=ts)
    await slack.wait_for(lambda s: s.ephemerals("alerts"))
    await slack.post("alerts", "stop", thread_ts=ts)
    await rig.until(lambda: rig.investigations()[0].state == "cancelled")
    await slack.mention("alerts", "stop", thread_ts=ts)
    await rig.until(lambda: "already over" in slack.ephemerals("alerts")[-1]["text"])
    assert rig.asked == []


async def test_a_zone_that_slack_does_not_tell_is_utc(rig: Rig, slack: LocalSlack):
    slack.inject("users.info", error="internal_error")
    await slack.slash("alerts", "/investigate", "x since:00:00")
    assert rig.investigations()[0].tz == "UTC"


async def test_the_shortcut_on_a_message_without_words_or_with_a_running_one_says_so(
    rig: Rig, slack: LocalSlack
):
    rig.go.clear()
    ts = await slack.post("alerts", "payments are failing")
    await slack.shortcut("investigate_message", channel="alerts", ts=ts)
    await rig.until(rig.investigations)
    await slack.shortcut("investigate_message", channel="alerts", ts=ts, user="bob")
    await slack.wait_for(lambda s: s.ephemerals("alerts", "bob"))
    assert "still running" in slack.ephemerals("alerts", "bob")[0]["text"]
    empty = await slack.upload("alerts", "a.log", "x")
    await slack.shortcut("investigate_message", channel="alerts", ts=empty, user="bob")
    await rig.until(lambda: "no text" in slack.ephemerals("alerts", "bob")[-1]["text"])
    assert len(rig.investigations()) == 1
