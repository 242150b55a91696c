"""What the Slack side works with; `bot.wiring` builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.admission import DEADLINE_S
from bot.slack.health import Health
from bot.slack.installs import Workspaces
from bot.slack.rules import Rules
from storage.db import Database


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SlackDeps:
    """Everything that the listeners need.

    Attributes:
        notify: the queue's hint that a job may run now.
        client: of the single workspace; with `workspaces` only its address counts.
        clock: the present moment, aware.
        rules: what the operator allows.
        health: whether the sources answer, for Home.
        model: the model that texts are sent to; empty for none.
        workspaces: set when many workspaces install the app.
        store_s: how long storing a delivery may take before it is refused.
    """

    db: Database
    notify: Callable[[str], None]
    client: AsyncWebClient
    clock: Callable[[], datetime]
    rules: Rules
    health: Health = field(default_factory=lambda: Health((), _now))
    model: str = ""
    signing_secret: str = ""
    workspaces: Workspaces | None = None
    store_s: float = DEADLINE_S
