"""Which of the workspace's events the app hears of, and the envelope in which Slack sends them."""

from __future__ import annotations

from bot.sandbox import state
from bot.sandbox.delivery import Delivery
from bot.sandbox.errors import Json
from bot.sandbox.state import Channel
from bot.sandbox.workspace import Workspace

VERIFICATION_TOKEN = "local-verification"  # noqa: S105 - Slack's deprecated field, worth nothing
_KINDS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
_NEW = frozenset({None, "bot_message", "thread_broadcast", "file_share"})


class Events:
    """Passes on what the app has subscribed to and may see: it must be a member of the channel."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery

    def happened(self, event: Json, channel: Channel | None) -> None:
        """Something happened in the workspace."""
        if channel is not None and state.BOT_USER_ID not in channel.members:
            return
        subscribed = self._workspace.app.events
        kind = event["type"]
        if (_KINDS[channel.kind] if kind == "message" and channel else kind) in subscribed:
            self.send(event, channel)
        if kind == "message" and "app_mention" in subscribed and _mentions_us(event, channel):
            fields = (
                "user",
                "bot_id",
                "text",
                "ts",
                "thread_ts",
                "channel",
                "event_ts",
                "blocks",
                "attachments",
                "team",
            )
            self.send(
                {"type": "app_mention", **{key: event[key] for key in fields if key in event}},
                channel,
            )

    def send(self, event: Json, channel: Channel | None = None, team: str = state.TEAM_ID) -> str:
        """Send an event whether or not it is subscribed to; returns its `event_id`."""
        event_id = self._workspace.next_id("Ev")
        authorization = {
            "enterprise_id": None,
            "team_id": team,
            "user_id": state.BOT_USER_ID,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        self._delivery.send_event(
            {
                "token": VERIFICATION_TOKEN,
                "team_id": team,
                "context_team_id": team,
                "context_enterprise_id": None,
                "api_app_id": state.APP_ID,
                "event": event,
                "type": "event_callback",
                "event_id": event_id,
                "event_time": int(self._workspace.now()),
                "authorizations": [authorization],
                "is_ext_shared_channel": bool(channel and channel.shared),
                "event_context": f"4-{event_id}",
            }
        )
        return event_id


def _mentions_us(event: Json, channel: Channel | None) -> bool:
    return (
        f"<@{state.BOT_USER_ID}>" in str(event.get("text"))
        and event.get("subtype") in _NEW
        and event.get("bot_id") != state.BOT_ID
        and (channel is None or channel.kind != "im")
    )
