"""Streams: what they take, when they end, what is left to do then."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, PlanUpdateChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import LocalSlack

ALERTS = "C0ALERTS0"
PERSON: dict[str, Any] = {"recipient_user_id": "U0ALICE00", "recipient_team_id": "T0LOCAL00"}


async def code(call) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_a_stream_grows_and_ends_with_its_blocks(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    root = await slack.post("#alerts", "why?")
    stream = await client.chat_stream(
        channel=ALERTS, thread_ts=root, task_display_mode="plan", **PERSON
    )
    task: dict[str, Any] = {"id": "1", "title": "Read logs"}
    await stream.append(
        chunks=[PlanUpdateChunk(title="Looking"), TaskUpdateChunk(**task, status="in_progress")]
    )
    await stream.append(markdown_text="Because ")
    await stream.append(
        chunks=[TaskUpdateChunk(**task, status="complete", output="6 new patterns")]
    )
    assert slack.messages("#alerts", root)[1]["streaming_state"] == "in_progress"
    await stream.stop(markdown_text="the **pool** is full.", blocks=[{"type": "divider"}])
    message = slack.messages("#alerts", root)[1]
    assert (message["text"], message["streaming_state"]) == (
        "Because the **pool** is full.",
        "completed",
    )
    assert [one["type"] for one in message["blocks"]] == ["plan", "markdown", "divider"]
    assert message["blocks"][0]["tasks"][0]["status"] == "complete"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "missing_recipient_user_id"),
        ({"recipient_user_id": "U0ALICE00"}, "missing_recipient_team_id"),
        ({**PERSON, "recipient_user_id": "B0RESPONDER"}, "invalid_arguments"),
        ({**PERSON, "recipient_user_id": "U0NOBODY"}, "user_not_found"),
        (
            {
                **PERSON,
                "chunks": [{"type": "task_update", "id": "1", "title": "x", "status": "done"}],
            },
            "invalid_chunks",
        ),
        ({**PERSON, "chunks": [{"type": "plan_update", "title": "x" * 257}]}, "invalid_chunks"),
        ({**PERSON, "chunks": [{"type": "sound"}]}, "invalid_chunks"),
        ({**PERSON, "markdown_text": "x" * 12_001}, "msg_too_long"),
        (
            {**PERSON, "chunks": [{"type": "blocks", "blocks": [{"type": "divider"}] * 51}]},
            "msg_blocks_too_many",
        ),
    ],
)
async def test_a_stream_that_slack_would_not_start(
    client: AsyncWebClient, arguments, error
) -> None:
    assert (
        await code(
            client.api_call(
                "chat.startStream", json={"channel": ALERTS, "thread_ts": "1.0", **arguments}
            )
        )
        == error
    )


async def test_direct_messages_need_no_recipient(client: AsyncWebClient) -> None:
    assert (await client.api_call("chat.startStream", json={"channel": "D0ALICE00"}))["ok"]


async def test_a_stream_ends_by_itself_and_an_update_recovers_it(clock) -> None:
    async with LocalSlack(clock=clock) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
        ts = (
            await client.chat_startStream(
                channel=ALERTS, thread_ts="1.0", markdown_text="a", **PERSON
            )
        )["ts"]
        clock.forward(301)
        for call in (
            client.chat_appendStream(channel=ALERTS, ts=ts, markdown_text="b"),
            client.chat_stopStream(channel=ALERTS, ts=ts),
        ):
            assert await code(call) == "message_not_in_streaming_state"
        await client.chat_update(channel=ALERTS, ts=ts, markdown_text="a, b")
        assert "streaming_state" not in slack.workspace.shown(slack.workspace.messages[ALERTS][ts])


async def test_an_open_stream_cannot_be_updated(client: AsyncWebClient) -> None:
    ts = (await client.chat_startStream(channel=ALERTS, thread_ts="1.0", **PERSON))["ts"]
    assert (
        await code(client.chat_update(channel=ALERTS, ts=ts, text="x"))
        == "streaming_state_conflict"
    )
    assert await code(client.chat_appendStream(channel=ALERTS, ts=ts)) == "no_text"


async def test_stop_ends_the_streams_of_the_thread(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    root = await slack.post("#alerts", "why?")
    ts = (await client.chat_startStream(channel=ALERTS, thread_ts=root, **PERSON))["ts"]
    await slack.press_stop("#alerts", root)
    chunk = [MarkdownTextChunk(text="x")]
    assert (
        await code(client.chat_appendStream(channel=ALERTS, ts=ts, chunks=chunk))
        == "stopped_by_user"
    )
    sent = slack.deliveries()[-1].payload["event"]
    assert (sent["type"], sent["streaming_message_ts"]) == ("agent_session_stopped", [ts])
