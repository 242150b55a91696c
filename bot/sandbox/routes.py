"""The HTTP face: Web API, sockets, response URLs, files, the page, and the driver for other processes."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from bot.sandbox import state
from bot.sandbox.errors import DriverError, Json, SlackError
from bot.sandbox.methods import files
from bot.sandbox.methods.desk import Desk
from bot.sandbox.page import routes as page
from bot.sandbox.signed_http import LOOPBACK
from bot.sandbox.socket_mode import SocketMode
from bot.sandbox.web_api import WebApi

if TYPE_CHECKING:
    from bot.sandbox.server import LocalSlack

LARGEST_BODY = 64 * 1024 * 1024
_SHOWN = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "text/markdown"}
)
DRIVER = frozenset(
    [
        "archive",
        "calls",
        "click",
        "click_home",
        "click_view",
        "close_view",
        "create_channel",
        "delete",
        "deliver_to",
        "disconnect",
        "edit",
        "edit_as_bot",
        "environment",
        "ephemerals",
        "home",
        "inject",
        "invite",
        "mention",
        "messages",
        "open_home",
        "post",
        "post_as_bot",
        "press_stop",
        "react",
        "reactions",
        "remove",
        "revoke",
        "run_function",
        "send_event",
        "shortcut",
        "slash",
        "status",
        "submit_view",
        "transcript",
        "uninstall",
        "upload",
        "views",
    ]
)
"""The driver's methods that `/_fake/{name}` offers."""


def build(slack: LocalSlack, api: WebApi, socket: SocketMode, desk: Desk) -> web.Application:
    """The application that serves one workspace."""
    application = web.Application(client_max_size=LARGEST_BODY, middlewares=[_only_local])
    application.router.add_route("*", "/api/{method}", api.serve)
    application.router.add_get("/link/", socket.serve)
    application.router.add_get("/oauth/v2/authorize", partial(_authorise, desk))
    application.router.add_post("/upload/{key}", partial(files.receive, desk))
    application.router.add_get("/files/{id}", partial(_file, desk))
    application.router.add_post("/response/{key}", _response(slack, desk))
    application.router.add_post("/_fake/{name}", _drive(slack))
    application.router.add_get("/_fake/changes", _changes(slack))
    page.add(application, slack, desk)
    return application


@web.middleware
async def _only_local(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse names that only pretend to be this machine (DNS rebinding)."""
    host = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    if host.strip("[]") not in LOOPBACK and request.host not in LOOPBACK:
        return web.Response(status=403, text="loopback only")
    return await handler(request)


def _response(
    slack: LocalSlack, desk: Desk
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            target = desk.triggers.target(request.match_info["key"])
        except SlackError as refused:
            return web.Response(status=404, text=refused.code)
        try:
            given = await request.json()
            slack.respond(target, given if isinstance(given, dict) else str(given))
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        except SlackError as refused:
            return web.json_response(
                refused.answer(), status=400 if refused.code == "no_text" else 200
            )
        return web.Response(text="ok")

    return respond


async def _authorise(desk: Desk, request: web.Request) -> web.StreamResponse:
    query = request.query
    if query.get("client_id") != desk.installs.tokens.client_id:
        return web.Response(status=400, text="invalid_client_id")
    try:
        where = desk.installs.approve(
            query.get("team") or state.TEAM_ID,
            query.get("redirect_uri", ""),
            query.get("state", ""),
        )
    except DriverError as refused:
        return web.Response(status=400, text=str(refused))
    return web.Response(status=302, headers={"Location": where})


async def _file(desk: Desk, request: web.Request) -> web.StreamResponse:
    file = desk.workspace.files.get(request.match_info["id"])
    if file is None or not file.complete:
        return web.Response(status=404, text="file_not_found")
    inline = file.mimetype in _SHOWN and "download" not in request.query
    headers = {
        "Content-Type": file.mimetype if inline else "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    if not inline:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    return web.Response(body=file.content, headers=headers)


def _drive(slack: LocalSlack) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def drive(request: web.Request) -> web.StreamResponse:
        # A page of another origin cannot send this content type without asking first, and nobody says yes.
        if request.content_type != "application/json":
            return _refused("send JSON with Content-Type: application/json", 415)
        name = request.match_info["name"]
        if name not in DRIVER:
            return _refused(f"no action {name!r}; there are {', '.join(sorted(DRIVER))}", 404)
        try:
            given = await request.json()
            result = await _called(getattr(slack, name), given)
        except (DriverError, SlackError, ValueError, TypeError, KeyError) as refused:
            return _refused(str(refused), 400)
        return web.json_response({"ok": True, "result": result})

    return drive


async def _called(method: Callable[..., Any], given: Json) -> object:
    arguments = inspect.signature(method).bind(**given)
    result = method(*arguments.args, **arguments.kwargs)
    return await result if inspect.isawaitable(result) else result


def _refused(text: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": text}, status=status)


def _changes(slack: LocalSlack) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def changes(request: web.Request) -> web.StreamResponse:
        try:
            since = int(request.query.get("since", "-1"))
            wait_s = min(float(request.query.get("wait", "25")), 25.0)
        except ValueError:
            return _refused("since and wait are numbers", 400)
        if slack.workspace.version <= since:
            await slack.change_within(wait_s)
        return web.json_response(
            {"ok": True, "version": slack.workspace.version, "connected": slack.connected}
        )

    return changes
