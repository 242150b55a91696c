"""The agent surface, who is who, and views that change under one's hands."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import LocalSlack
from bot.sandbox.page.screen import Screen
from tests.sandbox.test_interactions import asking, plain

ALERTS = "C0ALERTS0"


async def test_a_session_is_named_worked_on_and_stopped(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    root = await slack.post("#alerts", "root")
    where = {"channel_id": ALERTS, "thread_ts": root}
    await client.agents_sessions_setStatus(
        **where, status="processing", initiator_user_id="U0ALICE00"
    )
    await client.agents_sessions_rename(**where, title="checkout 500s")
    await client.assistant_threads_setTitle(**where, title="checkout 500s since 14:02")
    screen = Screen(slack.workspace, slack._modals, slack.workspace.users["U0ALICE00"])
    thread = screen.parts(slack.workspace.find_channel("#alerts"), root)["thread"]
    assert "Working…" in thread[-1][1]
    assert 'data-act="stop"' in thread[-1][1]
    assert slack.workspace.sessions[ALERTS, root] == {
        "status": "processing",
        "title": "checkout 500s since 14:02",
    }


async def test_an_app_without_the_event_gets_no_stop_button(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    slack.use_manifest(
        {"features": {"agent_view": {}}, "oauth_config": {"scopes": {"bot": ["chat:write"]}}}
    )
    answer = await client.agents_sessions_setStatus(
        channel_id=ALERTS, thread_ts="1.0", status="processing"
    )
    assert answer["warning"] == "not_subscribed_to_agent_session_stopped"


async def test_an_app_that_is_no_agent_has_no_sessions(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    slack.use_manifest({"oauth_config": {"scopes": {"bot": ["chat:write", "assistant:write"]}}})
    for call, error in (
        (
            client.agents_sessions_setStatus(channel_id=ALERTS, thread_ts="1.0", status="active"),
            "feature_disabled",
        ),
        (
            client.assistant_threads_setSuggestedPrompts(channel_id=ALERTS, prompts=[]),
            "not_agent_app",
        ),
        (client.chat_postMessage(channel="D0ALICE00", text="x"), "messages_tab_disabled"),
    ):
        with pytest.raises(SlackApiError, match=error):
            await call


async def test_prompts_are_offered_in_direct_messages(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    prompts = [{"title": "What changed?", "message": "What was deployed?"}]
    await client.assistant_threads_setSuggestedPrompts(
        channel_id="D0ALICE00", title="Try", prompts=prompts
    )
    screen = Screen(slack.workspace, slack._modals, slack.workspace.users["U0ALICE00"])
    assert "What changed?" in screen.parts(slack.workspace.find_channel("@alice"), "")["prompts"]
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.assistant_threads_setSuggestedPrompts(
            channel_id="D0ALICE00", prompts=prompts * 5
        )
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.assistant_threads_setStatus(
            channel_id=ALERTS, thread_ts="1.0", status="x", loading_messages=["x"] * 11
        )


async def test_people_groups_bots_and_teams_can_be_looked_up(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    members = (await client.users_list())["members"]
    assert {"alice", "bob", "carol", "incident-responder"} <= {one["name"] for one in members}
    assert (await client.users_info(user="U0ALICE00"))["user"]["tz"] == "Europe/Berlin"
    (group,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (await client.usergroups_users_list(usergroup=group["id"]))["users"] == group["users"]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S0")
    assert (await client.bots_info(bot="B0RESPONDER"))["bot"]["user_id"] == slack.bot_user_id
    assert (await client.team_info())["team"]["id"] == slack.team_id
    assert (await client.api_test(foo="bar"))["args"] == {"foo": "bar"}
    assert (await client.conversations_members(channel=ALERTS))["members"][-1] == slack.bot_user_id
    opened = await client.conversations_open(users="U0CAROL00")
    assert slack.workspace.channels[opened["channel"]["id"]].user == "U0CAROL00"
    kinds = await client.conversations_list(
        types="public_channel,private_channel,im", exclude_archived=True
    )
    names = {one.get("name") for one in kinds["channels"]}
    assert {"alerts", "general"} <= names
    assert not {"archive-old", "private-ops"} & names


async def test_an_address_is_found_with_the_scope_for_it(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    slack.use_manifest({"oauth_config": {"scopes": {"bot": ["users:read.email"]}}})
    assert (await client.users_lookupByEmail(email="bob@example.com"))["user"]["name"] == "bob"
    with pytest.raises(SlackApiError, match="users_not_found"):
        await client.users_lookupByEmail(email="nobody@example.com")


async def test_a_view_is_updated_and_stacked_three_high(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    def trigger() -> str:
        return slack._desk.triggers.issue("U0ALICE00")

    opened = (await client.views_open(trigger_id=trigger(), view=asking(external_id="x")))["view"]
    updated = (
        await client.views_update(
            external_id="x", view=asking(external_id="x"), hash=opened["hash"]
        )
    )["view"]
    assert updated["id"] == opened["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=opened["id"], view=asking(), hash=opened["hash"])
    for _ in range(2):
        await client.views_push(trigger_id=trigger(), view=asking())
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=trigger(), view=asking())
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id="V0", view=asking())
    assert len(slack.views()) == 3


async def test_elements_of_modals_and_of_home_can_be_used(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    date = {"type": "datepicker", "action_id": "day", "initial_date": "2026-03-02"}
    boxes = {
        "type": "checkboxes",
        "action_id": "boxes",
        "options": [{"text": plain("A"), "value": "a"}],
    }
    blocks = [{"type": "actions", "elements": [date, boxes]}]
    trigger = slack._desk.triggers.issue("U0ALICE00")
    await client.views_open(
        trigger_id=trigger, view={"type": "modal", "title": plain("x"), "blocks": blocks}
    )
    await client.views_publish(user_id="U0ALICE00", view={"type": "home", "blocks": blocks})
    assert await slack.click_view("day") == "connection_failed"
    assert await slack.click_home("boxes", value=["a"]) == "connection_failed"
    day, boxed = (one.payload["actions"][0] for one in slack.deliveries())
    assert day["selected_date"] == "2026-03-02"
    assert [one["value"] for one in boxed["selected_options"]] == ["a"]


async def test_an_ephemeral_answer_is_replaced_and_deleted(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    blocks = [{"type": "actions", "elements": [button]}]
    await client.chat_postEphemeral(channel=ALERTS, user="U0ALICE00", text="sure?", blocks=blocks)
    (asked,) = slack.ephemerals("#alerts")
    await slack.click("#alerts", asked["ts"], "go")
    payload = slack.deliveries()[-1].payload
    assert (payload["container"]["is_ephemeral"], "message" in payload) == (True, False)
    async with aiohttp.ClientSession() as app:
        await (
            await app.post(payload["response_url"], json={"replace_original": True, "text": "done"})
        ).read()
        assert slack.ephemerals("#alerts")[0]["text"] == "done"
        await (await app.post(payload["response_url"], json={"delete_original": True})).read()
    assert slack.ephemerals("#alerts") == []
