"""`chat.*` but for streams: posting, editing, deleting, permalinks."""

from __future__ import annotations

from typing import Any

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.limits import MARKDOWN, check_markdown, check_message
from bot.sandbox.methods.desk import Args, Desk, Method
from bot.sandbox.wording import attachment, normalised

LONGEST = 40_000
LONGEST_UPDATE = 4_000
LARGEST_METADATA = 8_000


def bot_author() -> Json:
    """The members that mark a message as the bot's own."""
    return {
        "user": state.BOT_USER_ID,
        "bot_id": state.BOT_ID,
        "app_id": state.APP_ID,
        "bot_profile": {
            "id": state.BOT_ID,
            "app_id": state.APP_ID,
            "name": "Incident Responder",
            "user_id": state.BOT_USER_ID,
            "deleted": False,
            "team_id": state.TEAM_ID,
        },
    }


def content(args: Args) -> Json:
    """Text, blocks and attachments of a message, checked and as Slack stores them.

    Raises:
        SlackError: whatever is wrong with them.
    """
    markdown = args.given.get("markdown_text")
    check_markdown(markdown, args.given)
    body: Json = {}
    if markdown is not None:
        return {"text": markdown, "blocks": [{"type": "markdown", "text": markdown}]}
    if args.given.get("text") is not None:
        body["text"] = normalised(args.text("text"))
    check_message(args.given)
    if args.given.get("blocks") is not None:
        body["blocks"] = args.given["blocks"]
    if args.given.get("attachments") is not None:
        body["attachments"] = [
            attachment(number, one) for number, one in enumerate(args.given["attachments"])
        ]
    return body


def metadata_of(args: Args) -> Json | None:
    """Raises: SlackError: `invalid_metadata_format`, `metadata_too_large`."""
    metadata = args.given.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str | None):
        raise SlackError("invalid_metadata_format")
    if len(str(metadata)) > LARGEST_METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def is_empty(body: Json) -> bool:
    """Whether there is nothing to show."""
    return not (
        str(body.get("text") or "").strip() or body.get("blocks") or body.get("attachments")
    )


def _post(desk: Desk, args: Args) -> Json:
    channel = desk.writable(args)
    body = content(args)
    if is_empty(body):
        raise SlackError("no_text")
    cut = len(body.get("text", "")) > LONGEST
    if cut:
        body["text"] = body["text"][:LONGEST]
    body = {"text": "", **body, **bot_author()}
    thread_ts = args.text("thread_ts")
    if thread_ts and args.flag("reply_broadcast"):
        body["subtype"] = "thread_broadcast"
    if args.given.get("username"):
        body["username"] = args.text("username")
    message = desk.workspace.post(
        channel, state.BOT_ID, body, thread_ts=thread_ts, metadata=metadata_of(args)
    )
    _clear_status(desk, channel.id, message.thread_ts)
    answer: Json = {
        "channel": channel.id,
        "ts": message.ts,
        "message": desk.workspace.shown(message, metadata=True),
    }
    if cut:
        answer |= {
            "warning": "message_truncated",
            "response_metadata": {"warnings": ["message_truncated"]},
        }
    return answer


def _clear_status(desk: Desk, channel: str, thread_ts: str) -> None:
    desk.workspace.statuses.pop((channel, thread_ts), None)


def _update(desk: Desk, args: Args) -> Json:
    message = desk.own_message(args, "cant_update_message")
    channel = desk.writable(args)
    if message.stream and message.stream["state"] == "in_progress":
        raise SlackError("streaming_state_conflict")
    changes = content(args)
    if not changes:
        raise SlackError("no_text")
    longest = MARKDOWN if args.given.get("markdown_text") is not None else LONGEST_UPDATE
    if len(changes.get("text", "")) > longest:
        raise SlackError("msg_too_long")
    if (
        _all_rich(message.body.get("blocks"))
        and "blocks" in changes
        and not _any_rich(changes["blocks"])
    ):
        raise SlackError("block_mismatch")
    after: dict[str, Any] = message.body | changes
    if is_empty(after):
        raise SlackError("no_text")
    given = metadata_of(args)
    if given is not None:
        message.metadata = given
    if message.stream:
        message.stream = None
    desk.workspace.edit(message, changes, by=state.BOT_USER_ID)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.body.get("text", ""),
        "message": desk.workspace.shown(message, metadata=True),
    }


def _all_rich(blocks: list[Json] | None) -> bool:
    return bool(blocks) and all(one.get("type") == "rich_text" for one in blocks or [])


def _any_rich(blocks: list[Json]) -> bool:
    return not blocks or any(one.get("type") == "rich_text" for one in blocks)


def _delete(desk: Desk, args: Args) -> Json:
    message = desk.own_message(args, "cant_delete_message")
    desk.workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def _post_ephemeral(desk: Desk, args: Args) -> Json:
    channel = desk.writable(args)
    user = args.text("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    body = content(args)
    if is_empty(body):
        raise SlackError("no_text")
    if len(body.get("text", "")) > LONGEST:
        raise SlackError("msg_too_long")
    body = {"text": "", **body, **bot_author()}
    shown = desk.workspace.whisper(channel, user, body, thread_ts=args.text("thread_ts"))
    return {"message_ts": shown["ts"]}


def _permalink(desk: Desk, args: Args) -> Json:
    channel = desk.channel(args)
    message = desk.workspace.message(channel, args.text("message_ts"))
    return {"channel": channel.id, "permalink": desk.workspace.permalink(message)}


METHODS = {
    "chat.postMessage": Method(_post, 0, "chat:write", ("channel",)),
    "chat.update": Method(_update, 50, "chat:write", ("channel", "ts")),
    "chat.delete": Method(_delete, 50, "chat:write", ("channel", "ts")),
    "chat.postEphemeral": Method(_post_ephemeral, 100, "chat:write", ("channel", "user")),
    "chat.getPermalink": Method(_permalink, 0, "", ("channel", "message_ts")),
}
