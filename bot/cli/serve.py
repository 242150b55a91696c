"""`incident-responder serve`: the web door as a process of its own, or beside Slack in `run`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator

import uvicorn
from typing_extensions import override

from bot import logs
from bot.config import Settings, environment, load_settings
from bot.redact import protect
from bot.sources import Sources, load
from bot.web.app import build_web
from bot.web.deps import WebDeps
from bot.web.settings import WebSettings, load_web_settings, pepper_of, require_safe
from bot.wiring import Engine, thread_of, until_stopped

GRACE_S = 5


def serve(host: str, port: int, *, works: bool) -> int:
    """Serve until SIGINT or SIGTERM, then drain.

    Raises:
        ConfigError: settings or sources are wrong, or strangers could reach a door without a lock.
    """
    settings = load_settings()
    web = load_web_settings()
    web = web.model_copy(update={"host": host or web.host, "port": port or web.port or 8080})
    require_safe(web)
    logs.configure(settings.log_level, as_json=settings.log_json)
    sources = load(settings.sources, environment()) if settings.sources else Sources()
    code = asyncio.run(_serve(settings, web, sources, works=works))
    sys.stdout.flush()
    sys.stderr.flush()
    # As in `run`: an abandoned call must not keep the process alive.
    os._exit(code)


async def _serve(settings: Settings, web: WebSettings, sources: Sources, *, works: bool) -> int:
    engine = Engine(settings, sources, works=works)
    await asyncio.to_thread(engine.db.migrate)
    engine.start()
    async with beside(engine, settings, web, sources):
        await until_stopped()
        sys.stderr.write("Stopping: finishing or handing over what is in flight ...\n")
    await asyncio.to_thread(engine.stop)
    await asyncio.to_thread(engine.db.close)
    return 0


@contextlib.asynccontextmanager
async def beside(
    engine: Engine, settings: Settings, web: WebSettings, sources: Sources
) -> AsyncIterator[None]:
    """The web door while the block runs.

    Raises:
        ConfigError: strangers could reach a door without a lock.
    """
    require_safe(web)
    protect([secret.get_secret_value() for secret in web.secrets])
    pepper = pepper_of(web, settings.data_dir)
    deps = WebDeps(engine.db, engine.queue, sources, web, pepper, thread_of)
    server = _Server(
        uvicorn.Config(
            build_web(deps),
            host=web.host,
            port=web.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=65_536,
        )
    )
    serving = asyncio.create_task(server.serve(), name="web")
    sys.stderr.write(f"The web door is http://{web.host}:{web.port}/\n")
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait({serving}, timeout=GRACE_S * 2)


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
