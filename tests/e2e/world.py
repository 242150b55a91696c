"""The demo's world for end-to-end tests: a shop's repository and logs, and the bot as its own process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.demo import shop
from bot.demo.play import SOURCES
from bot.sandbox import LocalSlack

CHANNEL = "alerts"


def build(folder: Path) -> tuple[shop.Shop, Path]:
    """The shop, and the sources.yaml that describes it."""
    world = shop.build(folder, datetime.now(UTC))
    path = folder / "sources.yaml"
    path.write_text(SOURCES.format(repository=world.repository, logs=world.logs))
    return world, path


@contextmanager
def process(
    folder: Path, sources: Path, slack: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """`incident-responder run`, killed at the end if it still runs."""
    env = {
        "PATH": os.getenv("PATH", ""),
        "HOME": str(folder),
        "BOT_DATA_DIR": str(folder / "data"),
        "BOT_SOURCES": str(sources),
        "BOT_LEASE_SECONDS": "3",
        **slack,
    }
    with (folder / "run.log").open("ab") as log:
        bot = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            cwd=Path(__file__).parents[2],
            env=env,
            stderr=log,
            stdout=log,
        )
        try:
            yield bot
        finally:
            if bot.poll() is None:
                bot.kill()
            bot.wait(10)


async def kill(bot: subprocess.Popen[bytes]) -> None:
    bot.send_signal(signal.SIGKILL)
    await asyncio.to_thread(bot.wait, 10)


def thread(slack: LocalSlack, ts: str) -> list[dict[str, Any]]:
    """What the bot said in the thread."""
    return [
        m
        for m in slack.messages(CHANNEL, ts)
        if m["ts"] != ts and m.get("user") == slack.bot_user_id
    ]


def keys(messages: list[dict[str, Any]]) -> list[str]:
    return [str(m.get("metadata", {}).get("event_payload", {}).get("key")) for m in messages]


def has_report(slack: LocalSlack, ts: str) -> bool:
    return any(key.endswith("-report") for key in keys(thread(slack, ts)))
