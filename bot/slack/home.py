"""Publishes a person's Home: from the database at once, and again when the sources have been checked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks.home import HomeFacts, home
from bot.slack.deps import SlackDeps
from bot.slack.places import Places
from storage import channels, investigations
from storage.models import Investigation

MONTH = timedelta(days=30)
LOOKED_AT = 50
SHOWN = 10


async def publish(
    deps: SlackDeps,
    client: AsyncWebClient,
    workspace: str,
    user: str,
    places: Places | None = None,
) -> None:
    """Show the Home of one person.

    Args:
        places: tells which channels are open to all; without it only what the person asked for is listed.
    """
    facts, rows = await asyncio.to_thread(_facts, deps, workspace, deps.clock())
    seen = [row for row in rows if await _may_see(client, places, workspace, row, user)]
    facts = replace(facts, recent=seen[:SHOWN])
    await client.views_publish(user_id=user, view=home(_checked(deps, facts)))
    if await deps.health.renew():
        await client.views_publish(user_id=user, view=home(_checked(deps, facts)))


def _checked(deps: SlackDeps, facts: HomeFacts) -> HomeFacts:
    return replace(facts, sources=deps.health.results, checked_at=deps.health.checked_at)


def _facts(deps: SlackDeps, workspace: str, now: datetime) -> tuple[HomeFacts, list[Investigation]]:
    with deps.db.read() as session:
        watched = [one.channel for one in channels.watched(session, workspace)]
        rows = investigations.recent(session, workspace, LOOKED_AT)
        used = investigations.started_since(session, workspace, now - MONTH)
    names = sorted(deps.rules.watched)
    facts = HomeFacts(watched=watched, configured=names, this_month=used, model=deps.model)
    return facts, rows


async def _may_see(
    client: AsyncWebClient, places: Places | None, workspace: str, row: Investigation, user: str
) -> bool:
    """What somebody asked for themselves, and what stands where everybody can read it."""
    if row.requested_by == user:
        return True
    if places is None or not row.channel.startswith("C"):
        return False
    place = await places.of(client, workspace, row.channel)
    return place is not None and not place.private
