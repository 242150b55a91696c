"""Sentry: issue alerts, metric alerts, and the activity messages that tell of a resolved issue.

A repeat of an issue alert comes as a reply in the first one's thread that is also sent to the channel.

https://docs.sentry.io/organization/integrations/notification-incidents/slack/
"""

from __future__ import annotations

import re

from adapters.kit.alert_identity import identity
from adapters.kit.alert_text import alert, labels, severity
from adapters.kit.records import Alert, AlertState, Severity
from adapters.kit.slack_message import Message, Signs
from adapters.kit.slack_text import Link

SIGNS = Signs(
    app_ids=("A011MFBJEUU",),
    names=("sentry",),
    urls=re.compile(
        r"sentry\.io/|/organizations/[\w-]{1,80}/(?:issues|alerts)/|//[^/]{0,100}sentry[^/]{0,100}/",
        re.IGNORECASE,
    ),
)

_ISSUE = re.compile(r"/issues/(\d{1,20})\b")
_RULE = re.compile(
    r"/(?:alerts/(?:rules/)?(?:details/|metric-rules/[\w-]{1,80}/)?|monitors/(?:alerts/)?)(\d{1,20})\b"
)
_PROJECT = re.compile(r"^\[([\w.-]{1,80})\]\s")
_METRIC = re.compile(r"^\W{0,4}(critical|warning|resolved)\W{1,3}(?=\S)", re.IGNORECASE)
_RESOLVED = re.compile(
    r"\b(?:marked\b[^\n]{0,200}\bas resolved|was resolved|resolved (?:by|in|issue)|(?:has been|been) resolved|auto-?resolved)\b",
    re.IGNORECASE,
)
_MUTED = re.compile(r"\b(?:archived|ignored)\b", re.IGNORECASE)
_ACTIVITY = re.compile(
    r"\b(?:assigned|unassigned|commented|added a comment|left a comment|merged|linked|bookmarked|weekly report|report for|deployed|release)\b|\bmarked\b[^\n]{0,200}\bas (?!a? ?regress)",
    re.IGNORECASE,
)
_LEVELS: tuple[tuple[str, Severity], ...] = (
    (":boom:", "critical"), (":red_circle:", "error"), (":exclamation:", "error"), (":large_yellow_circle:", "warning"), (":warning:", "warning"),
    (":large_orange_circle:", "warning"), (":white_circle:", "info"), (":information_source:", "info"), (":large_blue_circle:", "info"), (":bug:", "info"),
)  # fmt: skip


def recognise(message: Message) -> Alert | None:
    """The issue or metric alert, or the issue's resolution."""
    if message.strength(SIGNS) < 1 or not message.lines:
        return None
    issue = next((link for link in message.links if _is_issue(link.url)), None)
    head = "\n".join(line[:500] for line in message.lines[:2])
    if _RESOLVED.search(head) and issue is not None:
        return _issue(message, issue, "resolved")
    if _METRIC.match(message.title) or _RULE.search(
        message.titles[0].url if message.titles else ""
    ):
        return _metric(message)
    if issue is None or (_ACTIVITY.search(head) and not message.block_ids):
        return None
    if _MUTED.search(head) and not message.block_ids:
        return _issue(message, issue, "acknowledged")
    done = (
        head.lstrip().startswith((":white_check_mark:", "✅")) or ":white_check_mark:" in head[:200]
    )
    return _issue(message, issue, "resolved" if done else "firing")


def _is_issue(url: str) -> bool:
    return SIGNS.urls is not None and bool(SIGNS.urls.search(url) and _ISSUE.search(url))


def _issue(message: Message, issue: Link, state: AlertState) -> Alert:
    number = _ISSUE.search(issue.url)
    first = message.text.split("\n", maxsplit=1)[0].strip()
    project = _PROJECT.match(first)
    title = _PROJECT.sub("", first) if state == "firing" and first else issue.label
    return alert(
        message,
        "sentry",
        state,
        title or issue.label or message.title,
        key=f"issue {number.group(1) if number else issue.url}",
        service=message.value("project") or (project.group(1) if project else ""),
        severity=_level(message),
        started_at=None,  # "First Seen" is the issue's age, in words
        labels={
            **labels(message),
            **({"short_id": message.value("short id")} if message.value("short id") else {}),
        },
        url=issue.url,
    )


def _metric(message: Message) -> Alert:
    told = _METRIC.match(message.title)
    word = told.group(1).casefold() if told else ""
    rule = _RULE.search(message.titles[0].url)
    title = _METRIC.sub("", message.title)
    return alert(
        message,
        "sentry",
        "resolved" if word == "resolved" else "firing",
        title,
        key=(f"rule {rule.group(1) if rule else ''}", identity(title)),
        service=message.value("project"),
        severity=severity(word) if word != "resolved" else "unknown",
    )


def _level(message: Message) -> Severity:
    head = message.body[:300]
    stated = severity(message.value("level"))
    return (
        stated
        if stated != "unknown"
        else next((level for emoji, level in _LEVELS if emoji in head), "unknown")
    )
