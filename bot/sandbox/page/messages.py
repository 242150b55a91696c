"""Messages, as they stand in a channel or a thread, as HTML."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise

from bot.sandbox.errors import Json
from bot.sandbox.page.blocks import attachment, blocks
from bot.sandbox.page.icons import emoji_picture, icon
from bot.sandbox.page.words import Names, mrkdwn
from bot.sandbox.state import Channel, User
from bot.sandbox.transcript import author
from bot.sandbox.workspace import Workspace

SHOWN = 200
"""The newest messages of a channel that the page draws."""
_TOGETHER_S = 300
_QUICK = ("eyes", "white_check_mark", "thumbsup")

Piece = tuple[str, str]
"""(key, HTML): the page replaces only the pieces that changed."""


class Messages:
    """Draws messages for one viewer, in their time zone."""

    def __init__(self, workspace: Workspace, viewer: User) -> None:
        self._workspace = workspace
        self._viewer = viewer
        self._names = names_of(workspace)

    def channel(self, channel: Channel) -> list[Piece]:
        """The newest messages of a channel, with what only the viewer sees."""
        found = [self._workspace.shown(one) for one in self._workspace.top_level(channel)[-SHOWN:]]
        return self._pieces(channel, self._with_whispers(channel, found, ""), in_thread=False)

    def thread(self, channel: Channel, ts: str) -> list[Piece]:
        """A thread, its status line included."""
        found = [self._workspace.shown(one) for one in self._workspace.thread(channel, ts)]
        pieces = self._pieces(channel, self._with_whispers(channel, found, ts), in_thread=True)
        replies = len(found) - 1
        if replies > 0:
            pieces.insert(1, ("count", f'<div class="count">{replies} {_plural(replies)}</div>'))
        return [*pieces, ("status", self._status(channel, ts))]

    def _with_whispers(self, channel: Channel, found: list[Json], thread_ts: str) -> list[Json]:
        whispers = [
            one
            for one in self._workspace.ephemerals
            if (one["channel"], one["user_to"]) == (channel.id, self._viewer.id)
            and one.get("thread_ts", "") == thread_ts
        ]
        return sorted([*found, *whispers], key=lambda one: float(one["ts"]))

    def _pieces(self, channel: Channel, found: list[Json], *, in_thread: bool) -> list[Piece]:
        pieces: list[Piece] = []
        for before, message in pairwise([None, *found]):
            if message is None:
                continue
            day = self._time(message["ts"]).strftime("%A, %d %B")
            if not in_thread and (
                before is None or self._time(before["ts"]).strftime("%A, %d %B") != day
            ):
                pieces.append((f"day {day}", f'<div class="day"><span>{day}</span></div>'))
            joined = before is not None and _together(before, message)
            pieces.append(
                (message["ts"], self._message(channel, message, joined=joined, in_thread=in_thread))
            )
        return pieces

    def _message(self, channel: Channel, message: Json, *, joined: bool, in_thread: bool) -> str:
        ts, whispered = escape(message["ts"]), bool(message.get("is_ephemeral"))
        css = " ".join(
            ["message", *(["joined"] if joined else []), *(["whisper"] if whispered else [])]
        )
        name = escape(author(self._workspace, message))
        app = '<span class="badge">APP</span>' if message.get("bot_id") else ""
        at = self._time(message["ts"])
        when = f'<time title="{at:%Y-%m-%d %H:%M:%S}">{at:%H:%M}</time>'
        only = '<div class="only">Only visible to you</div>' if whispered else ""
        tools = "" if whispered else self._tools(in_thread=in_thread)
        foot = (
            ""
            if whispered
            else self._reactions(message) + ("" if in_thread else self._replies(message))
        )
        return (
            f'<article class="{css}" data-ts="{ts}" data-channel="{escape(channel.id)}"'
            f' data-thread="{escape(str(message.get("thread_ts", "")))}">'
            f'<div class="avatar tone{_tone(name)}">{name[:1].upper()}</div><div class="content">{only}'
            f'<div class="meta"><b>{name}</b>{app}{when}</div>{self._body(message)}{foot}</div>{tools}</article>'
        )

    def _body(self, message: Json) -> str:
        edited = (
            ' <span class="small">(edited)</span>'
            if "edited" in message and message.get("text")
            else ""
        )
        if message.get("blocks"):
            inner = blocks(message["blocks"], self._names)
            edited = ""
        elif message.get("text"):
            inner = f'<div class="words">{mrkdwn(str(message["text"]), self._names)}{edited}</div>'
        else:
            inner = ""
        inner += "".join(attachment(one, self._names) for one in message.get("attachments") or [])
        inner += "".join(_file(one) for one in message.get("files") or [])
        if message.get("streaming_state") == "in_progress":
            inner += '<span class="cursor"></span>'
        return f'<div class="body">{inner}</div>'

    def _reactions(self, message: Json) -> str:
        chips = "".join(
            f'<button type="button" class="chip{" mine" if self._viewer.id in one["users"] else ""}"'
            f' data-act="react" data-name="{escape(one["name"])}"'
            f' title="{escape(", ".join(self._names.users.get(user, user) for user in one["users"]))}">'
            f"{emoji_picture(one['name'])} {one['count']}</button>"
            for one in message.get("reactions") or []
        )
        return f'<div class="reactions">{chips}</div>' if chips else ""

    def _replies(self, message: Json) -> str:
        count = message.get("reply_count", 0)
        if not count:
            return ""
        last = f"{self._time(message['latest_reply']):%H:%M}"
        return (
            f'<button type="button" class="replies" data-act="thread"><b>{count} {_plural(count)}</b>'
            f'<span class="small">last at {last}</span></button>'
        )

    def _tools(self, *, in_thread: bool) -> str:
        quick = "".join(
            f'<button type="button" data-act="react" data-name="{one}" title=":{one}:">{emoji_picture(one)}</button>'
            for one in _QUICK
        )
        open_thread = f'<button type="button" data-act="thread" title="Reply in thread">{icon("reply")}</button>'
        reply = "" if in_thread else open_thread
        shortcuts = "".join(
            f'<button type="button" data-act="shortcut" data-callback="{escape(one.callback_id)}"'
            f' title="{escape(one.name)}">⚡</button>'
            for one in self._workspace.app.shortcuts
            if one.kind == "message"
        )
        return f'<div class="tools">{quick}{reply}{shortcuts}</div>'

    def _status(self, channel: Channel, ts: str) -> str:
        status = self._workspace.status(channel.id, ts)
        session = self._workspace.sessions.get((channel.id, ts), {})
        busy = session.get("status") == "processing"
        streaming = any(
            one.stream and one.stream["state"] == "in_progress"
            for one in self._workspace.thread(channel, ts)
        )
        stop = ""
        if (busy or streaming) and "agent_session_stopped" in self._workspace.app.events:
            stop = '<button type="button" class="button danger" data-act="stop">■ Stop</button>'
        words = f"Incident Responder {escape(status)}" if status else "Working…" if busy else ""
        return f'<div class="status">{f"<i>{words}</i>" if words else ""}{stop}</div>'

    def _time(self, ts: str) -> datetime:
        return datetime.fromtimestamp(float(ts), UTC) + timedelta(seconds=self._viewer.tz_offset)


def names_of(workspace: Workspace) -> Names:
    """The names behind the ids."""
    return Names(
        {one.id: one.name for one in workspace.users.values()},
        {one.id: one.name for one in workspace.channels.values() if one.kind != "im"},
    )


def _together(before: Json, message: Json) -> bool:
    same = all(
        before.get(key) == message.get(key)
        for key in ("user", "bot_id", "username", "is_ephemeral")
    )
    return (
        same
        and not before.get("reply_count")
        and float(message["ts"]) - float(before["ts"]) < _TOGETHER_S
    )


def _plural(count: int) -> str:
    return "reply" if count == 1 else "replies"


def _tone(name: str) -> int:
    return sum(name.encode()) % 8


def _file(file: Json) -> str:
    path = f"/files/{escape(str(file['id']))}"
    name = escape(str(file.get("title") or file.get("name")))
    if str(file.get("mimetype")) in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        return (
            f'<a href="{path}" target="_blank"><img class="picture" src="{path}" alt="{name}"></a>'
        )
    about = f"{escape(str(file.get('filetype', '')).upper())} · {int(file.get('size', 0)) / 1024:.1f} kB"
    return (
        f'<a class="file" href="{path}" target="_blank" rel="noopener"><span>{icon("file")}</span>'
        f'<span><b>{name}</b><span class="small">{about}</span></span></a>'
    )
