"""Socket Mode: the app dials in, payloads travel down the WebSocket, acknowledgements come back.

Wire format: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.sandbox import state
from bot.sandbox.delivery import ACK_WITHIN_S, Reply, Try
from bot.sandbox.errors import Json
from bot.sandbox.timers import Timers

MOST_CONNECTIONS = 10


@dataclass(eq=False, slots=True)
class _Connection:
    socket: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[Reply]] = field(default_factory=dict)

    def acknowledge(self, answer: Json) -> None:
        waiting = self.waiting.pop(str(answer.get("envelope_id")), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(Reply(answer.get("payload")))

    def lost(self) -> None:
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_result(Reply(failed="connection_failed"))
        self.waiting.clear()


class SocketMode:
    """Up to ten connections; each payload goes down one of them, in turn."""

    def __init__(self, timers: Timers) -> None:
        self.everywhere = False
        """Whether each event goes down every socket, not one of them."""
        self.on_change: Callable[[], None] = lambda: None
        self._timers = timers
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = 0

    @property
    def connected(self) -> int:
        """How many sockets are open."""
        return len(self._connections)

    def open_path(self) -> str:
        """The path of a WebSocket address that works once."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"/link/?ticket={ticket}&app_id={state.APP_ID}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until either side closes it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        if self.connected >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = _Connection(socket)
        self._connections.append(connection)
        self.on_change()
        try:
            await self._hello(connection)
            await _read(connection)
        finally:
            self._connections.remove(connection)
            connection.lost()
            self.on_change()
        return socket

    async def attempt(self, one: Try) -> Reply:
        """Send one envelope and wait for its acknowledgement."""
        if not self._connections:
            return Reply(failed="connection_failed")
        if self.everywhere and one.kind == "events_api":
            replies = await asyncio.gather(
                *(self._send(one, each) for each in list(self._connections))
            )
            return next((reply for reply in replies if not reply.failed), replies[0])
        connection = self._connections[self._turn % self.connected]
        self._turn += 1
        return await self._send(one, connection)

    async def _send(self, one: Try, connection: _Connection) -> Reply:
        envelope_id = secrets.token_hex(16)
        envelope: Json = {"envelope_id": envelope_id, "type": one.kind, "payload": one.payload}
        envelope["accepts_response_payload"] = one.kind != "events_api"
        if one.kind == "events_api":
            envelope |= {"retry_attempt": one.attempt, "retry_reason": one.reason}
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = waiting
        try:
            await connection.socket.send_json(envelope)
        except ConnectionError:
            return Reply(failed="connection_failed")
        if await self._timers.within(waiting, ACK_WITHIN_S):
            return waiting.result()
        connection.waiting.pop(envelope_id, None)
        return Reply(failed="timeout")

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every app to dial again, as Slack does a few times a day. `warning` leaves the sockets open."""
        for connection in list(self._connections):
            await connection.socket.send_json({"type": "disconnect", "reason": reason})
            if reason != "warning":
                await connection.socket.close()

    async def close(self) -> None:
        """Close every socket."""
        for connection in list(self._connections):
            await connection.socket.close()

    async def _hello(self, connection: _Connection) -> None:
        hello: Json = {"type": "hello", "num_connections": self.connected}
        hello["connection_info"] = {"app_id": state.APP_ID}
        hello["debug_info"] = {"host": "local", "approximate_connection_time": 18060}
        await connection.socket.send_json(hello)


async def _read(connection: _Connection) -> None:
    async for message in connection.socket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            answer = json.loads(message.data)
        except ValueError:
            continue
        if isinstance(answer, dict):
            connection.acknowledge(answer)
