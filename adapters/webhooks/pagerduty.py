"""PagerDuty's webhooks, version 3: signed, with several signatures while a secret is being replaced.

https://developer.pagerduty.com/docs/webhooks/v3-overview/ and
https://developer.pagerduty.com/docs/webhooks/webhook-signatures/
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert
from adapters.kit.shape import Json, inner, moment, word
from adapters.kit.webhook import by_hmac, first, posted

verify = by_hmac("X-PagerDuty-Signature", "v1=")
_STATES = {
    "incident.triggered": "Triggered",
    "incident.reopened": "Triggered",
    "incident.unacknowledged": "Triggered",
    "incident.acknowledged": "Acknowledged",
    "incident.resolved": "Resolved",
}


def event_id(body: Json) -> str:
    """The event's own id: retried for up to 48 hours under the same one."""
    return first(inner(body, "event"), "id")


def read(body: Json) -> Iterator[Alert]:
    """The incident of an event that changes its state; other events say nothing new."""
    event = inner(body, "event")
    state, data = _STATES.get(word(event, "event_type")), inner(event, "data")
    if state is None or word(data, "type") != "incident":
        return
    service = first(inner(data, "service"), "summary")
    found = posted(
        "PagerDuty",
        f"{state} #{word(data, 'number')}: {word(data, 'title')}",
        link=word(data, "html_url", limit=1_000),
        fields={"Service": service, "Status": state},
    )
    if found is not None:
        began = moment(data.get("created_at"))
        yield found.model_copy(update={"service": service or found.service, "started_at": began})
