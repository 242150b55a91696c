"""What the operator allows: which channels are watched, who may do what, and how much alerts may start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from bot.slack.delivery import Delivery, Outcome, Step
from storage import audit, channels
from storage.jobs import Limits

Action = Literal["start", "stop", "watch", "settings", "mute", "delete"]
ACTIONS: tuple[Action, ...] = ("start", "stop", "watch", "settings", "mute", "delete")
_SAID: dict[Action, str] = {
    "start": "start investigations",
    "stop": "stop investigations",
    "watch": "change which channels are watched",
    "settings": "change settings",
    "mute": "mute alerts",
    "delete": "delete investigations",
}
SHARED = "This channel is shared with another organisation, so I do not answer here."


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's rules; what people decide for a channel (`storage.channels`) goes before `watched` and `shared`.

    Attributes:
        limits: how many investigations run at once, for the place in the queue that people are told.
        watched: channels by id or name whose alerts are investigated.
        shared: Slack Connect channels by id or name in which we answer all the same.
        permissions: who may do an action: ids of people (U...), user groups (S...) or channels (C..., where
            everybody may). An action that is not named is everybody's.
        reaction: name of the emoji with which a message is handed to us; empty: none.
        channel_per_hour: how many investigations alerts may start in one channel in an hour.
        service_per_hour: the same for one service of a channel.
    """

    limits: Limits
    watched: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    permissions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reaction: str = ""
    channel_per_hour: int = 20
    service_per_hour: int = 6

    @property
    def groups(self) -> frozenset[str]:
        """The user groups whose members have to be known."""
        named = frozenset().union(*self.permissions.values())
        return frozenset(one for one in named if one.startswith("S"))

    def may(self, action: Action, delivery: Delivery) -> bool:
        """Whether this person may do this here."""
        allowed = self.permissions.get(action)
        if allowed is None:
            return True
        return bool({delivery.user, delivery.channel, *delivery.groups} & allowed)

    def watches(self, session: Session, delivery: Delivery) -> bool:
        """Whether alerts of the delivery's channel are investigated."""
        decided = channels.get(session, delivery.workspace, delivery.channel)
        if decided is not None and decided.watch is not None:
            return decided.watch
        return named_in(self.watched, delivery)

    def answers(self, session: Session, delivery: Delivery) -> bool:
        """Whether we speak in the delivery's channel: not where another organisation reads along, unless allowed."""
        if not delivery.shared:
            return True
        decided = channels.get(session, delivery.workspace, delivery.channel)
        if decided is not None and decided.shared is not None:
            return decided.shared
        return named_in(self.shared, delivery)


def named_in(names: frozenset[str], delivery: Delivery) -> bool:
    """Whether the channel is named, by id or by name with or without #."""
    if delivery.channel in names:
        return True
    name = delivery.channel_name
    return bool(name) and bool({name, f"#{name}"} & names)


def guarded(
    rules: Rules, action: Action, delivery: Delivery, step: Step, *, subject: str = ""
) -> Step:
    """The step for those who may do it, a polite refusal for others; both are written down.

    Starting is written down only when it is refused: the investigation itself tells the rest.
    """

    def checked(session: Session, now: datetime) -> Outcome:
        if not rules.answers(session, delivery) and action != "settings":
            return Outcome(SHARED)
        allowed = rules.may(action, delivery)
        if not allowed or action != "start":
            noted(session, now, delivery, action, allowed=allowed, subject=subject)
        return step(session, now) if allowed else Outcome(refusal(rules, action))

    return checked


def noted(
    session: Session,
    now: datetime,
    delivery: Delivery,
    action: Action,
    *,
    allowed: bool,
    subject: str = "",
) -> None:
    """Write down who did, or was refused, something."""
    audit.note(
        session,
        delivery.workspace,
        delivery.user,
        action,
        now,
        allowed=allowed,
        channel=delivery.channel,
        subject=subject,
    )


def refusal(rules: Rules, action: Action) -> str:
    """Whom to ask instead; groups and people by name, which Slack shows."""
    allowed = sorted(rules.permissions.get(action, ()))
    who = [f"<!subteam^{one}>" for one in allowed if one.startswith("S")]
    who += [f"<@{one}>" for one in allowed if one.startswith(("U", "W"))]
    where = [f"<#{one}>" for one in allowed if one.startswith(("C", "G"))]
    text = f"You may not {_SAID[action]} here."
    if who:
        text += f" Ask {' or '.join(who[:5])}."
    if where:
        text += f" In {' or '.join(where[:5])} everybody may."
    return text
