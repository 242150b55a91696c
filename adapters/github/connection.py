"""How to reach GitHub: github.com, GitHub with data residency, or an Enterprise Server; as a person or as an App."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from adapters.kit.access import web_address
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.errors import documented as read_as_documented
from adapters.kit.http import Header, Http
from adapters.kit.settings import AdapterSettings

Value = TypeVar("Value")

DEFAULT_URL = "https://api.github.com"
REPO = re.compile(r"[\w-]{1,80}/(?!\.\.?$)[\w.-]{1,100}", re.ASCII)
LOG_HOSTS = ("*.blob.core.windows.net", "*.actions.githubusercontent.com")
"""Where github.com keeps logs; credentials are never sent there.

https://docs.github.com/en/actions/reference/runners/self-hosted-runners#accessible-domains-by-function
"""


class Connection(AdapterSettings):
    """Address, sign-in and repositories; a token of a person, or an App's key."""

    url: str = Field(
        default=DEFAULT_URL,
        description="API of GitHub; of an Enterprise Server: https://HOST/api/v3",
    )
    token: SecretStr | None = Field(
        default=None,
        description="Personal access token (fine-grained or classic)",
        json_schema_extra={"env": "GITHUB_TOKEN"},
    )
    app_id: str = Field(default="", description="Id of a GitHub App, instead of a token")
    installation_id: int | None = Field(
        default=None, description="Id of the App's installation in the organisation"
    )
    private_key: SecretStr | None = Field(
        default=None, description="The App's private key, PEM, for example ${GITHUB_APP_KEY}"
    )
    repo: tuple[str, ...] = Field(
        default=(),
        description="Repositories as owner/name; empty: those that a question names",
        json_schema_extra={"flag": "--repo"},
    )
    ca_file: str = Field(
        default="", description="File with the certificate authority, where it is a private one"
    )

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        """The API's address, also where somebody gave the one that people open."""
        url = web_address(value)
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host in {"github.com", "www.github.com"}:
            return DEFAULT_URL
        if host == "api.github.com" or host.endswith(".ghe.com") or parts.path:
            return url
        return f"{url}/api/v3"

    @field_validator("repo", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return re.split(r"[,\s]+", value.strip()) if isinstance(value, str) and value else value

    @field_validator("repo")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not REPO.fullmatch(name):
                msg = f"{name!r} must be written owner/name"
                raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Connection:
        app = (self.app_id, self.installation_id, self.private_key)
        if any(app) and not all(app):
            msg = "an App needs app_id, installation_id and private_key together"
            raise ValueError(msg)
        if any(app) and self.token:
            msg = "give either a token, or an App"
            raise ValueError(msg)
        return self

    @property
    def web(self) -> str:
        """Where people open pages."""
        parts = urlsplit(self.url)
        if parts.hostname == "api.github.com":
            return "https://github.com"
        if (parts.hostname or "").endswith(".ghe.com"):
            return f"https://{(parts.hostname or '').removeprefix('api.')}"
        return self.url.removesuffix("/api/v3")


def opened(name: str, settings: Connection, *, advice: str) -> Http:
    """The transport of one configured source; opens nothing yet."""
    headers: dict[str, Header] = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    if settings.token:
        headers["Authorization"] = SecretStr(f"Bearer {settings.token.get_secret_value()}")
    elif settings.app_id:
        headers["Authorization"] = _Installation(name, settings)
    host = urlsplit(settings.url).hostname or ""
    return Http(
        name,
        settings.url,
        headers=headers,
        hosts=LOG_HOSTS if settings.url == DEFAULT_URL else (*LOG_HOSTS, host, f"*.{host}"),
        verify=settings.ca_file or True,
        advice=advice,
        reset=reset,
        concurrency=8,
    )


def reset(headers: httpx.Headers, now: float) -> float | None:
    """Seconds until the hour's budget is there again (x-ratelimit-*), where it is used up."""
    if headers.get("x-ratelimit-remaining") != "0":
        return None
    until = headers.get("x-ratelimit-reset", "")
    return max(0.0, int(until) - now) if until.isdigit() else None


def path(repo: str, *segments: str | int) -> str:
    """A path below a repository, every segment quoted."""
    return "/".join(quote(str(part), safe="") for part in ("repos", *repo.split("/", 1), *segments))


def nullable(value: Value) -> Value | None:
    """The same value: PyGithub's types do not say what may be null."""
    return value


@contextmanager
def documented(system: str) -> Iterator[None]:
    """Like the kit's `documented`, also for what PyGithub says about an unexpected answer.

    Raises:
        AdapterError: BAD_RESPONSE.
    """
    from github.GithubException import GithubException

    try:
        with read_as_documented(system):
            yield
    except (GithubException, AssertionError):
        detail = "answered in a form that it does not document"
        raise AdapterError(system, Reason.BAD_RESPONSE, detail) from None


class _Installation:
    """The token of an App's installation: valid for an hour, asked for again a little earlier. Thread-safe.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
    """

    def __init__(self, name: str, settings: Connection) -> None:
        self._name = name
        self._settings = settings
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._until = 0.0
        self._http = Http(
            name,
            settings.url,
            headers={"Accept": "application/vnd.github+json", "Authorization": self._signed},
            verify=settings.ca_file or True,
            advice="check app_id, installation_id and private_key of the GitHub App",
        )

    def __call__(self) -> SecretStr:
        with self._lock:
            if self._token is None or time.time() > self._until - 120:
                answer = self._http.query(
                    f"app/installations/{self._settings.installation_id}/access_tokens"
                ).json()
                with read_as_documented(self._name):
                    self._until = datetime.fromisoformat(answer["expires_at"]).timestamp()
                    self._token = SecretStr(f"Bearer {answer['token']}")
            return self._token

    def _signed(self) -> SecretStr:
        from github.Auth import AppAuth

        key = self._settings.private_key
        signed = AppAuth(self._settings.app_id, key.get_secret_value() if key else "")
        with read_as_documented(self._name):
            return SecretStr(f"Bearer {signed.create_jwt(expiration=540)}")
