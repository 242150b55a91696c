"""The crew as a narrator: specialists side by side, a Commander, one repair round; the offline narrator when that fails.

Whatever happens to the model, a narrative comes back within its time, and what was found without a model is in it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog

from adapters.kit.cache import investigation_cache
from bot.analysis.findings import Findings
from bot.crew import framework
from bot.crew.answers import Answer, Finding, Verdict
from bot.crew.briefing import briefing, for_commander
from bot.crew.budget import Budget, Day
from bot.crew.desk import Desk
from bot.crew.failures import ModelError
from bot.crew.ground import Ground
from bot.crew.models import COMMANDER, Models
from bot.crew.offline import OfflineNarrator
from bot.crew.orchestrator import Job, Outcome, Tell, together
from bot.crew.roles import COMMANDING, Role, prompt, specialists
from bot.crew.shelf import Shelf
from bot.crew.telling import Telling, deployed, gaps, own_links
from bot.crew.toolbox import Toolbox
from bot.crew.untrusted import Echo, orders_in
from bot.redact import Redactor
from bot.report import Checked, Gap, Narrative, Records
from bot.verify import verify

log = structlog.get_logger()

Said = TypeVar("Said", bound=Answer)
RESERVE_SHARE, RESERVE_S = 0.35, 45.0
"""Of the time, what the Commander gets at least; never more than this many seconds."""
MARGIN_S = 0.5
NOT_HERE = "the agents' framework cannot be used here; the logs say why"
LEAST_REPAIR_S = 1.0
_runs = itertools.count(1)


@dataclass(slots=True)
class Run:
    """One use of the crew: what all its agents share."""

    folder: Path
    desk: Desk
    ground: Ground
    budget: Budget
    toolbox: Toolbox
    number: int
    day: Day

    def close(self, *, reported: bool) -> None:
        """The run is over: threads that still work stop at their next gate."""
        self.budget.specialists_over.set()
        self.day.over(self.number, reported=reported)

    def agent(self, role: Role, task: Callable[[], str], schema: type[Said]) -> Job[Said]:
        """An agent's work, ready to be run in a thread of its own."""

        def work(tell: Tell) -> Said:
            try:
                framework.load(self.folder)
                from bot.crew.agents import run_agent
            except Exception:  # a named edge: crewai does many things when it is imported
                log.exception("crew_not_available")
                raise ModelError(NOT_HERE) from None

            return run_agent(role, task(), schema, self.toolbox, self.budget, tell)

        return work


@dataclass(frozen=True, slots=True)
class Means:
    """What every run of this process uses.

    Attributes:
        folder: where crewai may write, inside the data folder.
    """

    models: Models
    folder: Path
    day: Day = field(default_factory=Day)


def begin(means: Means, findings: Findings, records: Records, desk: Desk, *, seconds: float) -> Run:
    """Put a run together; it ends after `seconds`."""
    models, day = means.models, means.day
    number = next(_runs)
    budget = Budget(
        models=models,
        deadline=time.monotonic() + max(0.1, seconds - min(MARGIN_S, 0.1 * seconds)),
        stop=desk.cancelled,
        spent_today=day.spent() if models.limits.cost_per_day else 0.0,
        told=lambda cost: day.note(number, cost),
    )
    ground = Ground(
        findings,
        records,
        desk,
        Shelf(findings, records),
        stopped=lambda: desk.cancelled.is_set() or budget.left() <= 0,
    )
    secrets = [m.api_key for m in (models.specialist, models.commander) if len(m.api_key) >= 6]

    return Run(means.folder, desk, ground, budget, Toolbox(ground, Redactor(secrets)), number, day)


@dataclass(slots=True)
class CrewNarrator:
    """Narrates with CrewAI agents; see the module."""

    means: Means
    offline: OfflineNarrator = field(default_factory=OfflineNarrator)

    def narrate(
        self,
        question: str,
        findings: Findings,
        records: Records,
        *,
        seconds: float,
        desk: Desk | None = None,
    ) -> Narrative:
        """Let the crew say what the findings mean, within `seconds` and within a second of a Stop."""
        plain = self.offline.narrate(question, findings, records)
        if desk is None:
            return plain
        run = begin(self.means, findings, records, desk, seconds=seconds)
        try:
            with investigation_cache():
                return _Telling(run, plain).tell()
        except Exception:  # a named edge: whatever is wrong with the crew, the report comes
            log.exception("crew_broke")
            broke = Gap(
                system="model", reason="the crew broke on our side; the report is without it"
            )
            return plain.model_copy(
                update={"missing": (*plain.missing, broke), "usage": run.budget.usage()}
            )
        finally:
            run.close(reported=True)


