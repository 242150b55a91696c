"""Command-line flags of sources, generated from the adapters' settings: every flag has its `sources.yaml` twin.

`--git local --git-path R` is `git_sources: [{type: local, config: {path: R}}]`. A setting may name a shorter flag by
`Field(json_schema_extra={"flag": "--run-url"})`; one that the command has itself (`--repo`) gives its value to the setting
too. Secrets need no flag: `{"env": "GITHUB_TOKEN"}` names the variable that they are taken from.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from adapters.kit import registry
from bot.errors import ConfigError
from bot.sources import Source, Sources, build

OWN = frozenset({"--repo", "--service", "--since", "--until", "--head"})
"""Options of the command itself that settings may share."""

GROUP_FLAGS: Mapping[str, tuple[str, str]] = {
    "git_sources": ("git", "git"),
    "log_sources": ("logs", "log"),
    "metric_sources": ("metrics", "metric"),
    "deploy_sources": ("deploys", "deploy"),
    "alert_sources": ("alerts", "alert"),
    "incident_sources": ("incidents", "incident"),
    "ticket_sources": ("tickets", "ticket"),
    "runbook_sources": ("runbooks", "runbook"),
}
"""Group -> the flag that chooses a type, and the prefix of its settings' flags."""


@dataclass(frozen=True, slots=True)
class _Setting:
    group: str
    field: str
    flags: tuple[str, ...]
    help: str
    types: tuple[str, ...]

    @property
    def parameter(self) -> str:
        return f"{GROUP_FLAGS[self.group][1]}_{self.field}"


def parameters() -> list[inspect.Parameter]:
    """The generated options, for a command's signature."""
    made = []
    panel = "Sources"
    for group, (flag, _) in GROUP_FLAGS.items():
        known = registry.types_of(group)
        if known:
            text = f"Type of {group}: {', '.join(known)}."
            made.append(_parameter(flag, (f"--{flag}",), text, panel))
    for setting in _settings():
        text = f"({', '.join(setting.types)}) {setting.help}"
        made.append(_parameter(setting.parameter, setting.flags, text, panel))
    return made


def _parameter(name: str, flags: tuple[str, ...], text: str, panel: str) -> inspect.Parameter:
    option = typer.Option(
        *flags, help=text, metavar="TEXT", rich_help_panel=panel, show_default=False
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


def _settings() -> Iterator[_Setting]:
    """One flag per group and field; types that share a field share its flag."""
    merged: dict[tuple[str, str], _Setting] = {}
    taken: set[str] = set()
    for (group, type_), kind in registry.kinds().items():
        prefix = GROUP_FLAGS[group][1]
        for field, info in kind.settings.model_fields.items():
            known = merged.get((group, field))
            if known:
                merged[group, field] = _Setting(
                    group, field, known.flags, known.help, (*known.types, type_)
                )
                continue
            flags = [f"--{prefix}-{field.replace('_', '-')}"]
            short = _extra(info, "flag")
            if short and short not in taken | OWN:
                flags.append(short)
                taken.add(short)
            merged[group, field] = _Setting(
                group, field, tuple(flags), info.description or field, (type_,)
            )
    yield from merged.values()


def _extra(info: FieldInfo, name: str) -> str:
    extra = info.json_schema_extra
    value = extra.get(name) if isinstance(extra, dict) else None
    return value if isinstance(value, str) else ""


def sources_from(
    values: Mapping[str, object],
    own: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Sources | None:
    """Build the sources that the flags describe; None when no source flag was given.

    Args:
        values: of the generated options.
        own: of the command's own options, by flag, that settings share.
        environment: where secrets come from that no flag gives.

    Raises:
        ConfigError: a type is unknown, a setting is missing or wrong, or a setting has no type chosen.
    """
    problems: list[str] = []
    sources: list[Source] = []
    used = False
    for group, (flag, prefix) in GROUP_FLAGS.items():
        settings = {s.field: s for s in _settings() if s.group == group}
        given = {
            f: values[s.parameter]
            for f, s in settings.items()
            if values.get(s.parameter) is not None
        }
        type_ = values.get(flag)
        if type_ is None:
            problems += [
                f"--{prefix}-{field.replace('_', '-')} needs --{flag} TYPE beside it"
                for field in given
            ]
            continue
        used = True
        shared = _shared(group, str(type_), own or {}, environment or {})
        source = _source(group, str(type_), {**shared, **given}, problems)
        if source is not None:
            sources.append(source)
    if problems:
        raise ConfigError(problems)
    return Sources(tuple(sources)) if used else None


def _shared(
    group: str, type_: str, own: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, object]:
    """Settings that were not given by a flag of their own."""
    kind = registry.kinds().get((group, type_))
    fields = kind.settings.model_fields if kind else {}
    found = {
        name: own.get(_extra(info, "flag")) or environment.get(_extra(info, "env"))
        for name, info in fields.items()
    }
    return {name: value for name, value in found.items() if value}


def _source(
    group: str, type_: str, given: Mapping[str, object], problems: list[str]
) -> Source | None:
    flag, prefix = GROUP_FLAGS[group]
    kind = registry.kinds().get((group, type_))
    if kind is None:
        known = ", ".join(registry.types_of(group))
        problems.append(f"--{flag} {type_}: not a type of {group}; known: {known}")
        return None
    fields = kind.settings.model_fields
    config = {f: _converted(fields[f], str(v)) for f, v in given.items() if f in fields}
    problems += [
        f"--{prefix}-{f.replace('_', '-')} is not a setting of --{flag} {type_}"
        for f in given
        if f not in fields
    ]
    try:
        return build(group, type_, type_, config)
    except ValidationError as error:
        for detail in error.errors():
            field = str(detail["loc"][0]) if detail["loc"] else ""
            what = "is required" if detail["type"] == "missing" else detail["msg"]
            problems.append(
                f"--{prefix}-{field.replace('_', '-')}: {what.removeprefix('Value error, ')}"
            )
        return None


def _converted(field: FieldInfo, text: str) -> object:
    """Lists are given with commas; everything else is text that pydantic converts."""
    kinds = (
        typing.get_args(field.annotation) if _is_union(field.annotation) else (field.annotation,)
    )
    if any(typing.get_origin(kind) in {tuple, list, set} for kind in kinds):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in {typing.Union, types.UnionType}
