"""`incident-responder doctor --alive`: the container's health check; light, because it runs every half minute."""

from __future__ import annotations

import time

from bot.config import ALIVE_FILE, ALIVE_S, load_settings


def alive() -> int:
    """0 when a `run` on this data folder touched its file within the last minute, else 1."""
    try:
        age = time.time() - (load_settings().data_dir / ALIVE_FILE).stat().st_mtime
    except OSError:
        return 1
    return 0 if age < ALIVE_S * 6 else 1
