"""`incident-responder sandbox`: the local Slack alone, for trying the bot against it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.sandbox import LocalSlack
from bot.wiring import until_stopped


def sandbox(port: int, state: Path | None) -> int:
    """Serve until interrupted; print the variables that `run` needs on standard output."""
    return asyncio.run(_serve(port, state))


async def _serve(port: int, state: Path | None) -> int:
    slack = LocalSlack(port=port, state_dir=state)
    await slack.start()
    try:
        for name, value in slack.environment().items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        sys.stderr.write(f"The local Slack is at {slack.page_url} (Ctrl-C stops it)\n")
        await until_stopped()
    finally:
        await slack.stop()
    return 0
