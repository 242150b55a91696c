"""Prometheus Alertmanager's webhook receiver. It signs nothing: set `http_config.authorization` to a shared token.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert
from adapters.kit.shape import Json, inner, moment, word, words
from adapters.kit.webhook import by_bearer, posted

verify = by_bearer


def read(body: Json) -> Iterator[Alert]:
    """One alert a group, as the default Slack template posts one message a group."""
    listed = body.get("alerts")
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, dict):
        return
    group, common = words(body.get("groupLabels")), words(body.get("commonLabels"))
    state = "RESOLVED" if word(body, "status") == "resolved" else "FIRING"
    notes = {**words(body.get("commonAnnotations")), **words(inner(first, "annotations"))}
    head = " ".join(group.values()) or common.get("alertname", "alert")
    rest = " ".join(value for key, value in sorted(common.items()) if key not in group)
    count = f":{len(listed)}" if state == "FIRING" and isinstance(listed, list) else ""
    title = f"[{state}{count}] {head} ({rest})" if rest else f"[{state}{count}] {head}"
    link = f"{word(body, 'externalURL', limit=500)}/#/alerts?receiver={word(body, 'receiver')}"
    found = posted("Alertmanager", title, link=link)
    if found is None:
        return
    labels = common or words(inner(first, "labels"))
    yield found.model_copy(
        update={
            "service": labels.get("service") or found.service,
            "labels": labels,
            "started_at": moment(first.get("startsAt")),
            "text": "\n".join([found.title, *notes.values()])[:20_000],
        }
    )
