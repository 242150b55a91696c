"""Work that survives whoever does it: submitted in one transaction, claimed by lease, resumed after the last stage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from storage.columns import JsonObject
from storage.outbox import Draft

Result = TypeVar("Result", bound=BaseModel)

INVESTIGATE = "investigate"
"""The kind of job that an investigation stands and falls with; its state follows this job's."""


class Queue(Protocol):
    """Something that runs jobs. Correctness never depends on `notify`; it only makes things quick."""

    def start(self) -> None: ...

    def notify(self, job_id: str) -> None:
        """A hint: this job is new, or somebody wants it cancelled."""

    def stop(self, grace_s: float) -> None:
        """Claim nothing more; let stages in flight finish for `grace_s`, then hand over what is left."""


class Context(Protocol):
    """What a running job sees of the world that runs it."""

    @property
    def job_id(self) -> str: ...
    @property
    def investigation_id(self) -> int: ...
    @property
    def payload(self) -> JsonObject: ...
    @property
    def cancelled(self) -> threading.Event:
        """Set when nobody wants the result any more. Long work looks at it now and then."""

    def stage(
        self,
        name: str,
        step: Callable[[], Result],
        of: type[Result],
        render: Callable[[Result], Sequence[Draft]] | None = None,
        *,
        save: Callable[[Session, Result], None] | None = None,
    ) -> Result:
        """The saved result of this stage, or run `step` and save what it returns.

        The result, the messages that `render` makes of it and what `save` writes are one transaction: all or
        nothing of it survives a crash, and none of it is written by a worker that has lost the job.

        Raises:
            InterruptedJob: the job is to stop here. Let it pass.
        """

    def emit(self, kind: str, payload: JsonObject, drafts: Sequence[Draft] = ()) -> None:
        """Append to the event log, together with the messages that change by it; back when it is committed.

        Raises:
            InterruptedJob: the job is to stop here. Let it pass.
        """


class InterruptedJob(Exception):  # noqa: N818 - not an error: somebody else decides about this job now
    """This attempt is over: cancelled, handed over, out of time, or taken by another worker."""


Handler = Callable[[Context], None]
"""Does one kind of job. `UserError` ends the job with its text; any other error is tried again later."""
