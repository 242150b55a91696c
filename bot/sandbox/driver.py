"""What people do in the local Slack, and what they see."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox import state
from bot.sandbox.errors import DriverError, Json
from bot.sandbox.events import Events
from bot.sandbox.interactions import Interactions
from bot.sandbox.modals import Modals
from bot.sandbox.state import Channel, User
from bot.sandbox.triggers import ResponseTarget
from bot.sandbox.workspace import Workspace
from bot.sandbox.writing import Writing


class Driver(Writing):
    """The people of the workspace, for tests, the demo and the page.

    Channels are named by id, `alerts`, `#alerts`, or `@alice` for the direct messages between Alice and the bot;
    people by id or name. What Slack's own client would refuse raises `DriverError`.
    """

    def __init__(
        self, workspace: Workspace, events: Events, interactions: Interactions, modals: Modals
    ) -> None:
        super().__init__(workspace, events)
        self._interactions = interactions
        self._modals = modals

    # --- asking the app ---

    async def slash(
        self, channel: str, command: str, text: str = "", *, user: str = "alice"
    ) -> list[Json]:
        """A person runs a command; returns what its ack showed to them alone.

        An app that does not answer gives Slackbot's complaint, with `error` `operation_timeout` or `dispatch_failed`.
        """
        where, who = self.workspace.find_channel(channel), self.workspace.find_user(user)
        return await self._interactions.command(
            where, who, f"/{command.lstrip('/')}", self._typed(text)
        )

    async def click(
        self, channel: str, ts: str, action_id: str, *, user: str = "alice", value: object = None
    ) -> str:
        """A person uses a button or another element; returns "" or why the app did not acknowledge it.

        `value` chooses an option, a user, a date; for feedback buttons `positive` or `negative`.
        """
        where, who = self.workspace.find_channel(channel), self.workspace.find_user(user)
        reply = await self._interactions.click(
            where, who, self._shown(where, ts, who), action_id, value
        )
        return reply.failed

    async def shortcut(
        self,
        callback_id: str,
        *,
        channel: str | None = None,
        ts: str | None = None,
        user: str = "alice",
    ) -> str:
        """A person runs a shortcut: with channel and ts that of a message, else a global one."""
        message = self._message(channel, ts) if channel and ts else None
        reply = await self._interactions.shortcut(
            self.workspace.find_user(user), callback_id, message
        )
        return reply.failed

    async def click_view(self, action_id: str, *, user: str = "alice", value: object = None) -> str:
        """A person uses an element of the modal that is open for them."""
        who = self.workspace.find_user(user)
        stack = self._modals.stack(who.id)
        if not stack:
            raise DriverError(f"{who.name} has no modal open")
        return (await self._interactions.click_view(who, stack[-1], action_id, value)).failed

    async def click_home(self, action_id: str, *, user: str = "alice", value: object = None) -> str:
        """A person uses an element of the app's Home tab."""
        who = self.workspace.find_user(user)
        home = self.workspace.homes.get(who.id)
        if home is None:
            raise DriverError(f"the app has published no Home for {who.name}")
        return (await self._interactions.click_view(who, home, action_id, value)).failed

    async def submit_view(
        self, values: Mapping[str, object] | None = None, *, user: str = "alice"
    ) -> Json:
        """A person submits the modal that is open for them, with `values` by action id or block id.

        Returns `{"errors": {block_id: text}}` when it stays open because something is wrong, else `{}`.
        """
        return await self._interactions.submit(self.workspace.find_user(user), values or {})

    async def close_view(self, *, user: str = "alice") -> str:
        """A person closes the modal that is open for them."""
        return (await self._interactions.dismiss(self.workspace.find_user(user))).failed

    async def open_home(self, *, user: str = "alice", tab: str = "home") -> None:
        """A person opens the app's Home (`home`) or Messages (`messages`) tab."""
        who = self.workspace.find_user(user)
        event: Json = {
            "type": "app_home_opened",
            "user": who.id,
            "channel": self.workspace.direct(who).id,
            "tab": tab,
        }
        if tab == "home" and who.id in self.workspace.homes:
            event["view"] = self.workspace.homes[who.id]
        self._events.happened(event | {"event_ts": self.workspace.next_ts()}, None)

    async def press_stop(self, channel: str, thread_ts: str, *, user: str = "alice") -> None:
        """A person presses Stop on a working agent: streams of the thread end, and the app is told."""
        where, who = self.workspace.find_channel(channel), self.workspace.find_user(user)
        stopped = []
        for message in self.workspace.thread(where, thread_ts):
            if message.stream and message.stream["state"] == "in_progress":
                message.stream |= {"state": "completed", "stopped_by_user": True}
                self.workspace.keep(message)
                stopped.append(message.ts)
        event = {
            "type": "agent_session_stopped",
            "channel": where.id,
            "thread_ts": thread_ts,
            "user": who.id,
        }
        self._events.happened(
            event | {"streaming_message_ts": stopped, "event_ts": self.workspace.next_ts()}, where
        )

    async def run_function(self, callback_id: str, inputs: Json, *, user: str = "alice") -> str:
        """A workflow runs one of the app's steps; returns the execution id (see `workspace.functions`)."""
        execution_id = self.workspace.next_id("Fx")
        self.workspace.functions[execution_id] = {
            "status": "running",
            "outputs": None,
            "error": None,
        }
        event: Json = {
            "type": "function_executed",
            "function": {
                "id": f"Fn{callback_id}",
                "callback_id": callback_id,
                "title": callback_id,
                "type": "app",
            },
            "inputs": inputs | {"user_id": self.workspace.find_user(user).id},
            "function_execution_id": execution_id,
            "workflow_execution_id": self.workspace.next_id("Wx"),
            "event_ts": self.workspace.next_ts(),
            "bot_access_token": self.workspace.bot_token,
        }
        self._events.happened(event, None)
        return execution_id

    def respond(self, target: ResponseTarget, given: Json | str) -> None:
        """The app posts to a response URL. Raises: SlackError: the message is refused."""
        self._interactions.respond(target, given)

    async def send_event(self, event: Json, *, team_id: str = state.TEAM_ID) -> str:
        """Send any event to the app as it is, for example a recorded one; returns its `event_id`."""
        channel = self.workspace.channels.get(str(event.get("channel")))
        return self._events.send(event, channel, team_id)

    # --- looking ---

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """What a channel, or a thread, shows; oldest first, metadata included."""
        where = self.workspace.find_channel(channel)
        found = (
            self.workspace.thread(where, thread_ts)
            if thread_ts
            else self.workspace.top_level(where)
        )
        return [self.workspace.shown(one, metadata=True) for one in found]

    def reactions(self, channel: str, ts: str) -> dict[str, list[str]]:
        """Name of the reaction -> user ids."""
        return {name: list(users) for name, users in self._message(channel, ts).reactions.items()}

    def ephemerals(self, channel: str, user: str = "alice") -> list[Json]:
        """What was shown to one person only in a channel; oldest first."""
        where, who = self.workspace.find_channel(channel), self.workspace.find_user(user)
        return [
            one
            for one in self.workspace.ephemerals
            if (one["channel"], one["user_to"]) == (where.id, who.id)
        ]

    def views(self, user: str = "alice") -> list[Json]:
        """The modals that a person has open, the lowest first."""
        return list(self._modals.stack(self.workspace.find_user(user).id))

    def home(self, user: str = "alice") -> Json | None:
        """The app's Home tab as a person sees it."""
        return self.workspace.homes.get(self.workspace.find_user(user).id)

    def status(self, channel: str, thread_ts: str) -> str:
        """What the app says that it is doing in a thread ("is thinking…"); "" when nothing."""
        return self.workspace.status(self.workspace.find_channel(channel).id, thread_ts)

    def _shown(self, channel: Channel, ts: str, user: User) -> Json:
        for whispered in self.workspace.ephemerals:
            if (whispered["ts"], whispered["channel"], whispered["user_to"]) == (
                ts,
                channel.id,
                user.id,
            ):
                return whispered
        return self.workspace.shown(self._message(channel.id, ts))
