"""Which project of Azure DevOps, as whom, and what of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from typing_extensions import override

from adapters.kit.access import web_address
from adapters.kit.settings import AdapterSettings


class Settings(AdapterSettings):
    """Organisation, project and repositories, and which pipelines deploy."""

    url: str = Field(
        default="https://dev.azure.com",
        description="Organisation or collection, for example https://dev.azure.com/fabrikam",
    )
    project: str = Field(min_length=1, max_length=200, description="Name of the project")
    token: SecretStr | None = Field(
        default=None,
        description="Personal access token",
        json_schema_extra={"env": "AZURE_DEVOPS_TOKEN"},
    )
    repo: tuple[str, ...] = Field(
        default=(),
        description="Repositories of the project by name; empty: those that a question names",
        json_schema_extra={"flag": "--repo"},
    )
    pipelines: tuple[str, ...] = Field(
        default=(),
        description="Pipelines that deploy, by name; empty: those named deploy, release, rollout, publish",
    )
    service: str = Field(
        default="", description="Service of what is found (default: repository's name)"
    )
    ca_file: str = Field(
        default="", description="File with the certificate authority, where it is a private one"
    )

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)

    @field_validator("repo", "pipelines", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @property
    def build(self) -> int | None:
        """Number of the one build to read; None: those of the window."""
        return None


class BuildSettings(Settings):
    """The same for logs, which may be those of one build."""

    run_url: str = Field(
        default="",
        description="Address of a build, as copied from the browser",
        json_schema_extra={"flag": "--run-url"},
    )

    @model_validator(mode="after")
    def _one_build(self) -> BuildSettings:
        if self.run_url and self.build is None:
            msg = f"run_url must look like {self.url}/{self.project}/_build/results?buildId=123"
            raise ValueError(msg)
        return self

    @property
    @override
    def build(self) -> int | None:
        """Number of the build that `run_url` means."""
        given = urlsplit(self.run_url)
        number = parse_qs(given.query).get("buildId", [""])[0]
        ours = given.hostname == urlsplit(self.url).hostname and "/_build/" in given.path
        return int(number) if ours and number.isdigit() and len(number) < 12 else None
