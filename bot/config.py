"""What operators configure: environment variables here, sources and services in `sources.yaml` (`bot.sources`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from bot.errors import ConfigError

ALIVE_FILE = "alive"
"""In the data folder: touched every `ALIVE_S` seconds by a running bot, read by the container's health check."""
ALIVE_S = 10.0


def environment() -> Mapping[str, str]:
    """The process environment: the only place that reads it, so that tests and `${ENV}` see the same."""
    return os.environ  # noqa: TID251 - the one door


class Routine(BaseModel):
    """A question that is asked by the clock.

    Attributes:
        cron: minute, hour, day, month, weekday; weekdays by name (mon-fri).
        hours: how far back from then the question looks.
        workspace: of Slack; empty: the one that the bot's token belongs to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    cron: str
    question: str = Field(min_length=1, max_length=2_000)
    channel: str
    service: str = ""
    hours: float = Field(default=12, gt=0, le=24 * 14)
    tz: str = "UTC"
    workspace: str = ""


class Settings(BaseSettings):
    """The bot's own settings, each an environment variable; secrets never show in a repr."""

    model_config = SettingsConfigDict(
        env_prefix="BOT_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("incident-responder")),
        description="Where the default database and temporary evidence live.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL: sqlite:///... or postgresql+psycopg://... (default: SQLite in BOT_DATA_DIR).",
    )
    sources: Path | None = Field(default=None, description="Path of sources.yaml.")
    max_concurrent: int = Field(
        default=4, ge=1, le=64, description="Investigations that run at once; more are queued."
    )
    max_total: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="The same over all processes on one database; 0: as many as one process.",
    )
    max_per_workspace: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="The same for one Slack workspace; 0: BOT_MAX_TOTAL.",
    )
    queue: Literal["threads", "celery"] = Field(
        default="threads",
        description="What hands out jobs: threads of this process, or celery for many machines.",
    )
    broker_url: SecretStr = Field(
        default=SecretStr(""), description="redis://...: the broker of BOT_QUEUE=celery."
    )
    investigation_seconds: int = Field(
        default=180, ge=10, le=3600, description="Deadline of one investigation, in seconds."
    )
    lease_seconds: float = Field(
        default=30.0,
        ge=1,
        le=600,
        description="After so long without a heartbeat a worker's job belongs to others; not below 10 in production.",
    )
    retention_days: int = Field(
        default=365, ge=0, le=36_500, description="Reports are kept so many days; 0: for ever."
    )
    evidence_days: int = Field(
        default=30, ge=0, le=36_500, description="Evidence is; 0: as long as its report."
    )
    digest_channel: str = Field(
        default="", description="Channel id of the weekly summary; empty: none."
    )
    digest_cron: str = Field(default="0 9 * * mon", description="When the summary comes, in UTC.")
    routines: list[Routine] = Field(
        default_factory=list, description="JSON list of questions that are asked by the clock."
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")
    log_json: bool = Field(default=False, description="Logs as one JSON object a line.")

    llm_model: str = Field(
        default="",
        description="provider/model that the crew thinks with; empty: no model is used (docs/models.md).",
    )
    llm_specialist_model: str = Field(
        default="",
        description="Another, cheaper model for the specialists; default: BOT_LLM_MODEL.",
    )
    llm_commander_model: str = Field(
        default="", description="Another, stronger model for the Commander; default: BOT_LLM_MODEL."
    )
    llm_base_url: str = Field(default="", description="URL of an OpenAI-compatible server.")
    llm_api_key: SecretStr = Field(default=SecretStr(""), description="The provider's key.")
    llm_context_tokens: int = Field(
        default=128_000, ge=8_000, le=10_000_000, description="The model's real context window."
    )
    llm_stream: bool = Field(
        default=True,
        description="Stream answers, so that Stop cuts them; false if the server cannot.",
    )
    llm_timeout_seconds: float = Field(
        default=45.0, ge=1, le=600, description="Longest wait for one model call."
    )
    llm_max_calls: int = Field(
        default=40, ge=1, le=1_000, description="Model calls that one investigation may make."
    )
    llm_max_tokens: int = Field(
        default=400_000, ge=1_000, description="Tokens that one investigation may use."
    )
    llm_max_cost: float = Field(
        default=0.0, ge=0, description="US dollars that one investigation may cost; 0: no limit."
    )
    llm_max_cost_per_day: float = Field(
        default=0.0, ge=0, description="US dollars that all of a UTC day may cost; 0: no limit."
    )
    llm_prices: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="JSON: model -> [US dollars per million prompt tokens, per million completion tokens].",
    )

    slack_bot_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SLACK_BOT_TOKEN", "slack_bot_token"),
        description="xoxb-...: the bot's token.",
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SLACK_APP_TOKEN", "slack_app_token"),
        description="xapp-...: app-level token with connections:write, for Socket Mode.",
    )
    slack_api_url: str = Field(
        default="https://slack.com/api/",
        validation_alias=AliasChoices("SLACK_API_URL", "slack_api_url"),
        description="Base URL of the Web API; the local Slack sets it.",
    )

    slack_mode: Literal["socket", "http"] = Field(
        default="socket", description="How Slack delivers: by Socket Mode, or to /slack/events."
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "slack_signing_secret"),
        description="Of the Slack app; with BOT_SLACK_MODE=http.",
    )
    slack_client_id: str = Field(
        default="",
        validation_alias=AliasChoices("SLACK_CLIENT_ID", "slack_client_id"),
        description="Of the Slack app, to be installed in many workspaces by OAuth (http only).",
    )
    slack_client_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SLACK_CLIENT_SECRET", "slack_client_secret"),
        description="Of the Slack app, with SLACK_CLIENT_ID.",
    )
    slack_token_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Fernet keys, comma-separated, that seal installed tokens; the first one seals.",
    )
    slack_http_host: str = Field(default="127.0.0.1", description="Where http mode listens.")
    slack_http_port: int = Field(default=8000, ge=0, le=65_535, description="Port of http mode.")
    slack_reaction: str = Field(
        default="mag", description="Emoji whose reaction hands a message to the bot; empty: none."
    )
    slack_shared_channels: tuple[str, ...] = Field(
        default=(),
        description="JSON list: Slack Connect channels (id or name) in which the bot answers all the same.",
    )
    slack_permissions: dict[
        Literal["start", "stop", "watch", "settings", "mute", "delete"], tuple[str, ...]
    ] = Field(
        default_factory=dict,
        description="JSON: action -> ids of people (U...), user groups (S...) or channels (C...) that may do it; "
        "actions: start, stop, watch, settings, mute, delete. What is not named is everybody's.",
    )

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            msg = "must be debug, info, warning or error"
            raise ValueError(msg)
        return value.lower()

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'incident-responder.db'}"


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigError: with all problems at once, each naming its variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError(problems) from None
    except SettingsError as error:
        field = next(iter(re.findall(r'field "(\w+)"', str(error))), "settings")
        raise ConfigError([f"{_variable((field,))}: is not valid JSON"]) from None


