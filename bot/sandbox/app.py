"""What the app may do in the workspace: the part of its manifest that Slack enforces."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.errors import Json

_SCOPES = """app_mentions:read assistant:write canvases:write channels:history channels:join channels:read chat:write
commands files:read files:write groups:history groups:read im:history im:read im:write mpim:history mpim:read
reactions:read reactions:write team:read usergroups:read users:read"""
_EVENTS = """agent_session_stopped app_context_changed app_home_opened app_mention app_uninstalled file_shared
function_executed member_joined_channel message.channels message.groups message.im message.mpim reaction_added
reaction_removed tokens_revoked"""


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command as the composer offers it."""

    name: str
    description: str = ""
    usage_hint: str = ""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut of a message (`message`) or of the whole workspace (`global`)."""

    callback_id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class AppConfig:
    """Scopes, subscriptions, commands and shortcuts of the one app that is installed.

    The default is generous and lets any command through; `from_manifest` narrows it to what a real manifest
    asks for, so that a test can show that the manifest is enough.
    """

    scopes: frozenset[str] = frozenset(_SCOPES.split())
    events: frozenset[str] = frozenset(_EVENTS.split())
    commands: tuple[Command, ...] = (
        Command("/investigate", "Investigate an incident", "[what is wrong]"),
    )
    shortcuts: tuple[Shortcut, ...] = (
        Shortcut("investigate_message", "Investigate this alert", "message"),
        Shortcut("investigate_new", "New investigation", "global"),
    )
    agent: bool = True
    messages_tab: bool = True
    rotation: bool = False
    strict: bool = False
    """Refuse commands and shortcuts that are not listed."""

    @classmethod
    def from_manifest(cls, manifest: Json) -> AppConfig:
        """Read a manifest of schema 2.0.0 (https://docs.slack.dev/reference/app-manifest)."""
        features = manifest.get("features", {})
        scopes = manifest.get("oauth_config", {}).get("scopes", {}).get("bot", [])
        subscriptions = manifest.get("settings", {}).get("event_subscriptions", {})
        return cls(
            scopes=frozenset(scopes),
            events=frozenset(subscriptions.get("bot_events", [])),
            commands=tuple(
                Command(one["command"], one.get("description", ""), one.get("usage_hint", ""))
                for one in features.get("slash_commands", [])
            ),
            shortcuts=tuple(
                Shortcut(one["callback_id"], one["name"], one["type"])
                for one in features.get("shortcuts", [])
            ),
            agent="agent_view" in features,
            messages_tab=bool(features.get("app_home", {}).get("messages_tab_enabled")),
            rotation=bool(manifest.get("settings", {}).get("token_rotation_enabled")),
            strict=True,
        )

    def takes_command(self, name: str) -> bool:
        """Whether the command reaches the app."""
        return not self.strict or name in {one.name for one in self.commands}

    def takes_shortcut(self, callback_id: str) -> bool:
        """Whether the shortcut reaches the app."""
        return not self.strict or callback_id in {one.callback_id for one in self.shortcuts}
