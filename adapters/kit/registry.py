"""Finds adapters by name: a module of `adapters` with `TYPES`, `Settings` and `Adapter` is one. There is no list to edit.

`TYPES` says under which groups of `sources.yaml` the adapter may stand, and by which `type` names:
`TYPES = {"log_sources": ("files", "local")}`. The first name of a group is the one shown in help. Where one `Settings`
cannot serve all groups of a vendor, `CLASSES = {"log_sources": (LogSettings, LogAdapter)}` names those of a group.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import adapters
from adapters.kit import capabilities
from adapters.kit.settings import AdapterSettings

SettingsClass = type[AdapterSettings]

GROUPS: Mapping[str, type] = {
    "git_sources": capabilities.CommitSource,
    "log_sources": capabilities.LogSource,
    "metric_sources": capabilities.MetricSource,
    "alert_sources": capabilities.AlertSource,
    "incident_sources": capabilities.IncidentSource,
    "ticket_sources": capabilities.TicketSource,
    "runbook_sources": capabilities.RunbookSource,
    "deploy_sources": capabilities.DeploySource,
}
"""The groups of `sources.yaml`, and the capability that each asks its sources for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One `type` that may stand in one group."""

    group: str
    type: str
    module: str
    settings: SettingsClass
    adapter: Any

    def build(self, name: str, config: Mapping[str, object]) -> object:
        """Construct the adapter; no I/O.

        Raises:
            pydantic.ValidationError: the configuration does not fit `settings`.
        """
        return self.adapter(name, self.settings.model_validate(config))


@cache
def kinds() -> Mapping[tuple[str, str], Kind]:
    """All kinds by (group, type), in alphabetical order of modules."""
    found: dict[tuple[str, str], Kind] = {}
    for info in pkgutil.iter_modules(adapters.__path__):
        if info.name == "kit":
            continue
        module = importlib.import_module(f"adapters.{info.name}")
        types: Mapping[str, tuple[str, ...]] = getattr(module, "TYPES", {})
        classes: Mapping[str, tuple[SettingsClass, Any]] = getattr(module, "CLASSES", {})
        for group, names in types.items():
            settings, adapter = classes.get(group) or (module.Settings, module.Adapter)
            for type_ in names:
                found[group, type_] = Kind(group, type_, info.name, settings, adapter)
    return found


def types_of(group: str) -> tuple[str, ...]:
    """The `type` names that may stand in a group."""
    return tuple(type_ for kind_group, type_ in kinds() if kind_group == group)
