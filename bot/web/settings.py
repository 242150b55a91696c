"""Settings of the web door, each a variable that begins with BOT_WEB_ (docs/api.md lists them)."""

from __future__ import annotations

import ipaddress
import secrets
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import ConfigError


class WebSettings(BaseSettings):
    """What the operator decides about the web door; secrets never show in a repr."""

    model_config = SettingsConfigDict(
        env_prefix="BOT_WEB_", env_file=".env", extra="ignore", frozen=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=0, ge=0, le=65_535, description="Port for `run`; 0: no web door.")
    url: str = Field(default="", description="Public address, such as https://bot.example.com.")
    admin_token: SecretStr = Field(
        default=SecretStr(""), description="One token with all rights, for small set-ups."
    )
    pepper: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the hashes of API keys and sessions; default: made once in BOT_DATA_DIR.",
    )
    workspace: str = Field(
        default="local",
        description="Slack workspace (T...) that webhooks and API calls belong to; needed for alerts to meet.",
    )
    session_hours: float = Field(
        default=12, gt=0, le=720, description="How long a browser stays in."
    )
    rate_per_minute: int = Field(
        default=600,
        ge=1,
        description="Requests a minute of one key; five times that of one address.",
    )
    rate_store: str = Field(
        default="memory://", description="redis://... when several replicas share the limits."
    )
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, description="Largest request body.")
    body_seconds: float = Field(default=15, gt=0, description="Longest time for a body to arrive.")
    oidc_issuer: str = Field(default="", description="Issuer whose tokens and logins are accepted.")
    oidc_audience: str = Field(
        default="", description="Audience of bearer tokens; required with it."
    )
    oidc_client_id: str = Field(default="", description="Client for the login of browsers.")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="Its secret.")
    oidc_role_claim: str = Field(default="roles", description="Claim that holds a person's roles.")
    oidc_default_role: str = Field(
        default="", description="Role of people without a known one: viewer, or empty for none."
    )
    webhook_secrets: dict[str, list[SecretStr]] = Field(
        default_factory=dict,
        description='JSON: source -> secrets, several while one is replaced: {"source": ["new", "old"]}.',
    )
    webhook_channel: str = Field(
        default="",
        description="Channel (C...) for alerts of services without one in the catalogue.",
    )
    webhook_mappings: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="JSON: name of a generic webhook -> field -> path in the payload (docs/webhooks.md).",
    )

    @property
    def open_access(self) -> bool:
        """Whether nobody has to sign in: nothing is configured to sign in with."""
        return not (self.admin_token.get_secret_value() or self.oidc_issuer)

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """Every configured secret, so that it can be kept out of every text."""
        hooks = (one for many in self.webhook_secrets.values() for one in many)
        own = (self.admin_token, self.pepper, self.oidc_client_secret, *hooks)
        return tuple(one for one in own if one.get_secret_value())


def load_web_settings() -> WebSettings:
    """Read the settings.

    Raises:
        ConfigError: with all problems at once, each naming its variable.
    """
    try:
        return WebSettings()
    except ValidationError as error:
        raise ConfigError(
            [f"BOT_WEB_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        ) from None


def require_safe(settings: WebSettings) -> None:
    """Refuse what would serve strangers.

    Raises:
        ConfigError: nobody must sign in although other machines can reach the address, and the like.
    """
    problems = []
    if settings.open_access and not is_loopback(settings.host):
        problems.append(
            f"BOT_WEB_HOST is {settings.host}, which other machines reach, and nobody must sign in: set "
            "BOT_WEB_ADMIN_TOKEN (32 characters or more) or BOT_WEB_OIDC_ISSUER, or listen on 127.0.0.1"
        )
    token = settings.admin_token.get_secret_value()
    if token and len(token) < 32:
        problems.append(
            "BOT_WEB_ADMIN_TOKEN is shorter than 32 characters: take `openssl rand -hex 32`"
        )
    if settings.oidc_issuer and not (settings.oidc_audience or settings.oidc_client_id):
        problems.append(
            "BOT_WEB_OIDC_AUDIENCE is not set: name the audience that tokens are made for"
        )
    if settings.oidc_default_role not in {"", "viewer", "responder", "admin"}:
        problems.append("BOT_WEB_OIDC_DEFAULT_ROLE must be viewer, responder, admin or empty")
    if problems:
        raise ConfigError(problems)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def pepper_of(settings: WebSettings, data_dir: Path) -> bytes:
    """The configured pepper, or one that is made once and kept where only this user reads it.

    Raises:
        ConfigError: it cannot be kept.
    """
    given = settings.pepper.get_secret_value()
    if given:
        return given.encode()
    place = data_dir / "web-pepper"
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.touch(mode=0o600, exist_ok=False)
        place.write_bytes(secrets.token_bytes(32))
    except FileExistsError:
        pass
    except OSError:
        raise ConfigError(["BOT_WEB_PEPPER: set it, or make BOT_DATA_DIR writable"]) from None
    return place.read_bytes()
