"""The Slack side for real: Bolt over a socket to a local Slack, SQLite, the thread queue; only the work is fake."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from sqlmodel import Session

from bot.investigate import Step
from bot.queue import Context
from bot.queue.threads import ThreadQueue
from bot.report import Report
from bot.sandbox import LocalSlack
from bot.slack.app import build_app, build_client
from bot.slack.deps import SlackDeps
from bot.slack.limiter import Limiter
from bot.slack.publisher import Publisher
from bot.slack.rules import Rules
from bot.slack.thread import SlackThread
from storage import investigations
from storage.db import Database
from storage.models import Investigation, Job
from storage.outbox import Draft
from tests.slack.reports import report

MANIFEST = Path(__file__).resolve().parents[2] / "manifest.yml"


def alert(state: str = "FIRING:1", color: str = "danger") -> dict[str, Any]:
    """What Alertmanager posts, as its default template has it."""
    return {
        "text": "",
        "attachments": [
            {
                "color": color,
                "title": f"[{state}] CheckoutErrors checkout (critical)",
                "title_link": "https://alertmanager.example/#/alerts",
                "text": "checkout answers 500",
                "fallback": f"[{state}] CheckoutErrors | <https://alertmanager.example>",
            }
        ],
    }


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, to be copied."""
    path = tmp_path_factory.mktemp("slack") / "empty.db"
    db = Database(f"sqlite:///{path}")
    db.migrate()
    db.close()
    return path


@pytest.fixture
def db(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path / "bot.db")
    made = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    yield made
    made.close()


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as running:
        running.use_manifest(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
        yield running


class Rig:
    """The bot in front of the local Slack. `go` holds the fake investigations back until it is set."""

    def __init__(
        self,
        slack: LocalSlack,
        db: Database,
        max_concurrent: int = 4,
        rules: Rules | None = None,
    ) -> None:
        self.slack, self.db = slack, db
        self.go = threading.Event()
        self.go.set()
        self.result: Report = report()
        self.asked: list[dict[str, Any]] = []
        self.queue = ThreadQueue(
            db,
            {"investigate": self._investigate, "followup": self._answer},
            max_concurrent,
            poll_s=0.05,
            on_dead=self._ended,
        )
        self.client = build_client(slack.bot_token, slack.base_url)
        deps = SlackDeps(
            db=db,
            notify=self.queue.notify,
            client=self.client,
            clock=lambda: datetime.now(UTC),
            rules=rules or Rules(self.queue.limits, watched=frozenset({"alerts"})),
        )
        self.app = build_app(deps)
        self.handler = AsyncSocketModeHandler(self.app, slack.app_token)
        self.publisher = self.new_publisher("first")
        self._stop = asyncio.Event()
        self._publishing: asyncio.Task[None] | None = None

    def new_publisher(self, owner: str) -> Publisher:
        return Publisher(
            self.db, self.client, owner=owner, limiter=Limiter(time.monotonic), pause=_hurry
        )

    async def start(self, *, publish: bool = True) -> None:
        self.queue.start()
        await self.handler.connect_async()
        if publish:
            self._publishing = asyncio.create_task(self.publisher.run(self._stop))

    async def stop(self) -> None:
        self.go.set()
        self._stop.set()
        if self._publishing is not None:
            await self._publishing
        await self.handler.close_async()
        await asyncio.to_thread(self.queue.stop, 5.0)

    async def thread(self, channel: str, ts: str, count: int) -> list[dict[str, Any]]:
        """The thread, root included, once it has at least `count` messages."""
        await self.slack.wait_for(lambda s: len(s.messages(channel, ts)) >= count)
        return self.slack.messages(channel, ts)

    async def until(self, true: Callable[[], Any]) -> Any:
        """The first true value; looked at again whenever something changes in Slack, and often besides."""
        async with asyncio.timeout(10):
            while not (found := true()):
                await self.slack.change_within(0.02)
        return found

    def investigations(self) -> list[Investigation]:
        with self.db.read() as session:
            return investigations.recent(session, None, 100)

    def rows(self, read: Callable[[Session], Any]) -> Any:
        with self.db.read() as session:
            return read(session)

    def _thread(self, number: int) -> SlackThread:
        with self.db.read() as session:
            found = investigations.get(session, number)
        assert found is not None
        return SlackThread(number, found.channel)

    def _investigate(self, context: Context) -> None:
        thread = self._thread(context.investigation_id)
        doing = Step(key="look", title="Read logs and changes", status="in_progress")
        context.emit("progress", {}, thread.progress([doing]))
        while not self.go.wait(0.02):
            if context.cancelled.is_set():
                break
        done = doing.model_copy(update={"status": "complete", "detail": "2 changes"})
        context.stage(
            "report",
            lambda: self.result,
            Report,
            render=lambda made: [*thread.progress([done]), *thread.report(made)],
            save=lambda session, made: investigations.save_report(
                session,
                context.investigation_id,
                made.model_dump(mode="json"),
                made.conclusion,
                made.confidence,
                made.summary,
                self.db.now(session),
            ),
        )

    def _answer(self, context: Context) -> None:
        asked = context.payload
        self.asked.append(asked)
        thread = self._thread(context.investigation_id)
        words = f"You asked: {asked['text']}"
        context.emit(
            "answer", {}, thread.answer(asked["ts"], words, [("C1", "https://git.example/c1")])
        )

    def _ended(self, job: Job) -> list[Draft]:
        assert job.investigation_id is not None
        thread = self._thread(job.investigation_id)
        if job.state == "cancelled":
            return [*thread.cancelled()]
        return [*thread.failed(job.id[:8])]


async def _hurry(seconds: float) -> None:
    """Wait, but not as long as Slack would have us: tests have no time."""
    await asyncio.sleep(min(seconds, 0.01))


@pytest.fixture
async def rig(slack: LocalSlack, db: Database) -> AsyncIterator[Rig]:
    made = Rig(slack, db)
    await made.start()
    yield made
    await made.stop()
