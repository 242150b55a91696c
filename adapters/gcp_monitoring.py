"""Google Cloud Monitoring: the incidents that its Slack notification channel posts, and its webhook's JSON.

https://cloud.google.com/monitoring/support/notification-options
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_json import embedded, part, word
from adapters.kit.alert_text import alert, is_digest, labels, severity, state_in, stated_severity
from adapters.kit.alert_times import started
from adapters.kit.records import Alert, AlertState
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("google cloud monitoring", "google cloud alert", "stackdriver", "google cloud", "gcp"),
    urls=re.compile(
        r"console\.cloud\.google\.com/monitoring/alerting|stackdriver\.com/", re.IGNORECASE
    ),
)

_INCIDENT = re.compile(r"/incidents/([\w.-]{3,80})")
_HEAD = re.compile(
    r"^(?::[\w+-]{1,40}:|[^\w\[]){0,6}(?:\[(?P<word>alert|resolved|acknowledged|recovered|closed)(?:\s?[-–]\s?(?P<level>[\w ]{1,30}))?\]|alert (?:firing|recovered|resolved|acknowledged|triggered)\b|incident (?:is )?(?:open(?:ed)?|closed|resolved|started|ended|acknowledged)\b)[\s:–-]{0,4}",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\W{0,4}incident\s#?[\w.]+\b", re.IGNORECASE)
_OVER_THRESHOLD = re.compile(
    r"\b(?:is|was) (?:above|below|absent)\b|\bviolat|\bthreshold of\b", re.IGNORECASE
)
_TELLS = re.compile(
    r"\b(?:incident|alert|violat\w+|policy|condition|uptime check|threshold)\b", re.IGNORECASE
)
_OVER = re.compile(
    r"\b(?:has ended|ended|closed|resolved|recovered|returned to normal|is no longer)\b",
    re.IGNORECASE,
)


def recognise(message: Message) -> Alert | None:
    """The incident that was opened, acknowledged or closed."""
    incident = part(embedded(message), "incident")
    if word(incident, "incident_id") and word(incident, "policy_name", "condition_name", "summary"):
        return _from_json(message)
    if message.strength(SIGNS) < 1 or is_digest(message) or not _TELLS.search(message.body[:2000]):
        return None
    shaped = (
        message.link(_INCIDENT)
        or _HEAD.match(message.title)
        or _OVER_THRESHOLD.search(message.body[:2000])
    )
    if not shaped and not message.value("condition", "condition name"):
        return None
    policy = message.value("policy", "policy name", "alert policy", "alerting policy")
    condition = message.value("condition", "condition name")
    resource = message.value(
        "resource", "resource name", "resource labels", "affected resource", "instance", "host"
    )
    head = _HEAD.match(message.title)
    title = _HEAD.sub("", message.title).strip(" :")
    link = message.link(_INCIDENT)
    number = _INCIDENT.search(link)
    return alert(
        message,
        "gcp_monitoring",
        _state(message),
        title
        if identity(title) and not _NUMBERED.match(title)
        else policy or condition or message.title,
        key=number.group(1)
        if number
        else (
            identity(policy or title),
            identity(condition),
            resource.casefold(),
            *(() if resource else targets(message)),
        ),
        severity=severity(head.group("level") or "")
        if head and head.group("level")
        else stated_severity(message),
        started_at=started(message),
        url=link,
    )


def _state(message: Message) -> AlertState:
    status = message.value("state", "status", "incident state")
    if status:
        return "resolved" if _OVER.search(status) else state_in(status) or "firing"
    told = "\n".join((message.title, *message.lines[:2]))
    if _OVER.search(told):
        return "resolved"
    return "acknowledged" if re.search(r"\backnowledged\b", told, re.IGNORECASE) else "firing"


def _from_json(message: Message) -> Alert:
    incident = part(embedded(message), "incident")
    begun = word(incident, "started_at")
    resource = word(incident, "resource_name", "resource_id", "resource_display_name")
    title = word(incident, "policy_name", "condition_name", "summary")
    kept = (
        "policy_name",
        "condition_name",
        "resource_name",
        "resource_type_display_name",
        "scoping_project_id",
    )
    return alert(
        message,
        "gcp_monitoring",
        "resolved" if word(incident, "state").casefold() == "closed" else "firing",
        title,
        key=word(incident, "incident_id"),
        severity=severity(
            word(incident, "severity")
            or word(part(incident, "metadata", "system_labels"), "severity")
        ),
        started_at=datetime.fromtimestamp(int(begun), UTC)
        if re.fullmatch(r"[1-9]\d{8,9}", begun)
        else None,
        labels={
            **labels(message),
            **{key: value for key in kept if (value := word(incident, key))},
            **({"resource": resource} if resource else {}),
        },
        service=word(
            part(incident, "resource", "labels"), "service_name", "container_name", "module_id"
        ),
        url=word(incident, "url"),
    )
