"""PagerDuty: the messages of its Slack app, one a incident, edited as the incident moves on.

https://support.pagerduty.com/main/docs/slack-user-guide
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, severity, state_in
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    app_ids=("A1FKYAUUX",),
    names=("pagerduty",),
    urls=re.compile(r"\.pagerduty\.com/(?:incidents|alerts)/", re.IGNORECASE),
)

_INCIDENT = re.compile(r"\.pagerduty\.com/(?:incidents|alerts)/([\w.-]{1,60})", re.IGNORECASE)
_ACTIVITY = re.compile(
    r"\b(?:added a (?:note|responder)|note added|priority (?:was )?(?:changed|updated|set)|status update|requested (?:additional )?responders|"
    r"responder (?:request|added|joined)|(?:re)?assigned (?:to|by|the)|escalated (?:to|the)|snoozed|merged|delegated|now on.?call|on.?call (?:shift|schedule|handoff)|"
    r"conference|subscribed|is connected|workflow)\b",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^(?::[\w+-]{1,40}:|[^\w\[#]){0,8}(?:new incident\b|(?:incident\s)?(?:triggered|acknowledged|resolved|reopened|unacknowledged)\b)[\s:–-]{0,4}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^\W{0,4}(?:incident\s?)?\[?#\d{1,9}\]?[\s:–-]{0,4}", re.IGNORECASE)
_FIRING = re.compile(r"\[(?:FIRING|RESOLVED)\b[^\]\n]{0,40}\]\s?", re.IGNORECASE)
_CIRCLE: tuple[tuple[re.Pattern[str], AlertState], ...] = (
    (re.compile(r":large_green_(?:circle|square):|:green_circle:|🟢"), "resolved"),
    (
        re.compile(r":large_yellow_(?:circle|square):|:yellow_circle:|:large_orange_circle:|🟡|🟠"),
        "acknowledged",
    ),
    (re.compile(r":red_circle:|:large_red_(?:circle|square):|🔴"), "firing"),
)
_VIEW = frozenset(
    {"view", "view incident", "view in pagerduty", "details", "pagerduty", "open", "link"}
)


def recognise(message: Message) -> Alert | None:
    """The incident, if PagerDuty posted it; notes, assignments and schedules are no alerts."""
    if message.strength(SIGNS) < 3:
        return None
    link = next((link for link in message.links if _INCIDENT.search(link.url)), None)
    state = _state(message)
    if state is None:
        if link is None or _ACTIVITY.search("\n".join(message.lines[:3])):
            return None
        state = "firing"
    named = link.label if link and link.label.casefold() not in _VIEW else message.title
    title = _title(named) or _title(message.title) or message.value("description", "summary")
    incident = _INCIDENT.search(link.url) if link else None
    return alert(
        message,
        "pagerduty",
        state,
        title or "PagerDuty incident",
        key=incident.group(1) if incident else (identity(title), *targets(message)),
        service=message.value("impacted service", "service"),
        severity=_severity(message),
        url=link.url if link else "",
    )


def _title(text: str) -> str:
    for prefix in (_LEADING, _NUMBER, _LEADING, _FIRING):
        text = prefix.sub("", text)
    return re.sub(r"^(?::[\w+-]{1,40}:\s?){1,3}", "", text).strip(" *:-")


def _state(message: Message) -> AlertState | None:
    """Circle first: the app edits it, while the words below may still tell of the past."""
    head = "\n".join(message.lines[:2])
    for circle, state in _CIRCLE:
        if circle.search(head[:120]):
            return state
    status = message.value("status", "state")
    if status:
        return state_in(status)
    words = _FIRING.sub("", head)
    if re.search(r"\b(?:un-?acknowledged|reopened)\b", words, re.IGNORECASE):
        return "firing"
    if _ACTIVITY.search(words):
        return None
    said = re.search(r"\b(triggered|acknowledged|resolved)\b", words, re.IGNORECASE)
    states: dict[str, AlertState] = {
        "triggered": "firing",
        "acknowledged": "acknowledged",
        "resolved": "resolved",
    }
    return states[said.group(1).casefold()] if said else None


def _severity(message: Message) -> Severity:
    """Priority where the account uses it, else urgency."""
    for name in ("priority", "severity", "urgency"):
        found = severity(message.value(name))
        if found != "unknown":
            return found
    return "unknown"
