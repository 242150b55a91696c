"""What people and other apps write in the local Slack, and who is in which channel."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from bot.sandbox import state
from bot.sandbox.errors import DriverError, Json, SlackError
from bot.sandbox.events import Events
from bot.sandbox.state import Channel, File, Message, User
from bot.sandbox.wording import attachment, normalised, rich_text, typed
from bot.sandbox.workspace import Workspace


class Writing:
    """Posting, editing, reacting, joining. What Slack's own client would refuse raises `DriverError`."""

    def __init__(self, workspace: Workspace, events: Events) -> None:
        self.workspace = workspace
        self._events = events

    async def post(
        self, channel: str, text: str, *, user: str = "alice", thread_ts: str | None = None
    ) -> str:
        """A person writes a message; returns its `ts`. `@name` and `#channel` become mentions."""
        where, who = self._writable(channel), self.workspace.find_user(user)
        stored = self._typed(text)
        body: Json = {"user": who.id, "text": stored, "blocks": rich_text(stored)}
        body["client_msg_id"] = self.workspace.next_id("m")
        return self.workspace.post(where, who.id, body, thread_ts=thread_ts or "").ts

    async def mention(
        self, channel: str, text: str, *, user: str = "alice", thread_ts: str | None = None
    ) -> str:
        """A person writes a message that begins by mentioning the bot."""
        return await self.post(
            channel, f"<@{state.BOT_USER_ID}> {text}", user=user, thread_ts=thread_ts
        )

    async def post_as_bot(
        self,
        channel: str,
        message: Json,
        *,
        name: str = "Alertmanager",
        app_id: str | None = None,
        subtype: str | None = "bot_message",
        thread_ts: str | None = None,
    ) -> str:
        """Another app posts `message` (text, attachments, blocks); returns its `ts`.

        With `subtype="bot_message"` as an incoming webhook does (a `username`, no user), with None as a modern
        app does (`bot_profile`, a bot user).
        """
        where, app = self._writable(channel), self._app(name, app_id)
        body = _normalised(message)
        if subtype == "bot_message":
            body |= {"subtype": subtype, "username": name, "bot_id": app.bot_id}
            body |= {"app_id": app.app_id} if app_id else {}
        else:
            profile = {
                "id": app.bot_id,
                "app_id": app.app_id,
                "name": name,
                "team_id": state.TEAM_ID,
            }
            body |= {
                "user": app.id,
                "bot_id": app.bot_id,
                "app_id": app.app_id,
                "bot_profile": profile,
            }
            body |= {"subtype": subtype} if subtype else {}
        return self.workspace.post(where, app.bot_id, body, thread_ts=thread_ts or "").ts

    async def edit(self, channel: str, ts: str, text: str, *, user: str = "alice") -> None:
        """A person edits their message."""
        message = self._message(channel, ts)
        stored = self._typed(text)
        self.workspace.edit(
            message,
            {"text": stored, "blocks": rich_text(stored)},
            by=self.workspace.find_user(user).id,
        )

    async def edit_as_bot(self, channel: str, ts: str, message: Json) -> None:
        """Another app edits its post: text, attachments and blocks are replaced."""
        kept = self._message(channel, ts)
        gone: Json = dict.fromkeys(("text", "blocks", "attachments"))
        self.workspace.edit(kept, gone | _normalised(message), by=kept.owner)

    async def delete(self, channel: str, ts: str) -> None:
        """A message is deleted by whoever wrote it."""
        self.workspace.delete(self._message(channel, ts))

    async def react(
        self, channel: str, ts: str, name: str, *, user: str = "alice", remove: bool = False
    ) -> None:
        """A person adds a reaction, or takes theirs away."""
        message, who = self._message(channel, ts), self.workspace.find_user(user)
        try:
            self.workspace.react(message, who.id, name.strip(":"), remove=remove)
        except SlackError as refused:
            raise DriverError(refused.code) from refused

    async def upload(
        self,
        channel: str,
        filename: str,
        content: str,
        *,
        text: str = "",
        user: str = "alice",
        thread_ts: str | None = None,
    ) -> str:
        """A person shares a text file; returns the `ts` of the message that carries it."""
        where, who = self._writable(channel), self.workspace.find_user(user)
        raw = content.encode()
        file = File(
            self.workspace.next_id("F"), filename, who.id, filename, raw, "text/plain", len(raw)
        )
        file.complete, file.channels = True, [where.id]
        self.workspace.files[file.id] = file
        self.workspace.changed("file", file.id, file)
        body: Json = {"subtype": "file_share", "user": who.id, "text": self._typed(text)}
        body["files"] = [self.workspace.file_shown(file)]
        message = self.workspace.post(where, who.id, body, thread_ts=thread_ts or "")
        shared = {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": who.id,
            "channel_id": where.id,
        }
        self._events.happened(shared | {"file": {"id": file.id}, "event_ts": message.ts}, where)
        return message.ts

    async def invite(self, channel: str, *, user: str = state.BOT_USER_ID) -> None:
        """Somebody, by default the bot, becomes a member of a channel."""
        where, who = self.workspace.find_channel(channel), self.workspace.find_user(user)
        if who.id not in where.members:
            self.workspace.join(where, who.id)

    async def remove(self, channel: str, *, user: str = state.BOT_USER_ID) -> None:
        """Somebody, by default the bot, is removed from a channel."""
        where, who = self.workspace.find_channel(channel), self.workspace.find_user(user)
        where.members[:] = [one for one in where.members if one != who.id]
        self.workspace.changed("channel", where.id, where)

    async def archive(self, channel: str, *, archived: bool = True) -> None:
        """A channel is archived, or brought back."""
        where = self.workspace.find_channel(channel)
        where.archived = archived
        self.workspace.changed("channel", where.id, where)

    async def create_channel(
        self, name: str, *, members: Sequence[str] = ("alice",), kind: str = "channel"
    ) -> str:
        """A new channel (`group`: a private one); returns its id."""
        people = [self.workspace.find_user(one).id for one in members]
        made = Channel(self.workspace.next_id("G" if kind == "group" else "C"), name, kind, people)
        self.workspace.channels[made.id] = made
        self.workspace.changed("channel", made.id, made)
        return made.id

    def _typed(self, text: str) -> str:
        users = {user.name: user.id for user in self.workspace.users.values()}
        channels = {
            one.name: one.id for one in self.workspace.channels.values() if one.kind != "im"
        }
        return typed(text, users, channels)

    def _writable(self, channel: str) -> Channel:
        found = self.workspace.find_channel(channel)
        if found.archived:
            raise DriverError(f"#{found.name} is archived")
        return found

    def _message(self, channel: str, ts: str) -> Message:
        try:
            return self.workspace.message(self.workspace.find_channel(channel), ts)
        except SlackError as refused:
            raise DriverError(f"no message {ts} in {channel}") from refused

    def _app(self, name: str, app_id: str | None) -> User:
        for user in self.workspace.users.values():
            if user.is_bot and user.real_name == name:
                return user
        made = User(self.workspace.next_id("UB"), name.lower().replace(" ", "-"), name, is_bot=True)
        made.bot_id, made.app_id = (
            self.workspace.next_id("B"),
            app_id or self.workspace.next_id("A"),
        )
        self.workspace.users[made.id] = made
        self.workspace.changed("user", made.id, made)
        return made


def _normalised(message: Json) -> Json:
    for name in ("blocks", "attachments"):
        parts = message.get(name) or []
        if not isinstance(parts, list) or not all(isinstance(one, dict) for one in parts):
            raise DriverError(
                f"{name} is a list of objects; use send_event for an event that is malformed"
            )
    message = deepcopy(message)
    body: Json = {key: message[key] for key in ("blocks", "icons", "metadata") if key in message}
    body["text"] = normalised(str(message.get("text") or ""))
    if message.get("attachments"):
        body["attachments"] = [attachment(at, one) for at, one in enumerate(message["attachments"])]
    return body
