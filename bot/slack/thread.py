"""Renders an investigation as drafts of Slack messages. It never sends: the publisher drains the outbox.

A section is one Slack message. Rendering a section again edits that message, so everything here may be called
again after a crash. `seq` is the order in which sections of one investigation appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.report import Gap, Report
from bot.slack import files
from bot.slack.blocks import alarms, kit, notes
from bot.slack.blocks import report as report_blocks
from bot.slack.blocks.kit import Block, Task
from storage.outbox import Draft

ROOT, PROGRESS, NOTE, REPORT, ENDING, ANSWER, SEEN = 0, 10, 20, 100, 200, 300, 1_000
"""Places in the thread. What has a place waits for what is before it, so a reaction, which may fail, is last."""


class Step(Protocol):
    """One line of the progress message."""

    @property
    def title(self) -> str: ...
    @property
    def status(self) -> Literal["pending", "in_progress", "complete", "error"]: ...
    @property
    def detail(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SlackThread:
    """The messages of one investigation.

    Attributes:
        number: the investigation's id, as people see it.
        channel: where its thread is; empty when nobody reads it in Slack, and then nothing is drafted.
    """

    number: int
    channel: str

    def started(self, *, position: int = 0) -> tuple[Draft, ...]:
        """The progress message in its first form: that it is stored and, when it must wait, its place."""
        title = notes.on_it(self.number, position)
        first = self._drafts(("progress", PROGRESS, notes.progress(self.number, title, ())))
        return first + self._session("processing")

    def root(self, question: str, service: str, asked_by: str) -> tuple[Draft, ...]:
        """The message that the thread hangs on, where none was there to answer to."""
        body = notes.root(self.number, question, service, asked_by)
        if not self.channel:
            return ()
        return (Draft("root", ROOT, "root", self.channel, body, thread=False),)

    def seen(self, ts: str) -> tuple[Draft, ...]:
        """A reaction on the message that started it: the first sign of life."""
        if not self.channel:
            return ()
        body: Block = {"name": "eyes", "ts": ts}
        return (Draft("seen", SEEN, "reaction", self.channel, body, thread=False),)

    def progress(self, steps: Sequence[Step]) -> tuple[Draft, ...]:
        """The plan, one card a step; the message is edited at each milestone."""
        tasks = [Task(step.title, step.status, step.detail) for step in steps]
        over = bool(tasks) and all(task.status in {"complete", "error"} for task in tasks)
        title = f"Investigation #{self.number}: done" if over else f"On it (#{self.number})."
        body = notes.progress(self.number, title, tasks, stoppable=not over)
        return self._drafts(("progress", PROGRESS, body))

    def report(self, report: Report) -> tuple[Draft, ...]:
        """The verdict, then the messages with what it rests on."""
        details = report_blocks.details(report, self.number)
        said = self._drafts(
            ("report", REPORT, report_blocks.verdict(report, self.number)),
            *((f"report.{part}", REPORT + part, body) for part, body in enumerate(details, 1)),
        )
        return (*said, *self._files(report), *self._session("active"))

    def _files(self, report: Report) -> tuple[Draft, ...]:
        """The picture of the incident, and the whole report where messages cannot hold it."""
        if not self.channel:
            return ()
        made = [files.picture(report, self.number)]
        if report_blocks.is_long(report):
            made.append(files.markdown_file(report, self.number))
        return tuple(
            Draft(f"report.{body['name']}", REPORT + 50, "file", self.channel, body)
            for body in made
            if body is not None
        )

    def answer(
        self,
        key: str,
        text: str,
        sources: Iterable[tuple[str, str]] = (),
        gaps: Sequence[Gap] = (),
        listing: Sequence[str] = (),
    ) -> tuple[Draft, ...]:
        """The answer to one question in the thread.

        Args:
            key: names the question (its `ts`), so that answering it again edits the first answer.
            text: plain text; a line break ends a paragraph.
            sources: what it rests on: label and URL, which may be empty.
            gaps: what could not be asked.
            listing: log lines or a diff, shown as they are.
        """
        pages = notes.answer(text, sources, gaps, listing)
        return self._drafts(
            *((f"answer.{key}.{part}", ANSWER, body) for part, body in enumerate(pages, 1))
        )

    def failed(self, reference: str) -> tuple[Draft, ...]:
        """It stopped for a reason on our side; `reference` is what the operator finds in the logs."""
        return self._over("stopped", notes.failed(self.number, reference))

    def refused(self, reason: str) -> tuple[Draft, ...]:
        """It could not begin; `reason` is a `UserError`'s text, which says what to ask instead."""
        return self._over("stopped", notes.refused(self.number, reason))

    def cancelled(self, by: str = "") -> tuple[Draft, ...]:
        """Somebody stopped it."""
        return self._over("stopped", notes.cancelled(self.number, by))

    def stopping(self, by: str) -> tuple[Draft, ...]:
        """Said at once when somebody presses Stop."""
        return self._drafts(("stopping", NOTE, notes.stopping(self.number, by)))

    def repeated(self, count: int, last: datetime) -> tuple[Draft, ...]:
        """The counter of an alert that fires again; one message, edited."""
        return self._drafts(("repeated", NOTE, alarms.repeated(count, last)))

    def recovered(self, key: str, title: str, after_s: float | None) -> tuple[Draft, ...]:
        """The alert was resolved; `key` names the resolution."""
        return self._drafts((f"recovered.{key}", NOTE, alarms.recovered(title, after_s)))

    def refired(self, key: str, title: str, quiet_s: float, at: datetime) -> tuple[Draft, ...]:
        """The alert fires again soon after it was resolved; `key` names the new firing."""
        return self._drafts(
            (f"refired.{key}", NOTE, alarms.refired(self.number, title, quiet_s, at))
        )

    def storm(self, alerts: Sequence[alarms.Fired]) -> tuple[Draft, ...]:
        """Everything that this investigation answers; one message, edited as the list grows."""
        return self._drafts(("storm", NOTE, alarms.storm(alerts)))

    def joined(self, key: str, ts: str, thread: str) -> tuple[Draft, ...]:
        """Said under another alert (at `ts`) that this investigation answers too; `thread` is where, as a URL."""
        if not self.channel:
            return ()
        body = {**alarms.joined(self.number, thread), "thread_ts": ts}
        return (Draft(f"joined.{key}", SEEN, "message", self.channel, body, thread=False),)

    def limited(self, key: str, most: int, what: str) -> tuple[Draft, ...]:
        """Alerts have started as many investigations as they may; `key` names the hour."""
        return self._drafts((f"limited.{key}", NOTE, alarms.limited(most, what)))

    def _over(self, section: str, body: Block) -> tuple[Draft, ...]:
        title = f"Investigation #{self.number}: stopped"
        last = notes.progress(self.number, title, (), stoppable=False)
        ended = self._drafts(("progress", PROGRESS, last), (section, ENDING, body))
        return ended + self._session("active")

    def _session(self, status: str) -> tuple[Draft, ...]:
        """Tell Slack whether we work, so that it shows its own Stop button meanwhile."""
        if not self.channel:
            return ()
        return (Draft("session", SEEN, "session", self.channel, {"status": status}),)

    def _drafts(self, *messages: tuple[str, int, kit.Block]) -> tuple[Draft, ...]:
        if not self.channel:
            return ()
        return tuple(
            Draft(section, seq, "message", self.channel, body) for section, seq, body in messages
        )
