"""What of crewai's inside we rely on. When one of these fails, a new version of crewai changed what the crew stands on."""

from __future__ import annotations

import contextvars
import logging
import os
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from bot.crew import framework
from bot.crew.answers import Finding
from bot.crew.models import Model
from bot.report import Seen
from tests.crew import characters, stage
from tests.crew.conftest import CREWAI_WARNS
from tests.crew.scripted import Reply, scripted

pytestmark = [pytest.mark.timeout(60), *CREWAI_WARNS]


def test_the_version_is_the_one_that_was_measured() -> None:
    assert version("crewai") == "1.15.30"


def test_importing_the_bot_does_not_import_crewai() -> None:
    code = (
        "import sys, bot.wiring, bot.crew.narrator, bot.crew.answering, bot.crew.framework;"
        "sys.exit('crewai' in sys.modules or 'openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_telemetry_is_off_and_no_file_leaves_the_folder(tmp_path: Path) -> None:
    code = f"""
import socket, sys
from pathlib import Path
def refuse(*args): raise AssertionError("a connection")
socket.socket.connect = refuse
from bot.crew import framework
framework.load(Path({str(tmp_path / "data")!r}))
from crewai.telemetry import Telemetry
assert Telemetry().ready is False
"""
    env = {"PATH": os.getenv("PATH", ""), "HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == ""
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_gate_ends_an_agent_before_it_asks(crew_folder: Path) -> None:
    from crewai.hooks.dispatch import HookAborted

    from bot.crew.llm import governed

    with scripted(characters.good) as model:
        budget = _budget(model.url, crew_folder)
        from crewai import Agent

        llm = governed(budget.models.specialist, "Log Analyst", budget)
        with framework.scope(lambda: "over", lambda _kind, _event: None):
            agent = Agent(role="r", goal="g", backstory="b", llm=llm, verbose=False)
            with pytest.raises(HookAborted, match="over"):
                agent.kickoff("hello")
        llm.close()
        assert model.asked == []


def _budget(url: str, folder: Path):
    from bot.crew.budget import Budget

    models = stage.means(url, folder).models
    return Budget(models, time.monotonic() + 20, threading.Event())


def test_events_arrive_in_order_and_only_in_their_own_scope(crew_folder: Path) -> None:
    heard: dict[int, list[str]] = {1: [], 2: []}

    def work(number: int) -> None:
        from crewai import Agent

        from bot.crew.llm import governed

        budget = _budget(model.url, crew_folder)
        llm = governed(budget.models.specialist, f"r{number}", budget)
        with framework.scope(lambda: "", lambda kind, _event: heard[number].append(kind)):
            Agent(role=f"r{number}", goal="g", backstory="b", llm=llm, verbose=False).kickoff("hi")
        llm.close()

    with scripted(characters.always(Reply("done"))) as model:
        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, n)) for n in heard
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    for kinds in heard.values():
        assert kinds.count("llm_call_started") == kinds.count("llm_call_completed") == 1
        assert kinds.index("llm_call_started") < kinds.index("llm_stream_chunk")
        assert kinds.index("llm_stream_chunk") < kinds.index("llm_call_completed")


def test_an_answer_in_json_needs_one_call_and_a_fenced_one_two(crew_folder: Path) -> None:
    from crewai import Agent

    from bot.crew.llm import governed

    for text, calls in (('{"summary": "ok"}', 1), ('```json\n{"summary": "ok"}\n```', 2)):
        with scripted(characters.always(Reply(text))) as model:
            budget = _budget(model.url, crew_folder)
            llm = governed(budget.models.specialist, "r", budget)
            agent = Agent(role="r", goal="g", backstory="b", llm=llm, verbose=False)
            answer = agent.kickoff("hi", response_format=Finding)
            llm.close()
            assert len(model.asked) == calls
        found = getattr(answer, "pydantic", None)
        assert isinstance(found, Finding)
        assert found.summary == "ok"


def test_the_context_window_is_the_configured_one(crew_folder: Path) -> None:
    from bot.crew.llm import governed

    budget = _budget("http://127.0.0.1:9/v1", crew_folder)
    model = Model(
        "openai/unknown", base_url="http://127.0.0.1:9/v1", api_key="k", context_tokens=50_000
    )
    llm = governed(model, "r", budget)
    llm.close()
    assert llm.get_context_window_size() == 42_500
    assert llm.get_input_tokens_count([{"role": "user", "content": "x" * 400}]) == 100


def test_the_framework_prints_nothing(
    crew_folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger().handlers  # noqa: B018, TID251 - the root logger is where it would be heard
    with scripted(characters.always(Reply(status=401))) as model:
        stage.narrate(stage.means(model.url, crew_folder), stage.desk(), records=Seen())
    shown = capfd.readouterr()
    assert "OpenAI" not in shown.out + shown.err + caplog.text
    assert "╭" not in shown.out


@pytest.mark.parametrize(
    "name",
    ["openai/gpt-4.1", "openai/newer-than-crewai", "ollama/llama3", "openrouter/meta/llama",
     "deepseek/deepseek-chat"],
)  # fmt: skip
def test_providers_without_an_extra_are_native_and_do_not_retry(
    crew_folder: Path, name: str
) -> None:
    from bot.crew.llm import governed

    model = Model(name, api_key="a-key")
    llm = governed(model, "r", _budget("http://127.0.0.1:9/v1", crew_folder))
    inner = llm._inner
    llm.close()
    assert getattr(inner, "max_retries", None) == 0
    assert getattr(inner, "timeout", None) == 5.0
    assert inner.base_url


def test_a_framework_that_cannot_be_imported_costs_only_the_crew(tmp_path: Path) -> None:
    (tmp_path / "crew").write_text("a file where a folder should be")
    code = f"""
from pathlib import Path
from tests.crew import stage
told = stage.narrate(stage.means("http://127.0.0.1:9/v1", Path({str(tmp_path / "crew")!r})), stage.desk())
assert told.conclusion == "likely"
assert "cannot be used here" in str(told.missing), told.missing
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
