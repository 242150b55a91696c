"""`sources.yaml`: which systems may be asked, and which service is seen through which of them.

All mistakes of a file are reported at once, each with its line and key, because someone who sets this up for the
first time should need one round, not five. The format is described in `docs/sources.md`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from adapters.kit import registry
from bot.errors import ConfigError

MAX_FILE_BYTES = 1_000_000
_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class LogSelector(BaseModel):
    """Where a service's logs are in one source: the operator's own label equalities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    service: str = ""
    selector: Mapping[str, str] = {}


class Service(BaseModel):
    """One entry of the service catalogue.

    Attributes:
        git, logs, metrics ...: names of sources that know this service; empty means all of that group.
        repositories: `owner/name` or the local name; empty means all repositories of its git sources.
        runbooks: links shown in the report.
        channels: Slack channels where its alerts land.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    aliases: tuple[str, ...] = ()
    git: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    logs: tuple[str | LogSelector, ...] = ()
    metrics: tuple[str, ...] = ()
    deploys: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    dashboards: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One configured source: its group in the file, its name, and the adapter that answers for it.

    `secrets` are its configured secret values, so that they can be kept out of every text.
    """

    group: str
    type: str
    name: str
    adapter: object
    secrets: tuple[SecretStr, ...] = ()


def build(group: str, type_: str, name: str, config: Mapping[str, object]) -> Source:
    """A source from its configuration; no I/O.

    Raises:
        KeyError: there is no such type in the group.
        pydantic.ValidationError: the configuration does not fit the type's settings.
    """
    kind = registry.kinds()[group, type_]
    given = kind.settings.model_validate(config)
    secrets = tuple(v for _, v in given if isinstance(v, SecretStr) and v.get_secret_value())
    return Source(group, type_, name, kind.build(name, config), secrets)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that may be asked, and the catalogue of services."""

    sources: tuple[Source, ...] = ()
    services: tuple[Service, ...] = ()

    def of(self, group: str) -> tuple[Source, ...]:
        """The enabled sources of a group, in the file's order."""
        return tuple(source for source in self.sources if source.group == group)

    def service(self, name: str) -> Service | None:
        """The catalogue's entry of a service, by name or alias, whatever the case."""
        wanted = name.casefold()
        for service in self.services:
            if wanted in {service.name.casefold(), *(a.casefold() for a in service.aliases)}:
                return service
        return None


@dataclass(slots=True)
class _Reader:
    """Collects problems while it turns the file into sources and services."""

    path: Path
    env: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    disabled: set[tuple[str | int, ...]] = field(default_factory=set)
    unset: set[tuple[str | int, ...]] = field(default_factory=set)

    def problem(self, loc: Sequence[str | int], text: str) -> None:
        line = self._line(tuple(loc))
        key = ".".join(str(part) for part in loc)
        self.problems.append(
            f"{self.path.name}:{line}: {key}: {text}" if key else f"{self.path.name}:{line}: {text}"
        )

    def _line(self, loc: tuple[str | int, ...]) -> int:
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def value(self, node: yaml.Node, loc: tuple[str | int, ...]) -> object:
        self.lines.setdefault(loc, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*loc, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, loc)

    def _scalar(self, node: yaml.Node, loc: tuple[str | int, ...]) -> object:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in {"bool", "int", "float", "null"}:
            return yaml.safe_load(node.value)
        return self._interpolated(str(node.value), loc)

    def _mapping(self, node: yaml.MappingNode, loc: tuple[str | int, ...]) -> dict[str, object]:
        found: dict[str, object] = {}
        if any(k.value == "enabled" and v.value == "false" for k, v in node.value):
            self.disabled.add(loc)
        for key_node, child in node.value:
            key = str(key_node.value)
            at = (*loc, key)
            self.lines[at] = key_node.start_mark.line + 1
            if key in found:
                self.problem(at, "is given twice")
            found[key] = self.value(child, at)
        return found

    def _interpolated(self, text: str, loc: tuple[str | int, ...]) -> str:
        def put(match: re.Match[str]) -> str:
            name, default = match.group(1), match.group(2)
            if name in self.env:
                return self.env[name]
            if default is not None:
                return default
            self.unset.add(loc)
            if loc[:2] not in self.disabled:
                self.problem(loc, f"the environment variable {name} is not set")
            return ""

        return _ENV.sub(put, text)


def load(path: Path, env: Mapping[str, str]) -> Sources:
    """Read, check and build what a `sources.yaml` describes; no source is contacted.

    Raises:
        ConfigError: with every problem of the file, as `file:line: key: what to do`.
    """
    reader = _Reader(path, env)
    root = _parse(path, reader)
    sources = tuple(_sources(root, reader))
    services = tuple(_services(root, reader))
    if reader.problems:
        raise ConfigError(reader.problems)
    return Sources(sources, services)


