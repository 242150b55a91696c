"""What Slack knows about who did something and where: their zone, their groups, the channel's name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.delivery import Delivery, Json, table, text
from bot.slack.errors import NotStoredError
from bot.slack.places import Groups, Places, replies
from bot.slack.rules import Rules
from bot.slack.zones import Zones

_SHARED = ("C", "G")


class Surroundings:
    """Completes deliveries; asks Slack only for what a decision depends on, and remembers the answers.

    Args:
        rules: which names of channels and which user groups matter.
        clock: monotonic seconds.
    """

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._zones = Zones(clock)
        self.places = Places(clock)
        self._groups = Groups(clock)

    async def of(self, client: AsyncWebClient, delivery: Delivery) -> Delivery:
        """The delivery with what is known of its surroundings.

        Raises:
            NotStoredError: Slack does not say what a decision depends on; the delivery must come again.
        """
        (zone_name, zone), groups, known = await asyncio.gather(
            self._zones.of(client, delivery),
            self._their_groups(client, delivery),
            self._placed(client, delivery),
        )
        said = await self._reacted_to(client, delivery)
        return replace(known, zone=zone, zone_name=zone_name, groups=groups, message=said)

    async def _reacted_to(self, client: AsyncWebClient, delivery: Delivery) -> Json:
        """The message that somebody handed to us with a reaction; empty for anything else."""
        event = delivery.event
        wanted = self._rules.reaction
        if (text(event, "type"), text(event, "reaction")) != ("reaction_added", wanted):
            return {}
        ts = text(table(event, "item"), "ts")
        if not wanted or not ts:
            return {}
        found = await replies(client, delivery.channel, ts)
        return next((one for one in found if one.get("ts") == ts), {})

    async def _their_groups(self, client: AsyncWebClient, delivery: Delivery) -> frozenset[str]:
        wanted = self._rules.groups
        if not wanted or not delivery.user:
            return frozenset()
        return await self._groups.of(client, delivery.workspace, delivery.user, wanted)

    async def _placed(self, client: AsyncWebClient, delivery: Delivery) -> Delivery:
        shared = delivery.body.get("is_ext_shared_channel") is True
        name = text(delivery.body, "channel_name") or text(table(delivery.body, "channel"), "name")
        delivery = replace(delivery, shared=shared, channel_name=name)
        if not self._must_be_known(delivery):
            return delivery
        place = await self.places.of(client, delivery.workspace, delivery.channel)
        if place is None:
            raise NotStoredError
        return replace(delivery, channel_name=place.name or name, shared=shared or place.shared)

    def _must_be_known(self, delivery: Delivery) -> bool:
        """Events say whether their channel is shared but not its name; all others the reverse."""
        if not delivery.channel.startswith(_SHARED):
            return False
        if delivery.kind != "event":
            return True
        if delivery.shared:
            return bool(self._rules.shared)
        if text(delivery.event, "type") != "message" or delivery.channel in self._rules.watched:
            return False
        event = delivery.event
        by_machine = any(text(one, "bot_id") for one in (event, table(event, "message")))
        named = any(not one.startswith(_SHARED) for one in self._rules.watched)
        return (by_machine or not delivery.user) and named
