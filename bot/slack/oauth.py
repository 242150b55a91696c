"""Installing the app by OAuth v2: where people are sent, and what comes back.

https://docs.slack.dev/authentication/installing-with-oauth
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.installs import Workspaces
from bot.slack.refusals import understood

AUTHORIZE = "https://slack.com/oauth/v2/authorize"
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "canvases:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "reactions:read",
    "reactions:write",
    "usergroups:read",
    "users:read",
)
"""What `manifest.yml` asks for, where each is explained."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Installer:
    """The two steps of an installation.

    Attributes:
        authorize_url: Slack's page; the local Slack has its own.
        redirect_url: where Slack sends people back to; empty: the one of the app's settings.
    """

    workspaces: Workspaces
    client: Callable[[str | None], AsyncWebClient]
    client_id: str
    client_secret: str
    scopes: Sequence[str]
    authorize_url: str = AUTHORIZE
    redirect_url: str = ""

    async def start(self) -> tuple[str, str]:
        """Where to send the person, and the state that their browser has to bring back."""
        state = await self.workspaces.begin()
        query = {"client_id": self.client_id, "scope": ",".join(self.scopes), "state": state}
        if self.redirect_url:
            query["redirect_uri"] = self.redirect_url
        return f"{self.authorize_url}?{urlencode(query)}", state

    async def finish(self, code: str, state: str, remembered: str) -> str:
        """Exchange the code; returns a sentence for the person, empty when all went well."""
        if not state or state != remembered or not await self.workspaces.finish(state):
            return "This installation link was used before or is too old. Please start again."
        try:
            answer = await self.client(None).oauth_v2_access(
                client_id=self.client_id,
                client_secret=self.client_secret,
                code=code,
                redirect_uri=self.redirect_url or None,
            )
        except SlackApiError as error:
            log.warning("slack_install_refused", code=understood(error).code)
            return "Slack did not confirm the installation. Please start again."
        await self.workspaces.save(_installation(answer.data))
        return ""


def _installation(answer: object) -> Installation:
    told = answer if isinstance(answer, dict) else {}
    enterprise, team = told.get("enterprise") or {}, told.get("team") or {}
    person = told.get("authed_user") or {}
    lives = told.get("expires_in")
    return Installation(
        app_id=told.get("app_id"),
        enterprise_id=enterprise.get("id"),
        team_id=team.get("id"),
        team_name=team.get("name"),
        user_id=str(person.get("id") or ""),
        bot_token=told.get("access_token"),
        bot_user_id=told.get("bot_user_id"),
        bot_scopes=str(told.get("scope") or ""),
        bot_refresh_token=told.get("refresh_token"),
        bot_token_expires_at=int(time.time()) + int(lives) if lives else None,
        is_enterprise_install=bool(told.get("is_enterprise_install")),
        token_type=told.get("token_type"),
    )