def _parse(path: Path, reader: _Reader) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise ConfigError(
            [f"{path}: cannot be read: check BOT_SOURCES and the file's permissions"]
        ) from None
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError([f"{path.name}: is larger than 1 MB; this is not a sources file"])
    try:
        # Aliases could expand a small file without bound; the format does not need them.
        if any(isinstance(e, yaml.AliasEvent) for e in yaml.parse(raw, Loader=yaml.SafeLoader)):
            raise ConfigError(
                [f"{path.name}: YAML aliases (*name) are not supported; write the value out"]
            )
        node = yaml.compose(raw, Loader=yaml.SafeLoader)
        root = {} if node is None else reader.value(node, ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or "is not valid YAML"
        raise ConfigError([f"{path.name}:{line}: not valid YAML: {what}"]) from None
    except (UnicodeDecodeError, RecursionError):
        raise ConfigError([f"{path.name}:1: not a YAML text file"]) from None
    if not isinstance(root, dict):
        reader.problem((), "expected groups such as git_sources: and log_sources: at the top")
        return {}
    known = (*registry.GROUPS, "services")
    for key in root:
        if key not in known:
            reader.problem((key,), f"unknown key{_nearest(key, known)}")
    return root


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


def _entries(
    root: Mapping[str, object], key: str, reader: _Reader
) -> Iterator[tuple[int, dict[str, object]]]:
    entries = root.get(key)
    if entries is None:
        return
    if not isinstance(entries, list):
        reader.problem((key,), "must be a list (lines that begin with '- ')")
        return
    for i, entry in enumerate(entries):
        if isinstance(entry, dict):
            yield i, entry
        else:
            reader.problem((key, i), "must be a mapping with type: and config:")


def _sources(root: Mapping[str, object], reader: _Reader) -> Iterator[Source]:
    for group in registry.GROUPS:
        names: set[str] = set()
        for i, entry in _entries(root, group, reader):
            source = _source(group, i, entry, reader)
            if source is None:
                continue
            if source.name in names:
                reader.problem(
                    (group, i),
                    f"the name {source.name} is used twice; give one of them another `name:`",
                )
            names.add(source.name)
            yield source


_ENTRY_KEYS = ("type", "name", "enabled", "config")


def _source(group: str, i: int, entry: Mapping[str, object], reader: _Reader) -> Source | None:
    for key in entry:
        if key not in _ENTRY_KEYS:
            reader.problem((group, i, key), f"unknown key{_nearest(key, _ENTRY_KEYS)}")
    type_, name, enabled = (
        entry.get("type"),
        entry.get("name", entry.get("type")),
        entry.get("enabled", True),
    )
    known = registry.types_of(group)
    if not isinstance(type_, str) or type_ not in known:
        what = "is missing" if type_ is None else f"{type_!r} is not a type of {group}"
        reader.problem((group, i, "type"), f"{what}{_nearest(str(type_ or ''), known)}")
        return None
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        reader.problem(
            (group, i, "name"), "must be 1-64 letters, digits, dots, dashes or underscores"
        )
        return None
    if not isinstance(enabled, bool):
        reader.problem((group, i, "enabled"), "must be true or false")
        return None
    if not enabled:
        return None
    config = entry.get("config") or {}
    if not isinstance(config, dict):
        reader.problem((group, i, "config"), "must be a mapping")
        return None
    try:
        return build(group, type_, name, config)
    except ValidationError as error:
        for detail in error.errors():
            reader.problem(
                (group, i, "config", *detail["loc"]), _plain(detail["type"], detail["msg"])
            )
        return None


def _plain(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a setting of this type"
    return message.removeprefix("Value error, ")


_SERVICE_GROUPS = {
    "git": "git_sources",
    "logs": "log_sources",
    "metrics": "metric_sources",
    "deploys": "deploy_sources",
    "alerts": "alert_sources",
    "incidents": "incident_sources",
    "tickets": "ticket_sources",
}


def _services(root: Mapping[str, object], reader: _Reader) -> Iterator[Service]:
    configured = {group: _names(root, group) for group in registry.GROUPS}
    seen: set[str] = set()
    for i, entry in _entries(root, "services", reader):
        try:
            service = Service.model_validate(entry)
        except ValidationError as error:
            for detail in error.errors():
                reader.problem(
                    ("services", i, *detail["loc"]), _plain(detail["type"], detail["msg"])
                )
            continue
        if service.name.casefold() in seen:
            reader.problem(
                ("services", i, "name"), f"the service {service.name} is described twice"
            )
        seen.add(service.name.casefold())
        for key, group in _SERVICE_GROUPS.items():
            for j, used in enumerate(getattr(service, key)):
                name = used.source if isinstance(used, LogSelector) else used
                if name not in configured[group]:
                    hint = _nearest(name, sorted(configured[group])) if configured[group] else ""
                    reader.problem(
                        ("services", i, key, j), f"there is no source {name!r} in {group}{hint}"
                    )
        yield service


def _names(root: Mapping[str, object], group: str) -> set[str]:
    entries = root.get(group)
    if not isinstance(entries, list):
        return set()
    return {str(e.get("name", e.get("type"))) for e in entries if isinstance(e, dict)}
