"""Whether Slack accepts the configured tokens, asked before anything is opened."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ConfigError
from bot.slack.refusals import understood

REFUSED = {
    "invalid_auth": "is not accepted by Slack: copy it again from the app's settings",
    "account_inactive": "belongs to a removed user or workspace: install the app again",
    "token_revoked": "was revoked: install the app again and copy the new one",
    "token_expired": "has expired: copy the new one",
    "not_authed": "is empty",
    "not_allowed_token_type": "is of the wrong kind",
    "missing_scope": "lacks a scope: install the app again from manifest.yml",
}


async def check_tokens(client: AsyncWebClient, app_token: str) -> str:
    """Ask Slack whether it accepts both tokens; returns who we are there.

    Raises:
        ConfigError: naming each refused token and what to do.
    """
    problems, who = [], ""
    try:
        told = await client.auth_test()
        who = f"@{told.get('user')} in {told.get('team')}"
    except SlackApiError as error:
        problems.append(f"SLACK_BOT_TOKEN {_refusal(error)}")
    except (TimeoutError, OSError):
        raise ConfigError(
            [f"{client.base_url} does not answer: check the network or SLACK_API_URL"]
        ) from None
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        problems.append(f"SLACK_APP_TOKEN {_refusal(error)}")
    if problems:
        raise ConfigError(problems)
    return who


def _refusal(error: SlackApiError) -> str:
    code = understood(error).code
    return REFUSED.get(code, f"was refused by Slack ({code})")
