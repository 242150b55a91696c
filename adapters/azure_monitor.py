"""Azure Monitor: alerts in the common schema, as Logic Apps, functions and e-mail relays post them.

https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.kit.alert_identity import identity
from adapters.kit.alert_json import embedded, part, word
from adapters.kit.alert_text import alert, labels
from adapters.kit.alert_times import moment, started
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("azure monitor", "azure alert", "azuremonitor", "microsoft azure"),
    urls=re.compile(
        r"portal\.azure\.(?:com|us|cn)/[^\s]{0,400}(?:alert|Monitoring)", re.IGNORECASE
    ),
)

_SEVERITIES: dict[str, Severity] = {
    "0": "critical",
    "1": "error",
    "2": "warning",
    "3": "info",
    "4": "info",
}
_SEV = re.compile(r"\bsev(?:erity)?\W{0,3}([0-4])\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(?P<state>Fired|Resolved|Activated|Deactivated|Acknowledged|Closed)\W{1,3}(?:Sev(?P<sev>[0-4])\s)?Azure Monitor Alert\s(?P<rule>[^\n]{1,200}?)\son\s(?P<resource>[^\n(]{1,200}?)(?:\s?\(|\sat\s|$)",
    re.IGNORECASE | re.MULTILINE,
)
_CONDITION_FIELDS = (
    "monitor condition",
    "monitorcondition",
    "alert condition",
    "condition state",
    "alert state",
    "status",
    "state",
)
_RULE_FIELDS = ("alert rule", "alertrule", "alert name", "rule name", "alert", "rule", "name")
_RESOURCE_FIELDS = (
    "affected resource", "affected resources", "resource", "resource name", "target resource", "configuration items", "configurationitems",
    "alert target", "target", "alert target ids", "resource id", "impacted resource", "host",
)  # fmt: skip


def recognise(message: Message) -> Alert | None:
    """The alert that fired or was resolved."""
    return _from_json(message) or _from_subject(message) or _from_fields(message)


def _from_json(message: Message) -> Alert | None:
    essentials = part(embedded(message), "data", "essentials") or part(
        embedded(message), "essentials"
    )
    rule, condition = word(essentials, "alertRule"), word(essentials, "monitorCondition")
    if not rule or not condition:
        return None
    state = _state(condition)
    resources = _names(essentials, "configurationItems") or _names(essentials, "alertTargetIDs")
    return alert(
        message,
        "azure_monitor",
        state,
        rule,
        key=(identity(rule), *resources),
        severity=_severity(word(essentials, "severity")),
        started_at=moment(word(essentials, "firedDateTime")),
        labels={
            "resource": ", ".join(resources),
            "description": word(essentials, "description")[:300],
        },
    )


def _from_subject(message: Message) -> Alert | None:
    """The subject line of the e-mail: `Fired:Sev1 Azure Monitor Alert <rule> on <resource> ( <type> ) at <time>`."""
    found = next(
        (
            m
            for t in (*(title.label for title in message.titles), message.body[:1000])
            if (m := _SUBJECT.search(t))
        ),
        None,
    )
    if found is None:
        return None
    rule, resource = found.group("rule").strip(" '\""), found.group("resource").strip(" '\"")
    return alert(
        message,
        "azure_monitor",
        _state(found.group("state")),
        f"{rule} on {resource}",
        key=(identity(rule), resource.casefold()),
        severity=_SEVERITIES.get(found.group("sev") or "", "unknown"),
        labels={**labels(message), "resource": resource},
    )


def _from_fields(message: Message) -> Alert | None:
    rule, condition = message.value(*_RULE_FIELDS), message.value(*_CONDITION_FIELDS)
    ours = (
        any(name in message.fields for name in ("monitor condition", "monitorcondition"))
        or message.strength(SIGNS) > 0
    )
    if not ours and not re.search(
        r"\bazure (?:monitor|alert)\b", message.body[:500], re.IGNORECASE
    ):
        return None
    if not condition:
        spoken = re.search(
            r"\b(fired|resolved|activated|deactivated)\b", message.body[:500], re.IGNORECASE
        )
        condition = spoken.group(1) if spoken else ""
    if not condition or not re.search(
        r"\b(?:fired|resolved|(?:de)?activated|closed|acknowledged|firing|triggered)\b",
        condition,
        re.IGNORECASE,
    ):
        return None
    resource = message.value(*_RESOURCE_FIELDS)
    return alert(
        message,
        "azure_monitor",
        _state(condition),
        rule
        or re.sub(
            r"^[^\n]{0,60}?\b(?:azure (?:monitor )?alert|fired|resolved|activated)\b\W{0,3}",
            "",
            message.title,
            flags=re.IGNORECASE,
        )
        or message.title,
        key=(identity(rule or message.title), resource.rsplit("/", 1)[-1].casefold()),
        severity=_severity(message.value("severity", "sev")),
        started_at=moment(
            message.value("fired date time", "fireddatetime", "fired time", "fired at")
        )
        or started(message),
    )


def _names(essentials: Mapping[str, object], key: str) -> tuple[str, ...]:
    """The last segment of a resource's id is its name."""
    listed = essentials.get(key)
    names = (
        [item.rsplit("/", 1)[-1].casefold() for item in listed if isinstance(item, str)]
        if isinstance(listed, list)
        else []
    )
    return tuple(sorted(set(names)))[:40]


def _state(condition: str) -> AlertState:
    if re.search(r"\b(?:resolved|deactivated|closed)\b", condition, re.IGNORECASE):
        return "resolved"
    return "acknowledged" if re.search(r"\backnowledged\b", condition, re.IGNORECASE) else "firing"


def _severity(text: str) -> Severity:
    found = _SEV.search(text) or re.fullmatch(r"\W*([0-4])\W*", text)
    return _SEVERITIES[found.group(1)] if found else "unknown"
