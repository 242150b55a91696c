"""What people and other apps write, as Slack stores it; and what survives a restart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox import LocalSlack
from bot.sandbox.client import SandboxClient
from bot.sandbox.errors import DriverError
from bot.sandbox.wording import normalised, rich_text, typed


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("already &lt;b&gt; &amp; so", "already &lt;b&gt; &amp; so"),
        ("see https://x.example/a?b=1&c=2.", "see <https://x.example/a?b=1&amp;c=2>."),
        (
            "<https://x.example|here> <@U0ALICE00> <!here>",
            "<https://x.example|here> <@U0ALICE00> <!here>",
        ),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_text_is_escaped_and_linked_as_slack_does(sent, stored) -> None:
    assert normalised(sent) == stored


@settings(deadline=None)
@given(st.text())
def test_storing_text_twice_changes_nothing(text) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_names_become_references() -> None:
    assert typed("@alice see #ops, mail a@alice.example", {"alice": "U1"}, {"ops": "C1"}) == (
        "<@U1> see <#C1|ops>, mail a@alice.example"
    )


def test_typed_marks_become_styles() -> None:
    (block,) = rich_text("*down* again :fire: `x < y`")
    elements = block["elements"][0]["elements"]
    assert elements[0] == {"type": "text", "text": "down", "style": {"bold": True}}
    assert elements[2] == {"type": "emoji", "name": "fire"}
    assert elements[4] == {"type": "text", "text": "x < y", "style": {"code": True}}


async def test_a_webhook_and_an_app_post_differently(slack: LocalSlack) -> None:
    alert = {
        "attachments": [{"color": "good", "text": "fine", "fields": [{"title": "a", "value": 1}]}]
    }
    await slack.post_as_bot("#alerts", alert, name="Alertmanager")
    await slack.post_as_bot("#alerts", alert, name="PagerDuty", app_id="A1FKYAUUX", subtype=None)
    webhook, app = slack.messages("#alerts")
    assert (webhook["subtype"], webhook["username"], "user" in webhook) == (
        "bot_message",
        "Alertmanager",
        False,
    )
    assert ("subtype" in app, app["app_id"], app["bot_profile"]["name"]) == (
        False,
        "A1FKYAUUX",
        "PagerDuty",
    )
    assert webhook["attachments"][0]["color"] == "2eb886"
    assert webhook["attachments"][0]["fields"] == [{"title": "a", "value": "1", "short": False}]


async def test_an_edit_arrives_with_both_versions(slack: LocalSlack) -> None:
    ts = await slack.post_as_bot("#alerts", {"text": "[FIRING:1] x"})
    await slack.edit_as_bot("#alerts", ts, {"text": "[RESOLVED] x"})
    await slack.delete("#alerts", ts)
    first, changed, deleted = (one.payload["event"] for one in slack.deliveries())
    assert first["channel_type"] == "channel"
    assert changed["subtype"] == "message_changed"
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == (
        "[FIRING:1] x",
        "[RESOLVED] x",
    )
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)


async def test_the_app_hears_only_where_it_is_a_member(slack: LocalSlack) -> None:
    await slack.post("#general", "not for the bot")
    await slack.mention("#general", "hello?")
    await slack.mention("@alice", "in private")
    await slack.post("#shared-acme", "with others")
    heard = [one.payload for one in slack.deliveries()]
    assert [one["event"]["channel_type"] for one in heard] == ["im", "channel"]
    assert [one["is_ext_shared_channel"] for one in heard] == [False, True]


async def test_invited_removed_and_archived(slack: LocalSlack) -> None:
    await slack.invite("#general")
    assert slack.deliveries()[-1].payload["event"]["type"] == "member_joined_channel"
    await slack.remove("#general")
    await slack.archive("#general")
    channel = slack.workspace.find_channel("#general")
    assert (slack.bot_user_id in channel.members, channel.archived) == (False, True)
    made = await slack.create_channel("war-room", members=["alice", "bob"])
    assert await slack.post(made, "here")


async def test_a_person_edits_reacts_and_uploads(slack: LocalSlack) -> None:
    ts = await slack.post("#alerts", "chekout")
    await slack.edit("#alerts", ts, "checkout")
    await slack.react("#alerts", ts, ":eyes:", user="bob")
    with pytest.raises(DriverError, match="already_reacted"):
        await slack.react("#alerts", ts, "eyes", user="bob")
    await slack.upload("#alerts", "app.log", "ERROR x", thread_ts=ts, text="the log")
    assert slack.transcript("#alerts") == (
        "alice (edited): checkout\n  [:eyes: 1]\n    alice: the log\n      [file app.log]\n"
    )


async def test_a_recorded_event_can_be_replayed(slack: LocalSlack) -> None:
    event_id = await slack.send_event({"type": "message", "channel": "C0SHARED0", "text": "x"})
    (sent,) = slack.deliveries()
    assert (sent.payload["event_id"], sent.payload["is_ext_shared_channel"]) == (event_id, True)


async def test_the_workspace_survives_a_restart(tmp_path) -> None:
    async with LocalSlack(state_dir=tmp_path) as first:
        root = await first.post("#alerts", "root :fire:")
        await first.upload("#alerts", "x.log", "bytes", thread_ts=root)
        await first.react("#alerts", root, "eyes")
        await first.invite("#general")
        before = first.transcript("#alerts")
        token = first.bot_token
    async with LocalSlack(state_dir=tmp_path) as second:
        assert (second.transcript("#alerts"), second.bot_token) == (before, token)
        later = await second.post("#alerts", "later", thread_ts=root)
        assert later > root
        assert second.messages("#alerts", root)[0]["reply_count"] == 2
        assert second.bot_user_id in second.workspace.find_channel("#general").members
        assert [file.content for file in second.workspace.files.values()] == [b"bytes"]


async def test_another_process_drives_it_over_http(slack: LocalSlack) -> None:
    import asyncio

    def elsewhere() -> tuple[str, str, dict[str, str]]:
        with SandboxClient(slack.page_url) as other:
            ts = other.do("post", channel="#alerts", text="from elsewhere")
            seen = other.wait_for(lambda s: s.do("messages", channel="#alerts"))
            with pytest.raises(DriverError, match="no channel"):
                other.do("post", channel="#nowhere", text="x")
            with pytest.raises(DriverError, match="no action 'stop'"):
                other.do("stop")
            with pytest.raises(DriverError, match="argument"):
                other.do("post", words="x")
            with pytest.raises(TimeoutError):
                other.wait_for(lambda _: None, timeout_s=0.05)
            assert other.connected == 0
            return ts, seen[0]["text"], other.do("environment")

    ts, text, environment = await asyncio.to_thread(elsewhere)
    assert (slack.messages("#alerts")[0]["ts"], text) == (ts, "from elsewhere")
    assert environment == slack.environment()


async def test_waiting_in_vain_shows_what_there_was(slack: LocalSlack) -> None:
    await slack.post("#alerts", "something else")
    with pytest.raises(TimeoutError, match="alice: something else"):
        await slack.wait_for(lambda s: s.messages("#incidents"), timeout_s=0.05)


async def test_what_a_test_posts_stays_as_it_was(slack: LocalSlack) -> None:
    alert = {
        "attachments": [{"color": "danger", "blocks": [{"type": "divider"}]}],
        "blocks": [{"type": "divider"}],
    }
    await slack.post_as_bot("#alerts", alert)
    assert alert == {
        "attachments": [{"color": "danger", "blocks": [{"type": "divider"}]}],
        "blocks": [{"type": "divider"}],
    }
