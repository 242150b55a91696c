"""The composition root: from settings to running objects. Nothing else constructs clients, engines or apps."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from bot.collect import Ask
from bot.config import ALIVE_FILE, ALIVE_S, Settings, require_executor, require_slack
from bot.crew import framework
from bot.crew.answering import CrewAnswerer
from bot.crew.budget import Day
from bot.crew.models import models
from bot.crew.narrator import CrewNarrator, Means
from bot.crew.offline import OfflineNarrator
from bot.crew.past import spent_today
from bot.errors import ConfigError
from bot.investigate import TITLES, Deps, Look, Step, investigate
from bot.queue import Handler
from bot.queue.chores import chores
from bot.queue.handlers import found_so_far, handlers
from bot.queue.inline import InlineContext
from bot.queue.threads import ThreadQueue
from bot.redact import protect
from bot.report import Report
from bot.schedule import Schedule
from bot.slack.app import build_app, build_client
from bot.slack.configured import health_of, installer_of, rules_of, workspaces_of
from bot.slack.deps import SlackDeps
from bot.slack.limiter import Limiter
from bot.slack.periodic import announced, digest_drafts
from bot.slack.publisher import Publisher
from bot.slack.serving import ByHttp, BySocket, Serving
from bot.slack.thread import SlackThread
from bot.slack.tokens import check_tokens
from bot.sources import Sources
from bot.web.silent import Silent
from bot.web.slack import slack_web
from storage import investigations
from storage.db import Database
from storage.jobs import Limits
from storage.models import Job
from storage.outbox import Draft

if TYPE_CHECKING:
    from bot.queue.celery import CeleryQueue

GRACE_S = 20.0
log = structlog.get_logger()


def utcnow() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def build_deps(
    settings: Settings, sources: Sources, db: Database | None = None, *, model: bool = True
) -> Deps:
    """What an investigation works with. From here on the configured secrets are kept out of every text.

    Args:
        db: remembers what was spent today; without it only this process does.
        model: whether a configured language model may be asked.

    Raises:
        ConfigError: the model's configuration cannot work.
    """
    own = (value for _, value in settings if isinstance(value, SecretStr))
    theirs = (secret for source in sources.sources for secret in source.secrets)
    protect([s.get_secret_value() for s in (*own, *theirs) if s.get_secret_value()])
    seconds = float(settings.investigation_seconds)
    chosen = models(settings) if model else None
    if chosen is None:
        return Deps(sources=sources, narrator=OfflineNarrator(), seconds=seconds)
    means = Means(chosen, settings.data_dir / "crew", Day() if db is None else Day(_spent(db)))
    crew = CrewNarrator(means)
    return Deps(sources=sources, narrator=crew, seconds=seconds, answerer=CrewAnswerer(means))


def _spent(db: Database) -> Callable[[], float]:
    def today() -> float:
        with db.read() as session:
            return spent_today(session, db.now(session))

    return today


def _warm_up(settings: Settings, deps: Deps) -> None:
    """Import the agents' framework beside the work that comes before it is needed; it takes seconds."""
    if isinstance(deps.narrator, CrewNarrator):
        framework.warm_up(settings.data_dir / "crew")


def build_database(settings: Settings) -> Database:
    """The configured database; nothing is opened yet but the data folder is made.

    Raises:
        ConfigError: the URL is not one of SQLite or Postgres, or the data folder cannot be made.
    """
    try:
        if not settings.database_url:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Database(settings.database)
    except ValueError as error:
        raise ConfigError([f"BOT_DATABASE_URL: {error}"]) from None
    except OSError:
        raise ConfigError(
            [f"BOT_DATA_DIR: {settings.data_dir} cannot be made or written; choose another folder"]
        ) from None


@contextlib.contextmanager
def database_answers() -> Iterator[None]:
    """Turn a database that cannot be opened into a message; it holds no URL, which may hold a password.

    Raises:
        ConfigError: it does not answer, or refuses us.
    """
    try:
        yield
    except SQLAlchemyError as error:
        log.debug("database_unusable", error=type(error).__name__)
        raise ConfigError(
            [
                "BOT_DATABASE_URL: the database does not answer or refuses us; check address, user and rights"
            ]
        ) from None


