"""Whether a Slack message is an alert, a deploy or nothing of ours, and whether to investigate it.

Each vendor's file says how its posts look: a pure function `recognise(message)` and a `SIGNS` that tells
when to ask it first. This module finds those functions by looking at the modules of `adapters`, asks them in the order
of their signs, the careful generic one last, and decides. It works whether or not a vendor is configured.
"""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

import adapters
from adapters.kit.alert_text import is_test
from adapters.kit.records import Alert, AlertState, Deploy, Record, Severity
from adapters.kit.slack_message import Message, Signs, effective, extract

_LOG = structlog.get_logger(__name__)

LAST = ("generic_deploy", "generic_alert")
"""The modules that are asked when no vendor knows the message."""

_SUBTYPES = frozenset({"", "bot_message", "thread_broadcast", "file_share", "me_message"})
_WRAPPERS = ("event", "message", "payload", "body", "request", "template")

_SHARED = (
    "state",
    "source",
    "title",
    "service",
    "severity",
    "fingerprint",
    "started_at",
    "labels",
    "links",
)


class Recognise(Protocol):
    """A vendor's reading of a message: the alert or deploy that it is, or None."""

    def __call__(self, message: Message) -> Alert | Deploy | None: ...


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A module of `adapters` that recognises messages."""

    module: str
    signs: Signs
    recognise: Recognise


class Recognition(Record):
    """What one message event is, and the decision without history, as if its channel were watched.

    Attributes:
        is_alert: an alert in any state; all fields of an alert keep their defaults otherwise.
        starts_investigation: it fires, newly as far as the event shows, and is neither a test nor a thread reply.
        alert: the whole record, for those who store it.
        deploy: set when the message tells of a deploy: change evidence, never an alert.
    """

    is_alert: bool = False
    state: AlertState | None = None
    source: str = ""
    title: str = ""
    service: str = ""
    severity: Severity = "unknown"
    fingerprint: str = ""
    started_at: datetime | None = None
    starts_investigation: bool = False
    labels: Mapping[str, str] = {}
    links: Mapping[str, str] = {}
    alert: Alert | None = None
    deploy: Deploy | None = None

    def as_json(self) -> dict[str, object]:
        """One JSON object for the command line; times are ISO in UTC."""
        shown = self.model_dump(mode="python", exclude={"alert", "deploy", "started_at"})
        shown["started_at"] = self.started_at.isoformat() if self.started_at else None
        shown["deploy"] = self.deploy.model_dump(mode="json") if self.deploy else None
        return shown


def recognised(event: Mapping[str, object], self_ids: Collection[str] = ()) -> Recognition:
    """Decide what a message event is.

    Args:
        event: the `event` object of Slack's Events API, or an object that holds it under `event` or `message`.
        self_ids: our own user, bot and app ids; what they post is never an alert.

    Never raises; a message that makes no sense is no alert.
    """
    event = _inner(event)
    message = _readable(event, self_ids)
    if message is None:
        return Recognition()
    found = read(message)
    if found is None:
        return Recognition()
    if isinstance(found, Deploy):
        return Recognition(source=found.source, deploy=found)
    starts = (
        found.state == "firing"
        and not message.is_reply()
        and not is_test(message)
        and not _was_firing(event, found)
    )
    return Recognition(
        is_alert=True,
        starts_investigation=starts,
        alert=found,
        **{name: getattr(found, name) for name in _SHARED},
    )


def lines(stream: Iterable[str], self_ids: Collection[str] = ()) -> Iterator[dict[str, object]]:
    """One result for each line of JSON, also for a line that is none (`error` then says why).

    A file must be opened with a line feed as `newline` and `errors="replace"`: lines are counted as written.
    """
    for line in stream:
        try:
            event = json.loads(line)
        except RecursionError:
            yield _unreadable("nested too deeply")
            continue
        except ValueError:
            yield _unreadable("not JSON" if line.strip() else "empty line")
            continue
        if isinstance(event, dict):
            yield recognised(event, self_ids).as_json()
        else:
            yield _unreadable("not a JSON object")


def _unreadable(error: str) -> dict[str, object]:
    return {**Recognition().as_json(), "error": error}


def _inner(event: object) -> Mapping[str, object]:
    """The event inside the envelopes that people save: Events API bodies, Socket Mode payloads, samples."""
    for _depth in range(4):
        if not isinstance(event, Mapping):
            return {}
        if isinstance(event.get("type"), str) and event["type"] == "message":
            return event
        inside = next(
            (event[key] for key in _WRAPPERS if isinstance(event.get(key), Mapping)), None
        )
        if inside is None:
            return event
        event = inside
    return event if isinstance(event, Mapping) else {}


def _readable(event: Mapping[str, object], self_ids: Collection[str]) -> Message | None:
    """The message, unless it is none that a machine other than ours has just posted."""
    if event.get("type") not in (None, "message"):  # a list, not a set: the value may be unhashable
        return None
    current, _before = effective(event)
    subtype = current.get("subtype")
    if subtype is not None and (not isinstance(subtype, str) or subtype not in _SUBTYPES):
        return None
    message = extract(event)
    own = {message.user, message.bot_id, message.app_id} - {""}
    if message.from_person or any(mine in own for mine in self_ids):
        return None
    return message


def _was_firing(event: Mapping[str, object], now: Alert) -> bool:
    """Whether an edit only touches an alert that already fired; its first post has been acted upon."""
    _current, before = effective(event)
    earlier = read(extract(before)) if before else None
    return (
        isinstance(earlier, Alert)
        and earlier.state == now.state
        and earlier.fingerprint == now.fingerprint
    )


def read(message: Message, asked: Sequence[Recogniser] | None = None) -> Alert | Deploy | None:
    """What the first recogniser that knows the message takes it for; by default all are asked."""
    ranked = sorted(
        asked or recognisers(),
        key=lambda r: (_rank(r.module), -message.strength(r.signs), r.module),
    )
    for vendor in ranked:
        try:
            found = vendor.recognise(message)
        except Exception:  # noqa: BLE001 - the edge to foreign text: one vendor's bug must not lose the alerts of all
            _LOG.warning("recogniser_failed", module=vendor.module, exc_info=True)
            continue
        if found is not None:
            return _named(found, ranked[0], message) if vendor.module in LAST else found
    return None


def _named(found: Alert | Deploy, first: Recogniser, message: Message) -> Alert | Deploy:
    """What only the generic reading knew is still the vendor's whose app, name or link it carries."""
    posted = first.module not in LAST and message.strength(first.signs) >= 3
    return found.model_copy(update={"source": first.module}) if posted else found


def _rank(module: str) -> int:
    return LAST.index(module) + 1 if module in LAST else 0


@functools.cache
def recognisers() -> tuple[Recogniser, ...]:
    """All modules of `adapters` that have a `recognise` function."""
    names = sorted(
        info.name for info in pkgutil.iter_modules(adapters.__path__) if info.name != "kit"
    )
    modules = [(name, importlib.import_module(f"adapters.{name}")) for name in names]
    return tuple(
        Recogniser(name, getattr(module, "SIGNS", Signs()), module.recognise)
        for name, module in modules
        if hasattr(module, "recognise")
    )
