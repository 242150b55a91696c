"""Grafana's webhook contact point, signed by HMAC when a secret is set there, else with a bearer token.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.records import Alert
from adapters.kit.shape import Json, inner, moment, word, words
from adapters.kit.webhook import Delivery, by_bearer, by_hmac, fresh, posted

SIGNATURE, TIME = "X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Timestamp"
_of_body = by_hmac(SIGNATURE)
_of_time_and_body = by_hmac(SIGNATURE, of=lambda d: f"{d.header(TIME)}:".encode() + d.body)


def verify(delivery: Delivery) -> None:
    """Signature with time, signature of the body alone, or token, whichever the request carries.

    Raises:
        RefusedError: none of them is right.
    """
    if not delivery.header(SIGNATURE):
        by_bearer(delivery)
    elif delivery.header(TIME):
        fresh(delivery, delivery.header(TIME))
        _of_time_and_body(delivery)
    else:
        _of_body(delivery)


def read(body: Json) -> Iterator[Alert]:
    """One alert a notification, told as the default message tells it."""
    listed = body.get("alerts")
    alerts = (
        [one for one in listed[:50] if isinstance(one, dict)] if isinstance(listed, list) else []
    )
    if not alerts:
        return
    state = "Resolved" if word(body, "status") == "resolved" else "Firing"
    common = words(body.get("commonLabels"))
    shown = [
        "Labels:\n"
        + "".join(f" - {k} = {v}\n" for k, v in sorted(words(one.get("labels")).items()))
        for one in alerts
        if (word(one, "status") == "resolved") == (state == "Resolved")
    ]
    title = word(body, "title") or f"[{state.upper()}:{len(alerts)}] {common.get('alertname', '')}"
    link = word(body, "externalURL", limit=500).rstrip("/") + "/alerting/list"
    found = posted("Grafana", title, link=link, text=f"**{state}**\n\n" + "\n".join(shown))
    if found is not None:
        notes = words(inner(alerts[0], "annotations"))
        yield found.model_copy(
            update={
                "service": common.get("service") or found.service,
                "labels": common or found.labels,
                "started_at": moment(alerts[0].get("startsAt")),
                "text": "\n".join([found.title, *notes.values()])[:20_000],
            }
        )
