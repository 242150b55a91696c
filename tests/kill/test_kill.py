"""Nothing lost, nothing twice, whatever is killed. `make test-kill` kills 200 times, `make test` six times.

KILLS says how often in all, KILL_SEED which way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.sandbox import LocalSlack
from tests import servers
from tests.kill.actor import Part
from tests.kill.arena import Arena, Outcome

KILLS = int(os.getenv("KILLS", "6"))
SEED = int(os.getenv("KILL_SEED", "6"))


def part(url: str, slack: LocalSlack, jobs: int, *, publishes: bool, **more: str | float) -> Part:
    known: dict[str, str | float] = {"broker": "", "name": "kill", "skew_s": 0.0}
    return Part(
        url=url,
        slack=slack.base_url,
        token=slack.bot_token,
        jobs=jobs,
        publishes=publishes,
        **(known | more),  # type: ignore[arg-type]
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def balanced(outcome: Outcome, name: str) -> None:
    print("\n" + outcome.line(name))  # noqa: T201 - the figures are what it is for
    assert outcome.lost == []
    assert outcome.twice == []
    assert outcome.missing == []
    assert outcome.asked > 0


@pytest.mark.timeout(900)
async def test_two_bots_on_one_sqlite_file_are_killed(tmp_path: Path) -> None:
    async with LocalSlack() as slack:
        url = f"sqlite:///{tmp_path / 'bot.db'}"
        parts = [part(url, slack, 3, publishes=True) for _ in range(2)]
        outcome = await Arena(parts, slack, SEED).run(max(1, KILLS * 30 // 100))
    balanced(outcome, "threads on SQLite")


@pytest.mark.postgres
@pytest.mark.timeout(900)
async def test_bots_with_wrong_clocks_and_their_postgres_are_killed(stack: ExitStack) -> None:
    postgres = stack.enter_context(servers.postgres())
    async with LocalSlack() as slack:
        parts = [
            part(postgres.url, slack, 3, publishes=True, skew_s=skew) for skew in (-60.0, 60.0)
        ]
        outcome = await Arena(parts, slack, SEED, postgres=postgres).run(KILLS * 30 // 100)
    balanced(outcome, "threads on Postgres")


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(900)
async def test_bot_workers_redis_and_postgres_are_killed(stack: ExitStack) -> None:
    postgres, redis = stack.enter_context(servers.postgres()), stack.enter_context(servers.redis())
    broker = servers.redis_url(redis)
    async with LocalSlack() as slack:
        parts = [
            part(postgres.url, slack, 0, publishes=True, broker=broker),
            part(postgres.url, slack, 3, publishes=False, broker=broker, skew_s=60.0),
            part(postgres.url, slack, 3, publishes=False, broker=broker, skew_s=-60.0),
        ]
        arena = Arena(parts, slack, SEED, redis=redis, postgres=postgres)
        outcome = await arena.run(KILLS - 2 * (KILLS * 30 // 100))
    balanced(outcome, "Celery on Postgres")
