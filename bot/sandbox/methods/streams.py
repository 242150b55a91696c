"""`chat.startStream`, `chat.appendStream`, `chat.stopStream`.

A stream that nobody stops ends by itself after about five minutes (undocumented; reported by several apps).
From then on append and stop fail with `message_not_in_streaming_state`, and only `chat.update` helps.
"""

from __future__ import annotations

import re

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.limits import MARKDOWN, MOST_BLOCKS, check_blocks
from bot.sandbox.methods.chat import LONGEST, bot_author, metadata_of
from bot.sandbox.methods.desk import Args, Desk, Method
from bot.sandbox.shapes import TASK_STATES
from bot.sandbox.state import Channel, Message

_RECIPIENT = re.compile(r"[UW][A-Z0-9]{2,}")
_LONGEST_FIELD = 256
_TASK_FIELDS = ("id", "title", "status", "details", "output")


def _start(desk: Desk, args: Args) -> Json:
    channel = desk.writable(args)
    _check_recipient(desk, channel, args)
    mode = args.text("task_display_mode", "timeline")
    if mode not in ("timeline", "plan", "dense"):
        raise SlackError("invalid_arguments", messages=["invalid value for task_display_mode"])
    stream: Json = {
        "state": "in_progress",
        "mode": mode,
        "started": desk.workspace.now(),
        "text": "",
    }
    stream |= {"title": "", "tasks": [], "blocks": [], "final": [], "stopped_by_user": False}
    _take(stream, args)
    body = {"text": "", **bot_author()} | _body(stream)
    message = desk.workspace.post(
        channel, state.BOT_ID, body, thread_ts=args.text("thread_ts"), metadata=None, stream=stream
    )
    desk.workspace.statuses.pop((channel.id, message.thread_ts), None)
    return {"channel": channel.id, "ts": message.ts}


def _append(desk: Desk, args: Args) -> Json:
    message, stream = _open_stream(desk, args)
    if not args.text("markdown_text") and not args.given.get("chunks"):
        raise SlackError("no_text")
    _take(stream, args)
    message.body |= _body(stream)
    desk.workspace.keep(message)
    return {"channel": message.channel, "ts": message.ts}


def _stop(desk: Desk, args: Args) -> Json:
    message, stream = _open_stream(desk, args)
    before = desk.workspace.shown(message)
    blocks = args.objects("blocks") or []
    if len(blocks) > MOST_BLOCKS["message"]:
        raise SlackError("msg_blocks_too_many")
    check_blocks(blocks, "message")
    _take(stream, args)
    stream |= {"final": blocks, "state": "completed"}
    message.body |= _body(stream)
    message.metadata = metadata_of(args) or message.metadata
    desk.workspace.keep(message)
    desk.workspace.tell_edit(message, before)
    status = args.text("session_status")
    if status:
        desk.workspace.sessions.setdefault((message.channel, message.thread_ts), {})["status"] = (
            status
        )
    shown = desk.workspace.shown(message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


def _check_recipient(desk: Desk, channel: Channel, args: Args) -> None:
    if channel.kind == "im":
        return
    user = args.text("recipient_user_id")
    if not user:
        raise SlackError("missing_recipient_user_id")
    if not _RECIPIENT.fullmatch(user):
        raise SlackError(
            "invalid_arguments",
            messages=["must match ^[UW][A-Z0-9]{2,}$ [json-pointer:/recipient_user_id]"],
        )
    if not args.text("recipient_team_id"):
        raise SlackError("missing_recipient_team_id")
    if user not in desk.workspace.users:
        raise SlackError("user_not_found")


def _open_stream(desk: Desk, args: Args) -> tuple[Message, Json]:
    message = desk.own_message(args, "message_not_owned_by_app")
    stream = message.stream
    if stream is None:
        raise SlackError("message_not_in_streaming_state")
    if stream["stopped_by_user"]:
        raise SlackError("stopped_by_user")
    if (
        stream["state"] == "in_progress"
        and desk.workspace.now() - stream["started"] >= desk.stream_lives_s
    ):
        stream["state"] = "errored"
        desk.workspace.keep(message)
    if stream["state"] != "in_progress":
        raise SlackError("message_not_in_streaming_state")
    return message, stream


def _take(stream: Json, args: Args) -> None:
    text = args.text("markdown_text")
    chunks = _chunks(args)
    added = text + "".join(one["text"] for one in chunks if one["type"] == "markdown_text")
    if len(added) > MARKDOWN or len(stream["text"]) + len(added) > LONGEST:
        raise SlackError("msg_too_long")
    blocks = [block for one in chunks if one["type"] == "blocks" for block in one["blocks"]]
    if len(stream["blocks"]) + len(blocks) > MOST_BLOCKS["message"]:
        raise SlackError("msg_blocks_too_many")
    check_blocks(blocks, "message")
    stream["text"] += added
    stream["blocks"] += blocks
    for chunk in chunks:
        if chunk["type"] == "plan_update":
            stream["title"] = chunk["title"]
        if chunk["type"] == "task_update":
            _take_task(stream["tasks"], chunk)


def _take_task(tasks: list[Json], chunk: Json) -> None:
    for task in tasks:
        if task["id"] == chunk["id"]:
            task.update({key: value for key, value in chunk.items() if value is not None})
            return
    tasks.append(dict(chunk))


def _chunks(args: Args) -> list[Json]:
    try:
        chunks = args.objects("chunks") or []
    except SlackError:
        raise SlackError("invalid_chunks") from None
    for chunk in chunks:
        if not _sound(chunk):
            raise SlackError("invalid_chunks")
    return chunks


def _sound(chunk: Json) -> bool:
    kind = chunk.get("type")
    if kind == "markdown_text":
        return isinstance(chunk.get("text"), str)
    if kind == "blocks":
        return isinstance(chunk.get("blocks"), list)
    short = [chunk.get(name) for name in _TASK_FIELDS if chunk.get(name) is not None]
    if any(not isinstance(one, str) or len(one) > _LONGEST_FIELD for one in short):
        return False
    if kind == "plan_update":
        return bool(chunk.get("title"))
    return (
        kind == "task_update"
        and bool(chunk.get("id") and chunk.get("title"))
        and chunk.get("status") in TASK_STATES
    )


def _body(stream: Json) -> Json:
    cards = [_card(task) for task in stream["tasks"]]
    blocks: list[Json] = cards
    if stream["mode"] != "timeline" and (cards or stream["title"]):
        blocks = [{"type": "plan", "title": stream["title"] or "Working", "tasks": cards}]
    if stream["text"]:
        blocks = [*blocks, {"type": "markdown", "text": stream["text"]}]
    return {"text": stream["text"], "blocks": [*blocks, *stream["blocks"], *stream["final"]]}


def _card(task: Json) -> Json:
    card: Json = {
        "type": "task_card",
        "task_id": task["id"],
        "title": task["title"],
        "status": task["status"],
    }
    for name in ("details", "output"):
        if task.get(name):
            words = [{"type": "text", "text": task[name]}]
            card[name] = {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": words}],
            }
    if task.get("sources"):
        card["sources"] = task["sources"]
    return card


METHODS = {
    "chat.startStream": Method(_start, 20, "chat:write", ("channel",)),
    "chat.appendStream": Method(_append, 100, "chat:write", ("channel", "ts")),
    "chat.stopStream": Method(_stop, 20, "chat:write", ("channel", "ts")),
}
