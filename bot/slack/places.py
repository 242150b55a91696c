"""What Slack knows of channels and user groups: asked once, and only when a decision depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import NotStoredError
from bot.slack.refusals import Then, understood

KEPT_S = 3_600.0
GROUPS_KEPT_S = 300.0
KEPT = 10_000
ASK_S = 0.8
"""Slack waits three seconds for the acknowledgement; an answer is worth this much of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel: its name, whether another organisation reads along, and whether only its members do."""

    name: str = ""
    shared: bool = False
    private: bool = True


class Places:
    """Channels, remembered for an hour.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Place]] = {}

    async def of(self, client: AsyncWebClient, workspace: str, channel: str) -> Place | None:
        """The channel; a `Place` without a name where Slack will not say, None where it did not answer in time."""
        key = (workspace, channel)
        known = self._known.get(key)
        if known is not None and self._clock() - known[0] < KEPT_S:
            return known[1]
        place = await _ask(client, channel)
        if place is None:
            return known[1] if known is not None else None
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[key] = (self._clock(), place)
        return place


async def _ask(client: AsyncWebClient, channel: str) -> Place | None:
    try:
        async with asyncio.timeout(ASK_S):
            answer = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        return None if understood(error).then is Then.LATER else Place()
    except (aiohttp.ClientError, TimeoutError):
        return None
    found = answer.get("channel") or {}
    shared = bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared"))
    private = found.get("is_private") is not False
    return Place(str(found.get("name") or ""), shared, private)


class Groups:
    """Members of user groups, remembered for five minutes; what was known stays when Slack does not answer.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}

    async def of(
        self, client: AsyncWebClient, workspace: str, user: str, groups: Iterable[str]
    ) -> frozenset[str]:
        """Those of the groups that the person belongs to."""
        wanted = sorted(groups)
        found = await asyncio.gather(*(self._members(client, workspace, one) for one in wanted))
        return frozenset(
            group for group, members in zip(wanted, found, strict=True) if user in members
        )

    async def _members(self, client: AsyncWebClient, workspace: str, group: str) -> frozenset[str]:
        key = (workspace, group)
        known = self._known.get(key, (float("-inf"), frozenset()))
        if self._clock() - known[0] < GROUPS_KEPT_S:
            return known[1]
        try:
            async with asyncio.timeout(ASK_S):
                answer = await client.usergroups_users_list(usergroup=group)
        except (SlackApiError, aiohttp.ClientError, TimeoutError):
            return known[1]
        members = frozenset(str(one) for one in answer.get("users") or ())
        self._known[key] = (self._clock(), members)
        return members


async def replies(client: AsyncWebClient, channel: str, ts: str) -> list[dict[str, object]]:
    """The first messages of the thread that a message belongs to, that message among them if it is an early one.

    Raises:
        NotStoredError: Slack does not tell in time.
    """
    try:
        async with asyncio.timeout(ASK_S):
            answer = await client.conversations_replies(channel=channel, ts=ts, limit=100)
    except SlackApiError as error:
        if understood(error).then is Then.LATER:
            raise NotStoredError from None
        return []
    except (aiohttp.ClientError, TimeoutError):
        raise NotStoredError from None
    return [one for one in answer.get("messages") or () if isinstance(one, dict)]
