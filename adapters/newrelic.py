"""New Relic: issues of its current workflows and incidents of the older channels.

https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#slack
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import alert, is_digest, severity, state_in, stated_severity
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("new relic", "newrelic"),
    urls=re.compile(r"newrelic\.com/|//onenr\.io/|nr-links\.com/", re.IGNORECASE),
)

_ISSUE = re.compile(
    r"/issues/([\w-]{6,80})|/incidents/(\d{1,15})|[?&]issueId=([\w-]{6,80})|/violations/(\d{1,15})"
)
_TELLS = re.compile(
    r"\b(?:issue|incident|violation|alert|condition|critical|warning)\b", re.IGNORECASE
)
_CHANGE = re.compile(
    r"\b(?:deployment|deployed|change tracking|marker|muting rule)\b", re.IGNORECASE
)
_BUTTON = re.compile(r"(?:view|acknowledge|open|see|go to|incident #?\d)", re.IGNORECASE)
_NUMBER = re.compile(r"\bincident\s#?(\d{2,15})\b", re.IGNORECASE)
_HEAD = re.compile(
    r"^(?::[\w+-]{1,40}:|[^\w\[]){0,6}(?:new relic (?:alerts?|incident)?[\s:|–-]{0,4})?(?:\[?(?:critical|high|medium|low|warning|acknowledged|activated|closed|resolved)\]?(?: priority)?(?: issue)?(?: (?:is|was|has been) )?[\s:|–-]{0,4})?(?:(?:incident|issue|violation)\s?(?:#?\d{2,15})?\s?(?:is |was )?(?:opened|open|activated|created|closed|acknowledged)?[\s:|–-]{0,4})?",
    re.IGNORECASE,
)
_STATES: tuple[tuple[re.Pattern[str], AlertState], ...] = (
    (re.compile(r"\b(?:closed|resolved|recovered)\b", re.IGNORECASE), "resolved"),
    (re.compile(r"\backnowledged?\b(?! issue)", re.IGNORECASE), "acknowledged"),
    (
        re.compile(
            r"\b(?:activated|created|open(?:ed)?|critical|warning|triggered|violat\w+|high priority)\b",
            re.IGNORECASE,
        ),
        "firing",
    ),
)
_FIELDS = (
    "issue state",
    "state",
    "status",
    "current state",
    "incident state",
    "event type",
    "event",
)


def recognise(message: Message) -> Alert | None:
    """The issue or incident, if New Relic posted it."""
    if (
        message.strength(SIGNS) < 3
        or is_digest(message)
        or not _TELLS.search(message.body[:2000])
        or _CHANGE.search(message.title)
    ):
        return None
    state = _state(message)
    if state is None:
        return None
    link = message.link(_ISSUE)
    number = _ISSUE.search(link) or _NUMBER.search(message.body[:1000])
    condition = message.value("condition", "condition name", "alert condition", "conditions")
    entities = message.value(
        "impacted entities",
        "impacted entity",
        "entities",
        "entity",
        "targets",
        "target",
        "affected entities",
    )
    title = _title(message) or condition
    known = next((group for group in number.groups() if group), "") if number else ""
    return alert(
        message,
        "newrelic",
        state,
        title or message.title,
        key=known
        or (
            identity(condition or title),
            entities.casefold(),
            *(() if entities else targets(message)),
        ),
        service=message.value("service", "application", "app", "app name")
        or (entities if re.fullmatch(r"[\w.-]{2,60}", entities) else ""),
        severity=_severity(message),
        url=link,
    )


def _state(message: Message) -> AlertState | None:
    status = message.value(*_FIELDS)
    for text in (status, *(title.label for title in message.titles[:3]), *message.lines[:4]):
        for pattern, state in _STATES:
            if text and pattern.search(text):
                return state
    return state_in(message.title)


def _title(message: Message) -> str:
    """The issue's own title: a field, else the headline that is left without its status words."""
    named = message.value("issue title", "issue", "incident title", "title", "violation", "alert")
    heads = [
        *(link.label for link in message.links if _ISSUE.search(link.url)),
        *(title.label for title in message.titles if title.url),
        *(title.label for title in message.titles),
    ]
    bare = (_HEAD.sub("", head, count=1).strip(" :|-") for head in heads)
    return (
        named
        if identity(named)
        else next((head for head in bare if identity(head) and not _BUTTON.match(head)), "")
    )


def _severity(message: Message) -> Severity:
    stated = stated_severity(message)
    if stated != "unknown":
        return stated
    found = re.search(
        r"\b(critical|high|medium|warning|low)\b(?= priority|\]|\s?:|\sissue|\sviolation)",
        message.body[:400],
        re.IGNORECASE,
    )
    return severity(found.group(1)) if found else "unknown"
