"""Prometheus Alertmanager: the messages that its Slack receiver posts.

The default template leaves `text` empty and writes `[FIRING:2] name (common labels)` into the attachment's title;
nearly everybody has templates of their own, so the status token may stand anywhere in a headline and labels
in any list of `name: value`.

https://prometheus.io/docs/alerting/latest/configuration/#slack_config and
https://github.com/prometheus/alertmanager/blob/main/template/default.tmpl
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import EXPORTER, alert, labels, service, severity
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("alertmanager", "prometheus"),
    urls=re.compile(
        r"/#/(?:alerts|silences)\b|//[^/]{0,200}alertmanager|/graph\?g0\.expr=", re.IGNORECASE
    ),
)

_TOKEN = re.compile(r"\[\s?(FIRING|RESOLVED)\b[^\]\n]{0,40}\]", re.IGNORECASE)
_PLAIN = re.compile(
    r"^(?::[\w+-]{1,40}:|\W){0,6}(?:alert\s)?(FIRING|RESOLVED)(?:\s?\(?:?\d+\)?)?(?:\s?[:|–—-]|\s)\s?(?=\S)",
    re.IGNORECASE,
)
_COMMON = re.compile(r"\(([^()]{1,400})\)\s*$")
_SERVICE = re.compile(
    r"[a-z][a-z0-9-]{0,60}-(?:api|service|svc|app|server|worker|web|gateway|backend|frontend|db|proxy|consumer|processor)"
)


def recognise(message: Message) -> Alert | None:
    """The alert group that Alertmanager notified of."""
    head = _headline(message)
    if head is None:
        return None
    title, state = head
    attached = labels(message)
    common = _COMMON.search(title)
    words = common.group(1).split() if common else []
    return alert(
        message,
        "alertmanager",
        state,
        title,
        key=(identity(title, keep_words=True), *targets(message)),
        labels=attached,
        service=service(message, attached)
        or _job(attached)
        or next(filter(_SERVICE.fullmatch, words), ""),
        severity=_severity(attached, words),
    )


def _job(attached: dict[str, str]) -> str:
    """A scrape job usually has the service's name, unless it is that of an exporter."""
    job = attached.get("job", "").rsplit("/", 1)[-1]
    return "" if EXPORTER.search(job) else job


def _headline(message: Message) -> tuple[str, AlertState] | None:
    """The headline without its status token, and the state; a group with both kinds is still firing."""
    for candidate in message.titles:
        states = {token.casefold() for token in _TOKEN.findall(candidate.label)}
        if states:
            bare = _TOKEN.sub(" ", candidate.label).strip(" *:-|")
            return bare or message.value(
                "alertname"
            ), "firing" if "firing" in states else "resolved"
    if not message.strength(SIGNS) and not message.fields.get("alertname"):
        return None
    for candidate in message.titles:
        plain = _PLAIN.match(candidate.label)
        if plain:
            bare = candidate.label[plain.end() :]
            return bare, "firing" if plain.group(1).casefold() == "firing" else "resolved"
    return _from_labels(message)


def _from_labels(message: Message) -> tuple[str, AlertState] | None:
    """Templates without a status token: the state is a field, or the colour that the default sets."""
    name = message.value("alertname", "alert name", "alert")
    status = message.value("status", "state").casefold()
    named = "alertname" in message.fields or message.value("severity", "instance", "job")
    if not name or not named or re.search(r"\bsilence", message.title, re.IGNORECASE):
        return None
    if "resolved" in status or (not status and message.colors[:1] in {("2eb886",), ("good",)}):
        return name, "resolved"
    return name, "firing"


def _severity(attached: dict[str, str], words: list[str]) -> Severity:
    named = severity(attached.get("severity", ""))
    known = (severity(word) for word in words if word.casefold() not in {"high", "low", "none"})
    return (
        named if named != "unknown" else next((one for one in known if one != "unknown"), "unknown")
    )
