"""How deliveries reach the app: a socket to Slack, or a port that Slack reaches."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from starlette.types import ASGIApp
from typing_extensions import override

from bot.errors import ConfigError


class Serving(Protocol):
    """Begins and ceases to take deliveries."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class BySocket:
    """Socket Mode: nothing has to be reachable."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        self._handler = AsyncSocketModeHandler(app, app_token)

    async def start(self) -> None:
        """Connect; the connection renews itself."""
        await self._handler.connect_async()  # type: ignore[no-untyped-call]

    async def stop(self) -> None:
        """Disconnect."""
        await self._handler.close_async()  # type: ignore[no-untyped-call]


class ByHttp:
    """Signed HTTP, served in this process's loop.

    Args:
        app: the web application with Slack's route.
        port: 0 takes a free one, see `port`.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._address = (host, port)
        self._server = _Quiet(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        )
        self._serving: asyncio.Task[None] | None = None
        self.port = port

    async def start(self) -> None:
        """Return when requests are taken.

        Raises:
            ConfigError: the port cannot be opened.
        """
        try:
            listening = socket.create_server(self._address, backlog=2_048)
        except OSError as error:
            where = "BOT_SLACK_HTTP_HOST, BOT_SLACK_HTTP_PORT"
            raise ConfigError([f"{where}: cannot listen there: {error.strerror}"]) from None
        self.port = int(listening.getsockname()[1])
        self._serving = asyncio.create_task(
            self._server.serve(sockets=[listening]), name="slack-http"
        )
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Finish what is being answered and close the port."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


class _Quiet(uvicorn.Server):
    """Leaves signals to whoever started us."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
