"""Many workspaces: installations by OAuth, sealed at rest, their tokens renewed before they expire.

Keys are Fernet keys (https://cryptography.io/en/latest/fernet/); the first one seals, all of them open, so that a new
key is put in front and the old one is taken away once everything is sealed anew.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ConfigError
from bot.slack.errors import NotStoredError
from bot.slack.refusals import understood
from storage import installations
from storage.db import Database

STATE_LIVES = timedelta(minutes=10)
RENEW_BEFORE_MIN = 120
"""Rotated tokens live twelve hours (https://docs.slack.dev/authentication/using-token-rotation)."""

log = structlog.get_logger()


def keys_of(texts: Sequence[str]) -> MultiFernet:
    """The keys in force.

    Raises:
        ConfigError: there is none, or one is no Fernet key.
    """
    try:
        found = [Fernet(text.strip()) for text in texts if text.strip()]
    except ValueError:
        found = []
    if not found:
        how = "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"
        raise ConfigError(
            [f"BOT_SLACK_TOKEN_KEYS must hold Fernet keys; make one with: python -c '{how}'"]
        )
    return MultiFernet(found)


class Workspaces:
    """Which workspaces have installed the app, and a client with the right token for each.

    Args:
        db: where installations are kept, sealed.
        keys: seal and open them.
        client_id: of the Slack app, as `client_secret` is.
        client: makes a Web API client for a token, or for none.
        clock: aware.
    """

    def __init__(
        self,
        db: Database,
        keys: MultiFernet,
        client_id: str,
        client_secret: str,
        client: Callable[[str | None], AsyncWebClient],
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._keys = keys
        self._client = client
        self._clock = clock
        self._rotator = AsyncTokenRotator(
            client_id=client_id, client_secret=client_secret, client=client(None)
        )
        self._known: dict[str, AuthorizeResult] = {}
        self._turn = asyncio.Lock()

    # --- installing ---

    async def begin(self) -> str:
        """A state parameter for an installation that starts now; it is used once, within ten minutes."""
        state = secrets.token_urlsafe(32)

        def work() -> None:
            with self._db.write() as session:
                installations.begin(session, state, self._db.now(session) + STATE_LIVES)

        await asyncio.to_thread(work)
        return state

    async def finish(self, state: str) -> bool:
        """Use the state parameter up; False when it is none of ours, was used or is too old."""

        def work() -> bool:
            with self._db.write() as session:
                return installations.finish(session, state[:200], self._db.now(session))

        return await asyncio.to_thread(work)

    async def save(self, installation: Installation) -> None:
        """Keep an installation, sealed; a newer one of the same team replaces it."""
        sealed = self._keys.encrypt(json.dumps(installation.to_dict(), default=str).encode())

        def work() -> None:
            with self._db.write() as session:
                installations.save(
                    session,
                    installation.enterprise_id or "",
                    installation.team_id or "",
                    "",
                    sealed.decode(),
                    self._db.now(session),
                )

        await asyncio.to_thread(work)
        log.info("slack_installed", team=installation.team_id)

    async def forget(self, enterprise: str, team: str) -> None:
        """The app was uninstalled, or its token revoked."""

        def work() -> int:
            with self._db.write() as session:
                return installations.forget(session, enterprise, team)

        self._known.clear()
        if await asyncio.to_thread(work):
            log.info("slack_uninstalled", team=team)

    # --- working ---

    async def authorize(
        self, enterprise_id: str | None, team_id: str | None, user_id: str | None
    ) -> AuthorizeResult | None:
        """Bolt's `authorize`: who we are in the workspace; None where the app is not installed.

        Raises:
            NotStoredError: Slack does not tell at the moment; the delivery must come again.
        """
        found = await self._installation(enterprise_id or "", team_id or "")
        if found is None or not found.bot_token:
            return None
        me = self._known.get(found.bot_token) or await self._identity(found)
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=me.bot_user_id,
            bot_id=me.bot_id,
            bot_token=found.bot_token,
            user_id=user_id,
            url=me.url,
        )

    async def client_of(self, workspace: str) -> AsyncWebClient:
        """The client for a workspace; without a token where the app is not installed, so that Slack refuses."""
        found = await self._installation("", workspace)
        return self._client(found.bot_token if found is not None else None)

    async def _installation(self, enterprise: str, team: str) -> Installation | None:
        def look() -> str | None:
            with self._db.read() as session:
                return installations.find(session, enterprise, team)

        async with self._turn:  # two renewals at once would each invalidate the other's token
            sealed = await asyncio.to_thread(look)
            found = self._opened(sealed)
            if found is None or found.bot_refresh_token is None:
                return found
            return await self._renewed(found)

    def _opened(self, sealed: str | None) -> Installation | None:
        if sealed is None:
            return None
        try:
            return Installation(**json.loads(self._keys.decrypt(sealed.encode())))
        except (InvalidToken, ValueError, TypeError):
            # without the traceback: it may show what was sealed
            log.error(  # noqa: TRY400
                "slack_installation_not_readable", advice="check BOT_SLACK_TOKEN_KEYS"
            )
            return None

    async def _renewed(self, found: Installation) -> Installation:
        try:
            made = await self._rotator.perform_token_rotation(
                installation=found, minutes_before_expiration=RENEW_BEFORE_MIN
            )
        except SlackApiError as error:
            log.warning("slack_token_not_renewed", code=understood(error).code)
            return found
        if made is None:
            return found
        await self.save(made)
        return made

    async def _identity(self, found: Installation) -> AuthorizeResult:
        try:
            told = await self._client(found.bot_token).auth_test()
        except SlackApiError as error:
            log.warning("slack_identity_unknown", error=understood(error).code)
            raise NotStoredError from None
        me = AuthorizeResult(
            enterprise_id=None,
            team_id=None,
            bot_user_id=told.get("user_id"),
            bot_id=told.get("bot_id"),
            url=told.get("url"),
        )
        if len(self._known) >= 1_000:
            self._known.clear()
        self._known[found.bot_token or ""] = me
        return me
