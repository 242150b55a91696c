"""From settings and sources to what the Slack side works with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urljoin

from adapters.kit.capabilities import Checkable
from adapters.kit.errors import AdapterError
from bot.config import Settings
from bot.slack.app import build_client
from bot.slack.health import Check, Health
from bot.slack.installs import Workspaces, keys_of
from bot.slack.oauth import SCOPES, Installer
from bot.slack.rules import Rules
from bot.sources import Source, Sources
from storage.db import Database
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


def workspaces_of(
    settings: Settings, db: Database, clock: Callable[[], datetime]
) -> Workspaces | None:
    """Many workspaces where the app's client id is configured; None for the one of the token.

    Raises:
        ConfigError: the keys that seal tokens are missing or malformed.
    """
    if settings.slack_mode != "http" or not settings.slack_client_id:
        return None
    return Workspaces(
        db,
        keys_of(settings.slack_token_keys.get_secret_value().split(",")),
        settings.slack_client_id,
        settings.slack_client_secret.get_secret_value(),
        lambda token: build_client(token, settings.slack_api_url),
        clock,
    )


def installer_of(settings: Settings, workspaces: Workspaces | None) -> Installer | None:
    """The pages that install the app; None for a single workspace."""
    if workspaces is None:
        return None
    return Installer(
        workspaces,
        lambda token: build_client(token, settings.slack_api_url),
        settings.slack_client_id,
        settings.slack_client_secret.get_secret_value(),
        SCOPES,
        authorize_url=_authorize_url(settings.slack_api_url),
    )


def _authorize_url(api_url: str) -> str:
    """Slack's page stands beside its API; the local Slack's does too."""
    return urljoin(api_url, "/oauth/v2/authorize")


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
