"""Who holds which token: the app of this workspace, and what OAuth has handed out.

Flow: https://docs.slack.dev/authentication/installing-with-oauth ; rotation:
https://docs.slack.dev/authentication/using-token-rotation (twelve hours, one refresh for each token).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bot.sandbox import state
from bot.sandbox.errors import DriverError, Json, SlackError
from bot.sandbox.signed_http import LOOPBACK
from bot.sandbox.store import Store

CODE_LIVES_S = 600.0
TOKEN_LIVES_S = 43_200.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """The secrets of the app, made on the first day and kept with the workspace."""

    bot: str
    app: str
    signing_secret: str
    client_id: str
    client_secret: str


@dataclass(slots=True)
class _Code:
    team: str
    redirect_uri: str
    expires: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class _Grant:
    team: str
    expires: float | None = None


class Installs:
    """Hands out codes and tokens and knows the team behind each token.

    Teams beside the first one share its channels and people: enough to see that the right token was used,
    not a second workspace.
    """

    def __init__(self, tokens: Tokens, now: Callable[[], float]) -> None:
        self.tokens = tokens
        self.rotate = False
        """Whether new tokens expire and can be refreshed."""
        self._now = now
        self._codes: dict[str, _Code] = {}
        self._grants: dict[str, _Grant] = {
            tokens.bot: _Grant(state.TEAM_ID),
            tokens.app: _Grant(state.TEAM_ID),
        }
        self._refreshes: dict[str, str] = {}

    def approve(self, team: str, redirect_uri: str, given_state: str) -> str:
        """A person agrees to the installation; returns where their browser is sent.

        Raises:
            DriverError: the redirect does not lead to this machine.
        """
        if urlsplit(redirect_uri).hostname not in LOOPBACK:
            raise DriverError("redirect_uri must lead to this machine")
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(team, redirect_uri, self._now() + CODE_LIVES_S)
        return f"{redirect_uri}?{urlencode({'code': code, 'state': given_state})}"

    def exchange(self, given: Json) -> Json:
        """`oauth.v2.access`: a code, or a refresh token, for a token.

        Raises:
            SlackError: `invalid_client_id`, `bad_client_secret`, `invalid_code`, `code_already_used`,
                `bad_redirect_uri` or `invalid_refresh_token`.
        """
        if given.get("client_id") != self.tokens.client_id:
            raise SlackError("invalid_client_id")
        if given.get("client_secret") != self.tokens.client_secret:
            raise SlackError("bad_client_secret")
        if given.get("grant_type") == "refresh_token":
            team = self._refreshes.pop(str(given.get("refresh_token")), None)
            if team is None:
                raise SlackError("invalid_refresh_token")
            return self._granted(team)
        return self._granted(self._redeemed(given))

    def team(self, token: str) -> str:
        """The team behind a token.

        Raises:
            SlackError: `not_authed`, `invalid_auth` or `token_expired`.
        """
        if not token:
            raise SlackError("not_authed")
        grant = self._grants.get(token)
        if grant is None:
            raise SlackError("invalid_auth")
        if grant.expires is not None and self._now() >= grant.expires:
            raise SlackError("token_expired")
        return grant.team

    def revoke(self, token: str) -> None:
        """Forget a token."""
        self._grants.pop(token, None)

    def _redeemed(self, given: Json) -> str:
        code = self._codes.get(str(given.get("code")))
        if code is None or self._now() > code.expires:
            raise SlackError("invalid_code")
        if code.used:
            raise SlackError("code_already_used")
        if given.get("redirect_uri") not in (None, code.redirect_uri):
            raise SlackError("bad_redirect_uri")
        code.used = True
        return code.team

    def _granted(self, team: str) -> Json:
        prefix = "xoxe.xoxb-1-" if self.rotate else "xoxb-"
        token = prefix + secrets.token_hex(18)
        self._grants[token] = _Grant(team, self._now() + TOKEN_LIVES_S if self.rotate else None)
        answer: Json = {
            "access_token": token,
            "token_type": "bot",
            "bot_user_id": state.BOT_USER_ID,
            "app_id": state.APP_ID,
            "team": {"id": team, "name": "Local Slack" if team == state.TEAM_ID else team},
            "enterprise": None,
            "authed_user": {"id": "U0ALICE00"},
            "is_enterprise_install": False,
        }
        if self.rotate:
            refresh = f"xoxe-1-{secrets.token_hex(18)}"
            self._refreshes[refresh] = team
            answer |= {"refresh_token": refresh, "expires_in": int(TOKEN_LIVES_S)}
        return answer


def tokens_of(store: Store) -> Tokens:
    """The secrets of a workspace, made when it has none yet."""
    kept = dict(store.items("meta")).get("tokens")
    if kept is None:
        number = secrets.randbelow(10**12)
        kept = {
            "bot": f"xoxb-{number}-{secrets.token_hex(12)}",
            "app": f"xapp-1-{state.APP_ID}-{number}-{secrets.token_hex(12)}",
            "signing_secret": secrets.token_hex(16),
            "client_id": f"{number}.{secrets.randbelow(10**12)}",
            "client_secret": secrets.token_hex(16),
        }
        store.put("meta", "tokens", kept)
    return Tokens(**kept)