def investigate_now(
    ask: Ask,
    sources: Sources,
    settings: Settings,
    told: Callable[[str], None],
    *,
    model: bool = True,
) -> tuple[Report, bool]:
    """One investigation in this process, without a database or Slack: what the command line runs.

    Returns:
        The report, and whether every source failed.
    """

    def event(kind: str, payload: dict[str, object]) -> None:
        if kind == "progress" and payload["status"] == "complete":
            detail = f" - {payload['detail']}" if payload["detail"] else ""
            step = str(payload["step"])
            told(f"  {TITLES.get(step, step)}{detail}")

    context = InlineContext(event)
    deps = build_deps(settings, sources, model=model)
    _warm_up(settings, deps)
    report = investigate("local", ask, _Nobody(), context, deps)
    look = context.results["look"]
    return report, isinstance(look, Look) and look.blind


class _Nobody:
    """The `Thread` of an investigation that nobody follows in Slack."""

    def progress(self, steps: Sequence[Step]) -> Sequence[Draft]:
        del steps
        return ()

    def report(self, report: Report) -> Sequence[Draft]:
        del report
        return ()


def thread_of(number: int, channel: str) -> SlackThread | Silent:
    """Where an investigation is told of: its Slack channel, or nowhere when only the web shows it."""
    return SlackThread(number, channel) if channel else Silent()


class Engine:
    """What every process of the product has: the database, the executor, and what jobs work with.

    Args:
        works: whether this process runs jobs; one that does not still submits, sweeps and publishes.

    Raises:
        ConfigError: the executor's settings cannot work.
    """

    def __init__(self, settings: Settings, sources: Sources, *, works: bool = True) -> None:
        require_executor(settings)
        self.db = build_database(settings)
        self.limits = Limits(
            total=settings.max_total or settings.max_concurrent,
            per_workspace=settings.max_per_workspace
            or settings.max_total
            or settings.max_concurrent,
        )
        self._settings = settings
        self._works = works
        self.deps = build_deps(settings, sources, self.db, model=works)
        tidy = (settings.retention_days, settings.evidence_days)
        by_clock = chores(self.db, sources, digest_drafts, tidy)
        kinds = handlers(self.db, self.deps, thread_of, self.notify)
        self.queue = self._executor({**kinds, **by_clock})

    def start(self) -> None:
        """Begin to work."""
        self.queue.start()
        if not self._works:
            return
        if self._settings.llm_model:
            _warm_up(self._settings, self.deps)
        else:
            log.info("no_model_configured", variable="BOT_LLM_MODEL")

    def stop(self) -> None:
        """Finish or hand over what is in flight."""
        self.queue.stop(GRACE_S)

    def notify(self, job_id: str) -> None:
        """The queue's hint; handlers have it before the queue exists."""
        self.queue.notify(job_id)

    def _executor(self, kinds: Mapping[str, Handler]) -> ThreadQueue | CeleryQueue:
        settings = self._settings
        here = settings.max_concurrent if self._works else 0
        lease_s = settings.lease_seconds
        if settings.queue == "threads":
            return ThreadQueue(
                self.db,
                kinds,
                here,
                limits=self.limits,
                lease_s=lease_s,
                heartbeat_s=lease_s / 3,
                sweep_s=min(5.0, lease_s / 3),
                limit_s=settings.investigation_seconds * 3.0,
                on_dead=self._obituary,
            )
        from bot.queue.celery import CeleryQueue

        return CeleryQueue(
            self.db,
            kinds,
            here,
            broker_url=settings.broker_url.get_secret_value(),
            limits=self.limits,
            lease_s=lease_s,
            heartbeat_s=lease_s / 3,
            sweep_s=min(5.0, lease_s / 3),
            limit_s=settings.investigation_seconds * 3.0,
            on_dead=self._obituary,
        )

    def _obituary(self, job: Job) -> Sequence[Draft]:
        """What people are told when a job ends without its handler having said so."""
        with self.db.read() as session:
            asked = investigations.get(session, job.investigation_id or 0)
        if asked is None or not asked.channel:
            return ()
        thread = SlackThread(asked.id, asked.channel)
        match job.state:
            case "cancelled":
                return (*thread.cancelled(), *found_so_far(self.db, job, thread))
            case "failed":
                return thread.refused(job.error)
            case _:
                return thread.failed(job.id[:8])


