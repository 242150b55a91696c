"""Browsers sign in at the configured issuer: authorization code with PKCE, state and nonce (OpenID Connect Core 3.1).

What has to be remembered until the browser is back is in a cookie that we have sealed; nothing is stored for those who
never come back.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from bot.web.deps import Door, WebDeps
from bot.web.identity import digest
from bot.web.limits import GateOf
from bot.web.oidc import Issuer, issuer, principal
from bot.web.pages.routes import SEE_OTHER, signed_in
from bot.web.problems import ProblemError

router = APIRouter(include_in_schema=False)
log = structlog.get_logger()
COOKIE = "ir_oidc"
WAIT_S = 600
FAILED = "Signing in did not work; begin again from the sign-in page."


@router.get("/login/oidc")
def leave(request: Request, deps: Door, gate: GateOf) -> Response:
    """Send the browser to the issuer."""
    gate.sign_in(request)
    endpoint = _issuer(deps).endpoint("authorization_endpoint")
    if not endpoint:
        raise ProblemError(503, "The sign-in service gives no answer; try again soon.")
    kept = {name: secrets.token_urlsafe(48) for name in ("state", "nonce", "verifier")}
    kept["until"] = str(int(time.time()) + WAIT_S)
    with _client(request, deps) as client:
        url, _ = client.create_authorization_url(
            endpoint, state=kept["state"], nonce=kept["nonce"], code_verifier=kept["verifier"]
        )
    answer = RedirectResponse(url, SEE_OTHER)
    secure = deps.settings.url.startswith("https://")
    answer.set_cookie(
        COOKIE,
        _sealed(deps, kept),
        max_age=WAIT_S,
        httponly=True,
        samesite="lax",
        secure=secure,
        path="/login",
    )
    return answer


@router.get("/login/callback")
def back(
    request: Request,
    deps: Door,
    gate: GateOf,
    code: Annotated[str, Query(max_length=4_000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Take the browser back from the issuer."""
    gate.sign_in(request)
    kept = _opened(deps, request.cookies.get(COOKIE, ""))
    if not code or not hmac.compare_digest(kept.get("state", "-").encode(), state.encode()):
        raise ProblemError(403, FAILED, code="bad_state")
    try:
        with _client(request, deps) as client:
            token = client.fetch_token(
                _issuer(deps).endpoint("token_endpoint"), code=code, code_verifier=kept["verifier"]
            )
    except (AuthlibBaseError, httpx.HTTPError, ValueError) as error:
        log.warning("oidc_exchange_failed", error=type(error).__name__)
        raise ProblemError(403, FAILED) from None
    claims = _issuer(deps).claims(str(token.get("id_token", "")), deps.settings.oidc_client_id)
    if claims is None or claims.get("nonce") != kept["nonce"]:
        raise ProblemError(403, FAILED)
    who = principal(deps.settings, claims, "session")
    if who is None:
        raise ProblemError(403, "You have no role here; ask whoever runs this bot.")
    answer = signed_in(deps, who)
    answer.delete_cookie(COOKIE, path="/login")
    return answer


def _issuer(deps: WebDeps) -> Issuer:
    if not (deps.settings.oidc_issuer and deps.settings.oidc_client_id):
        raise ProblemError(404, "Signing in by OIDC is not configured.")
    return issuer(deps.settings.oidc_issuer)


def _client(request: Request, deps: WebDeps) -> OAuth2Client:
    settings = deps.settings
    base = settings.url.rstrip("/") or str(request.base_url).rstrip("/")
    return OAuth2Client(
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        scope="openid email profile",
        redirect_uri=f"{base}/login/callback",
        code_challenge_method="S256",
        timeout=10,
    )


def _sealed(deps: WebDeps, kept: dict[str, str]) -> str:
    text = urlsafe_b64encode(json.dumps(kept).encode()).decode()
    return f"{text}.{digest(deps.pepper, f'oidc:{text}')}"


def _opened(deps: WebDeps, cookie: str) -> dict[str, str]:
    text, _, seal = cookie.rpartition(".")
    if not hmac.compare_digest(digest(deps.pepper, f"oidc:{text}").encode(), seal.encode()):
        return {}
    kept: dict[str, str] = json.loads(urlsafe_b64decode(text))
    return kept if int(kept["until"]) > time.time() else {}
