"""From settings and sources to what the Slack side works with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.kit.capabilities import Checkable
from adapters.kit.errors import AdapterError
from bot.config import Settings
from bot.slack.health import Check, Health
from bot.slack.rules import Rules
from bot.sources import Source, Sources
from storage.jobs import Limits


def rules_of(settings: Settings, sources: Sources, limits: Limits) -> Rules:
    """What is allowed: the operator's settings, and the channels of the service catalogue."""
    named = (channel for service in sources.services for channel in service.channels)
    return Rules(
        limits=limits,
        watched=frozenset(one.removeprefix("#") for one in named),
        shared=frozenset(one.removeprefix("#") for one in settings.slack_shared_channels),
        permissions={action: frozenset(who) for action, who in settings.slack_permissions.items()},
        reaction=settings.slack_reaction.strip(":"),
    )


def health_of(sources: Sources, clock: Callable[[], datetime]) -> Health:
    """The sources as Home shows them."""
    return Health([(_named(one), _check(one)) for one in sources.sources], clock)


def _named(source: Source) -> str:
    return f"{source.name} ({source.type})" if source.name != source.type else source.name


def _check(source: Source) -> Check | None:
    """How a source is asked whether it is well; None for one that cannot tell."""
    adapter = source.adapter
    if not isinstance(adapter, Checkable):
        return None

    def check() -> tuple[bool, str]:
        try:
            found = adapter.check()
        except AdapterError as error:
            return False, error.detail
        return found.ok, f"{found.detail} {found.version}".strip()

    return check