async def beat(path: Path) -> None:
    """Touch the file that the container's health check looks at; it stops when the event loop does."""
    while True:
        with contextlib.suppress(OSError):  # no health file is no reason to stop working
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        await asyncio.sleep(ALIVE_S)


class SlackBot:
    """Slack by Socket Mode, publisher, database and, unless another process works, workers. An async context manager.

    Raises (on entering):
        ConfigError: a token is missing, malformed or refused by Slack.
    """

    def __init__(self, settings: Settings, sources: Sources, *, works: bool = True) -> None:
        require_slack(settings)
        self._engine = Engine(settings, sources, works=works)
        self.db = self._engine.db
        token = settings.slack_bot_token.get_secret_value()
        self._client = build_client(token, settings.slack_api_url)
        self._app_token = settings.slack_app_token.get_secret_value()
        self._slack = SlackDeps(
            db=self.db,
            notify=self._engine.notify,
            client=self._client,
            clock=utcnow,
            rules=rules_of(settings, sources, self._engine.limits),
            health=health_of(sources, utcnow),
            model=settings.llm_model,
            signing_secret=settings.slack_signing_secret.get_secret_value(),
            workspaces=workspaces_of(settings, self.db, utcnow),
        )
        self._settings = settings
        self._lease_s = settings.lease_seconds
        self._stop = asyncio.Event()
        self._publishing: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._alive = settings.data_dir / ALIVE_FILE
        self._serving: Serving | None = None
        self._schedule: Schedule | None = None

    @property
    def engine(self) -> Engine:
        """For the web door, which works with the same database and queue."""
        return self._engine

    async def __aenter__(self) -> Self:
        with database_answers():
            await asyncio.to_thread(self.db.migrate)
        app = build_app(self._slack)
        if self._settings.slack_mode == "http":
            install = installer_of(self._settings, self._slack.workspaces)
            web = slack_web(app, install)
            host, port = self._settings.slack_http_host, self._settings.slack_http_port
            self._serving = ByHttp(web, host, port)
        else:
            await check_tokens(self._client, self._app_token)
            self._serving = BySocket(app, self._app_token)
        self._engine.start()
        self._schedule = Schedule(
            self.db,
            self._settings,
            notify=self._engine.notify,
            announce=announced,
            workspace=await self._workspace(),
        )
        self._schedule.start()
        publisher = Publisher(
            self.db,
            self._client,
            owner=self._engine.queue.owner,
            limiter=Limiter(time.monotonic),
            lease_s=self._lease_s,
            client_of=self._slack.workspaces.client_of if self._slack.workspaces else None,
        )
        self._publishing = asyncio.create_task(publisher.run(self._stop), name="publisher")
        self._beating = asyncio.create_task(beat(self._alive), name="alive")
        await self._serving.start()
        log.info("connected", api=str(self._client.base_url))
        return self

    async def _workspace(self) -> str:
        """The workspace that the configured token belongs to; empty without one."""
        if not self._settings.slack_bot_token.get_secret_value():
            return ""
        return str((await self._client.auth_test()).get("team_id") or "")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._serving is not None:
            await self._serving.stop()
        if self._schedule is not None:
            await asyncio.to_thread(self._schedule.stop)
        await asyncio.to_thread(self._engine.stop)
        self._stop.set()
        if self._beating is not None:
            self._beating.cancel()
        if self._publishing is not None:
            await asyncio.wait({self._publishing}, timeout=GRACE_S)
        await asyncio.to_thread(self.db.close)


async def until_stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
