"""Grafana: the messages of its alerting, unified and legacy, and of Grafana OnCall.

The default message lists every label of every alert (`- name = value`), which makes an exact fingerprint.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/template-notifications/reference/
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, labels, service, severity, state_in
from adapters.kit.records import Alert, AlertState
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("grafana",),
    urls=re.compile(
        r"/alerting/(?:list|grafana|silence|groups|alertmanager|[\w-]{1,80}/(?:view|edit))|\.grafana\.net/",
        re.IGNORECASE,
    ),
    footers=("grafana v", "grafana oncall", "grafana irm"),
)

_TOKEN = re.compile(
    r"\[\s?(FIRING|RESOLVED|ALERTING|OK|NO DATA|PENDING|PAUSED)\b[^\]\n]{0,40}\]", re.IGNORECASE
)
_LABEL = re.compile(r"-\s([A-Za-z_][\w.:/-]{0,100})\s?=\s?(.{0,300})")
_ON_CALL = re.compile(r"^\W{0,4}#(\d{1,9})\W{1,3}(.{3,300})")
_NOT_IDENTITY = frozenset({"severity", "priority", "level"})


def recognise(message: Message) -> Alert | None:
    """The alert that Grafana notified of, if it was Grafana."""
    if message.strength(SIGNS) < 1:
        return None
    for candidate in message.titles:
        states = {token.casefold() for token in _TOKEN.findall(candidate.label)}
        if states - {"pending", "paused"}:
            state: AlertState = "resolved" if states <= {"resolved", "ok"} else "firing"
            return _alert(message, state, _TOKEN.sub(" ", candidate.label).strip(" *:"))
    on_call = _ON_CALL.match(message.title)
    if on_call and message.strength(SIGNS) >= 3:
        status = message.value("status", "state") or message.body
        return alert(
            message,
            "grafana",
            state_in(status) or "firing",
            on_call.group(2),
            key=f"oncall {on_call.group(1)}",
        )
    if message.strength(SIGNS) >= 3 and _section(message.lines):
        state = (
            "firing"
            if any(line.casefold().startswith("firing") for line in message.lines)
            else "resolved"
        )
        return _alert(message, state, message.title)
    return None


def _alert(message: Message, state: AlertState, title: str) -> Alert:
    found = _section(message.lines)
    attached = dict(found) if found else labels(message)
    exact = sorted({f"{name}={value}" for name, value in found if name not in _NOT_IDENTITY})
    name = attached.get("alertname", "")
    return alert(
        message,
        "grafana",
        state,
        title if len(title) > 2 and not title.startswith("(") else name or title,
        key=tuple(exact[:60]) or (identity(title), *targets(message)),
        labels=attached,
        service=service(message, attached),
        severity=severity(attached.get("severity", "")),
    )


def _section(lines: list[str]) -> list[tuple[str, str]]:
    """The labels of the firing alerts, or of all where none fires any more."""
    sections: dict[str, list[tuple[str, str]]] = {}
    part, inside = "", False
    for line in lines:
        heading = line.strip(" *:").casefold()
        if heading in {"firing", "resolved"}:
            part = heading
        elif heading == "labels":
            inside = True
        elif inside and (label := _LABEL.fullmatch(line)):
            sections.setdefault(part, []).append((label.group(1), label.group(2).strip()))
        else:
            inside = False
    return sections.get("firing") or sections.get("resolved") or sections.get("") or []
