"""`conversations.*` and `reactions.*`."""

from __future__ import annotations

import re

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.methods.desk import Args, Desk, Method, page
from bot.sandbox.state import Channel, Message

_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_EMOJI = re.compile(r"[a-z0-9_'+-]{1,100}(::skin-tone-[2-6])?")
_TS = re.compile(r"\d{1,12}(\.\d{1,6})?")
MOST_REACTIONS = 50


def _history(desk: Desk, args: Args) -> Json:
    channel = desk.channel(args)
    if state.BOT_USER_ID not in channel.members:
        raise SlackError("not_in_channel")
    newest_first = _within(desk.workspace.top_level(channel), args)[::-1]
    return _messages(desk, newest_first, args)


def _replies(desk: Desk, args: Args) -> Json:
    channel = desk.channel(args)
    thread = desk.workspace.thread(channel, args.text("ts"))
    if not thread:
        raise SlackError("thread_not_found")
    root, replies = thread[0], _within(thread[1:], args)
    return _messages(desk, [root, *replies], args)


def _messages(desk: Desk, found: list[Message], args: Args) -> Json:
    with_metadata = args.flag("include_all_metadata")
    shown = [desk.workspace.shown(one, metadata=with_metadata) for one in found]
    items, cursor = page(shown, args, default=100, most=1_000)
    answer: Json = {"messages": items, "has_more": bool(cursor), "pin_count": 0}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _within(messages: list[Message], args: Args) -> list[Message]:
    oldest, latest = args.text("oldest", "0"), args.text("latest", "99999999999")
    for name, value in (("oldest", oldest), ("latest", latest)):
        if not _TS.fullmatch(value):
            raise SlackError(f"invalid_ts_{name}")
    low, high = float(oldest), float(latest)
    if args.flag("inclusive"):
        return [one for one in messages if low <= float(one.ts) <= high]
    return [one for one in messages if low < float(one.ts) < high]


def _info(desk: Desk, args: Args) -> Json:
    return {"channel": desk.channel(args).shown(state.BOT_USER_ID)}


def _join(desk: Desk, args: Args) -> Json:
    channel = desk.channel(args)
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    answer: Json = {}
    if state.BOT_USER_ID in channel.members:
        answer |= {
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    else:
        desk.workspace.join(channel, state.BOT_USER_ID)
    return answer | {"channel": channel.shown(state.BOT_USER_ID)}


def _list(desk: Desk, args: Args) -> Json:
    kinds = set()
    for kind in args.text("types", "public_channel").split(","):
        if kind.strip() not in _KINDS:
            raise SlackError("invalid_types")
        kinds.add(_KINDS[kind.strip()])
    found = [
        one.shown(state.BOT_USER_ID)
        for one in desk.workspace.channels.values()
        if one.kind in kinds
        and (one.kind == "channel" or state.BOT_USER_ID in one.members)
        and not (one.archived and args.flag("exclude_archived"))
    ]
    items, cursor = page(found, args, default=100, most=1_000)
    return {"channels": items, "response_metadata": {"next_cursor": cursor}}


def _members(desk: Desk, args: Args) -> Json:
    members: list[Json] = [{"id": one} for one in desk.channel(args).members]
    items, cursor = page(members, args, default=100, most=1_000)
    return {"members": [one["id"] for one in items], "response_metadata": {"next_cursor": cursor}}


def _open(desk: Desk, args: Args) -> Json:
    if args.text("channel"):
        return {"channel": {"id": desk.channel(args).id}}
    users = [one for one in args.text("users").split(",") if one]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("method_not_supported_for_channel_type")
    if users[0] not in desk.workspace.users:
        raise SlackError("user_not_found")
    return {"channel": {"id": desk.workspace.direct(desk.workspace.users[users[0]]).id}}


def _react(desk: Desk, args: Args, *, remove: bool) -> Json:
    channel: Channel = desk.channel(args)
    if not args.text("timestamp"):
        raise SlackError("no_item_specified")
    message = desk.workspace.message(channel, args.text("timestamp"))
    if channel.archived:
        raise SlackError("is_archived")
    if state.BOT_USER_ID not in channel.members:
        raise SlackError("not_in_channel")
    name = args.text("name").strip(":")
    if not _EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    if not remove and name not in message.reactions and len(message.reactions) >= MOST_REACTIONS:
        raise SlackError("too_many_emoji")
    desk.workspace.react(message, state.BOT_USER_ID, name, remove=remove)
    return {}


def _add_reaction(desk: Desk, args: Args) -> Json:
    return _react(desk, args, remove=False)


def _remove_reaction(desk: Desk, args: Args) -> Json:
    return _react(desk, args, remove=True)


def _get_reactions(desk: Desk, args: Args) -> Json:
    channel = desk.channel(args)
    message = desk.workspace.message(channel, args.text("timestamp"))
    return {"type": "message", "channel": channel.id, "message": desk.workspace.shown(message)}


METHODS = {
    "conversations.history": Method(_history, 50, "*:history", ("channel",)),
    "conversations.replies": Method(_replies, 50, "*:history", ("channel", "ts")),
    "conversations.info": Method(_info, 50, "*:read", ("channel",)),
    "conversations.join": Method(_join, 50, "channels:join", ("channel",)),
    "conversations.list": Method(_list, 20, "channels:read"),
    "conversations.members": Method(_members, 100, "*:read", ("channel",)),
    "conversations.open": Method(_open, 50, "im:write"),
    "reactions.add": Method(_add_reaction, 50, "reactions:write", ("channel", "name", "timestamp")),
    "reactions.remove": Method(_remove_reaction, 20, "reactions:write", ("name",)),
    "reactions.get": Method(_get_reactions, 50, "reactions:read", ("channel", "timestamp")),
}