@dataclass(slots=True)
class _Telling:
    """One narration under way."""

    run: Run
    plain: Narrative

    def tell(self) -> Narrative:
        run = self.run
        found = self._specialists()
        run.budget.specialists_over.set()
        if run.budget.stop.is_set():
            return self._without(found, {})
        case = for_commander(run.ground, self.plain, found.answers, found.failures)
        task = f"The case and what was found:\n\n{run.toolbox.shown(case)}"
        verdicts = self._commander(task)
        verdict = verdicts.answers.get(COMMANDER)
        if verdict is None:
            return self._without(found, verdicts.failures)
        return self._checked(verdict, task, found)

    def _specialists(self) -> Outcome[Finding]:
        run = self.run
        roles = specialists(run.ground)
        case = run.toolbox.shown(briefing(run.ground))
        jobs = {
            role.name: run.agent(role, lambda: f"The case:\n\n{case}", Finding) for role in roles
        }
        left = run.budget.left()
        reserve = min(RESERVE_S, RESERVE_SHARE * left)
        return together(
            jobs, run.budget, run.desk.told, until=time.monotonic() + max(0.0, left - reserve)
        )

    def _commander(self, task: str) -> Outcome[Verdict]:
        run = self.run
        jobs = {COMMANDER: run.agent(COMMANDING, lambda: task, Verdict)}
        return together(jobs, run.budget, run.desk.told, until=run.budget.deadline)

    def _checked(self, verdict: Verdict, task: str, found: Outcome[Finding]) -> Narrative:
        """The verdict after the checks and one repair; the offline narrative when nothing of it is left."""
        telling = self._telling()
        told = telling.narrative(verdict)
        checked = verify(told, self.run.ground.shelf.texts())
        if checked.removals and self.run.budget.left() > LEAST_REPAIR_S:
            told, checked = self._repaired(verdict, task, told, checked, telling)
        if not checked.narrative.claims:
            said = checked.removed + telling.dropped
            lack = f"{said} of its statements are not carried by the evidence; none was kept"
            reason = lack if said else "it made no statement that could be checked"
            return self._without(found, {COMMANDER: reason}, telling)
        filled = telling.filled(told, checked)
        return self._finished(filled, found, {}, telling)

    def _repaired(
        self, verdict: Verdict, task: str, told: Narrative, checked: Checked, telling: Telling
    ) -> tuple[Narrative, Checked]:
        """Tell the Commander once what failed; the better of both verdicts."""
        run = self.run
        failed = "\n".join(
            f"- {removal.text}: {removal.reason}" for removal in checked.removals[:12]
        )
        again = prompt("repair").replace("{failed}", run.toolbox.shown(failed))
        before = run.toolbox.shown(verdict.model_dump_json())
        second = self._commander(f"{task}\n\nYour verdict was:\n\n{before}\n\n{again}")
        repaired = second.answers.get(COMMANDER)
        if repaired is None:
            return told, checked
        other = telling.narrative(repaired)
        other_checked = verify(other, run.ground.shelf.texts())
        kept, other_kept = len(checked.narrative.claims), len(other_checked.narrative.claims)
        better = other_kept and (other_checked.removed < checked.removed or other_kept > kept)
        return (other, other_checked) if better else (told, checked)

    def _telling(self) -> Telling:
        ground = self.run.ground
        orders = [*self.run.toolbox.orders, *orders_in(ground.shelf.texts().values())]
        return Telling(
            ground.findings,
            self.plain,
            own_links(ground.findings, ground.records),
            Echo(orders),
            deployed(ground.findings, ground.records),
        )

    def _without(
        self, found: Outcome[Finding], failures: dict[str, str], telling: Telling | None = None
    ) -> Narrative:
        """The offline narrative, with what the specialists found and the evidence carries."""
        telling = telling or self._telling()
        said = [
            claim.model_copy(update={"cause": False})
            for finding in found.answers.values()
            for claim in telling.claims(finding.statements)
        ]
        trial = self.plain.model_copy(update={"claims": tuple(said)})
        kept = verify(trial, self.run.ground.shelf.texts()).narrative.claims
        merged = self.plain.model_copy(update={"claims": (*self.plain.claims, *kept)})
        return self._finished(merged, found, failures, telling)

    def _finished(
        self,
        narrative: Narrative,
        found: Outcome[Finding],
        failures: dict[str, str],
        telling: Telling,
    ) -> Narrative:
        ground = self.run.ground
        cited = {key for claim in narrative.claims for key in claim.cites}
        missing = [
            *((who, f"gave no answer: {why}") for who, why in found.failures.items()),
            *((who, _said(why)) for who, why in failures.items()),
            *ground.failures.items(),
        ]
        return narrative.model_copy(
            update={
                "missing": (
                    *narrative.missing,
                    *gaps(missing),
                    *telling.notes(),
                    *self._withheld(),
                ),
                "usage": self.run.budget.usage(),
                "found": tuple(item for item in ground.shelf.found() if item.id in cited),
            }
        )

    def _withheld(self) -> tuple[Gap, ...]:
        number = self.run.toolbox.redactor.withheld
        reason = f"{number} texts could not be redacted and were not shown to the model"
        return (Gap(system="redaction", reason=reason),) if number else ()


def _said(why: str) -> str:
    told = (
        why
        if " of its statements " in why or why.startswith("it made")
        else f"gave no answer: {why}"
    )
    return f"{told}; the report was written without it"
