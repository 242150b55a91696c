"""`trigger_id` and `response_url`: short permissions that an interaction hands to the app.

https://docs.slack.dev/interactivity/handling-user-interaction : a trigger opens one modal within three
seconds; a response URL works five times within half an hour.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.errors import SlackError

TRIGGER_LIVES_S = 3.0
RESPONSE_LIVES_S = 30 * 60.0
RESPONSE_USES = 5
_MOST = 10_000


@dataclass(slots=True)
class _Trigger:
    user: str
    expires: float
    used: bool = False


@dataclass(slots=True)
class ResponseTarget:
    """Where a response URL leads: the channel, the person, the message that was acted on."""

    channel: str
    user: str
    message_ts: str
    thread_ts: str
    ephemeral: bool
    expires: float = 0.0
    uses_left: int = RESPONSE_USES


class Triggers:
    """Hands out and redeems triggers and response URLs."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._triggers: dict[str, _Trigger] = {}
        self._targets: dict[str, ResponseTarget] = {}

    def issue(self, user: str) -> str:
        """A new trigger id for something that `user` has just done."""
        trigger_id = (
            f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        )
        _bound(self._triggers)
        self._triggers[trigger_id] = _Trigger(user, self._now() + TRIGGER_LIVES_S)
        return trigger_id

    def redeem(self, trigger_id: str) -> str:
        """The user of a trigger, which is then used up.

        Raises:
            SlackError: `invalid_trigger_id`, `exchanged_trigger_id` or `expired_trigger_id`.
        """
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._now() > trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def respond_at(self, target: ResponseTarget) -> str:
        """The path of a new response URL."""
        key = secrets.token_urlsafe(18)
        target.expires = self._now() + RESPONSE_LIVES_S
        _bound(self._targets)
        self._targets[key] = target
        return f"/response/{key}"

    def target(self, key: str) -> ResponseTarget:
        """Where an answer to a response URL goes; counts one use.

        Raises:
            SlackError: `invalid_url`, `expired_url` or `used_url`.
        """
        target = self._targets.get(key)
        if target is None:
            raise SlackError("invalid_url")
        if self._now() > target.expires:
            raise SlackError("expired_url")
        if target.uses_left <= 0:
            raise SlackError("used_url")
        target.uses_left -= 1
        return target


def _bound(things: dict[str, _Trigger] | dict[str, ResponseTarget]) -> None:
    if len(things) >= _MOST:
        del things[next(iter(things))]
