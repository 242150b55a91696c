"""The local Slack as one object: start it, point the bot at it, do what people do, look at what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from bot.sandbox import routes, state
from bot.sandbox.app import AppConfig
from bot.sandbox.delivery import Delivery, Try
from bot.sandbox.driver import Driver
from bot.sandbox.errors import DriverError, Json
from bot.sandbox.events import Events
from bot.sandbox.faults import Fault, RateLimits
from bot.sandbox.installs import Installs, tokens_of
from bot.sandbox.interactions import Interactions
from bot.sandbox.methods.desk import Desk
from bot.sandbox.modals import Modals
from bot.sandbox.signed_http import LOOPBACK, SignedHttp
from bot.sandbox.socket_mode import SocketMode
from bot.sandbox.store import NoStore, SqliteStore, Store
from bot.sandbox.timers import Timers
from bot.sandbox.transcript import transcript
from bot.sandbox.triggers import Triggers
from bot.sandbox.web_api import WebApi
from bot.sandbox.workspace import Workspace

T = TypeVar("T")


def _utcnow() -> datetime:
    return datetime.now(UTC)


class LocalSlack(Driver):
    """A Slack workspace on this machine's loopback, spoken to by the unmodified SDK.

    Use it as an async context manager, all of it on one event loop. `Driver` has what people do.

    Args:
        port: where to listen; 0 is any free port.
        host: must be a loopback address.
        state_dir: keep the workspace in this folder across restarts, its tokens included.
        clock: aware time; with a clock of one's own, move it and call `tick()`.
        rate_limits: answer 429 as Slack's tiers do.

    Raises:
        DriverError: `host` is not loopback.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        state_dir: Path | None = None,
        clock: Callable[[], datetime] = _utcnow,
        rate_limits: bool = False,
    ) -> None:
        if host not in LOOPBACK:
            raise DriverError(f"the local Slack listens on loopback only, not on {host}")
        self._host, self._port = host, port
        self._timers = Timers(clock)
        self._store: Store = SqliteStore(state_dir) if state_dir else NoStore()
        workspace = Workspace(self._timers.now, self._store)
        self._tokens = tokens_of(self._store)
        workspace.bot_token = self._tokens.bot
        self._socket = SocketMode(self._timers)
        self._delivery = Delivery(self._socket, self._timers)
        triggers, modals = Triggers(self._timers.now), Modals(workspace)
        events = Events(workspace, self._delivery)
        workspace.on_event = events.happened
        workspace.on_change = self._socket.on_change = self._wake
        super().__init__(
            workspace, events, Interactions(workspace, triggers, modals, self._delivery), modals
        )
        installs = Installs(self._tokens, self._timers.now)
        self._desk = Desk(workspace, triggers, modals, self._socket, installs)
        self._api = WebApi(self._desk, RateLimits(self._timers.now) if rate_limits else None)
        self._waiting: set[asyncio.Future[None]] = set()
        self._runner: web.AppRunner | None = None
        self._clockwork: asyncio.Task[None] | None = None
        self.team_id = state.TEAM_ID
        self.bot_user_id = state.BOT_USER_ID

    # --- life ---

    async def start(self) -> None:
        """Listen. Raises: OSError: the port is taken."""
        application = routes.build(self, self._api, self._socket, self._desk)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.workspace.origin = self.page_url.rstrip("/")
        self._clockwork = asyncio.get_running_loop().create_task(self._timers.run())

    async def stop(self) -> None:
        """Hang up on everybody."""
        await self._delivery.stop()
        await self._socket.close()
        if isinstance(self._delivery.transport, SignedHttp):
            await self._delivery.transport.close()
        if self._clockwork is not None:
            self._clockwork.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        self._store.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # --- where it is ---

    @property
    def page_url(self) -> str:
        """The channel in a browser."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    @property
    def base_url(self) -> str:
        """The value for `SLACK_API_URL`."""
        return f"{self.page_url}api/"

    @property
    def bot_token(self) -> str:
        return self._tokens.bot

    @property
    def app_token(self) -> str:
        return self._tokens.app

    @property
    def signing_secret(self) -> str:
        return self._tokens.signing_secret

    @property
    def client_id(self) -> str:
        return self._tokens.client_id

    @property
    def client_secret(self) -> str:
        return self._tokens.client_secret

    def environment(self) -> dict[str, str]:
        """The variables with which the bot finds this Slack."""
        return {
            "SLACK_API_URL": self.base_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "SLACK_SIGNING_SECRET": self.signing_secret,
        }

    # --- how it behaves ---

    def use_manifest(self, manifest: Json) -> None:
        """Grant only the scopes, events, commands and shortcuts that this manifest asks for."""
        self.workspace.app = AppConfig.from_manifest(manifest)
        self._desk.installs.rotate = self.workspace.app.rotation

    async def deliver_to(self, url: str | None) -> None:
        """Send everything to this Request URL, signed, instead of over Socket Mode; None: back to sockets.

        Raises:
            DriverError: the URL is not on loopback, or does not answer Slack's challenge.
        """
        if isinstance(self._delivery.transport, SignedHttp):
            await self._delivery.transport.close()
        self._delivery.transport = self._socket
        if url is None:
            return
        transport = SignedHttp(url, self.signing_secret, self._timers)
        try:
            await transport.verify()
        except DriverError:
            await transport.close()
            raise
        self._delivery.transport = transport

    def inject(  # noqa: PLR0913 - the ways in which a call can fail
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        after: int = 0,
        times: int = 1,
        accept_then_drop: bool = False,
        hang: bool = False,
    ) -> None:
        """Let calls of `method` (`*`: any) fail.

        Args:
            method: for example `chat.postMessage`.
            error: answer `ok: false` with this code.
            status: answer with this HTTP status; 5xx without `error` has a body that is not JSON.
            retry_after: the seconds of `Retry-After`; alone it means a 429.
            after: let so many calls pass first.
            times: fail so many calls.
            accept_then_drop: do what was asked, then cut the connection without an answer.
            hang: never answer.
        """
        self._api.faults.add(
            Fault(method, error, status, retry_after, after, times, accept_then_drop, hang)
        )

    def revoke(self, error: str = "token_revoked") -> None:
        """Refuse the bot's token from now on with this error; "" accepts it again."""
        self._api.revoked = error

    def deliver_everywhere(self, *, enabled: bool = True) -> None:
        """Send every event down every socket instead of one: what replicas see when acks get lost."""
        self._socket.everywhere = enabled

    async def redeliver(self, event_id: str) -> None:
        """Send an event once more, as after a lost ack: same `event_id`, retry 1.

        Raises:
            DriverError: no such event was sent.
        """
        for one in self._delivery.log:
            if one.payload.get("event_id") == event_id:
                await self._delivery.send_again(one)
                return
        raise DriverError(f"no event {event_id!r} was sent")

    async def uninstall(self) -> None:
        """Somebody removes the app: it is told, and its token is worth nothing any more."""
        await self.send_event(
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot_user_id]}}
        )
        await self.send_event({"type": "app_uninstalled"})
        self.revoke("account_inactive")

    def stream_lifetime(self, seconds: float) -> None:
        """How long a stream stays open; Slack ends them after about five minutes."""
        self._desk.stream_lives_s = seconds

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell the app's sockets to dial again."""
        await self._socket.disconnect(reason)

    @property
    def connected(self) -> int:
        """How many sockets the app has open."""
        return self._socket.connected

    async def tick(self) -> None:
        """With a clock of one's own: do what has become due, and let it take effect."""
        self._timers.fire_due()
        for _ in range(10):
            await asyncio.sleep(0)

    # --- what came of it ---

    def calls(self, method: str | None = None) -> list[Json]:
        """The Web API calls so far (of one method): `{"method", "args", "answer", "at"}`."""
        return [one for one in self._api.recorded if method in (None, one["method"])]

    def deliveries(self) -> list[Try]:
        """Every attempt to deliver something to the app, oldest first."""
        return list(self._delivery.log)

    async def wait_for(
        self, predicate: Callable[[LocalSlack], T | None], timeout_s: float = 10.0
    ) -> T:
        """The first true value of `predicate(self)`, looked at again after every change.

        Raises:
            TimeoutError: it did not become true in `timeout_s` seconds of real time; the text shows the channels.
        """
        deadline = asyncio.timeout(timeout_s)
        try:
            async with deadline:
                while not (found := predicate(self)):
                    await self.change()
                return found
        except TimeoutError:
            if not deadline.expired():
                raise
            channels = "\n".join(
                f"{one}:\n{self.transcript(one)}" for one in self.workspace.channels
            )
            raise TimeoutError(f"not seen within {timeout_s} s\n{channels}") from None

    async def change(self) -> None:
        """Return after the next change of anything."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    async def change_within(self, seconds: float) -> None:
        """Return after the next change, or after so many seconds of real time."""
        try:
            async with asyncio.timeout(seconds):
                await self.change()
        except TimeoutError:
            return

    def transcript(self, channel: str) -> str:
        """The channel as plain text, replies indented, for golden tests and the terminal."""
        return transcript(self.workspace, self.workspace.find_channel(channel))

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
