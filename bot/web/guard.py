"""What every request passes first: sizes, times, headers, the measuring. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web import problems

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
Measured = Callable[[Scope, int, float], None]


class _RefusedError(HTTPException):
    """FastAPI lets its own kind of error through where it reads bodies, and no other."""


class Guard:
    """Outermost of the application.

    Args:
        hosts: names that requests may be for (against DNS rebinding where nobody signs in); empty: any.
        measured: told of each finished request: scope, status, seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        body_s: float,
        secure: bool,
        hosts: frozenset[str],
        measured: Measured,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._body_s = body_s
        self._hosts = hosts
        self._measured = measured
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500
        started = False

        async def answer(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, int(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(Headers(scope=scope))
            await self._app(scope, self._limited(receive), answer)
        except _RefusedError as refused:
            if not started:
                told = problems.response(
                    refused.status_code, str(refused.detail), headers={"Connection": "close"}
                )
                await told(scope, receive, answer)
        finally:
            self._measured(scope, status, time.monotonic() - begun)

    def _check(self, headers: Headers) -> None:
        host = headers.get("host", "").rsplit(":", 1)[0] if "host" in headers else ""
        if self._hosts and host not in self._hosts:
            raise _RefusedError(400, "This host name is not served here.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise _RefusedError(400, "Content-Length is not a number.")
        if int(length) > self._max_bytes:
            raise _RefusedError(413, f"A request may have {self._max_bytes:,} bytes at most.")

    def _limited(self, receive: Receive) -> Receive:
        seen, whole = 0, False
        deadline = time.monotonic() + self._body_s

        async def bounded() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise _RefusedError(408, "The request's body took too long to arrive.") from None
            seen += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if seen > self._max_bytes:
                raise _RefusedError(413, f"A request may have {self._max_bytes:,} bytes at most.")
            return message

        return bounded
