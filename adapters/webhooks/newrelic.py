"""New Relic's workflow webhooks, with the default issue payload and a bearer token as a custom header.

https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert, AlertState
from adapters.kit.shape import Json
from adapters.kit.webhook import by_bearer, first, posted

verify = by_bearer
_STATES: dict[str, AlertState] = {
    "CLOSED": "resolved",
    "RESOLVED": "resolved",
    "ACKNOWLEDGED": "acknowledged",
}


def read(body: Json) -> Iterator[Alert]:
    """The issue."""
    title, key = first(body, "title", "condition_name"), first(body, "id", "issueId", "incident_id")
    if not title or not key:
        return
    state = _STATES.get(first(body, "state", "current_state").upper(), "firing")
    said = "closed" if state == "resolved" else "activated"
    link = first(body, "issueUrl", "incident_url", limit=1_000)
    found = posted(
        "New Relic",
        f"Issue {said}: {title}",
        link=link or f"https://radar-api.service.newrelic.com/accounts/1/issues/{key}",
        text=f"Issue {said}",
        fields={"Priority": first(body, "priority", "severity")},
    )
    if found is not None:
        yield found.model_copy(update={"state": state})
