"""Tokens of the configured OIDC issuer (OpenID Connect Core 1.0, RFC 9068), checked by its published keys.

Keys are read at most once a minute, so that a token with an unknown key cannot make us ask the issuer for each
request. Only asymmetric algorithms count: `none`, and a public key used as a secret, do not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import cache

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bot.web.identity import ROLES, Principal
from bot.web.settings import WebSettings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
FRESH_S = 60.0
LEEWAY_S = 60
log = structlog.get_logger()


class Issuer:
    """What the issuer publishes: its addresses and keys."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._lock = threading.Lock()
        self._read_at = -FRESH_S
        self._about: Mapping[str, str] = {}
        self._keys: KeySet | None = None

    def endpoint(self, name: str) -> str:
        """An address from the issuer's configuration; empty while it gives no answer."""
        self._refresh()
        return str(self._about.get(name, ""))

    def claims(self, token: str, audience: str) -> Mapping[str, object] | None:
        """The claims of a token that the issuer made for this audience and that is valid now."""
        self._refresh()
        if self._keys is None:
            return None
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._about.get("issuer", "")},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            read = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            rules.validate(read.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.info("token_refused", why=type(error).__name__)
            return None
        return read.claims

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() - self._read_at < FRESH_S:
                return
            self._read_at = time.monotonic()
            try:
                with httpx.Client(timeout=5, follow_redirects=False) as http:
                    about = http.get(f"{self.url}/.well-known/openid-configuration").json()
                    if str(about["issuer"]).rstrip("/") != self.url:
                        log.error("oidc_issuer_differs", configured=self.url)
                        return
                    keys = KeySet.import_key_set(http.get(about["jwks_uri"]).json())
            except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
                log.warning("oidc_issuer_gives_no_answer", error=type(error).__name__)
                return
            self._about, self._keys = about, keys


@cache
def issuer(url: str) -> Issuer:
    """One for the process."""
    return Issuer(url)


def person_of(settings: WebSettings, token: str) -> Principal | None:
    """Who sends this bearer token; None when it is not right."""
    audience = settings.oidc_audience or settings.oidc_client_id
    claims = issuer(settings.oidc_issuer).claims(token, audience)
    return None if claims is None else principal(settings, claims, "jwt")


def principal(settings: WebSettings, claims: Mapping[str, object], how: str) -> Principal | None:
    """The person that claims are about, with the best of their roles; None without any."""
    said = claims.get(settings.oidc_role_claim)
    named = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
    roles = [role for role in ("admin", "responder", "viewer") if role in named]
    role = roles[0] if roles else settings.oidc_default_role
    if role not in ROLES:
        return None
    return Principal(str(claims.get("email") or claims["sub"])[:200], ROLES[role], how)
