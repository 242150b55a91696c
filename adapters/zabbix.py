"""Zabbix: the messages of its Slack media type and of the scripts that came before it.

In "alarm" mode the first message is edited when the problem is resolved; in "event" mode each step is a message.
Times are the Zabbix server's local ones without a zone.

https://git.zabbix.com/projects/ZBX/repos/zabbix/browse/templates/media/slack
"""

from __future__ import annotations

import re
from datetime import datetime

from adapters.kit.alert_identity import identity
from adapters.kit.alert_text import alert, labels, severity
from adapters.kit.alert_times import moment
from adapters.kit.records import Alert, AlertState
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("zabbix",), urls=re.compile(r"tr_events\.php\?|/zabbix/|zabbix\.php\?", re.IGNORECASE)
)

_TRIGGER = re.compile(r"[?&]triggerid=([^&\s]{1,40})")
_HEAD = re.compile(
    r"^(?::[\w+-]{1,40}:|\W){0,6}(?P<word>problem|resolved|ok|recovery|updated problem|update|acknowledged|problem (?:started|has been (?:resolved|updated)))\b(?P<rest>[^:\n]{0,60}):\s?",
    re.IGNORECASE,
)
_BEGAN = re.compile(r"[Pp]roblem started at (\d{2}:\d{2}:\d{2}) on (\d{4}\.\d{2}\.\d{2})")
_RESOLVED = re.compile(
    r"^(?:\W|:[\w+-]{1,40}:){0,6}(?:resolved|ok\b|recovery|recovered)|\bhas been resolved\b",
    re.IGNORECASE,
)
_UPDATED = re.compile(r"^(?:\W|:[\w+-]{1,40}:){0,6}updated?\b|\backnowledged\b", re.IGNORECASE)
_NAMES = ("problem name", "problem", "trigger", "trigger name", "event name", "event")


def recognise(message: Message) -> Alert | None:
    """The problem, its update or its recovery."""
    url = message.link(_TRIGGER)
    fields = message.fields
    shaped = "host" in fields and "event time" in fields and "severity" in fields
    if (
        not url
        and not shaped
        and not (message.strength(SIGNS) and ("host" in fields or _HEAD.match(message.title)))
    ):
        return None
    head = message.title
    title = (
        message.value(*_NAMES)
        if not _HEAD.match(head) and message.value(*_NAMES)
        else _HEAD.sub("", head)
    )
    host = message.value("host", "hostname", "problem host")
    trigger = _TRIGGER.search(url)
    return alert(
        message,
        "zabbix",
        _state(message),
        title or head,
        key=(trigger.group(1), host.casefold()) if trigger else (identity(title), host.casefold()),
        severity=severity(message.value("severity", "problem severity", "trigger severity")),
        started_at=_began(message),
        labels={**labels(message), **({"host": host} if host else {})},
        url=url,
    )


def _state(message: Message) -> AlertState:
    heads = [title.label for title in message.titles[:2]]
    status = message.value("status", "trigger status", "event status")
    if message.colors[:1] == ("009900",) or any(
        _RESOLVED.search(h) for h in (*heads, *message.lines[:2])
    ):
        return "resolved"
    if status.casefold().strip() in {"ok", "resolved", "recovery"}:
        return "resolved"
    return "acknowledged" if any(_UPDATED.search(head) for head in heads) else "firing"


def _began(message: Message) -> datetime | None:
    """The event time; a local time can be placed in UTC only while the problem is new."""
    said = _BEGAN.search(message.body)
    text = (
        f"{said.group(2)} {said.group(1)}"
        if said
        else message.value("event time", "problem started", "problem time", "time")
    )
    return moment(text, posted=message.at, local=True) if text else None
