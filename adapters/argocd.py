"""Argo CD: the messages of its notification catalogue. A synced application is a deploy, a degraded one an alert.

https://github.com/argoproj/argo-cd/tree/master/notifications_catalog/templates
"""

from __future__ import annotations

import re
from datetime import datetime

from adapters.kit.alert_text import alert
from adapters.kit.alert_times import moment
from adapters.kit.records import Alert, AlertState, Deploy
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("argocd", "argo cd", "argo-cd", "argo-rollouts", "argo rollouts"),
    urls=re.compile(
        r"//[^/]{0,200}argo-?cd[^/]{0,200}/applications/|/applications/[^\s]{1,200}\?operation=true",
        re.IGNORECASE,
    ),
)

_APP = r"[`'\"*]?(?P<app>[^\s`'\"*,]{1,200}?)[`'\"*]?"
_ALERTS: tuple[tuple[re.Pattern[str], AlertState, str], ...] = (
    (re.compile(rf"\bsync operation of application {_APP} has failed(?: at (?P<at>[\w:.+-]{{10,40}}))?", re.IGNORECASE), "firing", "sync"),
    (re.compile(rf"\bfailed to sync application {_APP}(?:[\s.]|$)", re.IGNORECASE), "firing", "sync"),
    (re.compile(rf"\bapplication {_APP} sync (?:has )?(?:failed|is 'Unknown'|status is 'Unknown'|is Unknown)", re.IGNORECASE), "firing", "sync"),
    (re.compile(rf"\bapplication {_APP} (?:has |is |health (?:status )?is |is now |has become )(?:now )?'?(?:degraded|missing|unhealthy)\b", re.IGNORECASE), "firing", "health"),
    (re.compile(rf"\bapplication {_APP} (?:has |is |health (?:status )?is |is now )(?:now |back )?'?(?:recovered|healthy)\b", re.IGNORECASE), "resolved", "health"),
)  # fmt: skip
_ROLLOUT = re.compile(
    rf"\brollout {_APP} (?:has been |is )?(?P<word>aborted|degraded|completed)", re.IGNORECASE
)
_DEPLOYS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\bapplication {_APP} is now running (?:a )?new version", re.IGNORECASE), "succeeded"),
    (re.compile(rf"\bapplication {_APP} has been (?:successfully )?synced", re.IGNORECASE), "succeeded"),
    (re.compile(rf"\bsync operation of application {_APP} has (?:been )?(?P<word>started|succeeded)", re.IGNORECASE), "started"),
    (re.compile(rf"\bapplication {_APP} (?:has been |was )?(?:successfully )?(?P<word>created|deleted|deployed|synced)\b", re.IGNORECASE), "succeeded"),
)  # fmt: skip


def recognise(message: Message) -> Alert | Deploy | None:
    """The application's trouble, or its deploy."""
    head = "\n".join(message.lines[:3])
    for pattern, state, condition in _ALERTS:
        found = pattern.search(head)
        if found:
            return _alert(message, found, state, condition)
    rollout = _ROLLOUT.search(head)
    if rollout and rollout.group("word").casefold() != "completed":
        return _alert(message, rollout, "firing", "rollout")
    if rollout and message.at is not None:
        return _deploy(message, rollout.group("app"), "succeeded", message.at)
    for pattern, status in _DEPLOYS:
        found = pattern.search(head)
        if found and message.at is not None:
            word = found.groupdict().get("word") or ""
            done = "succeeded" if word == "succeeded" else status
            return _deploy(message, found.group("app"), done, message.at)
    return None


def _alert(message: Message, found: re.Match[str], state: AlertState, condition: str) -> Alert:
    at = found.groupdict().get("at")
    return alert(
        message,
        "argocd",
        state,
        message.lines[0]
        .partition(" with the following error")[0]
        .removeprefix(":exclamation:")
        .strip(" ."),
        key=(found.group("app").casefold(), condition),
        service=_service(found.group("app")),
        started_at=moment(at) if at else None,
    )


def _deploy(message: Message, app: str, status: str, at: datetime) -> Deploy:
    revision = message.value("revision", "sync revision", "commit")
    return Deploy(
        source="argocd",
        service=_service(app),
        version=revision[:100],
        sha=revision if re.fullmatch(r"[0-9a-f]{7,40}", revision) else "",
        repo=re.sub(r"^:\w+:\s*", "", message.value("repository", "repositories"))[:300],
        title=message.lines[0][:300],
        status=status,
        at=at,
        url=message.titles[0].url if message.titles else "",
    )


def _service(app: str) -> str:
    """`argocd/checkout` is the application `checkout` in a namespace."""
    return app.rsplit("/", 1)[-1].rstrip(".:")
