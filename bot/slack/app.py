"""Builds the Bolt app: one middleware that stores, and listeners that speak."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.admission import Admission
from bot.slack.delivery import Delivery, Step
from bot.slack.deps import SlackDeps
from bot.slack.errors import NotStoredError
from bot.slack.installs import Workspaces
from bot.slack.listeners import actions, commands, events, happenings, shortcuts, views
from bot.slack.refusals import understood
from bot.slack.surroundings import Surroundings

HTTP_S = 10
"""How long one call of the Web API may take."""

log = structlog.get_logger()


def build_client(token: str | None, api_url: str) -> AsyncWebClient:
    """The one client of Slack's Web API.

    It repeats nothing: that is the publisher's decision, because a post that is repeated blindly appears twice.
    """
    return AsyncWebClient(
        token=token,
        base_url=api_url,
        timeout=HTTP_S,
        retry_handlers=[],
    )


def build_app(deps: SlackDeps) -> AsyncApp:
    """The app, ready for `AsyncSocketModeHandler` or an HTTP route. It calls nobody before the first delivery."""
    rules = deps.rules

    def read(delivery: Delivery) -> Step | None:
        match delivery.kind:
            case "command":
                return commands.read(delivery, rules, deps.clock())
            case "event":
                now = deps.clock()
                return events.read(delivery, rules, now) or happenings.read(delivery, rules)
            case "action":
                return actions.read(delivery, rules)
            case "shortcut":
                return shortcuts.read(delivery, rules)
            case "view":
                return views.read(delivery, rules, deps.clock())

    surroundings = Surroundings(rules, time.monotonic)
    admission = Admission(deps.db, read, deps.notify, surroundings, deps.store_s)
    app = AsyncApp(
        # Without a token of its own: `authorize` gives each request one, and Bolt complains about two.
        client=build_client(None, deps.client.base_url),
        authorize=_authorize(deps),
        signing_secret=deps.signing_secret,
    )
    app.middleware(admission.admit)
    app.error(_failed)
    for listeners in (commands, actions, shortcuts, views):
        listeners.register(app, deps)
    if deps.workspaces is not None:
        _forget_leavers(app, deps.workspaces)
    happenings.register(app, deps, surroundings.places)
    return app


def _authorize(deps: SlackDeps) -> Callable[..., Awaitable[AuthorizeResult]]:
    if deps.workspaces is None:
        return authorizer(deps.client)
    workspaces = deps.workspaces

    async def authorize(  # a function: Bolt would hand a bound method its `self` once more
        enterprise_id: str | None, team_id: str | None, user_id: str | None
    ) -> AuthorizeResult | None:
        return await workspaces.authorize(enterprise_id, team_id, user_id)

    return authorize  # type: ignore[return-value] # None is how Bolt hears "not installed"


def _forget_leavers(app: AsyncApp, workspaces: Workspaces) -> None:
    """A workspace that uninstalls the app, or revokes its token, leaves nothing of it here."""

    async def gone(context: AsyncBoltContext) -> None:
        await workspaces.forget(context.enterprise_id or "", context.team_id or "")

    async def revoked(context: AsyncBoltContext, event: dict[str, Any]) -> None:
        if (event.get("tokens") or {}).get("bot"):
            await gone(context)

    app.event("app_uninstalled")(gone)
    app.event("tokens_revoked")(revoked)


def authorizer(client: AsyncWebClient) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Bolt's `authorize`: who we are is asked once, so that no delivery waits for the network after the first.

    The function raises `NotStoredError` when Slack does not tell: Bolt would acknowledge the event after its
    own error message, and it would be lost.
    """
    known: list[AuthorizeResult] = []
    asking = asyncio.Lock()

    async def authorize(
        enterprise_id: str | None, team_id: str | None, user_id: str | None
    ) -> AuthorizeResult:
        async with asking:
            if not known:
                known.append(await _identity(client))
        me = known[0]
        return AuthorizeResult(
            enterprise_id=enterprise_id or me.enterprise_id,
            team_id=team_id or me.team_id,
            bot_user_id=me.bot_user_id,
            bot_id=me.bot_id,
            bot_token=client.token,
            user_id=user_id,
            url=me.url,
        )

    return authorize


async def _identity(client: AsyncWebClient) -> AuthorizeResult:
    try:
        told = await client.auth_test()
    except SlackApiError as error:
        log.warning("slack_identity_unknown", error=understood(error).code)
        raise NotStoredError from None
    return AuthorizeResult(
        enterprise_id=told.get("enterprise_id"),
        team_id=told.get("team_id"),
        bot_user_id=told.get("user_id"),
        bot_id=told.get("bot_id"),
        url=told.get("url"),
    )


async def _failed(error: Exception, body: dict[str, object]) -> BoltResponse:
    """Anything that goes wrong here: 503 over HTTP and silence over the socket, so that Slack delivers again."""
    event_id = str(body.get("event_id") or "")
    if isinstance(error, NotStoredError):
        log.warning("delivery_refused", event_id=event_id)
    else:
        log.error("delivery_failed", event_id=event_id, exc_info=error)
    return BoltResponse(status=503, body="")
