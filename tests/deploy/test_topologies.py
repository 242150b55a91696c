"""The topologies start and do the whole job: one bot that only takes in, and workers beside it that are killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.demo import shop
from bot.sandbox import LocalSlack
from tests import servers
from tests.e2e import world

ROOT = Path(__file__).parents[2]


@contextmanager
def process(
    folder: Path, name: str, words: list[str], env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    given = {
        "PATH": os.getenv("PATH", ""),
        "HOME": str(folder),
        "BOT_LEASE_SECONDS": "3",
        "BOT_DATA_DIR": str(folder / name),
        **env,
    }
    with (folder / f"{name}.log").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "bot", *words], cwd=ROOT, env=given, stderr=log, stdout=log
        )
        try:
            yield started
        finally:
            if started.poll() is None:
                started.terminate()
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait(10)


async def investigate(folder: Path, env: dict[str, str]) -> int:
    """One alert through a bot and two workers, the first of which is killed at once; its exit code at the end."""
    shop_, sources = await asyncio.to_thread(world.build, folder)
    env = {"BOT_SOURCES": str(sources), **env}
    with ExitStack() as stack:
        async with LocalSlack() as slack:
            stack.enter_context(
                process(folder, "bot", ["run", "--no-worker"], env | slack.environment())
            )
            first = stack.enter_context(process(folder, "first", ["worker"], env))
            await slack.wait_for(lambda s: s.connected > 0, 60)
            ts = await slack.post_as_bot(
                world.CHANNEL, shop.alert(datetime.now(UTC)), name="Alertmanager"
            )
            await slack.wait_for(lambda s: len(world.thread(s, ts)) > 0, 60)
            await world.kill(first)
            second = stack.enter_context(process(folder, "second", ["worker"], env))
            await slack.wait_for(lambda s: world.has_report(s, ts), 90)
            said = world.thread(slack, ts)
            second.terminate()
            code = await asyncio.to_thread(second.wait, 30)
    keys = world.keys(said)
    assert len(keys) == len(set(keys))
    assert any(shop_.guilty_sha[:7] in str(m) for m in said)
    return code


@pytest.mark.timeout(240)
async def test_a_bot_and_its_workers_share_an_sqlite_file(tmp_path: Path) -> None:
    assert await investigate(tmp_path, {"BOT_DATABASE_URL": f"sqlite:///{tmp_path}/bot.db"}) == 0


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_a_bot_and_its_workers_share_postgres_and_redis(tmp_path: Path) -> None:
    with servers.postgres() as postgres, servers.redis() as redis:
        env = {
            "BOT_DATABASE_URL": postgres.url,
            "BOT_QUEUE": "celery",
            "BOT_BROKER_URL": servers.redis_url(redis),
        }
        assert await investigate(tmp_path, env) == 0
