"""The state of the local workspace and the only code that changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

from bot.sandbox import state
from bot.sandbox.app import AppConfig
from bot.sandbox.errors import DriverError, Json, SlackError
from bot.sandbox.state import Canvas, Channel, File, Message, User
from bot.sandbox.store import Store

STATUS_LIVES_S = 120.0


class Workspace:
    """Messages, channels and people, with Slack's rules for what follows from what.

    Every change is written to the store, raises `version`, and is told to `on_change`; what an app may hear of
    goes to `on_event(event, channel)`. Both are set by the server.
    """

    def __init__(self, now: Callable[[], float], store: Store) -> None:
        self.now = now
        self.store = store
        self.app = AppConfig()
        self.origin = ""
        self.bot_token = ""
        self.version = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self._replies: dict[tuple[str, str], list[Message]] = {}
        self.files: dict[str, File] = {}
        self.canvases: dict[str, Canvas] = {}
        self.groups: dict[str, Json] = state.first_groups()
        self.homes: dict[str, Json] = {}
        self.ephemerals: list[Json] = []
        self.sessions: dict[tuple[str, str], Json] = {}
        self.statuses: dict[tuple[str, str], Json] = {}
        self.prompts: dict[tuple[str, str], Json] = {}
        self.functions: dict[str, Json] = {}
        self.on_change: Callable[[], None] = lambda: None
        self.on_event: Callable[[Json, Channel | None], None] = lambda _event, _channel: None
        self._last_micro = 0
        self._number = 0
        self._load()

    # --- looking things up ---

    def channel(self, reference: str) -> Channel:
        """By id, as the Web API does.

        Raises:
            SlackError: `channel_not_found`; a private channel without the bot is as good as none.
        """
        found = self.channels.get(reference) or self._by_name(reference)
        if found is None or (found.kind != "channel" and state.BOT_USER_ID not in found.members):
            raise SlackError("channel_not_found")
        return found

    def find_channel(self, reference: str) -> Channel:
        """By id, `#name`, `name`, or `@person` for the direct messages between that person and the bot.

        Raises:
            DriverError: there is no such channel.
        """
        if reference.startswith("@"):
            return self.direct(self.find_user(reference[1:]))
        found = self.channels.get(reference) or self._by_name(reference)
        if found is None:
            names = ", ".join(
                sorted(f"#{one.name}" for one in self.channels.values() if one.kind != "im")
            )
            raise DriverError(f"no channel {reference!r}; there are {names}")
        return found

    def find_user(self, reference: str) -> User:
        """By id or name.

        Raises:
            DriverError: there is no such user.
        """
        name = reference.removeprefix("@")
        for user in self.users.values():
            if name in (user.id, user.name):
                return user
        raise DriverError(
            f"no user {reference!r}; there are {', '.join(u.name for u in self.users.values())}"
        )

    def message(self, channel: Channel, ts: str) -> Message:
        """Raises: SlackError: `message_not_found`."""
        found = self.messages.get(channel.id, {}).get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def top_level(self, channel: Channel) -> list[Message]:
        """What the channel itself shows, oldest first: roots and broadcast replies."""
        return [
            one
            for one in self.messages.get(channel.id, {}).values()
            if not one.is_reply or one.body.get("subtype") == "thread_broadcast"
        ]

    def thread(self, channel: Channel, ts: str) -> list[Message]:
        """The root and its replies, oldest first; empty when nothing is there."""
        root = self.messages.get(channel.id, {}).get(ts)
        return [*([root] if root else []), *self._replies.get((channel.id, ts), [])]

    def direct(self, user: User) -> Channel:
        """The direct messages between a person and the bot, opened when they are not yet."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.user == user.id:
                return channel
        opened = Channel(
            f"D{user.id[1:]}",
            user.name,
            kind="im",
            members=[user.id, state.BOT_USER_ID],
            user=user.id,
        )
        self.channels[opened.id] = opened
        self.changed("channel", opened.id, opened)
        return opened

    def permalink(self, message: Message) -> str:
        """A link that opens the local page at the message."""
        link = f"{self.origin}/archives/{message.channel}/p{message.ts.replace('.', '')}"
        return (
            f"{link}?thread_ts={message.thread_ts}&cid={message.channel}"
            if message.is_reply
            else link
        )

    # --- changing things ---

    def next_ts(self) -> str:
        """A timestamp later than every other one of this workspace."""
        self._last_micro = max(int(self.now() * 1_000_000), self._last_micro + 1)
        return f"{self._last_micro // 1_000_000}.{self._last_micro % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """An id that this workspace has not used; ids count up, so that a rerun gives the same ones."""
        self._number += 1
        self.store.put("meta", "number", self._number)
        return f"{prefix}{self._number:08X}"

    def post(
        self,
        channel: Channel,
        owner: str,
        body: Json,
        *,
        thread_ts: str = "",
        metadata: Json | None = None,
        stream: Json | None = None,
    ) -> Message:
        """Put a message into a channel and tell the app.

        A `thread_ts` that names a reply leads to the root of that reply, as Slack does it.
        """
        if thread_ts:
            parent = self.messages.get(channel.id, {}).get(thread_ts)
            thread_ts = (parent.thread_ts or parent.ts) if parent else thread_ts
        message = Message(
            channel.id, self.next_ts(), owner, body, thread_ts, metadata=metadata, stream=stream
        )
        self._name_blocks(message.body)
        self._place(message)
        self.keep(message)
        self._tell(channel, self.shown(message, metadata=True))
        return message

    def edit(self, message: Message, changes: Json, *, by: str, quietly: bool = False) -> None:
        """Change what a message shows; a `None` removes that part. `quietly`: the app hears nothing."""
        before = self.shown(message)
        body = {key: value for key, value in (message.body | changes).items() if value is not None}
        message.body = body | {"edited": {"user": by, "ts": self.next_ts()}}
        self._name_blocks(message.body)
        self.keep(message)
        if not quietly:
            self.tell_edit(message, before)

    def tell_edit(self, message: Message, before: Json) -> None:
        """Send `message_changed`."""
        now = {"message": self.shown(message), "previous_message": before, "hidden": True}
        self._tell(
            self.channels[message.channel],
            {"subtype": "message_changed", "ts": self.next_ts(), **now},
        )

    def delete(self, message: Message) -> None:
        """Remove a message; a root with replies leaves a tombstone."""
        channel = self.channels[message.channel]
        before = self.shown(message)
        if len(self.thread(channel, message.ts)) > 1:
            message.body = {
                "subtype": "tombstone",
                "user": state.SLACKBOT,
                "text": "This message was deleted.",
            }
            message.reactions, message.metadata, message.stream = {}, None, None
            self.keep(message)
        else:
            del self.messages[channel.id][message.ts]
            if message.is_reply:
                self._replies[channel.id, message.thread_ts].remove(message)
            self.store.drop("message", f"{channel.id}/{message.ts}")
            self.changed()
        deleted = {"deleted_ts": message.ts, "previous_message": before, "hidden": True}
        self._tell(channel, {"subtype": "message_deleted", "ts": self.next_ts(), **deleted})

    def react(self, message: Message, user: str, name: str, *, remove: bool = False) -> None:
        """Raises: SlackError: `already_reacted` or `no_reaction`."""
        who = message.reactions.setdefault(name, [])
        if (user in who) is not remove:
            if not who:
                del message.reactions[name]
            raise SlackError("no_reaction" if remove else "already_reacted")
        if remove:
            who.remove(user)
            if not who:
                del message.reactions[name]
        else:
            who.append(user)
        self.keep(message)
        event = {
            "type": "reaction_removed" if remove else "reaction_added",
            "user": user,
            "reaction": name,
            "item_user": message.body.get("user", ""),
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "event_ts": self.next_ts(),
        }
        self.on_event(event, self.channels[message.channel])

    def join(self, channel: Channel, user: str) -> None:
        """Make somebody a member and tell the app."""
        channel.members.append(user)
        self.changed("channel", channel.id, channel)
        event = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel.id,
            "team": state.TEAM_ID,
        }
        event |= {
            "channel_type": "G" if channel.kind == "group" else "C",
            "event_ts": self.next_ts(),
        }
        self.on_event(event, channel)

    def whisper(self, channel: Channel, user: str, body: Json, *, thread_ts: str = "") -> Json:
        """Show something to one person only. Slack does not store these; neither do we."""
        whispered = {"type": "message", "subtype": "ephemeral", "is_ephemeral": True, **body}
        whispered |= {"channel": channel.id, "user_to": user, "ts": self.next_ts()}
        if thread_ts:
            whispered["thread_ts"] = thread_ts
        self._name_blocks(whispered)
        self.ephemerals = [*self.ephemerals[-999:], whispered]
        self.changed()
        return whispered

    def keep(self, message: Message) -> None:
        """Store a changed message."""
        self.changed("message", f"{message.channel}/{message.ts}", message)

    def changed(self, kind: str = "", key: str = "", value: object = None) -> None:
        """Note that something is different; with a kind and key, also store it."""
        if kind:
            self.store.put(kind, key, value)
        self.version += 1
        self.on_change()

    # --- how things look ---

    def file_shown(self, file: File) -> Json:
        """The file object of `files.info`."""
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title or file.name,
            "mimetype": file.mimetype,
            "filetype": file.name.rpartition(".")[2].lower(),
            "user": file.owner,
            "size": len(file.content),
            "mode": "hosted",
            "is_external": False,
            "is_public": True,
            "url_private": f"{self.origin}/files/{file.id}",
            "url_private_download": f"{self.origin}/files/{file.id}?download=1",
            "permalink": f"{self.origin}/files/{file.id}",
            "channels": list(file.channels),
        }

    def status(self, channel: str, thread_ts: str) -> str:
        """The assistant status of a thread; Slack drops it after two minutes."""
        status = self.statuses.get((channel, thread_ts))
        return (
            str(status["status"]) if status and self.now() - status["at"] < STATUS_LIVES_S else ""
        )

    def shown(self, message: Message, *, metadata: bool = False) -> Json:
        """The message object of the Web API and of events."""
        shown: Json = {
            "type": "message",
            "ts": message.ts,
            "team": state.TEAM_ID,
            **deepcopy(message.body),
        }
        if message.thread_ts:
            shown["thread_ts"] = message.thread_ts
            parent = self.messages[message.channel].get(message.thread_ts)
            if message.is_reply and parent:
                shown["parent_user_id"] = parent.body.get("user", "")
        if not message.is_reply:
            shown |= self._thread_facts(message)
        if message.reactions:
            shown["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in message.reactions.items()
            ]
        if message.metadata and metadata:
            shown["metadata"] = deepcopy(message.metadata)
        if message.stream:
            shown["streaming_state"] = message.stream["state"]
        return shown

    def _thread_facts(self, root: Message) -> Json:
        replies = self._replies.get((root.channel, root.ts))
        if not replies:
            return {}
        people = list(dict.fromkeys(str(one.body.get("user") or one.owner) for one in replies))
        return {
            "thread_ts": root.ts,
            "reply_count": len(replies),
            "reply_users": people,
            "reply_users_count": len(people),
            "latest_reply": replies[-1].ts,
            "is_locked": False,
            "subscribed": True,
        }

    def _place(self, message: Message) -> None:
        self.messages.setdefault(message.channel, {})[message.ts] = message
        if message.is_reply:
            self._replies.setdefault((message.channel, message.thread_ts), []).append(message)

    def _tell(self, channel: Channel, message: Json) -> None:
        event = {"type": "message", **message, "channel": channel.id, "channel_type": channel.kind}
        self.on_event(event | {"event_ts": message["ts"]}, channel)

    def _name_blocks(self, body: Json) -> None:
        for block in _blocks(body):
            if not block.get("block_id"):
                block["block_id"] = self.next_id("b")

    def _by_name(self, reference: str) -> Channel | None:
        name = reference.removeprefix("#")
        return next(
            (one for one in self.channels.values() if one.name == name and one.kind != "im"), None
        )

    def _load(self) -> None:
        self.users = {one.id: one for one in self.store.all("user", User) or state.first_users()}
        self.channels = {
            one.id: one for one in self.store.all("channel", Channel) or state.first_channels()
        }
        self.canvases = {one.id: one for one in self.store.all("canvas", Canvas)}
        self.files = {one.id: one for one in self.store.all("file", File)}
        self.homes = dict(self.store.items("home"))
        self._number = int(dict(self.store.items("meta")).get("number", 0))
        for message in sorted(self.store.all("message", Message), key=lambda one: one.ts):
            self._place(message)
            self._last_micro = max(self._last_micro, int(message.ts.replace(".", "")))
        for kind, things in (("user", self.users), ("channel", self.channels)):
            for key, thing in things.items():
                self.store.put(kind, key, thing)


def _blocks(body: Json) -> Iterator[Json]:
    for part in (body, *(body.get("attachments") or [])):
        blocks = part.get("blocks")
        yield from (
            (one for one in blocks if isinstance(one, dict)) if isinstance(blocks, list) else ()
        )
