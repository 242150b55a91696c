"""`incident-responder run`: the bot in one process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

from bot import logs
from bot.config import Settings, environment, load_settings, require_slack
from bot.sources import Sources, load
from bot.web.settings import load_web_settings
from bot.wiring import SlackBot, until_stopped


def run(*, works: bool = True) -> int:
    """Serve until SIGINT or SIGTERM, then drain. Without `works`, jobs are left to `worker` processes.

    Raises:
        ConfigError: settings, sources or tokens are wrong.
    """
    settings = load_settings()
    logs.configure(settings.log_level, as_json=settings.log_json)
    require_slack(settings)
    sources = load(settings.sources, environment()) if settings.sources else Sources()
    code = asyncio.run(_run(settings, sources, works=works))
    sys.stdout.flush()
    sys.stderr.flush()
    # A source's call that was abandoned may still hang in a thread; it must not keep the process alive.
    os._exit(code)


async def _run(settings: Settings, sources: Sources, *, works: bool) -> int:
    if not sources.sources:
        sys.stderr.write("No source is configured (BOT_SOURCES), so reports will only name gaps.\n")
    web = load_web_settings()
    async with contextlib.AsyncExitStack() as stack:
        bot = await stack.enter_async_context(SlackBot(settings, sources, works=works))
        if web.port:
            from bot.cli.serve import beside

            await stack.enter_async_context(beside(bot.engine, settings, web, sources))
        sys.stderr.write("Incident Responder is connected. Ctrl-C stops it.\n")
        await until_stopped()
        sys.stderr.write("Stopping: finishing or handing over what is in flight ...\n")
    return 0
