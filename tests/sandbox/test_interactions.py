"""Modals, the Home tab, shortcuts, response URLs, workflow steps: through a real Bolt app."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import DriverError, LocalSlack
from tests.sandbox.conftest import Answering


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def asking(**more):
    question = {"type": "plain_text_input", "action_id": "question"}
    service = {
        "type": "static_select",
        "action_id": "service",
        "options": [{"text": plain("Checkout"), "value": "checkout"}],
    }
    return {
        "type": "modal",
        "callback_id": "new",
        "title": plain("New investigation"),
        "submit": plain("Investigate"),
        "blocks": [
            {
                "type": "input",
                "block_id": "q",
                "label": plain("What is wrong?"),
                "element": question,
            },
            {
                "type": "input",
                "block_id": "s",
                "optional": True,
                "label": plain("Service"),
                "element": service,
            },
        ],
        **more,
    }


@pytest.fixture
def modal(bolt: Answering) -> Answering:
    async def opened(ack, body, client) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=asking(notify_on_close=True))

    async def submitted(ack, view) -> None:
        bolt.heard.append(view)
        question = view["state"]["values"]["q"]["question"]["value"]
        if question == "it is slow":
            await ack(response_action="errors", errors={"q": "Say which service is slow"})
        elif question == "more":
            await ack(response_action="push", view=asking(callback_id="second"))
        else:
            await ack()

    async def closed(ack, body) -> None:
        bolt.heard.append(body)
        await ack()

    bolt.app.global_shortcut("investigate_new")(opened)
    bolt.app.message_shortcut("investigate_message")(opened)
    bolt.app.view("new")(submitted)
    bolt.app.view_closed("new")(closed)
    return bolt


async def test_a_modal_is_opened_filled_and_submitted(slack: LocalSlack, modal: Answering) -> None:
    assert await slack.shortcut("investigate_new") == ""
    await slack.wait_for(lambda s: s.views())
    assert (
        await slack.submit_view({"question": "checkout returns 500", "service": "checkout"}) == {}
    )
    values = modal.heard[-1]["state"]["values"]
    assert values["q"]["question"]["value"] == "checkout returns 500"
    assert values["s"]["service"]["selected_option"]["value"] == "checkout"
    assert slack.views() == []


async def test_a_modal_with_a_mistake_stays_open(slack: LocalSlack, modal: Answering) -> None:
    await slack.shortcut("investigate_new")
    await slack.wait_for(lambda s: s.views())
    assert (await slack.submit_view({}))["errors"] == {"q": "Please complete this required field."}
    assert (await slack.submit_view({"question": "it is slow"}))["errors"] == {
        "q": "Say which service is slow"
    }
    assert len(slack.views()) == 1


async def test_a_view_is_pushed_and_closed_again(slack: LocalSlack, modal: Answering) -> None:
    ts = await slack.post("#incidents", "strange")
    await slack.shortcut("investigate_message", channel="#incidents", ts=ts)
    await slack.wait_for(lambda s: s.views())
    await slack.submit_view({"question": "more"})
    assert [one["callback_id"] for one in slack.views()] == ["new", "second"]
    await slack.close_view()
    await slack.close_view()
    assert modal.heard[-1]["type"] == "view_closed"


async def test_a_trigger_opens_one_modal_within_three_seconds(clock) -> None:
    async with LocalSlack(clock=clock) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
        used, late = (slack._desk.triggers.issue("U0ALICE00") for _ in range(2))
        await client.views_open(trigger_id=used, view=asking())
        again = await _error(client.views_open(trigger_id=used, view=asking()))
        clock.forward(4)
        assert (again, await _error(client.views_open(trigger_id=late, view=asking()))) == (
            "exchanged_trigger_id",
            "expired_trigger_id",
        )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"title": plain("x" * 25)}, "invalid_arguments"),
        ({"submit": None}, "invalid_arguments"),
        ({"blocks": [{"type": "divider"}] * 101}, "invalid_blocks"),
        ({"private_metadata": "x" * 3_001}, "invalid_arguments"),
        ({"blocks": [{"type": "section", "text": plain("x" * 3_000)}] * 90}, "view_too_large"),
        ({"type": "home"}, "invalid_arguments"),
    ],
)
async def test_a_view_that_slack_would_not_open(
    slack: LocalSlack, client: AsyncWebClient, wrong, error
) -> None:
    trigger = slack._desk.triggers.issue("U0ALICE00")
    assert await _error(client.views_open(trigger_id=trigger, view=asking(**wrong))) == error


async def test_the_home_tab_is_published_used_and_guarded_by_its_hash(
    slack: LocalSlack, bolt: Answering
) -> None:
    button = {"type": "button", "action_id": "stop", "value": "7", "text": plain("Unwatch")}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}

    async def on_home(event, client) -> None:
        await client.views_publish(user_id=event["user"], view=home)

    bolt.app.event("app_home_opened")(on_home)
    await slack.open_home(user="bob")
    published = await slack.wait_for(lambda s: s.home("bob"))
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
    await client.views_publish(user_id="U0BOB0000", view=home, hash=published["hash"])
    assert (
        await _error(client.views_publish(user_id="U0BOB0000", view=home, hash=published["hash"]))
        == "hash_conflict"
    )


async def test_a_response_url_works_five_times_and_half_an_hour(clock) -> None:
    async with LocalSlack(clock=clock) as slack, aiohttp.ClientSession() as app:
        await slack.slash("#general", "/investigate", "x")
        five, old = (slack.deliveries()[-1].payload["response_url"], "")
        for expected in (200, 200, 200, 200, 200, 404):
            async with app.post(five, json={"text": "later"}) as answer:
                assert answer.status == expected
        await slack.slash("#general", "/investigate", "x")
        old = slack.deliveries()[-1].payload["response_url"]
        clock.forward(1_801)
        async with app.post(old, json={"text": "later"}) as answer:
            assert (answer.status, await answer.text()) == (404, "expired_url")
        assert [
            one["text"] for one in slack.ephemerals("#general") if one["user"] != "USLACKBOT"
        ] == ["later"] * 5


async def test_a_response_url_reaches_a_channel_that_the_bot_is_not_in(slack: LocalSlack) -> None:
    await slack.slash("#general", "/investigate", "x")
    url = slack.deliveries()[-1].payload["response_url"]
    async with aiohttp.ClientSession() as app:
        await (await app.post(url, json={"text": "here", "response_type": "in_channel"})).read()
        async with app.post(url, json={"blocks": [{"type": "blink"}]}) as answer:
            assert (await answer.json())["error"] == "invalid_blocks"
    assert [one["text"] for one in slack.messages("#general")] == ["here"]


async def test_a_workflow_step_is_run_and_completed(slack: LocalSlack, bolt: Answering) -> None:
    async def step(inputs, complete) -> None:
        await complete(outputs={"summary": f"looked at {inputs['description']}"})

    bolt.app.function("investigate_incident")(step)
    run = await slack.run_function("investigate_incident", {"description": "500s"})
    done = await slack.wait_for(
        lambda s: (
            s.workspace.functions[run]
            if s.workspace.functions[run]["status"] == "completed"
            else None
        )
    )
    assert done["outputs"] == {"summary": "looked at 500s"}


async def test_feedback_and_menus_say_what_was_chosen(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    feedback: dict[str, Any] = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {"text": plain("Right"), "value": "right 7"},
        "negative_button": {"text": plain("Wrong"), "value": "wrong 7"},
    }
    menu: dict[str, Any] = {
        "type": "overflow",
        "action_id": "more",
        "options": [{"text": plain("Post-mortem"), "value": "pm"}],
    }
    users = {"type": "multi_users_select", "action_id": "who"}
    blocks = [
        {"type": "context_actions", "elements": [feedback]},
        {"type": "actions", "elements": [menu, users]},
    ]
    ts = (await client.chat_postMessage(channel="C0ALERTS0", text="report", blocks=blocks))["ts"]
    await slack.click("#alerts", ts, "feedback", value="negative")
    await slack.click("#alerts", ts, "more", value="pm")
    await slack.click("#alerts", ts, "who", value=["U0BOB0000"])
    actions = [one.payload["actions"][0] for one in slack.deliveries() if one.kind == "interactive"]
    assert actions[0]["value"] == "wrong 7"
    assert actions[1]["selected_option"]["value"] == "pm"
    assert actions[2]["selected_users"] == ["U0BOB0000"]


async def test_a_mistake_of_the_test_is_explained(slack: LocalSlack) -> None:
    ts = await slack.post("#alerts", "x")
    with pytest.raises(DriverError, match="nothing to click"):
        await slack.click("#alerts", ts, "stop")
    with pytest.raises(DriverError, match="no channel '#nowhere'; there are #alerts"):
        await slack.post("#nowhere", "x")
    with pytest.raises(DriverError, match="archived"):
        await slack.post("#archive-old", "x")
    with pytest.raises(DriverError, match="no modal open"):
        await slack.submit_view({})


async def test_only_what_the_manifest_names_reaches_the_app(slack: LocalSlack) -> None:
    slack.use_manifest({"features": {"slash_commands": [{"command": "/investigate"}]}})
    (answer,) = await slack.slash("#alerts", "/other", "x")
    assert answer["text"] == "/other is not a valid command."
    with pytest.raises(DriverError, match="has no shortcut"):
        await slack.shortcut("investigate_new")
    await slack.post("#alerts", "not subscribed")
    assert slack.deliveries() == []


async def _error(call) -> str:
    from slack_sdk.errors import SlackApiError

    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])
