"""`/api/{method}`: reads a call as Slack reads it, checks who may, and answers as Slack answers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.faults import Fault, Faults, RateLimits
from bot.sandbox.methods import METHODS
from bot.sandbox.methods.desk import Args, Desk, Method

_JSON_ARGUMENTS = frozenset(
    [
        "attachments",
        "blocks",
        "changes",
        "chunks",
        "document_content",
        "files",
        "inputs",
        "loading_messages",
        "metadata",
        "outputs",
        "prompts",
        "unfurls",
        "view",
    ]
)
_FORMATS = {
    "blocks": "invalid_blocks_format",
    "metadata": "invalid_metadata_format",
    "chunks": "invalid_chunks",
}
_SCOPE_OF_KIND = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
MOST_RECORDED = 20_000


class WebApi:
    """Dispatches calls to their methods.

    The content type of a request is never trusted: the SDK sends JSON, forms, queries, and empty bodies
    that claim to be JSON.
    """

    def __init__(self, desk: Desk, limits: RateLimits | None) -> None:
        self.faults = Faults()
        self.recorded: deque[Json] = deque(maxlen=MOST_RECORDED)
        """`{"method", "args", "answer", "at", "team"}` of each call, oldest first."""
        self.revoked = ""
        """An error such as `token_revoked` that every call with the bot's token gets; "" for none."""
        self._desk = desk
        self._limits = limits

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        name = request.match_info["method"]
        try:
            given = await _arguments(request)
        except SlackError as refused:
            return web.json_response(refused.answer())
        token = _token(request, given)
        record: Json = {
            "method": name,
            "args": given,
            "answer": None,
            "team": "",
            "at": self._desk.workspace.now(),
        }
        self.recorded.append(record)
        fault = self.faults.due(name)
        if fault is not None and not fault.accept_then_drop:
            return await _struck(fault, record)
        status, answer, headers = self._answered(record, token)
        record["answer"] = answer
        self._desk.workspace.on_change()
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer, status=status, headers=headers)

    def call(self, name: str, given: Json, *, team: str = state.TEAM_ID, token: str = "") -> Json:
        """Do a call without the wire.

        Raises:
            SlackError: the call is refused.
        """
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        missing = [one for one in method.required if given.get(one) in (None, "")]
        if missing:
            raise SlackError(
                "invalid_arguments", messages=[f"missing required field: {one}" for one in missing]
            )
        return {"ok": True, **method.run(self._desk, Args(given, team, token))}

    def _answered(self, record: Json, token: str) -> tuple[int, Json, dict[str, str]]:
        name, given = record["method"], record["args"]
        try:
            method = METHODS.get(name)
            if method is not None and not method.anonymous:
                record["team"] = self._authorise(method, token, given)
                wait_s = (
                    self._limits.wait_s(name, method, str(given.get("channel")))
                    if self._limits
                    else 0
                )
                if wait_s:
                    return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait_s)}
            return 200, self.call(name, given, team=record["team"], token=token), {}
        except SlackError as refused:
            return 200, refused.answer(), {}

    def _authorise(self, method: Method, token: str, given: Json) -> str:
        installs = self._desk.installs
        team = installs.team(token)
        if (token == installs.tokens.app) is not method.app_token:
            raise SlackError("not_allowed_token_type")
        if self.revoked and not method.app_token:
            raise SlackError(self.revoked)
        scope = self._scope(method, given)
        granted = self._desk.workspace.app.scopes
        if scope and scope not in granted:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(granted)))
        return team

    def _scope(self, method: Method, given: Json) -> str:
        if not method.scope.startswith("*:"):
            return method.scope
        channel = self._desk.workspace.channels.get(str(given.get("channel")))
        return _SCOPE_OF_KIND[channel.kind if channel else "channel"] + method.scope[1:]


async def _struck(fault: Fault, record: Json) -> web.StreamResponse:
    if fault.hang:
        await asyncio.Event().wait()
    status = fault.status or (429 if fault.retry_after is not None else 200)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    code = fault.error or ("ratelimited" if status == 429 else "internal_error")
    record["answer"] = {"ok": False, "error": code, "injected": True}
    if status >= 500 and fault.error is None:
        return web.Response(
            status=status, text="<html>upstream connect error</html>", headers=headers
        )
    return web.json_response({"ok": False, "error": code}, status=status, headers=headers)


def _token(request: web.Request, given: Json) -> str:
    bearer = request.headers.get("Authorization", "")
    sent = given.pop("token", "")
    if bearer.startswith("Basic "):  # oauth.v2.access: the client's credentials
        with suppress(ValueError):
            plain = base64.b64decode(bearer.removeprefix("Basic ")).decode()
            given["client_id"], given["client_secret"] = plain.split(":", 1)
        return ""
    return bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else str(sent or "")


async def _arguments(request: web.Request) -> Json:
    given: Json = dict(request.query)
    if request.content_type == "multipart/form-data":
        fields = await request.post()
        given |= {name: value for name, value in fields.items() if isinstance(value, str)}
    else:
        given |= _body(await request.read())
    for name in _JSON_ARGUMENTS & given.keys():
        given[name] = _parsed(name, given[name])
    return {name: value for name, value in given.items() if value is not None}


def _body(raw: bytes) -> Json:
    text = raw.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            value = json.loads(text)
        except ValueError:
            raise SlackError("invalid_json") from None
        return value if isinstance(value, dict) else {}
    return dict(parse_qsl(text, keep_blank_values=True))


def _parsed(name: str, value: object) -> Any:  # noqa: ANN401 - whatever JSON the caller sent
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError:
        if name in ("loading_messages", "inputs"):
            return value
        raise SlackError(_FORMATS.get(name, "invalid_arguments")) from None