def _variable(loc: tuple[int | str, ...]) -> str:
    name = str(loc[0]) if loc else "settings"
    return name if name.isupper() else f"BOT_{name.upper()}"


def require_executor(settings: Settings) -> None:
    """Check what the chosen executor needs.

    Raises:
        ConfigError: naming everything that is missing.
    """
    if settings.queue != "celery":
        return
    problems = []
    if not settings.database_url.startswith("postgresql"):
        problems.append(
            "BOT_QUEUE=celery needs Postgres: set BOT_DATABASE_URL=postgresql://user:password@host/name"
        )
    if not settings.broker_url.get_secret_value().startswith(("redis://", "rediss://")):
        problems.append("BOT_QUEUE=celery needs BOT_BROKER_URL=redis://host:6379/0")
    if find_spec("celery") is None:
        problems.append(
            "BOT_QUEUE=celery needs the extra: pip install 'incident-responder[celery]'"
        )
    if problems:
        raise ConfigError(problems)


def require_slack(settings: Settings) -> None:
    """Refuse to start without what Socket Mode needs.

    Raises:
        ConfigError: naming each missing or malformed token and where to get it.
    """
    if settings.slack_mode == "http":
        _require_http(settings)
        return
    problems = []
    bot, app = (
        settings.slack_bot_token.get_secret_value(),
        settings.slack_app_token.get_secret_value(),
    )
    if not bot:
        problems.append(
            "SLACK_BOT_TOKEN is not set: copy the Bot User OAuth Token (xoxb-...) of your Slack app"
        )
    elif not bot.startswith("xoxb-"):
        problems.append(
            "SLACK_BOT_TOKEN does not start with xoxb-: it must be the Bot User OAuth Token"
        )
    if not app:
        problems.append(
            "SLACK_APP_TOKEN is not set: create an app-level token (xapp-...) with the scope connections:write"
        )
    elif not app.startswith("xapp-"):
        problems.append("SLACK_APP_TOKEN does not start with xapp-: it must be an app-level token")
    if problems:
        raise ConfigError(problems)


def _require_http(settings: Settings) -> None:
    """Signed deliveries need the secret; tokens come from the environment or by OAuth."""
    problems = []
    if not settings.slack_signing_secret.get_secret_value():
        problems.append(
            "SLACK_SIGNING_SECRET is not set: BOT_SLACK_MODE=http needs it (Basic Information of your Slack app)"
        )
    if settings.slack_client_id:
        if not settings.slack_client_secret.get_secret_value():
            problems.append("SLACK_CLIENT_SECRET is not set: SLACK_CLIENT_ID needs it")
        if not settings.slack_token_keys.get_secret_value():
            problems.append("BOT_SLACK_TOKEN_KEYS is not set: installed tokens are stored sealed")
    elif not settings.slack_bot_token.get_secret_value():
        problems.append(
            "SLACK_BOT_TOKEN is not set: give it for one workspace, or SLACK_CLIENT_ID for many"
        )
    if problems:
        raise ConfigError(problems)
