"""Alerts of tools that have no file of their own, told by what alerts say. Careful: silence beats a false alarm.

A headline must carry a phrase that only alerts use, or two independent marks (alarm emoji, red colour, a status or
severity field, words of trouble). Digests, reminders, deploys, pull requests and successes are left alone, and people
are never looked at.
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity, targets
from adapters.kit.alert_text import (
    BAD_EMOJI,
    alert,
    is_digest,
    severity,
    severity_in,
    state_in,
    stated_severity,
)
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs()

_PHRASES = re.compile(
    r"[\[(]\W{0,3}(?:firing|alert(?:ing)?|critical|crit|alarm|down|problem|triggered|failed|fatal|emergency|sev-?[0-3]|p[0-2])\b[^\])\n]{0,40}[\])]"
    r"|^(?::[\w+-]{1,40}:|[^\w\n]){0,8}(?:critical|fatal|alert|alarm|emergency|problem|outage|sev-?[0-3]|p[0-2]|warning|firing|triggered|incident)\b[^\w\n]{0,4}[:|–—-]"
    r"|\balert(?:s)? (?:for|firing|fired|triggered|raised|condition|is active|opened|on)\b|\b(?:new|active|critical|high|production|prod) alert\b"
    r"|\b(?:is|are|went|appears|seems|has gone) (?:now )?(?:down|unreachable|unhealthy|unresponsive|offline|unavailable|degraded|firing|not responding|failing|in alarm|crash\w*|out of memory)\b"
    r"|\b(?:threshold|slo|sla|error budget|limit) (?:was |has been |is |burn\w* |rate )?(?:exceeded|crossed|breached|violated|reached)\b|\b(?:exceeds|exceeded|crossed|breached|above|over) (?:the |its |your )?(?:\w{1,20} )?threshold\b"
    r"|\b(?:alert|alarm|monitor|incident|check|trigger)\b[^\n]{0,120}\b(?:triggered|fired|firing|declared|opened|raised|started|failing|failed)\b"
    r"|\b(?:build|job|pipeline|workflow|deploy(?:ment)?|rollout|backup|cron(?:job)?|health ?check|probe|heartbeat|check|task|sync|migration|release|test run|run|step|stage|dag|etl|replication|import|export)s?\b[^\n]{0,120}\b(?:failed|failing|is failing|errored|missed|timed out|broken|crashed|overdue|late)\b"
    r"|\b(?:failed|failing|broken|missed|errored)\W{1,3}(?:build|job|pipeline|workflow|deploy(?:ment)?|backup|cron(?:job)?|health ?check|check|task|run|heartbeat)\b|\b(?:failure|failed|still failing|unstable|regression) after \d"
    r"|\b(?:oomkilled|crashloopbackoff|imagepullbackoff|out of memory|disk (?:is )?(?:almost )?full|dead letter|unhandled exception|uncaught exception|panic:|segfault|data loss|major outage|partial outage|service disruption)\b"
    r"|\b(?:high|elevated|increased|abnormal|anomalous|spike in|surge in|unusual) (?:\w{1,20} )?(?:error|latency|failure|response time|cpu|memory|load|5xx|4xx|queue|traffic|lag|disk|rate)\w*"
    r"|\b(?:error|exception|failure|latency|5xx) (?:rate|spike|count|surge|burst)\b[^\n]{0,80}\b(?:high|above|over|exceed\w*|elevated|spik\w*|increas\w*|[><≥])"
    r"|\bstatus\W{1,3}(?:down|critical|failed|firing|alerting|problem|error)\b|\bdown alert\b|\bincident (?:declared|opened|created|reported|triggered|started)\b|\bhas (?:been )?(?:failed|failing|crashed|gone down|stopped responding)\b"
    r"|\balert\s?[:!]|\balert\s[\"“'][^\n]{1,120}[\"”']\s(?:is active|is triggered|fired|has fired)|\bentered (?:the )?alert(?:ing)? (?:status|state)\b|\bproblem P-\d+|\bLMD\d+\b"
    r"|\b\d+(?:st|nd|rd|th) occurrence\b|\b(?:error|exception|crash) in (?:production|prod|staging)\b"
    r"|\b(?:occurred|occurrences?|events?) in (?:the )?(?:last|past)\b|\bnew (?:error|exception|crash)\b|\b(?:ssl|tls|certificate)\b[^\n]{0,60}\b(?:expired|expires|expiring|invalid)\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(?:error\w*|fail\w*|exception\w*|timeouts?|timed out|latency|5xx|50[0234]|unavailable|unreachable|down|outage|crash\w*|exceed\w*|critical|"
    r"degraded|unhealthy|saturat\w*|exhausted|lag|backlog|refused|throttl\w*|oom\w*|high cpu|high memory|disk|alert|alarm|incident|threshold|violat\w*|breach\w*)\b",
    re.IGNORECASE,
)
_ALERT_WORDS = re.compile(
    r"\b(?:alert|alarm|incident|monitor|outage|recover\w*|resolved|threshold|health|probe|check|downtime|firing|is up|back up|online|back to normal|all clear|heartbeat|reachable|operational|cleared)\b",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[\W{0,3}(?:firing|alerting|critical|down|triggered)\]", re.IGNORECASE)
_OVER = re.compile(
    r"\W{0,6}[\[(]\W{0,3}(?:ok|up|resolved|recovered|normal|cleared)\b|\W{0,6}(?:ok|resolved|recovered)\s?:",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"\b(?:reminder|remember to|stand-?up|birthday|anniversary|welcome|has joined|kudos|survey|scheduled maintenance|maintenance window|planned maintenance|"
    r"maintenance (?:scheduled|starts|begins|completed)|silence[ds]?|unsilenced|muted|unmuted|downtime (?:scheduled|start\w*|end\w*)|(?:pull|merge) request|PR #?\d+|MR !\d+|(?:is|are) (?:now )?on.?call|"
    r"added a (?:note|comment|responder)|note added|was (?:re)?assigned|(?:re)?assigned (?:to|by)|snoozed|escalated (?:to|the)|commented on|issue (?:opened|closed|created|assigned|commented)|"
    r"new (?:comment|lead|signup|ticket|customer|subscriber|task|card|feature)|invoice|newsletter|is hiring|changed the (?:topic|title|channel))\b",
    re.IGNORECASE,
)
_TRACKERS = re.compile(
    r"jira(?! service)|zendesk|linear|trello|asana|clickup|notion|monday\.com|confluence|intercom|hubspot|salesforce|calendar|geekbot|standuply|polly|donut|giphy|"
    r"workflow builder|figma|miro|loom|freshdesk|shortcut|youtrack|google drive|outlook|simple poll|rss",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\bI(?:'ve|'m|'ll|’ve|’m)?\s(?!/)[a-z]")
_CHATTER = re.compile(
    r"\b(?:was caused by|root cause|moved (?:card|issue|task)|created (?:an? )?(?:issue|bug|task|story|ticket|card)|ticket #?\d+|poll|joined the|lunch|vote|retro|meeting|calendar|feedback|post-?mortem|opened a draft|pushed \d+|new commit|moved to|test run passed|what (?:did|will|are) you|"
    r"how are you|office|blog|released?:|trending|deal|streak)\b",
    re.IGNORECASE,
)
_RED = frozenset(
    {
        "danger", "a30200", "ff0000", "f00", "d32f2f", "d63232", "e01e5a", "cc0000", "c00", "dc3545", "d9534f",
        "b00020", "e53935", "f44336", "eb4d5c", "d00000", "ff4136", "ed5c5c", "e45959", "e74c3c", "c0392b", "dd0000",
        "800000", "990000", "d40e0d", "ff3333", "d00", "e03e2f", "ef4444", "dc2626", "b71c1c", "bf0000", "8b0000",
        "de350b", "f4511e",
    }
)  # fmt: skip
_GREEN = frozenset(
    {
        "good", "2eb886", "36a64f", "00ff00", "2ecc71", "28a745", "5cb85c", "2eb67d", "0f0", "008000", "4caf50",
        "00aa00", "7ed321", "18be52", "2fb344", "22c55e", "16a34a", "009900", "00c853", "388e3c", "3aa3e3", "27ae60",
        "36a54f",
    }
)  # fmt: skip
_STATUS_FIELDS = (
    "status",
    "state",
    "alert status",
    "alert state",
    "current state",
    "new state",
    "event",
    "result",
    "outcome",
    "conclusion",
)
_FIRING_VALUES = re.compile(
    r"\b(?:firing|triggered|alerting|alert|down|critical|failed|failure|failing|problem|open|active|error|alarm|unhealthy|triggered|breached|warning|warn|degraded|investigating|major)\b",
    re.IGNORECASE,
)
_NAMES = (
    "alert name",
    "alertname",
    "alert",
    "rule",
    "rule name",
    "monitor",
    "monitor name",
    "check",
    "check name",
    "name",
    "title",
    "summary",
    "subject",
    "trigger",
    "incident",
    "error",
    "message",
    "description",
    "condition",
    "issue",
    "event",
    "service",
    "host",
    "job",
    "problem",
    "reason",
)
_PREFIX = re.compile(
    r"^(?:(?::[\w+-]{1,40}:|[^\w\n(<]){1,8}|\s|(?:firing|triggered|resolved|recovered|acknowledged|alerting|alert (?:firing|triggered|resolved)|alert|ok|alarm|critical|warning|error|info|problem|test|sev-?[0-5]|p[0-5]|down|up|recovery|incident)\b(?=[^\w\n]{0,3}[:|\])–—-])[^\w\n]{0,4})*",
    re.IGNORECASE,
)  # fmt: skip


def recognise(message: Message) -> Alert | None:
    """An alert of a tool that we do not know."""
    if is_digest(message) or not message.titles or _TRACKERS.search(message.name):
        return None
    candidates = [title.label for title in message.titles[:6] if title.label]
    if any(_left_alone(head) for head in candidates[:2]):
        return None
    head = next((h for h in candidates if _PHRASES.search(h)), "")
    head = head or next((line for line in message.lines[:5] if _BRACKETED.search(line[:300])), "")
    state = _state(message, head or message.title)
    if state is None or not _convincing(message, state, head):
        return None
    title = _title(message, head or message.title)
    return alert(
        message,
        "generic",
        state,
        title,
        key=(identity(title) or title.casefold(), *targets(message)),
        severity=_severity(message, head or message.title),
    )


def _left_alone(head: str) -> bool:
    return bool(
        _NEVER.search(head)
        or _FIRST_PERSON.search(head)
        or (_CHATTER.search(head) and not _PHRASES.search(head))
    )


def _convincing(message: Message, state: AlertState, head: str) -> bool:
    if head:
        return True
    marks = sum(
        (
            bool(BAD_EMOJI.search(message.title)),
            any(color in _RED for color in message.colors),
            stated_severity(message) not in {"unknown", "info"},
            bool(_FIRING_VALUES.search(message.value(*_STATUS_FIELDS))),
        )
    )
    if state == "firing":
        trouble = bool(_TROUBLE.search(message.title)) or bool(
            _TROUBLE.search("\n".join(message.lines[:6]))
        )
        return marks >= 2 or (marks == 1 and trouble)
    told = _OVER.match(message.title) or _ALERT_WORDS.search(message.title)
    return told is not None or bool(message.value(*_STATUS_FIELDS) and marks)


def _state(message: Message, head: str) -> AlertState | None:
    """What the headline says; a status field that says more wins over a headline that only sounds like trouble."""
    told = state_in(head)
    if told in {"resolved", "acknowledged"}:
        return told
    field = message.value(*_STATUS_FIELDS)
    of_field = state_in(field) if len(field) < 60 else None
    if of_field in {"resolved", "acknowledged"} or re.fullmatch(
        r"\W*(?:ok|success|succeeded|passed|inactive)\W*", field, re.IGNORECASE
    ):
        return of_field if of_field == "acknowledged" else "resolved"
    if (
        told is None
        and any(color in _GREEN for color in message.colors[:1])
        and not _PHRASES.search(head)
    ):
        return "resolved" if _ALERT_WORDS.search(head) else None
    return "firing"


def _title(message: Message, head: str) -> str:
    """The headline without its status; where nothing is left, the name that a field or the next line gives."""
    title = _PREFIX.sub("", head, count=1).strip(" *-|").lstrip(":")
    if "]" in title.partition("[")[0]:
        title = head  # what was cut off began a bracket that says more than a status
    if identity(title):
        return title
    named = message.value(*_NAMES)
    if identity(named):
        return named.split("\n", maxsplit=1)[0][:300]
    following = (line for line in message.lines[:6] if line not in {head, title} and identity(line))
    return next(following, title or head)


def _severity(message: Message, head: str) -> Severity:
    stated = stated_severity(message)
    if stated != "unknown":
        return stated
    bracket = re.match(r"\W{0,6}(?::[\w+-]{1,40}:)?\W{0,4}(\w[\w-]{0,20})\b", head)
    leading = severity(bracket.group(1)) if bracket else "unknown"
    if (
        leading != "unknown"
        and bracket
        and bracket.group(1).casefold()
        not in {"high", "low", "none", "page", "degraded", "failure", "ticket"}
    ):
        return leading
    return severity_in(head)
