"""How to reach a system that speaks HTTP and lets people choose how they sign in: settings and the `Http` they make."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from adapters.kit.http import Http
from adapters.kit.settings import AdapterSettings
from adapters.kit.status import Reset


def web_address(value: str) -> str:
    """A base URL without a trailing slash.

    Raises:
        ValueError: it is no http(s) URL, or holds a password, a query or a fragment.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "must begin with https:// or http:// and name a host"
        raise ValueError(msg)
    if parts.username or parts.password:
        msg = "must hold no user and password; use the settings for them"
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = "must end before ? and #"
        raise ValueError(msg)
    return value.rstrip("/")


class WebSettings(AdapterSettings):
    """Address and sign-in of a self-hosted system: a bearer token, or a user with a password, or neither."""

    url: str = Field(description="Base URL, for example https://host.example.com")
    token: SecretStr | None = Field(default=None, description="Bearer token")
    username: str = Field(default="", description="User for HTTP Basic, instead of a token")
    password: SecretStr | None = Field(default=None, description="Password for HTTP Basic")
    ca_file: str = Field(
        default="", description="File with the certificate authority, where it is a private one"
    )

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)

    @model_validator(mode="after")
    def _one_way(self) -> WebSettings:
        if self.token and self.password:
            msg = "give either a token, or a user and a password"
            raise ValueError(msg)
        if bool(self.username) != bool(self.password):
            msg = "username and password belong together"
            raise ValueError(msg)
        return self


def opened(  # noqa: PLR0913 - what differs between vendors
    name: str,
    settings: WebSettings,
    *,
    headers: Mapping[str, str | SecretStr] | None = None,
    scheme: str = "Bearer",
    advice: str = "",
    reset: Reset | None = None,
    concurrency: int = 4,
) -> Http:
    """The transport of one configured source; opens nothing yet."""
    sent: dict[str, str | SecretStr] = dict(headers or {})
    if settings.token:
        sent["Authorization"] = SecretStr(f"{scheme} {settings.token.get_secret_value()}")
    return Http(
        name,
        settings.url,
        headers=sent,
        auth=(settings.username, settings.password) if settings.password else None,
        verify=settings.ca_file or True,
        advice=advice,
        reset=reset,
        concurrency=concurrency,
    )
