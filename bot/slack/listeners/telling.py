"""What follows a stored delivery, beside its acknowledgement: modals, whispers, removed messages.

Nothing of it is essential, so none of it is repeated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import structlog
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.kit.recognise import recognised
from bot.slack import home
from bot.slack.blocks import kit
from bot.slack.blocks.text import literal
from bot.slack.delivery import Json, Outcome, text
from bot.slack.deps import SlackDeps
from bot.slack.errors import NotStoredError
from bot.slack.places import replies
from bot.slack.refusals import understood

RAW_LIMIT = 8_000
log = structlog.get_logger()


async def carry_out(
    outcome: Outcome, deps: SlackDeps, client: AsyncWebClient, context: AsyncBoltContext, body: Json
) -> None:
    """Do what an outcome asks for besides words."""
    try:
        if outcome.opens is not None:
            await client.views_open(trigger_id=text(body, "trigger_id"), view=dict(outcome.opens))
        if outcome.debug is not None:
            await _debug(outcome.debug, client, context)
        for channel, ts in outcome.removes:
            await client.chat_delete(channel=channel, ts=ts)
        if outcome.home and context.user_id:
            await home.publish(deps, client, context.team_id or "", context.user_id)
    except SlackApiError as error:
        log.warning("slack_follow_up_refused", code=understood(error).code)


async def whisper(
    client: AsyncWebClient, channel: str, user: str, words: str, thread_ts: str = ""
) -> None:
    """Tell one person; in direct messages there is nobody else."""
    try:
        if channel.startswith("D"):
            await client.chat_postMessage(channel=channel, text=words, thread_ts=thread_ts or None)
        else:
            await client.chat_postEphemeral(
                channel=channel, user=user, text=words, thread_ts=thread_ts or None
            )
    except SlackApiError as error:
        log.info("slack_whisper_refused", code=understood(error).code)


async def _debug(
    thread: tuple[str, str], client: AsyncWebClient, context: AsyncBoltContext
) -> None:
    """Show how a thread's first message arrived, redacted, and what it was taken for."""
    channel, ts = thread
    try:
        found = await replies(client, channel, ts)
    except NotStoredError:
        found = []
    raw: Mapping[str, object] = next((one for one in found if one.get("ts") == ts), {})
    event = {"type": "message", "channel": channel, **raw}
    taken = await asyncio.to_thread(recognised, event)
    shown = json.dumps(taken.as_json(), ensure_ascii=False, indent=1, default=str)
    blocks = [
        kit.section("*Taken for*"),
        kit.preformatted(shown, kit.SECTION_LIMIT),
        kit.section("*The message as it came*, secrets taken out"),
        kit.preformatted(
            literal(json.dumps(raw, ensure_ascii=False, indent=1), RAW_LIMIT, lines=True), RAW_LIMIT
        ),
    ]
    await client.chat_postEphemeral(
        channel=channel,
        user=context.user_id or "",
        text="How this message arrived",
        blocks=blocks,
    )
