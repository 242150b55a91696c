"""A local Slack, and a real Bolt app that answers in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import LocalSlack


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as running:
        yield running


@pytest.fixture
def client(slack: LocalSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)


class Answering:
    """A small Bolt app: what it heard, and a handler that connects it."""

    def __init__(self, slack: LocalSlack) -> None:
        self.heard: list[dict[str, Any]] = []
        self.app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.base_url))
        self.handler = AsyncSocketModeHandler(self.app, slack.app_token)
        self.app.event("message")(self.on_message)
        self.app.event("app_mention")(self.on_mention)
        self.app.command("/investigate")(self.on_command)
        self.app.action("stop")(self.on_stop)

    async def on_message(self, event, client) -> None:
        self.heard.append(event)
        if event.get("attachments") and "thread_ts" not in event:
            await client.chat_postMessage(
                channel=event["channel"],
                thread_ts=event["ts"],
                text="Looking into it",
                blocks=[
                    {"type": "section", "text": {"type": "mrkdwn", "text": "*Looking into it*"}},
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "action_id": "stop",
                                "value": "1",
                                "text": {"type": "plain_text", "text": "Stop"},
                            }
                        ],
                    },
                ],
            )

    async def on_mention(self, event, say) -> None:
        self.heard.append(event)
        await say(text="You called?", thread_ts=event["ts"])

    async def on_command(self, ack, command) -> None:
        self.heard.append(command)
        await ack(f"On it: {command['text']}")

    async def on_stop(self, ack, body, respond) -> None:
        self.heard.append(body)
        await ack()
        await respond(text="Stopped", replace_original=True)


@pytest.fixture
async def bolt(slack: LocalSlack) -> AsyncIterator[Answering]:
    answering = Answering(slack)
    await answering.handler.connect_async()
    yield answering
    await answering.handler.close_async()
