"""The models' configuration: one clear message for each mistake, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.config import Settings, load_settings
from bot.crew.models import Model, Price, models
from bot.crew.narrator import CrewNarrator
from bot.crew.offline import OfflineNarrator
from bot.errors import ConfigError
from bot.sources import Sources
from bot.wiring import build_deps


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def faults(**given: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        models(settings(**given))
    return list(caught.value.problems)


def test_without_a_model_there_is_no_crew(tmp_path: Path) -> None:
    assert models(settings()) is None
    deps = build_deps(settings(data_dir=tmp_path), Sources())
    assert isinstance(deps.narrator, OfflineNarrator)
    assert deps.answerer is None


def test_no_model_leaves_a_configured_one_out(tmp_path: Path) -> None:
    given = settings(llm_model="ollama/llama3", data_dir=tmp_path)
    assert isinstance(build_deps(given, Sources()).narrator, CrewNarrator)
    assert isinstance(build_deps(given, Sources(), model=False).narrator, OfflineNarrator)


def test_a_cheap_model_for_specialists_and_a_strong_one_for_the_commander() -> None:
    chosen = models(
        settings(
            llm_model="openai/gpt-4.1",
            llm_specialist_model="openai/gpt-4.1-mini",
            llm_api_key=SecretStr("sk-1"),
            llm_prices={"openai/gpt-4.1": (2.0, 8.0)},
        )
    )
    assert chosen is not None
    assert chosen.of("Log Analyst").name == "openai/gpt-4.1-mini"
    assert chosen.of("Commander").name == "openai/gpt-4.1"
    assert chosen.of("Commander").price == Price(2.0, 8.0)
    assert chosen.of("Log Analyst").price is None
    assert "sk-1" not in repr(chosen)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"llm_model": "gpt-4.1"}, "write provider/model"),
        ({"llm_model": "magic/x"}, "unknown provider 'magic'"),
        ({"llm_model": "openai/gpt-4.1"}, "BOT_LLM_API_KEY: is not set"),
        ({"llm_model": "openai/x", "llm_base_url": "models.internal"}, "BOT_LLM_BASE_URL: must be a URL"),
        ({"llm_model": "anthropic/claude"}, "incident-responder[anthropic]"),
        ({"llm_model": "ollama/x", "llm_max_cost": 1.0}, "BOT_LLM_PRICES: has no price for ollama/x"),
        ({"llm_model": "ollama/x", "llm_commander_model": "big"}, "BOT_LLM_COMMANDER_MODEL: 'big'"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_what_to_do(given: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in faults(**given))


def test_all_mistakes_are_told_at_once() -> None:
    assert len(faults(llm_model="gpt", llm_commander_model="magic/x", llm_base_url="x")) == 3


def test_a_local_model_needs_no_key() -> None:
    chosen = models(settings(llm_model="openai/qwen", llm_base_url="http://localhost:8000/v1"))
    assert chosen is not None
    assert chosen.specialist == Model("openai/qwen", base_url="http://localhost:8000/v1")


def test_prices_are_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_LLM_PRICES", '{"openai/x": [0.5, 2]}')
    assert load_settings().llm_prices == {"openai/x": (0.5, 2.0)}
    monkeypatch.setenv("BOT_LLM_PRICES", "cheap")
    with pytest.raises(ConfigError, match="BOT_LLM_PRICES: is not valid JSON"):
        load_settings()
