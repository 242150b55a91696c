"""Opsgenie's outgoing webhook. It signs nothing: add a custom header `Authorization: Bearer ...` there.

https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert
from adapters.kit.shape import Json, inner, word
from adapters.kit.webhook import by_bearer, first, posted

verify = by_bearer
_STATES = {
    "Create": "New alert",
    "Close": "Closed alert",
    "Acknowledge": "Acknowledged alert",
    "UnAcknowledge": "New alert",
}


def read(body: Json) -> Iterator[Alert]:
    """The alert of an action that changes its state."""
    one = inner(body, "alert")
    state, key = _STATES.get(word(body, "action")), word(one, "alertId")
    if state is None or not key:
        return
    link = f"https://app.opsgenie.com/alert/detail/{key}/details"
    number, message = word(one, "tinyId"), word(one, "message")
    found = posted(
        "Opsgenie",
        f"#{number}: {message}",
        link=link,
        text=f'{state} "{message}"',
        fields={"Priority": word(one, "priority"), "Status": state.split(" ", maxsplit=1)[0]},
    )
    if found is not None:
        states = {"Close": "resolved", "Acknowledge": "acknowledged"}
        service = first(inner(one, "details"), "service") or word(one, "entity") or found.service
        yield found.model_copy(
            update={"state": states.get(word(body, "action"), "firing"), "service": service}
        )
