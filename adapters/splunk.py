"""Splunk: the Slack alert action of Splunk Enterprise and Cloud, and detectors of Splunk Observability.

https://splunkbase.splunk.com/app/2878 and https://docs.splunk.com/observability/en/admin/notif-services/slack.html
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, is_digest, severity, state_in, stated_severity
from adapters.kit.records import Alert, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("splunk", "signalfx", "victorops"),
    urls=re.compile(
        r"splunkcloud\.com|splunk[^/\s]{0,100}/(?:\w\w-\w\w/)?(?:app|manager)/|/app/[\w-]{1,60}/(?:@go|search\?|alert)|signalfx\.com/|victorops\.com/",
        re.IGNORECASE,
    ),
    footers=("splunk",),
)

_CONDITION = re.compile(
    r"\balert condition for [\"'‘“]?(?P<name>[^\"'’”\n]{1,200})[\"'’”]? was triggered",
    re.IGNORECASE,
)
_TRIGGERED = re.compile(
    r"\b(?:splunk\s)?alert(?: name)?\s?[:|–-]\s?(?P<name>[^\n]{1,200}?)(?:\s(?:was|has been)?\s?(?:triggered|fired)|$)",
    re.IGNORECASE | re.MULTILINE,
)
_DETECTOR = re.compile(
    r"^(?:\W|:[\w+-]{1,40}:){0,6}\[?(?P<level>critical|major|minor|warning|info|cleared|stopped|manually resolved|acknowledged)\]?(?: alert)?\s?[:|–(-]\s?(?P<name>[^\n]{1,200})",
    re.IGNORECASE,
)
_OVER = frozenset({"cleared", "stopped", "manually resolved"})
_SAYS = re.compile(
    r"\b(?:triggered|alert|detector|fired|threshold|notable|critical|error|fail\w*|incident|condition|results? (?:count|found))\b",
    re.IGNORECASE,
)


def recognise(message: Message) -> Alert | None:
    """The saved search or detector that fired or cleared."""
    text = "\n".join((*(title.label for title in message.titles[:3]), *message.lines[:4]))[:2000]
    condition = _CONDITION.search(text)
    if condition is None and (message.strength(SIGNS) < 3 or is_digest(message)):
        return None
    detector = _DETECTOR.match(message.title)
    named = message.value(
        "alert",
        "alert name",
        "search name",
        "saved search",
        "name",
        "rule",
        "rule name",
        "detector",
        "incident",
    )
    triggered = _TRIGGERED.search(text)
    if condition is None and detector is None and not _SAYS.search(text):
        return None
    found = condition or detector
    title = (
        found.group("name")
        if found
        else named or (triggered.group("name") if triggered else "") or message.title
    ).strip(" *'\":")
    level = detector.group("level").casefold() if detector else ""
    state = (
        "resolved"
        if level in _OVER
        else state_in(message.value("status", "state") or message.title) or "firing"
    )
    return alert(
        message,
        "splunk",
        state,
        title,
        key=(identity(title), *targets(message)),
        severity=_severity(message, level),
    )


def _severity(message: Message, level: str) -> Severity:
    stated = stated_severity(message)
    return stated if stated != "unknown" else severity(level)
