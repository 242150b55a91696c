"""Reads the logs of pipeline jobs: each a download of text, of which a query wants the lines of a window.

Jobs' logs say little about themselves, so the job's name, its link and its service come from outside. A job that
cannot be read costs only its own lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from adapters.kit.capabilities import LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.lines import BinaryContentError, Selection, Source, read, read_messages
from adapters.kit.lines.select import SELECTABLE
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA, LogBatch

MAX_JOB_BYTES = 512 << 20
_MARKER = r"(?m)^##\[[a-z]+\]"
"""Actions and Azure Pipelines put `##[error]` and the like before lines; the level is read from it, then it goes."""

Opener = Callable[[], AbstractContextManager[Iterator[bytes]]]


@dataclass(frozen=True, slots=True)
class Job:
    """What is known about the lines from outside.

    Attributes:
        origin: pipeline and job, as people call them.
        began: when it started, if it did; it decides together with `ended` whether the log is of interest at all.
    """

    origin: str
    service: str = ""
    url: str = ""
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the system says about a job: that a step failed, an annotation."""

    text: str
    at: datetime
    level: str = "error"


@dataclass(slots=True)
class Transcript:
    """One query's answer in the making.

    Raises:
        AdapterError: the query selects by a column that logs do not have.
    """

    name: str
    query: LogQuery
    notes: list[str] = field(default_factory=list)
    _left: int = 0
    _read: int = 0
    _failed: list[AdapterError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = self.query.limit
        unknown = sorted(set(self.query.selector) - set(SELECTABLE))
        if unknown:
            detail = f"The selector names {unknown[0]}; it may name {', '.join(SELECTABLE)}."
            raise AdapterError(self.name, Reason.BAD_REQUEST, detail)

    @property
    def full(self) -> bool:
        return self._left <= 0

    def concerns(self, job: Job) -> bool:
        """Whether the job ran within the window, as far as the system says when it ran."""
        window = self.query.window
        return (job.began is None or job.began < window.until) and (
            job.ended is None or job.ended >= window.since.replace(microsecond=0)
        )

    def job(self, job: Job, opened: Opener) -> Iterator[LogBatch]:
        """The lines of one job; what cannot be read is noted."""
        try:
            with opened() as chunks:
                yield from self.text(job, chunks)
        except AdapterError as error:
            self._failed.append(error)

    def text(self, job: Job, chunks: Iterator[bytes]) -> Iterator[LogBatch]:
        """The lines of a text that is being read."""
        self._read += 1
        source = Source(
            self.name, Calendar(self.query.window.until), job.origin, job.service, job.url
        )
        selection = Selection(self.query)
        try:
            for batch in read(chunks, source):
                self.notes.extend(batch.notes)
                yield from self._kept(selection.apply(_unmarked(batch.frame)), job)
                if self.full:
                    return
        except BinaryContentError:
            self.notes.append(f"{job.origin}: skipped, it is no text.")

    def told(self, job: Job, facts: Sequence[Told]) -> Iterator[LogBatch]:
        """What the system says about the job, as far as it lies in the window."""
        self._read += 1
        facts = [fact for fact in facts if fact.at in self.query.window]
        if not facts:
            return
        rows = {
            "text": [fact.text for fact in facts],
            "time": [fact.at for fact in facts],
            "level": [fact.level for fact in facts],
        }
        source = Source(
            self.name, Calendar(self.query.window.until), job.origin, job.service, job.url
        )
        frame = read_messages(pl.DataFrame(rows, schema_overrides=_TIMED), source).frame
        yield from self._kept(Selection(self.query).apply(frame), job)

    def rest(self, cut: str = "") -> Iterator[LogBatch]:
        """What has to be said at the end, with why jobs are missing.

        Raises:
            AdapterError: no job at all could be read.
        """
        if self._failed and not self._read:
            raise self._failed[0]
        self.notes += [error.detail for error in self._failed[:3]]
        if self.notes or cut:
            empty = pl.DataFrame(schema=LOG_SCHEMA)
            yield LogBatch(self.name, empty, truncated=cut, notes=tuple(self.notes))

    def _kept(self, frame: pl.DataFrame, job: Job) -> Iterator[LogBatch]:
        kept = frame.head(self._left)
        if kept.is_empty():
            return
        self._left -= kept.height
        cut = "" if self._left > 0 else "The limit of events was reached; there are more."
        yield LogBatch(self.name, kept, job.url, cut)


_TIMED = {"time": LOG_SCHEMA["time"]}


def _unmarked(frame: pl.DataFrame) -> pl.DataFrame:
    text = frame.get_column("text")
    if not text.str.starts_with("##[").any():
        return frame
    bare = frame.with_columns(text.str.replace_all(_MARKER, ""))
    return bare.filter(pl.col("text").str.contains(r"\S"))
