"""People, channels and messages of the local workspace, and how it looks on the first day."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.errors import Json

TEAM_ID = "T0LOCAL00"
TEAM_DOMAIN = "local-slack"
APP_ID = "A0LOCALAPP"
BOT_ID = "B0RESPONDER"
BOT_USER_ID = "U0RESPONDER"
BOT_NAME = "incident-responder"
SLACKBOT = "USLACKBOT"


@dataclass(slots=True)
class User:
    """Somebody who can post: a person, or the user behind an app."""

    id: str
    name: str
    real_name: str
    tz: str = "Etc/UTC"
    tz_offset: int = 0
    is_bot: bool = False
    bot_id: str = ""
    app_id: str = ""

    def shown(self) -> Json:
        """The user object of `users.info`."""
        profile: Json = {
            "real_name": self.real_name,
            "display_name": self.name,
            "email": f"{self.name}@example.com",
            "team": TEAM_ID,
        }
        if self.is_bot:
            profile |= {"bot_id": self.bot_id, "api_app_id": self.app_id}
            del profile["email"]
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": False,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": self.tz_offset,
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "updated": 0,
        }


@dataclass(slots=True)
class Channel:
    """A conversation: `kind` is channel (public), group (private), im or mpim."""

    id: str
    name: str
    kind: str = "channel"
    members: list[str] = field(default_factory=list)
    archived: bool = False
    shared: bool = False
    topic: str = ""
    user: str = ""
    """The other side of an im."""

    def shown(self, viewer: str) -> Json:
        """The channel object of `conversations.info` as `viewer` sees it."""
        common: Json = {
            "id": self.id,
            "created": 1_700_000_000,
            "is_archived": self.archived,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_ext_shared": self.shared,
            "is_shared": self.shared,
            "is_org_shared": False,
            "context_team_id": TEAM_ID,
        }
        if self.kind == "im":
            return common | {"user": self.user, "is_open": True}
        return common | {
            "name": self.name,
            "name_normalized": self.name,
            "is_member": viewer in self.members,
            "is_general": self.name == "general",
            "creator": "U0ALICE00",
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass(slots=True)
class Message:
    """One message; `body` holds what Slack shows of it, the rest is what Slack keeps beside it."""

    channel: str
    ts: str
    owner: str
    """Bot id or user id: the only one who may edit it."""
    body: Json
    thread_ts: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    metadata: Json | None = None
    stream: Json | None = None

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts


@dataclass(slots=True)
class File:
    """An uploaded file; its bytes are served under `url_private` to the token's owner."""

    id: str
    name: str
    owner: str
    title: str = ""
    content: bytes = b""
    mimetype: str = "application/octet-stream"
    length: int = 0
    channels: list[str] = field(default_factory=list)
    complete: bool = False


@dataclass(slots=True)
class Canvas:
    """A canvas with its Markdown."""

    id: str
    title: str
    markdown: str
    channel: str = ""


def first_users() -> list[User]:
    """Alice, Bob and Carol in three time zones, Slackbot, and the bot."""
    return [
        User("U0ALICE00", "alice", "Alice Meyer", "Europe/Berlin", 7_200),
        User("U0BOB0000", "bob", "Bob Okafor", "America/New_York", -14_400),
        User("U0CAROL00", "carol", "Carol Singh"),
        User(SLACKBOT, "slackbot", "Slackbot", is_bot=True),
        User(
            BOT_USER_ID, BOT_NAME, "Incident Responder", is_bot=True, bot_id=BOT_ID, app_id=APP_ID
        ),
    ]


def first_channels() -> list[Channel]:
    """The channels of the first day; the bot is in #alerts and #incidents only."""
    people = ["U0ALICE00", "U0BOB0000", "U0CAROL00"]
    return [
        Channel(
            "C0ALERTS0", "alerts", members=[*people, BOT_USER_ID], topic="Monitoring posts here"
        ),
        Channel(
            "C0INCIDEN",
            "incidents",
            members=[*people, BOT_USER_ID],
            topic="One thread, one incident",
        ),
        Channel("C0GENERAL", "general", members=[*people], topic="Company-wide"),
        Channel("C0ARCHIVE", "archive-old", members=[*people, BOT_USER_ID], archived=True),
        Channel("G0PRIVATE", "private-ops", kind="group", members=["U0ALICE00", "U0BOB0000"]),
        Channel(
            "C0SHARED0",
            "shared-acme",
            members=[*people, BOT_USER_ID],
            shared=True,
            topic="With Acme Inc.",
        ),
        Channel(
            "D0ALICE00", "alice", kind="im", members=["U0ALICE00", BOT_USER_ID], user="U0ALICE00"
        ),
    ]


def first_groups() -> dict[str, Json]:
    """User groups, for permissions by group."""
    return {
        "S0ONCALL0": {
            "id": "S0ONCALL0",
            "handle": "on-call",
            "name": "On call",
            "users": ["U0ALICE00", "U0BOB0000"],
        }
    }
