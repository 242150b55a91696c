"""Why a model gave no answer: sorted by what can be done, told in our own words."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from bot.crew.budget import Budget, Day
from bot.crew.failures import ModelError, failure_of
from bot.crew.models import COMMANDER, Limits, Model, Models, Price
from bot.crew.orchestrator import Tell, together


class HttpError(Exception):
    def __init__(self, status: int, headers: dict[str, str] | None = None, code: str = "") -> None:
        super().__init__("secret body of the provider")
        self.status_code = status
        self.code = code
        self.response = SimpleNamespace(status_code=status, headers=headers or {})


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (HttpError(401), "does not accept the key", False),
        (HttpError(404), "no such model", False),
        (HttpError(400), "refused the request", False),
        (HttpError(418), "refused the request", False),
        (HttpError(429), "slow down", True),
        (HttpError(429, code="insufficient_quota"), "no credit", False),
        (HttpError(503), "not well", True),
        (TimeoutError(), "in time", False),
        (ConnectionError("Request timed out."), "in time", False),
        (ConnectionResetError(), "connection to it broke", True),
        (ValueError("what"), "could not be read", False),
    ],
)
def test_errors_are_sorted(error: Exception, words: str, retryable: bool) -> None:
    failure = failure_of(error)
    assert words in failure.words
    assert failure.retryable is retryable
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "250"}, 0.25), ({"retry-after": "soon"}, None),
     ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0), ({}, None)],
)  # fmt: skip
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert failure_of(HttpError(429, headers)).retry_after_s == seconds


def test_the_cause_of_an_error_decides() -> None:
    outer = RuntimeError("wrapped")
    outer.__cause__ = HttpError(500)
    assert failure_of(outer).retryable


def budget(seconds: float = 10.0, **limits: float) -> Budget:
    model = Model("openai/x", price=Price(1.0, 2.0))
    given = Limits(**limits)  # type: ignore[arg-type]
    return Budget(Models(model, model, given), time.monotonic() + seconds, threading.Event())


def test_the_commander_has_a_reserve() -> None:
    spent = budget(calls=8)
    for _ in range(6):
        spent.called("Log Analyst")
    assert "model calls" in spent.refusal("Log Analyst")
    assert spent.refusal(COMMANDER) == ""


def test_tokens_and_money_end_a_role() -> None:
    spent = budget(tokens=1_000)
    spent.used("Log Analyst", 700, 100)
    assert "tokens" in spent.refusal("Log Analyst")
    dear = budget(cost=0.001)
    dear.used("Log Analyst", 1_000, 0)
    assert "money for this investigation" in dear.refusal(COMMANDER)
    daily = budget(cost_per_day=5.0)
    daily.spent_today = 5.0
    assert "money for today" in daily.refusal(COMMANDER)


def test_stop_and_the_deadline_end_everybody() -> None:
    late = budget(seconds=-1)
    assert late.refusal(COMMANDER) == "out of time"
    stopped = budget()
    stopped.stop.set()
    assert stopped.refusal(COMMANDER) == "stopped"


def test_the_cost_by_role_is_the_price_of_its_tokens() -> None:
    spent = budget()
    spent.called("Log Analyst")
    spent.used("Log Analyst", 1_000_000, 500_000)
    usage = spent.usage()
    assert usage.cost == 2.0
    assert usage.roles[0].role == "Log Analyst"
    assert usage.tokens == 1_500_000


def test_a_day_knows_what_runs_under_way_have_spent() -> None:
    day = Day(lambda: 1.5)
    day.note(1, 0.5)
    assert day.spent() == 2.0
    day.over(1, reported=True)
    assert day.spent() == 1.5


def test_one_failing_agent_costs_only_its_part() -> None:
    def fails(_tell: Tell) -> str:
        raise ModelError("it is not well")

    def reads(tell: Tell) -> str:
        tell("reads")
        return "done"

    def hangs(_tell: Tell) -> str:
        threading.Event().wait(5)
        return ""

    told: list[tuple[str, str, str]] = []
    outcome = together(
        {"a": reads, "b": fails, "c": hangs},
        budget(),
        lambda *line: told.append(line),
        until=time.monotonic() + 0.3,
    )
    assert outcome.answers == {"a": "done"}
    assert outcome.failures == {"b": "it is not well", "c": "out of time"}
    assert ("a", "in_progress", "reads") in told
    assert ("b", "error", "gave no answer: it is not well") in told


def test_progress_that_cannot_be_told_costs_nothing() -> None:
    def broken(*_line: object) -> None:
        raise OSError

    outcome = together({"a": lambda _tell: "x"}, budget(), broken, until=time.monotonic() + 5)
    assert outcome.answers == {"a": "x"}
