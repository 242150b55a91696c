"""What a Web API method sees: its arguments, and the parts of the workspace that it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.installs import Installs
from bot.sandbox.modals import Modals
from bot.sandbox.socket_mode import SocketMode
from bot.sandbox.state import Channel, Message
from bot.sandbox.triggers import Triggers
from bot.sandbox.workspace import Workspace

_FALSE = {"", "0", "false", "none", "null"}


@dataclass(frozen=True, slots=True)
class Args:
    """Arguments of one call. The SDK sends JSON for some methods and forms for others: strings are coerced."""

    given: Mapping[str, Any]
    team: str = state.TEAM_ID
    """The team that the caller's token belongs to."""
    token: str = ""

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.given.get(name)
        return default if value is None else str(value).lower() not in _FALSE

    def number(self, name: str, default: int) -> int:
        """Raises: SlackError: `invalid_arguments`."""
        try:
            return int(self.given.get(name, default))
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", messages=[f"must be a number: {name}"]) from None

    def objects(self, name: str) -> list[Json] | None:
        """A list of objects, or None when the argument is absent."""
        value = self.given.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise SlackError("invalid_arguments", messages=[f"must be an array of objects: {name}"])
        return value


@dataclass(slots=True)
class Desk:
    """Everything behind the Web API."""

    workspace: Workspace
    triggers: Triggers
    modals: Modals
    socket: SocketMode
    installs: Installs
    uploads: dict[str, str] = field(default_factory=dict)
    """Key of an upload address -> file id."""
    stream_lives_s: float = 300.0

    def channel(self, args: Args, name: str = "channel") -> Channel:
        """Raises: SlackError: `channel_not_found`."""
        reference = args.text(name)
        user = self.workspace.users.get(reference)
        if user is not None and not user.is_bot:
            return self.workspace.direct(user)
        return self.workspace.channel(reference)

    def writable(self, args: Args, name: str = "channel") -> Channel:
        """A channel that the bot may write to.

        Raises:
            SlackError: `channel_not_found`, `not_in_channel`, `is_archived` or `messages_tab_disabled`.
        """
        channel = self.channel(args, name)
        if channel.archived:
            raise SlackError("is_archived")
        if channel.kind == "im" and not self.workspace.app.messages_tab:
            raise SlackError("messages_tab_disabled")
        if state.BOT_USER_ID not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def own_message(self, args: Args, refusal: str) -> Message:
        """A message of the bot's own. Raises: SlackError: `refusal` for somebody else's."""
        message = self.workspace.message(self.channel(args), args.text("ts"))
        if message.owner != state.BOT_ID:
            raise SlackError(refusal)
        return message


@dataclass(frozen=True, slots=True)
class Method:
    """One Web API method.

    Args:
        run: does it; the answer gets `ok: true`.
        per_minute: calls a minute and workspace (tier 1: 1, 2: 20, 3: 50, 4: 100; 0: a limit of its own).
        scope: what the token needs; `*:history` stands for the scope of the channel's kind.
        required: arguments without which the call is refused.
        app_token: takes the `xapp-` token instead of the bot's.
        anonymous: takes no token at all.
    """

    run: Callable[[Desk, Args], Json]
    per_minute: int
    scope: str = ""
    required: tuple[str, ...] = ()
    app_token: bool = False
    anonymous: bool = False


def page(items: list[Json], args: Args, *, default: int, most: int) -> tuple[list[Json], str]:
    """One page of a list and the cursor of the next one ("" at the end).

    Raises:
        SlackError: `invalid_cursor`, `invalid_limit`.
    """
    limit = args.number("limit", default) or default
    if limit < 0:
        raise SlackError("invalid_limit")
    cursor = args.text("cursor")
    if cursor and not (cursor.startswith("next:") and cursor[5:].isdigit()):
        raise SlackError("invalid_cursor")
    start = int(cursor[5:]) if cursor else 0
    end = start + min(limit, most)
    return items[start:end], f"next:{end}" if end < len(items) else ""
