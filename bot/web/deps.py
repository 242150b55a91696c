"""What the web door works with, and how its routes reach it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request, WebSocket

from bot.queue import Queue
from bot.queue.handlers import Conversation
from bot.sources import Sources
from bot.web.settings import WebSettings
from storage.db import Database
from storage.outbox import Draft


class Told(Conversation, Protocol):
    """A conversation that can also begin a thread of its own."""

    def root(self, question: str, service: str, asked_by: str) -> Sequence[Draft]: ...


@dataclass(frozen=True)
class WebDeps:
    """Built by whoever starts the door.

    Attributes:
        pepper: key of the hashes of API keys and sessions.
        thread_of: renders for an investigation (its number) in a channel; `bot.web.silent.Silent` where there is none.
        fetch: reads certificates of vendors; None: over HTTPS.
    """

    db: Database
    queue: Queue
    sources: Sources
    settings: WebSettings
    pepper: bytes
    thread_of: Callable[[int, str], Told]
    fetch: Callable[[str], bytes] | None = None


def _of_request(request: Request) -> WebDeps:
    return cast("WebDeps", request.app.state.deps)


def of_socket(socket: WebSocket) -> WebDeps:
    """The same for a WebSocket."""
    return cast("WebDeps", socket.app.state.deps)


Door = Annotated[WebDeps, Depends(_of_request)]
