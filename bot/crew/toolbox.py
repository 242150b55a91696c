"""The tools as agents call them: typed arguments in; compact, redacted, fenced text out; the same call answered once.

No tool raises: what went wrong is said in words that hold nothing of the exception.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import structlog
from pydantic import BaseModel, ValidationError

from bot.crew import change_tools, log_tools, record_tools
from bot.crew.ground import Ground, StoppedError
from bot.crew.untrusted import fenced, without_orders
from bot.errors import UserError
from bot.redact import Redactor

log = structlog.get_logger()

MOST_BYTES = 16_000
STOPPED = "The investigation is over; answer now with what you have."


@dataclass(frozen=True, slots=True)
class Spec:
    """One tool: what the model is told of it, its arguments, and what it does.

    Attributes:
        doing: what people read in the thread while it runs; may name arguments in braces.
    """

    name: str
    about: str
    args: type[BaseModel]
    run: Callable[[Ground, BaseModel], str]
    doing: str


def _spec(
    name: str, about: str, args: type[BaseModel], run: Callable[..., str], doing: str
) -> Spec:
    return Spec(name, about, args, run, doing)


SPECS: Mapping[str, Spec] = {
    spec.name: spec
    for spec in (
        _spec(
            "list_patterns",
            "Unusual log patterns, most unusual first, with counts.",
            log_tools.ListPatterns,
            log_tools.list_patterns,
            "goes through the log patterns",
        ),
        _spec(
            "show_pattern",
            "One log pattern with its lines and stack frames.",
            log_tools.OfPattern,
            log_tools.show_pattern,
            "reads the lines of {pattern}",
        ),
        _spec(
            "lines_around",
            "The log lines before and after one line of a pattern.",
            log_tools.OfPattern,
            log_tools.lines_around,
            "reads what stands around {pattern}",
        ),
        _spec(
            "search_lines",
            "Search the logs for a literal text.",
            log_tools.Search,
            log_tools.search_lines,
            "searches the logs for “{text}”",
        ),
        _spec(
            "compare_windows",
            "Counts by service and pattern in two spans of time.",
            log_tools.Compare,
            log_tools.compare_windows,
            "compares {first_since}-{first_until} with {second_since}-{second_until}",
        ),
        _spec(
            "list_changes",
            "Commits and deploys between two moments, optionally of a path.",
            change_tools.ListChanges,
            change_tools.list_changes,
            "lists what was changed",
        ),
        _spec(
            "show_change",
            "One change with its diff, or one file of it.",
            change_tools.ShowChange,
            change_tools.show_change,
            "reads the diff of {change}",
        ),
        _spec(
            "blame_line",
            "Which change wrote a line of a file last.",
            change_tools.BlameLine,
            change_tools.blame_line,
            "looks up who wrote {file}:{line}",
        ),
        _spec(
            "list_metrics",
            "The metric series that were read, with figures.",
            record_tools.NoArguments,
            record_tools.list_metrics,
            "goes through the metrics",
        ),
        _spec(
            "query_metric",
            "Samples and figures of one series in a span of time.",
            record_tools.QueryMetric,
            record_tools.query_metric,
            "reads the metric {metric}",
        ),
        _spec(
            "list_history",
            "Alerts, incidents, tickets, runbooks and past investigations.",
            record_tools.NoArguments,
            record_tools.list_history,
            "looks at incidents, tickets and runbooks",
        ),
        _spec(
            "look_up",
            "One record (alert, incident, ticket, runbook, deploy, past investigation) in full.",
            record_tools.LookUp,
            record_tools.look_up,
            "reads {record}",
        ),
        _spec(
            "search_history",
            "Incidents, tickets, runbooks and past investigations with all these words.",
            record_tools.SearchHistory,
            record_tools.search_history,
            "searches earlier incidents for “{text}”",
        ),
    )
}


@dataclass(slots=True)
class Toolbox:
    """The tools of one run. Thread-safe; an identical call waits for, or gets, the first one's answer.

    Attributes:
        withheld: ids or names of calls whose answer held lines that read like orders.
    """

    ground: Ground
    redactor: Redactor
    orders: list[str] = field(default_factory=list)
    _answers: dict[str, Future[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, name: str, arguments: Mapping[str, object]) -> str:
        """Answer a call as the model sees it."""
        if self.ground.stopped():
            return STOPPED
        spec = SPECS[name]
        try:
            args = spec.args.model_validate(arguments)
        except ValidationError as error:
            fields = ", ".join(str(e["loc"][0]) for e in error.errors() if e["loc"])
            return f"These arguments are not right: {fields[:200]}."
        key = f"{name} {args.model_dump_json()}"
        with self._lock:
            future = self._answers.get(key)
            mine = future is None
            if future is None:
                future = self._answers[key] = Future()
        if mine:
            future.set_result(self._answer(spec, args))
        return future.result()

    def _answer(self, spec: Spec, args: BaseModel) -> str:
        try:
            answer = spec.run(self.ground, args)
        except UserError as error:
            return self.shown(str(error))
        except StoppedError:
            return STOPPED
        except Exception:  # a named edge: a bug in one tool costs only its own answer
            log.exception("tool_broke", tool=spec.name)
            return "This tool broke; go on without it."
        return self.shown(answer)

    def shown(self, text: str) -> str:
        """Text from the evidence as a model may see it: redacted, without orders, bounded, fenced."""
        clean, orders = without_orders(self.redactor.text(text))
        if orders:
            with self._lock:
                self.orders += orders[: max(0, 200 - len(self.orders))]
        data = clean.encode()
        if len(data) > MOST_BYTES:
            left = clean.count("\n", len(data[:MOST_BYTES].decode(errors="ignore"))) + 1
            clean = data[:MOST_BYTES].decode(errors="ignore") + f"\n... {left} more lines"
        return fenced(clean)


def doing(name: str, arguments: Mapping[str, object]) -> str:
    """What a call does, in people's words."""
    spec = SPECS.get(name)
    if spec is None:
        return "works"
    named = {key: " ".join(str(value).split())[:60] for key, value in arguments.items()}
    try:
        return spec.doing.format_map(named)
    except (KeyError, IndexError, ValueError):
        return spec.doing.partition("{")[0].rstrip(" “")
