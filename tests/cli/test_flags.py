"""Flags of sources, as the command line gives them to the adapters' settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.cli import flags, main
from bot.errors import ConfigError
from bot.sources import Sources
from tests.adapters.cases import github_actions
from tests.adapters.loopback import serving

RUN = "https://github.com/shop/checkout/actions/runs/7"


def settings_of(sources: Sources | None) -> list[Any]:
    assert sources is not None
    return [vars(source.adapter)["_settings"] for source in sources.sources]


def test_the_commands_own_repo_is_also_the_sources():
    sources = flags.sources_from({"git": "github", "logs": "github-actions"}, {"--repo": "a/b"})
    assert [settings.repo for settings in settings_of(sources)] == [("a/b",), ("a/b",)]


def test_a_flag_of_its_own_goes_before_the_shared_one():
    given = {"git": "github", "git_repo": "c/d,e/f"}
    sources = flags.sources_from(given, {"--repo": "a/b"})
    assert settings_of(sources)[0].repo == ("c/d", "e/f")


def test_the_repo_of_a_question_is_no_setting_of_a_local_clone(tmp_path):
    sources = flags.sources_from({"git": "local", "git_path": str(tmp_path)}, {"--repo": "a/b"})
    assert settings_of(sources)[0].repo == ""


def test_a_token_comes_from_the_environment():
    sources = flags.sources_from({"git": "github"}, {"--repo": "a/b"}, {"GITHUB_TOKEN": "t0ken"})
    assert settings_of(sources)[0].token.get_secret_value() == "t0ken"


def test_a_run_is_named_by_a_short_flag():
    options = [p.annotation.__metadata__[0] for p in flags.parameters()]
    names = {flag for option in options for flag in (option.default, *option.param_decls)}
    assert {"--run-url", "--run-id", "--log-run-url"} <= names
    assert "--repo" not in names


def test_a_run_without_its_repo_is_a_message():
    with pytest.raises(ConfigError) as caught:
        flags.sources_from({"logs": "github-actions", "log_run_id": "7"}, {})
    assert "run_id needs the repo" in str(caught.value)


def test_a_run_given_by_its_address_is_investigated_when_it_ran(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_DATA_DIR", str(tmp_path / "data"))
    with serving(github_actions.actions) as server:
        run = f"{server.url}/shop/checkout/actions/runs/7"
        asked = ["investigate", "why did it fail", "--logs=github-actions", f"--run-url={run}"]
        assert main([*asked, f"--log-url={server.url}/api/v3", "--format=json", "--no-model"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["window"]["since"].startswith("2026-11-20T09:59:00")
    assert report["patterns"]
