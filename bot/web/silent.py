"""The thread of investigations that live on the web alone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.investigate import Step
from bot.report import Report
from storage.outbox import Draft


class Silent:
    """The `Conversation` of an investigation that nobody follows in Slack: the web shows it from the database."""

    def progress(self, steps: Sequence[Step]) -> Sequence[Draft]:
        del steps
        return ()

    def report(self, report: Report) -> Sequence[Draft]:
        del report
        return ()

    def started(self, *, position: int = 0) -> Sequence[Draft]:
        del position
        return ()

    def root(self, question: str, service: str, asked_by: str) -> Sequence[Draft]:
        del question, service, asked_by
        return ()

    def answer(
        self,
        key: str,
        text: str,
        sources: Sequence[tuple[str, str]] = (),
        *,
        listing: Sequence[str] = (),
    ) -> Sequence[Draft]:
        del key, text, sources, listing
        return ()
