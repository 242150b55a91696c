"""Datadog's webhook integration: a payload that the operator writes (docs/webhooks.md gives it), with a token of theirs.

https://docs.datadoghq.com/integrations/webhooks/
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert
from adapters.kit.shape import Json, word
from adapters.kit.webhook import by_bearer, first, posted

verify = by_bearer
_STATES = {"recovered": "Recovered", "warn": "Warn", "no data": "No data"}


def event_id(body: Json) -> str:
    """Datadog's id of the event, where the payload has `$ID`."""
    return word(body, "id")


def read(body: Json) -> Iterator[Alert]:
    """The monitor's notification."""
    title = first(body, "title", "event_title")
    if not title:
        return
    said = word(body, "alert_transition").casefold()
    state = _STATES.get(said.removeprefix("re-"), "Triggered")
    bare = title if title.startswith("[") else f"[{state}] {title}"
    monitor = first(body, "monitor_id", "alert_id")
    link = word(body, "link", limit=1_000) or f"https://app.datadoghq.com/monitors/{monitor}"
    tags = _tags(body)
    found = posted("Datadog", bare, link=link, text=first(body, "message", "body", "description"))
    if found is not None:
        shown = {**found.labels, **tags}
        yield found.model_copy(
            update={"service": tags.get("service") or found.service, "labels": shown}
        )


def _tags(body: Json) -> dict[str, str]:
    said = word(body, "tags")
    pairs = (tag.strip().partition(":") for tag in said.split(",")[:60])
    return {name: value for name, colon, value in pairs if colon}
