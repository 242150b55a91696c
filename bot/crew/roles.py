"""Who is in the crew: what each is for, which tools each has, and who is worth asking for this investigation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bot.crew.ground import Ground
from bot.crew.models import COMMANDER


@dataclass(frozen=True, slots=True)
class Role:
    """One agent.

    Attributes:
        prompt: name of its file in `prompts/`.
    """

    name: str
    prompt: str
    tools: tuple[str, ...] = ()


_LOGS = ("list_patterns", "show_pattern", "lines_around", "search_lines", "compare_windows")
_CODE = ("list_changes", "show_change", "blame_line", "show_pattern")
_METRICS = ("list_metrics", "query_metric", "compare_windows")
_HISTORY = ("list_history", "search_history", "look_up")

LOG_ANALYST = Role("Log Analyst", "log_analyst", _LOGS)
CODE_HISTORIAN = Role("Code Historian", "code_historian", _CODE)
METRICS_ANALYST = Role("Metrics Analyst", "metrics_analyst", _METRICS)
INCIDENT_HISTORIAN = Role("Incident Historian", "incident_historian", _HISTORY)
COMMANDING = Role(COMMANDER, "commander")
ANSWERING = Role("Answerer", "follow_up", tuple(dict.fromkeys(_LOGS + _CODE + _METRICS + _HISTORY)))


def specialists(ground: Ground) -> tuple[Role, ...]:
    """Those who have something to look at: evidence that was collected, or a past to remember."""
    return tuple(_worth_asking(ground))


def _worth_asking(ground: Ground) -> Iterator[Role]:
    findings, records = ground.findings, ground.records
    if findings.stats.lines or findings.patterns:
        yield LOG_ANALYST
    if records.commits or records.deploys:
        yield CODE_HISTORIAN
    if records.metrics:
        yield METRICS_ANALYST
    known = records.alerts or records.incidents or records.tickets or records.runbooks
    if known or ground.past():
        yield INCIDENT_HISTORIAN


@cache
def prompt(name: str) -> str:
    """A prompt's whole text."""
    return (files("bot.crew") / "prompts" / f"{name}.md").read_text(encoding="utf-8")


@cache
def parts(name: str) -> tuple[str, str, str]:
    """Goal, backstory and task of a role's prompt."""
    sections = {
        head.strip(): " ".join(body.split())
        for head, _, body in (part.partition("\n") for part in prompt(name).split("# ") if part)
    }
    return sections["Goal"], sections["Backstory"], sections["Task"]
