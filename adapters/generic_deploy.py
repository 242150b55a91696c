"""Deploys as any bot announces them: "Deployed checkout v1.4.2 to production". Change evidence, never an alert.

A deploy that failed is not one that changed anything; it is left to the recognisers of alerts.
"""

from __future__ import annotations

import re
from typing import Literal

from adapters.kit.alert_text import is_digest
from adapters.kit.records import Deploy
from adapters.kit.slack_message import Message

_DEPLOY = re.compile(
    r"\b(?:deployed|deploying|redeployed|(?:finished|started|starting|completed) (?:deploying|deploy(?:ment)?|rollout)|rolled (?:out|back)|"
    r"rolling (?:out|back)|promoted|has been released|(?:is|was|been) (?:live|shipped|released)|now running (?:new )?version|"
    r"(?:deploy(?:ment)?|rollout|rollback|release)\b[^\n]{0,120}?\b(?:started|starting|succeeded|successful|successfully|completed?|finished|done|in progress|live|approved|queued|pending|created|published)|"
    r"(?:successful|new|starting|production|staging) (?:deploy(?:ment)?|rollout|release)\b|turned (?:on|off) (?:the )?(?:feature )?flag|"
    r"feature flag\b[^\n]{0,80}\b(?:enabled|disabled|changed|updated|turned))",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(?:fail(?:ed|ure|ing|s)?|error(?:s|ed)?|degraded|firing|alert|alarm|triggered|unhealthy|crash\w*|down|incident|timed out|aborted|cancell?ed|rejected|stuck)\b",
    re.IGNORECASE,
)
_PULL = re.compile(r"\b(?:pull request|merge request|PR #|issue #|ticket)\b", re.IGNORECASE)
_SERVICE = (
    re.compile(
        r"\b(?:deployed|deploying|redeployed|promoted|rolled (?:out|back)|rolling (?:out|back)|shipped|released)\s(?:the\s|service\s|app\s)?[`\"']?([A-Za-z][\w./-]{1,80})",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:deploy(?:ment)?|rollout|rollback|release)\s(?:of|for)\s(?:the\s|service\s|app\s)?[`\"']?([A-Za-z][\w./-]{1,80})",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b([A-Za-z][\w./-]{1,80})[`\"']?\s(?:v?\d[\w.+-]{0,40}\s)?(?:was|has been|is|been|successfully)\s(?:now\s|successfully\s|being\s)?(?:deployed|released|promoted|rolled|live|shipped|running)",
        re.IGNORECASE,
    ),
    re.compile(r"\bflag\s[`\"']?([A-Za-z][\w./-]{1,80})", re.IGNORECASE),
    re.compile(r"\bfor\s[`\"']?([A-Za-z][\w./-]{1,80})", re.IGNORECASE),
)
_VERSION = re.compile(
    r"(?<![\w.])(v?\d{1,6}\.\d{1,6}[\w.+-]{0,40}|v\d{1,8}|[0-9a-f]{7,40}(?<=[a-f\d]))(?![\w.-])"
)
_SHA = re.compile(r"(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,40}")
_ENVIRONMENT = re.compile(
    r"\b(prod(?:uction)?|staging|stage|dev(?:elopment)?|qa|uat|preprod|canary|sandbox|demo|live)\b",
    re.IGNORECASE,
)
_NOT_SERVICES = frozenset(
    {
        "to", "in", "on", "the", "a", "by", "version", "new", "successfully", "from", "started",
        "is", "has", "finished", "and", "now", "it", "release", "deployment", "deploy", "build",
        "rollout", "rollback", "service", "app", "all", "production",
    }
)  # fmt: skip


def recognise(message: Message) -> Deploy | None:
    """The deploy, rollback or flag change that the headline announces."""
    head = next((t.label for t in message.titles if _DEPLOY.search(t.label)), "")
    if not head or message.at is None or is_digest(message):
        return None
    if any(_TROUBLE.search(title.label) for title in message.titles[:2]) or _PULL.search(head):
        return None
    version = message.value("version", "tag", "image tag", "revision", "commit", "sha") or _first(
        _VERSION, head
    )
    sha = _SHA.search(message.value("commit", "sha", "revision") or version)
    environment = message.value("environment", "env", "stage") or _first(_ENVIRONMENT, head)
    return Deploy(
        source=message.name.casefold()[:60] or "slack",
        service=message.value(
            "service", "application", "app", "project", "component", "repository", "repo"
        )
        or _service(head),
        environment=environment[:60],
        version=version[:100],
        sha=sha.group(0) if sha else "",
        title=head[:300],
        status="started"
        if re.search(r"\b(?:start|deploying|in progress|rolling)", head, re.IGNORECASE)
        else "succeeded",
        kind=_kind(head),
        at=message.at,
        url=next((link.url for link in message.links), ""),
    )


def _kind(head: str) -> Literal["deploy", "feature_flag", "rollback"]:
    if re.search(r"\bflag\b", head, re.IGNORECASE):
        return "feature_flag"
    return "rollback" if re.search(r"\broll(?:ed|ing)?[ -]?back", head, re.IGNORECASE) else "deploy"


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""


def _service(head: str) -> str:
    for pattern in _SERVICE:
        for name in pattern.findall(head):
            if (
                name.casefold() not in _NOT_SERVICES
                and not _VERSION.fullmatch(name)
                and not _ENVIRONMENT.fullmatch(name)
            ):
                return str(name).rstrip(".:/")
    return ""
