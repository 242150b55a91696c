"""Datadog: the messages of monitors and of On-Call pages.

https://docs.datadoghq.com/monitors/notify/ and https://docs.datadoghq.com/service_management/on-call/pages/
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, labels, severity, state_in
from adapters.kit.alert_times import moment
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("datadog",), urls=re.compile(r"(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/", re.IGNORECASE)
)

_STATUS = r"(?:(?:re-?)?triggered|re-?notif(?:y|ied)(?:\s#?\d{1,4})?|warn(?:ing)?|alert|no data|recovered|recovery|resolved|ok|test)"
_HEAD = re.compile(
    rf"^\W{{0,4}}(?:P[1-5]\]\W{{0,3}})?({_STATUS})(\s(?:on|for)\s\{{[^}}\n]{{0,300}}\}}|\s\([^)\n]{{0,60}}\))?\s?[\]:]\s?",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r"\bon\s\{?([a-z][\w.-]{0,80}:[^\s,{}]{1,200}(?:,\s?[a-z][\w.-]{0,80}:[^\s,{}]{1,200}){0,10})\}?\s?$",
    re.IGNORECASE,
)
_MONITOR = re.compile(r"/monitors/(\d{1,20})")
_PAGE = re.compile(r"^\W{0,4}Page #(\d{1,12}):?\s?(.{0,400})", re.IGNORECASE)
_PAGE_URL = re.compile(r"/on-call/pages/(\d{1,12})")
_PRIORITY = re.compile(r"\[(P[1-5])\]\s?", re.IGNORECASE)
_LAST = re.compile(r"last triggered at\s([^\n]{10,40}?\d{4}(?:\s\d{2}:\d{2}:\d{2})?\s?UTC)")
_TAG = re.compile(
    r"(?<![\w/.])(service|host|env|team|region|version|pod_name|cluster_name|container_name|kube_[a-z_]{1,40}|db|queue|topic|resource_name"
    r"|instance|availability-zone|device|source|functionname|dbinstanceidentifier|severity):([A-Za-z0-9][\w./-]{0,150})",
    re.IGNORECASE,
)
_STATES: dict[str, AlertState] = {
    "recovered": "resolved",
    "recovery": "resolved",
    "resolved": "resolved",
    "ok": "resolved",
}


def recognise(message: Message) -> Alert | None:
    """The monitor notification or On-Call page, if Datadog posted it."""
    if message.strength(SIGNS) < 1:
        return None
    for candidate in message.titles:
        page = _PAGE.match(candidate.label)
        if page:
            return _page(message, page.group(1), page.group(2))
    for candidate in message.titles:
        statuses, title = _statuses(candidate.label)
        if statuses and title:
            return _monitor(message, statuses, title, _PRIORITY.search(candidate.label))
    return None


def _statuses(label: str) -> tuple[list[str], str]:
    """`[TEST] [Triggered on {host:a}] Disk full` -> its status words, and `Disk full on host:a`."""
    found: list[str] = []
    scope = ""
    rest = label.strip()
    while len(found) < 4 and (head := _HEAD.match(rest)):
        found.append(head.group(1).casefold())
        scope = scope or (head.group(2) or "").strip()
        rest = rest[head.end() :].strip()
    return found, f"{rest} {scope}".strip() if "{" in scope else rest


def _monitor(
    message: Message, statuses: list[str], title: str, priority: re.Match[str] | None
) -> Alert:
    state: AlertState = "firing"
    for word in statuses:
        state = _STATES.get(word, state)
    url = message.link(_MONITOR) or (message.titles[0].url if message.titles else "")
    query = parse_qs(urlsplit(url).query) if url else {}
    named = _GROUP.search(title)
    group = (query.get("group") or [named.group(1) if named else ""])[0]
    tags = {
        name.casefold(): value for name, value in _TAG.findall(f"{group}\n{title}\n{message.body}")
    }
    bare = _PRIORITY.sub("", title)
    monitor = _MONITOR.search(url)
    rule = _GROUP.sub("", bare) if named else bare
    scope = sorted(part.strip().casefold() for part in group.split(",") if part.strip())
    if not scope and monitor is None:
        scope = [
            *targets(message),
            *sorted(f"{k}:{tags[k]}" for k in ("host", "instance", "service") if k in tags),
        ]
    return alert(
        message,
        "datadog",
        state,
        bare,
        key=(monitor.group(1) if monitor else "", identity(rule), *scope),
        service=tags.get("service", ""),
        severity=_severity(statuses, priority.group(1) if priority else tags.get("severity", "")),
        started_at=_began(message, query, statuses),
        url=url,
        labels={**labels(message), **tags},
    )


def _severity(statuses: list[str], stated: str) -> Severity:
    return "warning" if {"warn", "warning"} & set(statuses) and not stated else severity(stated)


def _began(message: Message, query: dict[str, list[str]], statuses: list[str]) -> datetime | None:
    """The text's own words, else the event's epoch in the link where this event is the beginning.

    A link with only `from_ts` and `to_ts` shows the monitor from 15 minutes before the event to 5 after it.
    """
    said = _LAST.search(message.body)
    if said:
        return moment(said.group(1), posted=message.at)
    if not {"triggered", "warn", "warning", "no data", "alert"} & set(statuses):
        return None
    event = (query.get("link_event_ts") or query.get("event_ts") or [""])[0]
    if event:
        return moment(event)
    begin, end = (query.get("from_ts") or [""])[0], (query.get("to_ts") or [""])[0]
    if (
        re.fullmatch(r"\d{13}", begin)
        and re.fullmatch(r"\d{13}", end)
        and int(end) - int(begin) == 1_200_000
    ):
        return datetime.fromtimestamp(int(begin) // 1000 + 900, UTC)
    return None


def _page(message: Message, number: str, title: str) -> Alert:
    """An On-Call page is one message that is edited as its status changes."""
    url = message.link(_PAGE_URL)
    monitor = message.link(_MONITOR)
    query = parse_qs(urlsplit(monitor).query) if monitor else {}
    tags = {name.casefold(): value for name, value in _TAG.findall(message.body)}
    return alert(
        message,
        "datadog",
        state_in(message.value("status")) or "firing",
        title or f"Page #{number}",
        key=f"page {number}",
        service=tags.get("service", ""),
        severity=severity(message.value("urgency")),
        started_at=_began(message, query, ["triggered"]),
        url=url,
    )
