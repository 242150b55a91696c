"""A free question in the thread, answered by one agent with the crew's tools, and checked like a report.

Only statements that the evidence carries are said. When none is left, or the model gives no answer, the plain commands
of `bot.followup` answer instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from adapters.kit.records import Window
from bot.analysis.findings import Findings
from bot.crew import answers
from bot.crew.briefing import briefing
from bot.crew.desk import Desk
from bot.crew.narrator import Means, Run, begin
from bot.crew.offline import OfflineNarrator
from bot.crew.orchestrator import together
from bot.crew.roles import ANSWERING
from bot.crew.telling import Telling, own_links
from bot.crew.untrusted import Echo, harmless, orders_in
from bot.report import Found, Narrative, Records, Report, Usage
from bot.report.words import counted
from bot.verify import verify

log = structlog.get_logger()

MOST_TURNS = 12
LONGEST_TURN = 1_500


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what was said in the thread before it.

    Attributes:
        turns: `(person or bot, text)`, oldest first.
        evidence: everything that is saved of the investigation, by id.
    """

    question: str
    turns: Sequence[tuple[str, str]] = ()
    evidence: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A checked answer.

    Attributes:
        text: sentences as plain text.
        cites: the evidence that they rest on.
        found: evidence that the agent's own questions brought.
    """

    text: str
    cites: tuple[str, ...]
    found: tuple[Found, ...]
    usage: Usage


@dataclass(slots=True)
class CrewAnswerer:
    """Answers with one agent of the crew."""

    means: Means

    def answer(
        self, asked: Asked, report: Report, records: Records, *, seconds: float, desk: Desk
    ) -> Reply | None:
        """Answer within `seconds`; None when there is nothing that the evidence carries."""
        findings = findings_of(report)
        run = begin(self.means, findings, records, desk, seconds=seconds)
        run.ground.shelf.remember(asked.evidence)
        try:
            return self._answer(asked, report, run)
        except Exception:  # a named edge: the plain commands answer instead
            log.exception("answer_broke")
            return None
        finally:
            run.close(reported=False)

    def _answer(self, asked: Asked, report: Report, run: Run) -> Reply | None:
        task = _task(asked, report, run)
        outcome = together(
            {ANSWERING.name: run.agent(ANSWERING, lambda: task, answers.Reply)},
            run.budget,
            run.desk.told,
            until=run.budget.deadline,
        )
        said = outcome.answers.get(ANSWERING.name)
        if said is None:
            return None
        plain = OfflineNarrator().narrate("", run.ground.findings, run.ground.records)
        links = own_links(run.ground.findings, run.ground.records)
        echo = Echo([*run.toolbox.orders, *orders_in(run.ground.shelf.texts().values())])
        telling = Telling(run.ground.findings, plain, links, echo)
        claims = telling.claims(said.statements)
        checked = verify(
            Narrative(conclusion="inconclusive", confidence=0, summary="", claims=tuple(claims)),
            run.ground.shelf.texts(),
        )
        kept = checked.narrative.claims
        if not kept:
            return None
        sentences = [f"{claim.text} [{', '.join(claim.cites)}]" for claim in kept]
        unknown = harmless(said.not_known, links).strip()
        if unknown and not echo.heard_in(unknown) and not _asserts(unknown, run):
            sentences.append(unknown)
        if checked.removed:
            left_out = counted(checked.removed, "statement")
            sentences.append(f"Left out: {left_out} that the evidence does not carry.")
        cites = tuple(dict.fromkeys(key for claim in kept for key in claim.cites))
        found = tuple(item for item in run.ground.shelf.found() if item.id in cites)
        return Reply("\n".join(sentences), cites, found, run.budget.usage())


def _asserts(unknown: str, run: Run) -> bool:
    """Whether a sentence about what is not known says something that nobody saw."""
    trial = Narrative(conclusion="inconclusive", confidence=0, summary="", ruled_out=(unknown,))
    return verify(trial, run.ground.shelf.texts()).removed > 0


def _task(asked: Asked, report: Report, run: Run) -> str:
    lines = [briefing(run.ground), "", f"The report: {report.conclusion}. {report.summary}"]
    lines += [f"- {claim.text} [{', '.join(claim.cites)}]" for claim in report.claims]
    lines += ["", "What was said in the thread:"]
    lines += [f"{who}: {text[:LONGEST_TURN]}" for who, text in asked.turns[-MOST_TURNS:]]
    lines += ["", f"The newest question: {asked.question[:LONGEST_TURN]}"]
    return f"The case, the report and the thread:\n\n{run.toolbox.shown(chr(10).join(lines))}"


def findings_of(report: Report) -> Findings:
    """The findings that a stored report was built from."""
    return Findings(
        window=Window(since=report.window.since, until=report.window.until),
        service=report.service,
        onset=report.onset,
        patterns=report.patterns,
        suspects=report.suspects,
        none_of_these=report.none_of_these,
        none_terms=report.none_terms,
        propagation=report.propagation,
        series=report.series,
        stats=report.stats,
    )
