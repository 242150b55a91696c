"""Webhooks of vendors, one module each: `verify` proves where a request comes from, `read` yields its alerts.

A module may also say `event_id(body)`, the vendor's own key of a delivery, and `confirm(delivery, body)` for those that
ask whether we want their deliveries.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from adapters.kit.webhook import Read, Verify


class Webhook(Protocol):
    """A module of this package."""

    verify: Verify
    read: Read


@cache
def names() -> tuple[str, ...]:
    """The sources that `/webhooks/{source}` knows."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(__path__)))


@cache
def webhook(name: str) -> Webhook | None:
    """The module of a source."""
    if name not in names():
        return None
    return cast("Webhook", importlib.import_module(f"{__name__}.{name}"))
