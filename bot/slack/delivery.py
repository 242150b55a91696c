"""One thing that Slack delivered, as far as we look at it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from sqlmodel import Session

Json = Mapping[str, Any]
"""A payload of Slack: nested JSON that strangers can shape, so every value is looked at before it is used."""

Kind = Literal["event", "command", "action", "shortcut", "view"]


@dataclass(frozen=True, slots=True)
class Me:
    """Our own ids in the workspace: what these post or mention is us."""

    user: str
    bot: str
    app: str = ""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset({self.user, self.bot, self.app} - {""})


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was delivered.

    Attributes:
        event_id: the same when Slack delivers the same thing again: an event's id, else the trigger's.
        workspace: the team's id, or the organisation's.
        user: who did it; empty when it was no person.
        zone: the zone in which the person's times are read, and its IANA name.
        channel_name: without #; empty where nobody had to know it.
        shared: another organisation reads along in the channel.
        groups: the user groups of the rules that the person belongs to.
        home: the workspace's own address, such as `https://example.slack.com/`.
        message: what somebody reacted to, where that hands it to us.
    """

    kind: Kind
    event_id: str
    workspace: str
    user: str
    channel: str
    body: Json
    me: Me
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    channel_name: str = ""
    shared: bool = False
    groups: frozenset[str] = frozenset()
    home: str = ""
    message: Json = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The inbox's name for this door."""
        return f"slack:{self.workspace}:{self.kind}"

    @property
    def event(self) -> Json:
        return table(self.body, "event")

    def permalink(self, ts: str) -> str:
        """Where a message of this channel is read in a browser; empty when the workspace's address is unknown."""
        if not self.home:
            return ""
        return f"{self.home.rstrip('/')}/archives/{self.channel}/p{ts.replace('.', '')}"

    @property
    def action(self) -> Json:
        """The button that was pressed."""
        actions = self.body.get("actions")
        first = actions[0] if isinstance(actions, list) and actions else {}
        return first if isinstance(first, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a delivery led to.

    Attributes:
        text: what to tell the person, seen by nobody else; empty for silence.
        jobs: what may run now.
        opens: a modal to open for the person.
        errors: what is wrong in a submitted modal, by block.
        removes: messages of ours (channel, ts) that have lost their reason.
        debug: the thread (channel, ts) whose first message is to be shown as it came.
        home: show the person's Home anew.
    """

    text: str = ""
    jobs: tuple[str, ...] = field(default=())
    opens: Json | None = None
    errors: Mapping[str, str] | None = None
    removes: tuple[tuple[str, str], ...] = ()
    debug: tuple[str, str] | None = None
    home: bool = False


SILENCE = Outcome()
Step = Callable[[Session, datetime], Outcome]
"""What a delivery asks for, to be done inside the transaction that also remembers its id."""


def say(text: str) -> Step:
    """A step that stores nothing."""
    return lambda _session, _now: Outcome(text)


def identify(
    body: Json, *, workspace: str, user: str, channel: str, me: Me, home: str = ""
) -> Delivery | None:
    """Name what was delivered; None for what we never store: options, closed views, unknown types."""
    kind: Kind
    if text(body, "type") == "event_callback":
        kind, event_id = "event", text(body, "event_id")
    elif "command" in body:
        kind, event_id = "command", text(body, "trigger_id")
    elif text(body, "type") == "block_actions":
        kind, event_id = "action", text(body, "trigger_id")
    elif text(body, "type") in {"message_action", "shortcut"}:
        kind, event_id = "shortcut", text(body, "trigger_id")
    elif text(body, "type") == "view_submission":
        kind, event_id = "view", text(body, "trigger_id")
    else:
        return None
    if not event_id:
        return None
    channel = channel or elsewhere(body)
    return Delivery(kind, event_id, workspace, user, channel, body, me, home=home)


def field_of(body: Json, action_id: str) -> str:
    """What was typed into a field of a submitted modal; empty for a blank one."""
    for block in table(table(table(body, "view"), "state"), "values").values():
        if isinstance(block, Mapping) and action_id in block:
            return text(table(block, action_id), "value")
    return ""


def text(shape: Json, key: str) -> str:
    """The text under a key; empty for anything else."""
    value = shape.get(key)
    return value if isinstance(value, str) else ""


def table(shape: Json, key: str) -> Json:
    """The object under a key; empty for anything else."""
    value = shape.get(key)
    return value if isinstance(value, Mapping) else {}


def elsewhere(body: Json) -> str:
    """The channel that a payload names in a place of its own: reactions, steps of workflows, our modal."""
    event = table(body, "event")
    named = text(table(event, "item"), "channel") or text(table(event, "inputs"), "channel_id")
    if named or text(body, "type") != "view_submission":
        return named
    for block in table(table(table(body, "view"), "state"), "values").values():
        for choice in block.values() if isinstance(block, Mapping) else ():
            chosen = text(choice, "selected_conversation") if isinstance(choice, Mapping) else ""
            if chosen:
                return chosen
    return ""
