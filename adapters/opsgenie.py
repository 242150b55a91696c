"""Opsgenie and Jira Service Management: alert cards and the follow-ups that their Slack apps post.

The link of an alert ends with its id, and the id with the epoch milliseconds of its creation.

https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-slack-app/ and
https://support.atlassian.com/jira-service-management-cloud/docs/integrate-with-slack/
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, labels, service, severity, state_in
from adapters.kit.alert_times import moment
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("opsgenie", "jira service management", "jsm"),
    urls=re.compile(
        r"//(?:[\w-]+\.)*opsg\.in/|opsgenie\.com/alert|/jira/ops/alerts/", re.IGNORECASE
    ),
    actions=("jsm_",),
)

_ID = re.compile(
    r"(?:opsg\.in/a/(?:i/)?[\w.-]{1,80}/|/alert/detail/|/jira/ops/alerts/|opsgenie\.com/alerts?/(?:V2/)?)([\w-]{4,100})",
    re.IGNORECASE,
)
_CREATED = re.compile(r"-(\d{13})$")
_NUMBER = re.compile(r"#(\d{1,9})\b")
_HEAD = re.compile(
    r"^[^\w#\[]{0,4}(?:(?:new alert:?|alert)\s?(?:\[?#?\d{1,9}\]?)?|\[?#\d{1,9}\]?)[\s:–-]{0,4}",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{3,300})[\"”]")
_TAG = re.compile(r"(?<![\w/])([A-Za-z][\w.-]{0,60}):([^\s,`:]{1,120})")
_VERB = re.compile(
    r"\b(un-?acknowledged|acknowledged|closed|resolved|reopened|deleted|created|added|assigned|took ownership|snoozed|escalated|updated|increased|changed|executed|commented)\b",
    re.IGNORECASE,
)
_STATES: dict[str, AlertState] = {
    "acknowledged": "acknowledged",
    "closed": "resolved",
    "resolved": "resolved",
    "deleted": "resolved",
}
_FIRING = frozenset({"unacknowledged", "un-acknowledged", "reopened", "created"})


def recognise(message: Message) -> Alert | None:
    """The alert of a card or of a follow-up that changes its state; notes and assignments are no alerts."""
    if message.strength(SIGNS) < 3 or not message.titles:
        return None
    link = next((link for link in message.links if _ID.search(link.url)), None)
    state = _state(message)
    if state is None or (link is None and not _NUMBER.search(message.body)):
        return None
    attached = {**labels(message), **_tags(message)}
    attached.pop("Tags", None)
    url = link.url if link else ""
    number, found = _NUMBER.search("\n".join(message.lines[:3])), _ID.search(url)
    title = _title(message, link.label if link else "")
    created = _CREATED.search(found.group(1)) if found else None
    key = (
        found.group(1)
        if found
        else number.group(1)
        if number
        else (identity(title), *targets(message))
    )
    return alert(
        message,
        "opsgenie",
        state,
        title,
        key=key,
        labels=attached,
        service=service(message, attached),
        severity=_severity(message, attached),
        url=url,
        **({"started_at": moment(created.group(1))} if created else {}),
    )


def _state(message: Message) -> AlertState | None:
    """The card's status field, else what the headline says was done."""
    status = message.value("status", "state")
    if status:
        return (
            "firing"
            if re.search(r"\bopen\b", status, re.IGNORECASE)
            else state_in(status) or "firing"
        )
    head = _decoded("\n".join(title.label for title in message.titles[:2]))
    if re.search(r"\bnew alert\b", head, re.IGNORECASE):
        return "firing"
    verb = _VERB.search(_QUOTED.sub("", head))
    if verb is None:
        return "firing"
    word = verb.group(1).casefold()
    return "firing" if word in _FIRING else _STATES.get(word)


def _title(message: Message, label: str) -> str:
    for raw in (label, *(title.label for title in message.titles), *message.lines[:4]):
        text = _decoded(raw)
        quoted = _QUOTED.search(text)
        bare = quoted.group(1) if quoted else _HEAD.sub("", text)
        if identity(re.sub(r"^\W{0,3}\d{1,9}$", "", bare)) and not (
            quoted is None and _VERB.search(text)
        ):
            return bare.strip(" ,*")
    return message.title


def _decoded(text: str) -> str:
    """The classic integration's text sometimes arrives as it was sent in a form."""
    return unquote_plus(text) if "+" in text and " " not in text.strip() else text


def _tags(message: Message) -> dict[str, str]:
    return dict(_TAG.findall(message.value("tags", "tag")))


def _severity(message: Message, attached: dict[str, str]) -> Severity:
    stated = (
        message.value("priority"),
        attached.get("priority", ""),
        *message.images,
        attached.get("severity", ""),
    )
    return next((found for text in stated if (found := severity(text)) != "unknown"), "unknown")
