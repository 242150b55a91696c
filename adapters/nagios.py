"""Nagios and Icinga: the messages of the notification scripts that are in common use.

https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html and
https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notifications
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.kit.alert_text import alert, labels
from adapters.kit.alert_times import moment, started
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=(
        "nagios",
        "icinga",
        "naemon",
        "centreon",
        "checkmk",
        "check_mk",
        "op5",
        "thruk",
        "sensu",
    ),
    urls=re.compile(
        r"/cgi-bin/(?:extinfo|status|avail)\.cgi|/icingaweb2?/|/icingadb/|/monitoring/(?:host|service)/|/check_mk/|/nagios",
        re.IGNORECASE,
    ),
    footers=("nagios", "icinga"),
)

_TYPES = r"(?P<type>PROBLEM|RECOVERY|ACKNOWLEDGEMENT|FLAPPING\w*|DOWNTIME\w*|CUSTOM)"
_STATES = r"(?P<state>CRITICAL|WARNING|UNKNOWN|OK|DOWN|UP|UNREACHABLE|CRIT|WARN)"
_SENTENCES = (
    re.compile(rf"{_TYPES}\s(?:Host|Service) Alert:?\s(?P<host>[^\s/\n]{{1,200}})(?:/(?P<service>[^\n]{{1,200}}?))?\sis\s{_STATES}\b"),
    re.compile(rf"{_TYPES}\]?\s?[:|–-]?\s?(?P<host>[^\s\n]{{1,200}})\s[-–/|:]\s(?P<service>[^\n]{{1,200}}?)\sis\s{_STATES}\b"),
    re.compile(rf"\[?{_TYPES}\]?\s?[:|–-]?\s?(?:[Ss]ervice\s)?(?P<service>[^\n]{{1,200}}?)\son\s(?:host\s)?(?P<host>[^\s\n]{{1,200}})\sis\s(?:now\s)?{_STATES}\b"),
    re.compile(rf"\[?{_TYPES}\]?\s?[:|–-]?\s?(?:host\s)?(?P<host>[^\s\n]{{1,200}})\sis\s(?:now\s)?{_STATES}\b"),
    re.compile(rf"^\W{{0,4}}(?::[\w+-]{{1,40}}:\s?)?HOST:\s(?P<host>[^\s\n]{{1,200}})\s{{1,8}}SERVICE:\s(?P<service>[^\n]{{1,200}}?)(?:\s{{1,8}}(?:STATE|STATUS):\s{_STATES}|\s{{1,8}}MESSAGE:|$)", re.MULTILINE),
    re.compile(rf"^\W{{0,4}}(?::[\w+-]{{1,40}}:\s?)?(?P<service>[^\n:]{{1,120}}?)\son\s(?P<host>[\w.-]{{1,200}})\sis\s{_STATES}\b", re.MULTILINE),
    re.compile(rf"^\W{{0,4}}(?::[\w+-]{{1,40}}:\s?)?(?P<host>[\w.-]{{1,200}})(?:[/:](?P<service>[^\n:]{{1,120}}?))?\sis\s{_STATES}\b", re.MULTILINE),
    re.compile(rf"^\W{{0,4}}{_STATES}\s?:\s(?P<host>[\w.-]{{1,200}})(?:\s?[-/:|]\s?(?P<service>[^\n]{{1,120}}))?$", re.MULTILINE),
)  # fmt: skip
_QUIET = re.compile(r"^(?:flapping|downtime|custom)", re.IGNORECASE)
_GOOD_ICONS = re.compile(r":(?:white_check_mark|beer|ok|heavy_check_mark|large_green_circle):|✅")
_SEVERITIES: dict[str, Severity] = {
    "critical": "critical",
    "crit": "critical",
    "down": "critical",
    "unreachable": "critical",
    "warning": "warning",
    "warn": "warning",
}


@dataclass(frozen=True, slots=True)
class _Notice:
    kind: str
    state: str
    host: str
    check: str


def recognise(message: Message) -> Alert | None:
    """The host or service problem, its acknowledgement or its recovery; downtimes and flapping are no alerts."""
    notice = _sentence(message) or _fields(message)
    if notice is None or _QUIET.match(notice.kind) or not notice.host:
        return None
    check = notice.check.strip(" *'\"")
    attached = {**labels(message), "host": notice.host, **({"check": check} if check else {})}
    return alert(
        message,
        "nagios",
        _state(notice),
        f"{check} on {notice.host}" if check else f"Host {notice.host}",
        key=(notice.host.casefold(), check.casefold()),
        service=check,
        severity=_SEVERITIES.get(notice.state.casefold(), "unknown"),
        started_at=moment(
            message.value("date/time", "date time", "time", "when"), posted=message.at, local=True
        )
        if _state(notice) == "firing"
        else started(message),
        labels=attached,
    )


def _sentence(message: Message) -> _Notice | None:
    signed = message.strength(SIGNS) > 0
    text = "\n".join((*(title.label for title in message.titles[:4]), *message.lines[:6]))[:3000]
    for number, pattern in enumerate(_SENTENCES):
        found = pattern.search(text)
        if found and (signed or number < 4):
            groups = found.groupdict()
            state = (
                groups.get("state")
                or message.value("state", "status")
                or ("OK" if _GOOD_ICONS.search(text[:80]) else "CRITICAL")
            )
            return _Notice(
                groups.get("type") or "",
                state,
                groups["host"].strip("*'\":,"),
                groups.get("service") or "",
            )
    return None


def _fields(message: Message) -> _Notice | None:
    """The scripts that write attachment fields or one `Name: value` a line."""
    host, state = (
        message.value("host", "hostname", "host name"),
        message.value("state", "service state", "host state", "status"),
    )
    if not host or not re.fullmatch(rf"\W*{_STATES}\W*", state.upper()):
        return None
    kind = message.value("notification type", "type")
    if not message.strength(SIGNS) and not kind:
        return None
    fallback = next(
        (
            t.label
            for t in message.titles
            if re.match(r"(?:ACKNOWLEDGEMENT|DOWNTIME|FLAPPING|RECOVERY|PROBLEM)", t.label)
        ),
        "",
    )
    return _Notice(
        kind or fallback.partition(" ")[0],
        state.strip(" *"),
        host.strip("* "),
        message.value("service", "check", "service name"),
    )


def _state(notice: _Notice) -> AlertState:
    if notice.kind.upper().startswith("ACK"):
        return "acknowledged"
    good = notice.kind.upper() == "RECOVERY" or notice.state.upper() in {"OK", "UP"}
    return "resolved" if good else "firing"
