from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.config import Settings, load_settings, require_slack
from bot.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_dotenv(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_the_database_defaults_to_a_file_in_the_data_folder(tmp_path):
    assert Settings(data_dir=tmp_path).database == f"sqlite:///{tmp_path}/incident-responder.db"


def test_every_bad_variable_is_named_at_once(monkeypatch):
    monkeypatch.setenv("BOT_MAX_CONCURRENT", "many")
    monkeypatch.setenv("BOT_LOG_LEVEL", "loud")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    text = "\n".join(caught.value.problems)
    assert "BOT_MAX_CONCURRENT" in text
    assert "BOT_LOG_LEVEL" in text


def test_missing_tokens_are_named_with_the_way_to_get_them():
    with pytest.raises(ConfigError) as caught:
        require_slack(Settings(slack_bot_token=SecretStr("xoxp-1")))
    first, second = caught.value.problems
    assert "does not start with xoxb-" in first
    assert "SLACK_APP_TOKEN is not set" in second


def test_no_secret_shows_in_a_repr():
    assert "hunter2" not in repr(Settings(slack_bot_token=SecretStr("xoxb-hunter2")))
