"""Runbooks: Markdown files of a folder, which may be a clone of a repository.

There is no API. Front matter is the YAML block that GitHub's documentation describes; its `title`, `service` and
`services` are used: https://docs.github.com/en/contributing/writing-for-github-docs/using-yaml-frontmatter
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml
from pydantic import Field, field_validator

from adapters.kit.capabilities import Check, EventQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Page, Runbook
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import word

TYPES: Mapping[str, tuple[str, ...]] = {"runbook_sources": ("runbooks", "folder")}
SCOPES = "Permission to read the folder."
TESTED = "Real files; the conformance suite."

MAX_FILES: Final = 2_000
MAX_BYTES: Final = 256 * 1024
_FRONT: Final = re.compile(r"\A---\r?\n(.{0,8000}?)\r?\n---\r?\n", re.DOTALL)
_HEADING: Final = re.compile(r"^#{1,2}\s+(.{1,300})$", re.MULTILINE)


class Settings(AdapterSettings):
    """Where the runbooks are, and how people open one."""

    path: Path = Field(description="Folder with Markdown files")
    url_template: str = Field(
        default="",
        description="Link to a file, for example https://host/org/runbooks/blob/main/{path}",
    )

    @field_validator("path")
    @classmethod
    def _home(cls, path: Path) -> Path:
        return path.expanduser()

    @field_validator("url_template")
    @classmethod
    def _links(cls, template: str) -> str:
        if template and (
            "{path}" not in template or not template.startswith(("https://", "http://"))
        ):
            msg = "must be an http(s) link that holds {path}"
            raise ValueError(msg)
        return template


class Adapter:
    """Finds the runbooks of a service."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    def runbooks(self, query: EventQuery) -> Iterator[Page[Runbook]]:
        """List the runbooks that name the service: in their front matter, their file's name or their title.

        Raises:
            AdapterError: no such folder, or it may not be read.
        """
        files, cut = self._files()
        found: list[Runbook] = []
        for path in files:
            runbook = self._read(path)
            if runbook is not None and _is_of(runbook, path, query.service):
                found.append(runbook)
        if len(found) > query.limit:
            cut = f"Only {query.limit} of {len(found)} runbooks are shown."
        yield Page(tuple(found[: query.limit]), cut)

    def check(self) -> Check:
        """Count them."""
        files, cut = self._files()
        return Check(ok=True, detail=f"{len(files)} Markdown files{'; ' + cut if cut else ''}")

    def _files(self) -> tuple[list[Path], str]:
        """Markdown files below the folder, none of them outside of it once links are followed."""
        root = self._settings.path.resolve()
        if not root.is_dir():
            raise AdapterError(
                self.name, Reason.NOT_FOUND, "the folder of runbooks does not exist; correct `path`"
            )
        try:
            listed = sorted(root.rglob("*.md"))
        except PermissionError:
            raise AdapterError(
                self.name,
                Reason.AUTH,
                "the folder of runbooks may not be read; grant it to the bot's user",
            ) from None
        hidden = {
            path for path in listed if any(p.startswith(".") for p in path.relative_to(root).parts)
        }
        files = [
            path
            for path in listed
            if path not in hidden and path.is_file() and path.resolve().is_relative_to(root)
        ]
        cut = (
            f"Only {MAX_FILES:,} of {len(files):,} files were read."
            if len(files) > MAX_FILES
            else ""
        )
        return files[:MAX_FILES], cut

    def _read(self, path: Path) -> Runbook | None:
        try:
            with path.open("rb") as file:
                text = file.read(MAX_BYTES).decode("utf-8", "replace")
        except OSError:  # went away, or is not for us
            return None
        return parse(self.name, text, path.stem, self._url(path))

    def _url(self, path: Path) -> str:
        relative = path.relative_to(self._settings.path.resolve()).as_posix()
        return self._settings.url_template.replace("{path}", relative)


def parse(source: str, text: str, stem: str, url: str) -> Runbook:
    """A runbook from the text of its file; `stem` is its title where it says none."""
    front = _FRONT.match(text)
    said = _front(front.group(1)) if front else {}
    body = text[front.end() :] if front else text
    heading = _HEADING.search(body)
    title = word(said, "title", limit=300) or (heading.group(1).strip() if heading else "") or stem
    listed = said.get("services", said.get("service", ()))
    services = listed if isinstance(listed, list) else [listed] if listed else []
    names = tuple(str(one)[:200] for one in services[:50] if isinstance(one, str | int))
    return Runbook(source=source, title=title, text=body.strip(), services=names, url=url)


def _front(text: str) -> dict[str, object]:
    if (
        "&" in text and "*" in text
    ):  # anchors can be nested into gigabytes, and nobody needs them here
        return {}
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return {str(key): value for key, value in said.items()} if isinstance(said, dict) else {}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def _is_of(runbook: Runbook, path: Path, service: str) -> bool:
    """Whole words only: the runbook of `pay` is not that of `payments`."""
    wanted = _plain(service)
    if not wanted:
        return True
    if runbook.services:
        return wanted in map(_plain, runbook.services)
    places = (path.stem, path.parent.name, runbook.title)
    return any(f"-{wanted}-" in f"-{_plain(place)}-" for place in places)
