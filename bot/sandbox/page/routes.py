"""The page's addresses."""

from __future__ import annotations

import asyncio
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sandbox.errors import DriverError
from bot.sandbox.methods.desk import Desk
from bot.sandbox.page.messages import names_of
from bot.sandbox.page.screen import HOME, Screen
from bot.sandbox.page.words import flat, markdown

if TYPE_CHECKING:
    from bot.sandbox.server import LocalSlack

_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TYPES = {"page.css": "text/css", "page.js": "text/javascript"}
HEARTBEAT_S = 15.0
SETTLE_S = 0.04
"""Changes within this time reach the page together."""


def add(application: web.Application, slack: LocalSlack, desk: Desk) -> None:
    """Add the page to the application."""
    routes = application.router
    routes.add_get("/", _shell)
    routes.add_get("/archives/{channel}/{message}", _shell)
    routes.add_get("/static/{name}", _static)
    routes.add_get("/page/state", partial(_state, desk))
    routes.add_get("/page/events", partial(_events, slack))
    routes.add_get("/canvas/{id}", partial(_canvas, desk))


async def _shell(_request: web.Request) -> web.Response:
    return _html(_resource("page.html"))


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _TYPES:
        return web.Response(status=404)
    return web.Response(text=_resource(name), content_type=_TYPES[name], headers=_SECURITY)


async def _state(desk: Desk, request: web.Request) -> web.Response:
    workspace = desk.workspace
    try:
        viewer = workspace.find_user(request.query.get("as") or "alice")
        reference = request.query.get("channel") or "alerts"
        channel = None if reference == HOME else workspace.find_channel(reference)
    except DriverError as refused:
        return web.json_response({"error": str(refused)}, status=404)
    if channel is not None and viewer.id not in channel.members:
        channel = (
            workspace.direct(viewer) if channel.kind == "im" else workspace.find_channel("alerts")
        )
    parts = Screen(workspace, desk.modals, viewer).parts(channel, request.query.get("thread", ""))
    return web.json_response(parts | {"version": workspace.version}, headers=_SECURITY)


async def _events(slack: LocalSlack, request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await stream.prepare(request)
    sent = -1
    try:
        while True:
            version = slack.workspace.version
            await stream.write(
                f"data: {version}\n\n".encode() if version != sent else b": still here\n\n"
            )
            sent = version
            await asyncio.sleep(SETTLE_S)
            if slack.workspace.version == sent:
                await slack.change_within(HEARTBEAT_S)
    except ConnectionError:
        return stream


async def _canvas(desk: Desk, request: web.Request) -> web.Response:
    canvas = desk.workspace.canvases.get(request.match_info["id"])
    if canvas is None:
        return web.Response(status=404, text="canvas_not_found")
    words = markdown(canvas.markdown, names_of(desk.workspace))
    title = flat(canvas.title or "Canvas")
    return _html(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="/static/page.css"><body class="canvas"><main><h1>{title}</h1>{words}</main>'
    )


def _html(page: str) -> web.Response:
    return web.Response(text=page, content_type="text/html", headers=_SECURITY)


def _resource(name: str) -> str:
    return files("bot.sandbox.page").joinpath("static", name).read_text("utf-8")
