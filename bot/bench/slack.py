"""How soon Slack's events are acknowledged, each stored before its ack: signed HTTP, the bot's door in its own process.

Every event is a mention and opens an investigation with its job and first messages. A burst over many connections, a
steady rate, and everything of the burst delivered once more.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from sqlmodel import func, select

from bot.sandbox import LocalSlack
from bot.slack.app import build_app, build_client
from bot.slack.deps import SlackDeps
from bot.slack.rules import Rules
from bot.slack.serving import ByHttp
from bot.web.slack import slack_web
from storage.db import Database
from storage.jobs import Limits
from storage.models import Investigation

Figures = dict[str, float]


def run(
    events: int = 1_000,
    connections: int = 100,
    rate: int = 100,
    seconds: float = 30.0,
    url: str = "",
) -> dict[str, object]:
    """Measure on `url`, or on an SQLite file made for the purpose.

    Args:
        events: in the burst, over so many `connections` at once.
        rate: events a second of the steady part, for so many `seconds`.

    Returns:
        for the burst, the steady part and the redeliveries: latencies of the acknowledgement in milliseconds, how many
        were refused; and how many events were lost or stored twice.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        where = url or f"sqlite:///{Path(folder) / 'bench.db'}"
        db = Database(where)
        db.migrate()
        try:
            return asyncio.run(_run(db, where, events, connections, rate, seconds))
        finally:
            db.close()


async def _run(
    db: Database, url: str, events: int, connections: int, rate: int, seconds: float
) -> dict[str, object]:
    async with LocalSlack() as slack:
        ours, theirs = multiprocessing.Pipe()
        settings = (url, slack.base_url, slack.bot_token, slack.signing_secret)
        door = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(theirs, *settings), daemon=True
        )
        door.start()
        try:
            port = await asyncio.to_thread(ours.recv)
            target = f"http://127.0.0.1:{port}/slack/events"
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector) as client:
                sender = _Sender(
                    client, target, slack.signing_secret, slack.bot_user_id, connections
                )
                await sender.send("warm-up")
                burst = await sender.burst([f"burst-{n}" for n in range(events)])
                steady = await sender.steady(rate, seconds)
                again = await sender.burst([f"burst-{n}" for n in range(events)])
        finally:
            door.terminate()
            await asyncio.to_thread(door.join, 5)
    sent = 1 + events + int(rate * seconds)
    with db.read() as session:
        stored = session.exec(select(func.count()).select_from(Investigation)).one()
    return {
        "database": db.dialect,
        "burst": burst,
        "steady": steady,
        "redelivered": again,
        "events": sent,
        "lost": max(0, sent - stored),
        "twice": max(0, stored - sent),
    }


class _Sender:
    """Signs and sends mentions, and times their acknowledgement."""

    def __init__(
        self, client: aiohttp.ClientSession, target: str, secret: str, bot: str, connections: int
    ) -> None:
        self._connections = asyncio.Semaphore(connections)
        self._client = client
        self._target = target
        self._secret = secret.encode()
        self._bot = bot

    async def send(self, name: str) -> tuple[float, int]:
        """Milliseconds until the answer, and its status."""
        body = json.dumps(self._event(name)).encode()
        at = str(int(time.time()))
        mark = hmac.new(self._secret, b"v0:" + at.encode() + b":" + body, hashlib.sha256)
        headers = {
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": f"v0={mark.hexdigest()}",
            "Content-Type": "application/json",
        }
        begun = time.perf_counter()
        async with self._client.post(self._target, data=body, headers=headers) as answer:
            await answer.read()
            return 1_000 * (time.perf_counter() - begun), answer.status

    async def burst(self, names: Sequence[str]) -> Figures:
        """All at once; what waits for a free connection is timed from when it gets one."""

        async def one(name: str) -> tuple[float, int]:
            async with self._connections:
                return await self.send(name)

        return _figures(await asyncio.gather(*(one(name) for name in names)))

    async def steady(self, rate: int, seconds: float) -> Figures:
        """So many a second, whether or not earlier ones have been answered."""
        begun = asyncio.get_running_loop().time()
        sending: list[asyncio.Task[tuple[float, int]]] = []
        for number in range(int(rate * seconds)):
            wait = begun + number / rate - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, wait))
            sending.append(asyncio.create_task(self.send(f"steady-{number}")))
        return _figures(await asyncio.gather(*sending))

    def _event(self, name: str) -> dict[str, object]:
        ts = f"{int.from_bytes(hashlib.sha256(name.encode()).digest()[:5], 'big')}.000100"
        return {
            "type": "event_callback",
            "team_id": "T0LOCAL00",
            "event_id": f"Ev-{name}",
            "event": {
                "type": "app_mention",
                "channel": "C0ALERTS0",
                "user": "U0ALICE00",
                "ts": ts,
                "text": f"<@{self._bot}> checkout returns 500s service:checkout",
            },
        }


def _figures(taken: Sequence[tuple[float, int]]) -> Figures:
    times = sorted(ms for ms, _ in taken)
    ways = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "p50_ms": round(ways[49], 1),
        "p99_ms": round(ways[98], 1),
        "max_ms": round(times[-1], 1),
        "refused": sum(status != 200 for _, status in taken),
    }


def _serve(ready: Connection, url: str, api: str, token: str, secret: str) -> None:
    """The door in a process of its own; tells its port and serves until it is ended."""
    asyncio.run(_door(ready.send, url, api, token, secret))


async def _door(ready: Callable[[int], None], url: str, api: str, token: str, secret: str) -> None:
    app = build_app(
        SlackDeps(
            db=Database(url),
            notify=lambda _job: None,
            client=build_client(token, api),
            clock=lambda: datetime.now(UTC),
            rules=Rules(Limits(total=4, per_workspace=4)),
            signing_secret=secret,
        )
    )
    serving = ByHttp(slack_web(app), "127.0.0.1", 0)
    await serving.start()
    ready(serving.port)
    await asyncio.Event().wait()
