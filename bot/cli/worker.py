"""`incident-responder worker`: runs jobs that other processes take in; needs no Slack tokens and opens no port."""

from __future__ import annotations

import asyncio
import os
import sys

from bot import logs
from bot.config import ALIVE_FILE, Settings, environment, load_settings
from bot.sources import Sources, load
from bot.wiring import Engine, beat, until_stopped


def worker() -> int:
    """Work until SIGINT or SIGTERM, then drain.

    Raises:
        ConfigError: settings or sources are wrong.
    """
    settings = load_settings()
    logs.configure(settings.log_level, as_json=settings.log_json)
    sources = load(settings.sources, environment()) if settings.sources else Sources()
    code = asyncio.run(_work(settings, sources))
    sys.stdout.flush()
    sys.stderr.flush()
    # As in `run`: an abandoned call must not keep the process alive.
    os._exit(code)


async def _work(settings: Settings, sources: Sources) -> int:
    engine = Engine(settings, sources)
    await asyncio.to_thread(engine.db.migrate)
    engine.start()
    beating = asyncio.create_task(beat(settings.data_dir / ALIVE_FILE), name="alive")
    sys.stderr.write(f"A worker on {engine.db.dialect} is ready. Ctrl-C stops it.\n")
    await until_stopped()
    sys.stderr.write("Stopping: finishing or handing over what is in flight ...\n")
    beating.cancel()
    await asyncio.to_thread(engine.stop)
    await asyncio.to_thread(engine.db.close)
    return 0
