"""The one door to crewai: what must be set before its import, and what of its inside is used. Held by a contract test.

crewai sends telemetry, keeps files in the home folder, prints to the terminal and retries on its own unless told
otherwise, and most of it can be told only before the import. Nothing else in the product imports it; this module does
so inside functions, because the import takes seconds.
"""

from __future__ import annotations

import contextvars
import importlib
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

_lock = threading.Lock()
_ready = threading.Event()


def load(folder: Path) -> None:
    """Import crewai with everything off that sends, writes, prints or retries. Later calls return at once.

    Args:
        folder: where crewai may write, if it insists; inside the data folder.

    Raises:
        ImportError, OSError: crewai cannot be used here; the crew is then missing, nothing else.
    """
    with _lock:
        if _ready.is_set():
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.environ.update(_environment(folder))  # noqa: TID251 - crewai reads it, not we
        _keep_out_of_home(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its dependencies' deprecations are not our users'
            importlib.import_module("crewai")
            importlib.import_module("bot.crew.agents")
        _silence()
        _ready.set()


def warm_up(folder: Path) -> threading.Thread:
    """Import crewai in the background, so that the first investigation need not wait for it."""

    def work() -> None:
        try:
            load(folder)
            importlib.import_module("openai.resources.chat.completions")
        except Exception:  # a named edge: without crewai, reports come without the crew and say so
            log.exception("crew_not_available")

    thread = threading.Thread(target=work, name="crew-warm-up", daemon=True)
    thread.start()
    return thread


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_DISABLE_TRACKING": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "CREWAI_DISABLE_VERSION_CHECK": "true",
        "CREWAI_STORAGE_DIR": str(folder.absolute()),
        "PYTHON_DOTENV_DISABLED": "true",  # our settings were read; a .env found upward is not for us
    }


def _keep_out_of_home(folder: Path) -> None:
    """Move the key and the settings file that crewai keeps in the home folder, which no variable moves."""
    tokens: Any = importlib.import_module("crewai_core.token_manager")
    credentials = folder / "credentials"
    credentials.mkdir(exist_ok=True, mode=0o700)
    tokens.TokenManager._get_secure_storage_path = staticmethod(lambda: credentials)  # noqa: SLF001
    settings: Any = importlib.import_module("crewai_core.settings")
    settings.DEFAULT_CONFIG_PATH = folder / "settings.json"


def _silence() -> None:
    listener: Any = importlib.import_module("crewai.events.event_listener")
    listener.EventListener().formatter.verbose = False
    logging.getLogger().addFilter(_not_of_crewai)  # noqa: TID251 - some errors go to the root logger
    for name in ("crewai", "crewai_core"):
        noisy = logging.getLogger(name)  # noqa: TID251 - theirs, not ours
        noisy.addHandler(logging.NullHandler())
        noisy.propagate = False


def _not_of_crewai(record: logging.LogRecord) -> bool:
    """Whether a record is somebody else's: crewai's hold providers' answers, which may quote what was sent."""
    return f"{os.sep}crewai{os.sep}" not in record.pathname


Gate = Callable[[], str]
Sink = Callable[[str, Any], None]


@contextmanager
def scope(gate: Gate, sink: Sink) -> Iterator[None]:
    """What this thread's agent does passes `gate` before each model and tool call; its events go to `sink`.

    crewai's own retries of rate limits are off inside: they would multiply with ours, and cannot be interrupted.

    Args:
        gate: why the run must end now; empty when it may go on.
        sink: told the type of an event and the event, in order, on the thread that caused it.
    """
    from crewai.events.stream_context import add_stream_sink, reset_stream_sinks
    from crewai.hooks.dispatch import HookAborted, InterceptionPoint, scoped_hooks
    from crewai.llms import retry

    def hook(_context: Any) -> None:  # noqa: ANN401 - each point has a context of its own
        reason = gate()
        if reason:
            raise HookAborted(reason, source="investigation")

    retrying: contextvars.ContextVar[bool] = retry._active_llm_rate_limit_retry  # noqa: SLF001
    alone = retrying.set(True)
    token = add_stream_sink(lambda _source, event: sink(str(event.type), event))
    points: dict[InterceptionPoint, list[Callable[[Any], Any]]] = {
        InterceptionPoint.PRE_MODEL_CALL: [hook],
        InterceptionPoint.PRE_TOOL_CALL: [hook],
    }
    try:
        with scoped_hooks(points):
            yield
    finally:
        reset_stream_sinks(token)
        retrying.reset(alone)
