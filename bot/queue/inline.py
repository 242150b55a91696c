"""The same stages without a database: what `incident-responder investigate` runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from pydantic import BaseModel
from sqlmodel import Session

from bot.queue import InterruptedJob, Result
from storage.columns import JsonObject
from storage.outbox import Draft


class InlineContext:
    """A `Context` that runs everything at once and reports progress to `on_event(kind, payload)`.

    The results of the stages are in `results`, by name; nothing outlives the object.

    Messages have nowhere to go and are not rendered.
    """

    job_id = "inline"
    investigation_id = 0

    def __init__(self, on_event: Callable[[str, JsonObject], None]) -> None:
        self._on_event = on_event
        self.payload: JsonObject = {}
        self.cancelled = threading.Event()
        self.results: dict[str, BaseModel] = {}

    def stage(
        self,
        name: str,
        step: Callable[[], Result],
        of: type[Result],  # noqa: ARG002 - of the protocol
        render: Callable[[Result], Sequence[Draft]] | None = None,  # noqa: ARG002
        *,
        save: Callable[[Session, Result], None] | None = None,  # noqa: ARG002
    ) -> Result:
        if self.cancelled.is_set():
            raise InterruptedJob
        result = step()
        self.results[name] = result
        return result

    def emit(self, kind: str, payload: JsonObject, drafts: Sequence[Draft] = ()) -> None:  # noqa: ARG002
        if self.cancelled.is_set():
            raise InterruptedJob
        self._on_event(kind, payload)
