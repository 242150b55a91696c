"""The other doors: forms, Home, direct messages, reactions, workflows, subcommands, permissions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox import LocalSlack
from bot.slack.rules import Rules
from storage import audit, channels
from storage.db import Database
from storage.jobs import Limits
from tests.slack.conftest import Rig, alert


def words(slack: LocalSlack, user: str = "alice", channel: str = "alerts") -> str:
    """The last thing that one person was told."""
    return str(slack.ephemerals(channel, user)[-1]["text"])


def statuses(slack: LocalSlack) -> list[str]:
    """What Slack was told of our working sessions."""
    return [str(one["args"]["status"]) for one in slack.calls("agents.sessions.setStatus")]


@pytest.fixture
async def strict(slack: LocalSlack, db: Database) -> AsyncIterator[Rig]:
    """A bot that only people on call may stop and direct; incidents may be started in one channel only."""
    group = next(iter(slack.workspace.groups))
    on_call = frozenset({group})
    here = frozenset({slack.workspace.find_channel("alerts").id})
    rules = Rules(
        Limits(total=4, per_workspace=4),
        watched=frozenset({"alerts"}),
        permissions={"start": here, "stop": on_call, "watch": on_call, "delete": on_call},
    )
    rig = Rig(slack, db, rules=rules)
    await rig.start()
    yield rig
    await rig.stop()


async def test_the_global_shortcut_opens_a_form_whose_answer_starts_an_investigation(
    rig: Rig, slack: LocalSlack
):
    await slack.shortcut("investigate_new")
    await slack.wait_for(lambda s: s.views())
    channel = slack.workspace.find_channel("alerts").id
    wrong = await slack.submit_view(
        {"question": "checkout is slow", "since": "yesteryear", "channel": channel}
    )
    assert "since" in wrong["errors"]
    fine = {"question": "checkout is *slow*", "service": "checkout", "since": "30m"}
    assert await slack.submit_view(fine | {"channel": channel}) == {}
    await rig.until(lambda: rig.investigations() and rig.investigations()[0].state == "done")
    made = rig.investigations()[0]
    assert (made.question, made.service, made.channel) == (
        "checkout is *slow*",
        "checkout",
        channel,
    )
    await slack.wait_for(lambda s: "On it (#1)" in words(s))


async def test_the_command_without_words_opens_the_form_for_its_channel(
    rig: Rig, slack: LocalSlack
):
    await slack.slash("alerts", "/investigate", "")
    await slack.wait_for(lambda s: s.views())
    assert slack.workspace.find_channel("alerts").id in str(slack.views()[0])


async def test_home_shows_sources_watched_channels_and_what_was_found_lately(
    rig: Rig, slack: LocalSlack
):
    await slack.slash("alerts", "/investigate", "checkout fails")
    await rig.until(lambda: rig.investigations()[0].state == "done")
    await slack.open_home()
    shown = str(await slack.wait_for(lambda s: s.home()))
    for part in ("Incident Responder", "None is connected", "By configuration: alerts", "#1 "):
        assert part in shown
    incidents = slack.workspace.find_channel("incidents").id
    await slack.click_home("channel_watch_choice", value=incidents)
    await slack.wait_for(lambda s: "Stop watching" in str(s.home()))
    assert rig.rows(lambda s: channels.get(s, slack.team_id, incidents)).watch is True
    await slack.click_home("channel_unwatch")
    await slack.wait_for(lambda s: "Stop watching" not in str(s.home()))
    await slack.click_home("investigation_new")
    await slack.wait_for(lambda s: s.views())


async def test_a_direct_message_is_a_question_and_its_thread_a_conversation(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.post("@alice", "why does checkout fail? since:30m")
    await rig.thread("@alice", ts, 4)
    await slack.post("@alice", "and which change was it?", thread_ts=ts)
    await rig.until(lambda: rig.asked)
    help_ts = await slack.post("@alice", "help")
    await slack.wait_for(lambda s: len(s.messages("@alice", help_ts)) == 2)
    assert rig.investigations()[0].door == "dm"
    assert len(rig.investigations()) == 1


async def test_the_conversation_with_us_offers_what_can_be_asked(rig: Rig, slack: LocalSlack):
    await slack.open_home(tab="messages")
    await slack.wait_for(lambda s: s.calls("assistant.threads.setSuggestedPrompts"))


async def test_a_reaction_hands_over_a_message_once_and_others_mean_nothing(
    slack: LocalSlack, db: Database
):
    rules = Rules(Limits(total=4, per_workspace=4), reaction="mag")
    rig = Rig(slack, db, rules=rules)
    await rig.start()
    try:
        ts = await slack.post("alerts", "payments answer slowly", user="bob")
        await slack.react("alerts", ts, "thumbsup")
        await slack.react("alerts", ts, "mag")
        await rig.thread("alerts", ts, 4)
        made = rig.investigations()[0]
        assert (made.question, made.door, made.thread_ts) == (
            "payments answer slowly",
            "reaction",
            ts,
        )
        assert len(rig.investigations()) == 1
    finally:
        await rig.stop()


async def test_a_step_of_a_workflow_ends_with_the_summary(rig: Rig, slack: LocalSlack):
    inputs = {
        "description": "checkout returns 500s",
        "channel_id": slack.workspace.find_channel("alerts").id,
    }
    step = await slack.run_function("investigate_incident", inputs)
    await rig.until(lambda: slack.workspace.functions[step]["status"] == "completed")
    assert "currency" in slack.workspace.functions[step]["outputs"]["summary"]


async def test_slacks_own_stop_button_stops_the_threads_investigation(rig: Rig, slack: LocalSlack):
    rig.go.clear()
    ts = await slack.mention("alerts", "checkout is down")
    await rig.until(lambda: rig.investigations() and rig.investigations()[0].state == "running")
    await rig.until(lambda: statuses(slack) == ["processing"])
    await slack.press_stop("alerts", ts)
    await rig.until(lambda: rig.investigations()[0].state == "cancelled")
    await rig.until(lambda: statuses(slack) == ["processing", "active"])


async def test_whoever_invites_us_is_asked_whether_to_watch(rig: Rig, slack: LocalSlack):
    await slack.invite("general")
    event = {
        "type": "member_joined_channel",
        "user": slack.bot_user_id,
        "channel": slack.workspace.find_channel("general").id,
        "inviter": slack.workspace.find_user("alice").id,
    }
    await slack.send_event(event)
    asked = await slack.wait_for(lambda s: s.ephemerals("general"))
    assert "shall I investigate" in asked[0]["text"]
    await slack.click("general", asked[0]["ts"], "channel_watch")
    general = slack.workspace.find_channel("general").id
    await rig.until(lambda: rig.rows(lambda s: channels.get(s, slack.team_id, general)))
    assert rig.rows(lambda s: channels.get(s, slack.team_id, general)).watch is True


async def test_debug_shows_how_an_alert_arrived_and_what_it_was_taken_for(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.post_as_bot("alerts", alert())
    await rig.thread("alerts", ts, 4)
    await slack.slash("alerts", "/investigate", "debug")
    await slack.wait_for(lambda s: s.ephemerals("alerts"))
    shown = str(slack.ephemerals("alerts")[-1])
    assert "alertmanager" in shown
    assert "checkout answers 500" in shown


async def test_list_and_settings_answer_the_asker(rig: Rig, slack: LocalSlack):
    await slack.slash("alerts", "/investigate", "checkout fails")
    await rig.until(lambda: rig.investigations()[0].state == "done")
    listed = (await slack.slash("alerts", "/investigate", "list"))[0]["text"]
    assert "*Likely (82 %)*: checkout fails" in listed
    shown = (await slack.slash("alerts", "/investigate", "settings per-hour:7"))[0]["text"]
    assert "may start 7 investigations" in shown
    wrong = (await slack.slash("alerts", "/investigate", "settings watch:maybe"))[0]["text"]
    assert "`on` or `off`" in wrong


async def test_an_investigation_is_deleted_with_its_messages_by_whoever_asked_for_it(
    rig: Rig, slack: LocalSlack
):
    await slack.slash("alerts", "/investigate", "checkout fails")
    await rig.until(lambda: rig.investigations()[0].state == "done")
    await rig.until(lambda: len(slack.messages("alerts", slack.messages("alerts")[0]["ts"])) >= 4)
    refused = await slack.slash("alerts", "/investigate", "delete #1", user="bob")
    assert "You may not delete" in refused[0]["text"]
    gone = await slack.slash("alerts", "/investigate", "delete #1")
    assert "is deleted" in gone[0]["text"]
    assert rig.investigations() == []
    await slack.wait_for(lambda s: len(s.calls("chat.delete")) >= 4)
    noted = rig.rows(lambda s: audit.recent(s, slack.team_id))
    assert [(one.action, one.allowed) for one in noted] == [("delete", True), ("delete", False)]


async def test_what_a_person_may_not_do_is_refused_politely_and_written_down(
    strict: Rig, slack: LocalSlack
):
    elsewhere = await slack.slash("incidents", "/investigate", "x", user="carol")
    assert elsewhere[0]["text"].startswith("You may not start investigations here.")
    strict.go.clear()
    await slack.slash("alerts", "/investigate", "x", user="carol")
    refused = await slack.slash("alerts", "/investigate", "stop", user="carol")
    assert refused[0]["text"].startswith("You may not stop investigations here. Ask <!subteam^")
    stopped = await slack.slash("alerts", "/investigate", "stop", user="alice")
    assert stopped[0]["text"] == "Stopping #1."
    noted = strict.rows(lambda s: audit.recent(s, slack.team_id))
    assert [(one.action, one.allowed) for one in noted] == [
        ("stop", True),
        ("stop", False),
        ("start", False),
    ]


async def test_a_channel_shared_with_another_company_is_refused_unless_it_is_allowed(
    rig: Rig, slack: LocalSlack
):
    await slack.invite("shared-acme")
    told = await slack.slash("shared-acme", "/investigate", "checkout fails")
    assert "shared with another organisation" in told[0]["text"]
    await slack.mention("shared-acme", "checkout fails")
    await slack.wait_for(lambda s: len(s.ephemerals("shared-acme")) >= 2)
    assert rig.investigations() == []
    await slack.slash("shared-acme", "/investigate", "settings shared:on")
    await slack.slash("shared-acme", "/investigate", "checkout fails")
    assert len(rig.investigations()) == 1
