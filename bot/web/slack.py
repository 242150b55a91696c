"""Slack's route, and the pages to install the app by OAuth.

Bolt checks signatures and refuses what is older than five minutes
(https://docs.slack.dev/authentication/verifying-requests-from-slack). A request is answered when what it asks for is
stored, and with 503 when it could not be, so that Slack delivers it again.
"""

from __future__ import annotations

import html
from typing import Protocol

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp

LARGEST = 1_048_576
"""Bytes of one request. Slack's own are far smaller."""
STATE_COOKIE = "incident_responder_install"
STATE_S = 600


class Install(Protocol):
    """Installing the Slack app (`bot.slack.oauth`)."""

    async def start(self) -> tuple[str, str]: ...
    async def finish(self, code: str, state: str, remembered: str) -> str: ...


def slack_web(slack: AsyncApp, install: Install | None = None) -> FastAPI:
    """An application with nothing but Slack's routes."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(slack_routes(slack, install))

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok")

    return app


def slack_routes(slack: AsyncApp, install: Install | None = None) -> APIRouter:
    """`/slack/events`, and with `install` also `/slack/install` and `/slack/oauth_redirect`."""
    router = APIRouter(prefix="/slack", include_in_schema=False)
    handler = AsyncSlackRequestHandler(slack)

    @router.post("/events")
    async def events(request: Request) -> Response:
        if await _too_large(request):
            return PlainTextResponse("too large", status_code=413)
        return await handler.handle(request)

    if install is not None:
        _install(router, install)
    return router


async def _too_large(request: Request) -> bool:
    """Read the body, but not more than a bounded amount; it is kept for whoever reads it next."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST:
        return True
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST:
            return True
        chunks.append(chunk)
    request._body = b"".join(chunks)  # noqa: SLF001 - where Starlette keeps a body that was read
    return False


def _install(router: APIRouter, install: Install) -> None:
    @router.get("/install")
    async def start(request: Request) -> RedirectResponse:
        url, state = await install.start()
        answer = RedirectResponse(url, status_code=302)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            STATE_COOKIE, state, max_age=STATE_S, httponly=True, samesite="lax", secure=secure
        )
        return answer

    @router.get("/oauth_redirect")
    async def finish(
        request: Request, code: str = "", state: str = "", error: str = ""
    ) -> HTMLResponse:
        remembered = request.cookies.get(STATE_COOKIE, "")
        problem = "The installation was cancelled."
        if not error:
            problem = await install.finish(code[:500], state[:200], remembered[:200])
        words = problem or "Installed. Invite the bot to a channel, then type /investigate help."
        page = f"<!doctype html><title>Incident Responder</title><p>{html.escape(words)}</p>"
        answer = HTMLResponse(page, status_code=400 if problem else 200)
        answer.delete_cookie(STATE_COOKIE)
        return answer
