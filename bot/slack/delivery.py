"""One thing that Slack delivered, as far as we look at it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from sqlmodel import Session

Json = Mapping[str, Any]
"""A payload of Slack: nested JSON that strangers can shape, so every value is looked at before it is used."""

Kind = Literal["event", "command", "action", "shortcut"]


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

    @property
    def source(self) -> str:
        """The inbox's name for this door."""
        return f"slack:{self.workspace}:{self.kind}"

    @property
    def event(self) -> Json:
        return table(self.body, "event")

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
    """

    text: str = ""
    jobs: tuple[str, ...] = field(default=())


SILENCE = Outcome()
Step = Callable[[Session, datetime], Outcome]
"""What a delivery asks for, to be done inside the transaction that also remembers its id."""


def say(text: str) -> Step:
    """A step that stores nothing."""
    return lambda _session, _now: Outcome(text)


def identify(body: Json, *, workspace: str, user: str, channel: str, me: Me) -> Delivery | None:
    """Name what was delivered; None for what we never store: views, options, unknown types."""
    kind: Kind
    if text(body, "type") == "event_callback":
        kind, event_id = "event", text(body, "event_id")
    elif "command" in body:
        kind, event_id = "command", text(body, "trigger_id")
    elif text(body, "type") == "block_actions":
        kind, event_id = "action", text(body, "trigger_id")
    elif text(body, "type") in {"message_action", "shortcut"}:
        kind, event_id = "shortcut", text(body, "trigger_id")
    else:
        return None
    if not event_id:
        return None
    return Delivery(kind, event_id, workspace, user, channel, body, me)


def text(shape: Json, key: str) -> str:
    """The text under a key; empty for anything else."""
    value = shape.get(key)
    return value if isinstance(value, str) else ""


def table(shape: Json, key: str) -> Json:
    """The object under a key; empty for anything else."""
    value = shape.get(key)
    return value if isinstance(value, Mapping) else {}
