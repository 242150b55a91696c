"""In which zone a person reads a clock: asked of Slack once, and only when a message says a clock time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, tzinfo

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.ask import parse_zone
from bot.errors import UserError
from bot.slack.command_text import mentions, needs_zone
from bot.slack.delivery import Delivery, field_of, text

KEPT_S = 3_600.0
KEPT = 10_000
ASK_S = 0.8
"""Slack waits three seconds for the acknowledgement; a zone is worth this much of them."""

Zone = tuple[str, tzinfo]
HERE: Zone = ("UTC", UTC)


class Zones:
    """Zones of people, remembered for an hour: people travel.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Zone]] = {}

    async def of(self, client: AsyncWebClient, delivery: Delivery) -> Zone:
        """The name and zone in which the delivery's times are meant; UTC where Slack does not say in time."""
        key = (delivery.workspace, delivery.user)
        known = self._known.get(key)
        if known is not None and self._clock() - known[0] < KEPT_S:
            return known[1]
        if not delivery.user or not needs_zone(_words(delivery)):
            return HERE
        zone = await _ask(client, delivery.user)
        if zone is None:
            return HERE
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[key] = (self._clock(), zone)
        return zone


def _words(delivery: Delivery) -> str:
    if delivery.kind == "command":
        return text(delivery.body, "text")
    if delivery.kind == "view":
        return f"since:{field_of(delivery.body, 'since')}"
    said = text(delivery.event, "text") if delivery.kind == "event" else ""
    direct = text(delivery.event, "channel_type") == "im"
    return said if direct or delivery.me.user in mentions(said) else ""


async def _ask(client: AsyncWebClient, user: str) -> Zone | None:
    try:
        async with asyncio.timeout(ASK_S):
            answer = await client.users_info(user=user)
        found = answer.get("user") or {}
        name = str(found.get("tz") or "")
        return name, parse_zone(name)
    except (SlackApiError, aiohttp.ClientError, TimeoutError, UserError):
        return None
