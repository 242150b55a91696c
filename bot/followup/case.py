"""What an answer is made from and what it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from bot.analysis.findings import Pattern, Suspect
from bot.redact import Redactor
from bot.report import Report
from bot.report.markdown import escaped, fenced
from bot.report.words import plain

LONGEST_LISTING = 6_000
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Rerun:
    """A new investigation that the question asks for; None where the old one's edge stays."""

    since: datetime | None = None
    until: datetime | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say in the thread. No field holds markup: whoever shows it escapes it.

    Attributes:
        text: the whole answer as plain text, the listing included; a line break ends a paragraph.
        cites: the evidence that it rests on.
        rerun: set when the caller should start a new investigation.
        prose: the sentences alone.
        listing: log lines or a diff, word for word, for whoever can show them in a fixed-width block.
    """

    text: str
    cites: tuple[str, ...] = ()
    rerun: Rerun | None = None
    prose: str = ""
    listing: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The same as Markdown: everything escaped, the listing in a block that it cannot close."""
        said = "\n\n".join(escaped(line, 2_000) for line in (self.prose or self.text).split("\n"))
        return f"{said}\n\n{fenced(self.listing)}" if self.listing else said


@dataclass(frozen=True, slots=True)
class Case:
    """One question with everything that may answer it."""

    question: str
    report: Report
    evidence: Mapping[str, Mapping[str, object]]
    tz: tzinfo
    redactor: Redactor = field(default_factory=Redactor)

    def say(
        self,
        *sentences: str,
        cites: Iterable[str] = (),
        listing: Sequence[str] = (),
        rerun: Rerun | None = None,
    ) -> Answer:
        """An answer, redacted and within bounds; what is cut off a listing is counted."""
        prose = self.redactor.text(plain("\n".join(s for s in sentences if s)))
        shown = _bounded(self.redactor.text("\n".join(listing)).split("\n")) if listing else ()
        text = "\n".join((prose, *shown))
        return Answer(text, tuple(dict.fromkeys(cites)), rerun, prose, shown)

    def pattern(self, key: str) -> Pattern | None:
        return next((p for p in self.report.patterns if p.id == key), None)

    def suspect(self, key: str) -> Suspect | None:
        return next((s for s in self.report.suspects if s.id == key), None)

    def text_of(self, key: str, *names: str) -> str:
        """The first of these members of a saved record that is a non-empty text."""
        record = self.evidence.get(key, {})
        found = (record.get(name) for name in names)
        return next((value for value in found if isinstance(value, str) and value.strip()), "")

    def keys(self, letter: str) -> list[str]:
        """The ids of a kind, in order."""
        form = re.compile(rf"{letter}([0-9]{{1,6}})")
        numbers = {key: int(m[1]) for key in self.evidence if (m := form.fullmatch(key))}
        return sorted(numbers, key=lambda key: numbers[key])

    @property
    def services(self) -> tuple[str, ...]:
        """Names of services that the report knows, longest first so that a part does not hide a whole."""
        named = [self.report.service, *(p.service for p in self.report.patterns)]
        named += [s.service for s in self.report.series]
        return tuple(sorted({name for name in named if name}, key=lambda name: (-len(name), name)))


def _bounded(lines: Sequence[str]) -> tuple[str, ...]:
    shown: list[str] = []
    left = LONGEST_LISTING
    for line in lines:
        cut = plain(line)
        cut = cut if len(cut) <= LONGEST_LINE else cut[: LONGEST_LINE - 1] + "…"
        left -= len(cut) + 1
        if left < 0:
            break
        shown.append(cut)
    missing = len(lines) - len(shown)
    return (*shown, f"... {missing} more lines") if missing else tuple(shown)
