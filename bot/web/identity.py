"""Who asks: an API key, the admin token, a token of the OIDC issuer, or a signed-in browser; and what they may do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from bot.web.deps import Door, WebDeps
from bot.web.problems import ProblemError
from storage import access, audit

Scope = Literal["read", "write", "admin"]
ROLES: dict[str, tuple[Scope, ...]] = {
    "viewer": ("read",),
    "responder": ("read", "write"),
    "admin": ("read", "write", "admin"),
}
COOKIE = "ir_session"
KEY_PREFIX = "ir_"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Principal:
    """Somebody, and what they may do.

    Attributes:
        how: `key`, `token`, `jwt`, `session`, or `open` where nobody must sign in.
        csrf: what forms of this browser must carry; empty for others.
    """

    name: str
    scopes: tuple[Scope, ...]
    how: str
    csrf: str = ""

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


def new_key() -> str:
    """A key with 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def digest(pepper: bytes, secret: str) -> str:
    """What is stored of a secret: useless to whoever reads the database without the pepper."""
    return hmac.new(pepper, secret.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def identify(connection: HTTPConnection, deps: WebDeps) -> Principal | None:
    """Who it is; None when they have not said, or what they said is not right."""
    kind, _, value = connection.headers.get("authorization", "").partition(" ")
    if value:
        return by_bearer(deps, value.strip()) if kind.lower() == "bearer" else None
    cookie = connection.cookies.get(COOKIE)
    found = _session(deps, cookie) if cookie else None
    if found is None and deps.settings.open_access:
        return Principal("local", ROLES["admin"], "open", _csrf(deps, "local"))
    return found


def by_bearer(deps: WebDeps, value: str) -> Principal | None:
    if len(value) > 8_000:
        return None
    token = deps.settings.admin_token.get_secret_value()
    if token and hmac.compare_digest(token.encode(), value.encode("utf-8", "replace")):
        return Principal("admin token", ROLES["admin"], "token")
    if value.startswith(KEY_PREFIX):
        return _key(deps, value)
    if deps.settings.oidc_issuer:
        from bot.web.oidc import person_of

        return person_of(deps.settings, value)
    return None


def _key(deps: WebDeps, value: str) -> Principal | None:
    with deps.db.read() as session:
        now = deps.db.now(session)
        key = access.key_of(session, digest(deps.pepper, value), now)
    if key is None:
        return None
    if key.used_at is None or now - key.used_at > access.USED_EVERY:
        with deps.db.write() as session:
            access.key_used(session, key.id, now)
    return Principal(f"key {key.id} ({key.name})", _scopes(key.scopes), "key")


def _session(deps: WebDeps, cookie: str) -> Principal | None:
    stored = digest(deps.pepper, cookie)
    with deps.db.read() as session:
        found = access.session_of(session, stored, deps.db.now(session))
    if found is None:
        return None
    return Principal(found.person, _scopes(found.scopes), "session", _csrf(deps, cookie))


def _csrf(deps: WebDeps, secret: str) -> str:
    return digest(deps.pepper, f"csrf:{secret}")


def _scopes(text: str) -> tuple[Scope, ...]:
    return tuple(scope for scope in ROLES["admin"] if scope in text.split())


def same_origin(connection: HTTPConnection, deps: WebDeps) -> bool:
    """Whether a browser says that the request comes from our own pages. Other clients say nothing, and carry keys."""
    if connection.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    ours = {f"{connection.url.scheme}://{connection.headers.get('host', '')}"}
    if deps.settings.url:
        parts = urlsplit(deps.settings.url)
        ours.add(f"{parts.scheme}://{parts.netloc}")
    return origin in {one.replace("ws", "http", 1) if one.startswith("ws") else one for one in ours}


def authorise(connection: HTTPConnection, deps: WebDeps, scope: Scope, method: str) -> Principal:
    """Who it is, if they may.

    Raises:
        ProblemError: 401 or 403.
    """
    who = identify(connection, deps)
    if who is None:
        raise ProblemError(
            401, "Sign in, or send a key as a bearer token.", headers={"WWW-Authenticate": "Bearer"}
        )
    by_cookie = who.how in {"session", "open"}
    if by_cookie and method not in SAFE and not same_origin(connection, deps):
        raise ProblemError(403, "The request comes from another site.", code="cross_site")
    if not who.may(scope):
        note(deps, who, f"{method} {connection.url.path}"[:200], allowed=False)
        raise ProblemError(403, f"This needs the right to {scope}.")
    return who


def need(scope: Scope) -> Callable[[Request, WebDeps], Principal]:
    """A dependency: only those who have the scope come through."""

    def check(request: Request, deps: Door) -> Principal:
        who = authorise(request, deps, scope, request.method)
        request.state.principal = who.name
        return who

    return check


Reader = Annotated[Principal, Depends(need("read"))]
Responder = Annotated[Principal, Depends(need("write"))]
Admin = Annotated[Principal, Depends(need("admin"))]


def note(
    deps: WebDeps, who: Principal, action: str, *, subject: str = "", allowed: bool = True
) -> None:
    """Into the audit log."""
    with deps.db.write() as session:
        audit.note(
            session,
            deps.settings.workspace,
            f"web:{who.name}",
            action,
            deps.db.now(session),
            allowed=allowed,
            subject=subject,
        )
