"""GitHub: failed runs of GitHub Actions, as its Slack app and the common notification actions post them.

https://docs.github.com/en/integrations/how-tos/slack
"""

from __future__ import annotations

import re

from adapters.kit.alert_text import alert, labels
from adapters.kit.records import Alert
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("github",),
    urls=re.compile(r"/[\w.-]{1,100}/[\w.-]{1,100}/actions/runs/\d", re.IGNORECASE),
)

_RUN = re.compile(r"//[^/\s]{1,200}/([\w.-]{1,100}/[\w.-]{1,100})/actions/runs/(\d{1,20})")
_FAILED = re.compile(
    r"\b(?:fail(?:ed|ure|ing|s)?|timed out|startup_failure)\b|:x:|❌|🔴", re.IGNORECASE
)
_FIXED = re.compile(r"\b(?:fixed|back to normal|recovered|passing again)\b", re.IGNORECASE)
_WORKFLOW = (
    re.compile(r"\bworkflow(?: run)?\W{1,3}(?P<name>[^\n`'\"*:]{2,100}?)[`'\"*]{0,2}\s(?:#\d+\s)?(?:has\s|run\s|job\s)?(?:fail|in\b|on\b|timed)", re.IGNORECASE),
    re.compile(r"^(?:\W|:[\w+-]{1,40}:){0,6}(?:failure|failed)\W{1,4}(?P<name>[^\n]{2,100}?)(?:\s(?:#\d+|on|in|\(|for|workflow)|$)", re.IGNORECASE),
    re.compile(r"^(?:\W|:[\w+-]{1,40}:){0,6}(?P<name>[^\n:#]{2,100}?)(?:\s#\d+)?\s?(?::|\||—|-)?\s(?:workflow |run |job |has |has been |is |was )*(?:fail\w*|timed out)", re.IGNORECASE),
)  # fmt: skip
_BUTTON = re.compile(
    r"(?:view|open|see|details|logs?|run|link|workflow run|build|#?\d)", re.IGNORECASE
)
_REPO = re.compile(r"\b([\w.-]{1,60}/[\w.-]{1,100})\b")
_BRANCH = re.compile(r"\b(?:branch|ref|on)\W{1,3}(?:refs/heads/)?([\w./-]{2,100})", re.IGNORECASE)


def recognise(message: Message) -> Alert | None:
    """The failed workflow run; successful runs, pull requests and comments are no alerts."""
    run = _RUN.search(message.link(_RUN))
    text = "\n".join((*(title.label for title in message.titles[:4]), *message.lines[:6]))[:3000]
    about_run = run or (
        message.strength(SIGNS) >= 3
        and re.search(r"\b(?:workflow|actions?|job|build|run)\b", text, re.IGNORECASE)
    )
    status = message.value("status", "result", "conclusion", "job status", "workflow status")
    failed = _FAILED.search(status) if status else _FAILED.search(text)
    fixed = _FIXED.search(text)
    if not about_run or not (failed or fixed):
        return None
    repo = run.group(1) if run else message.value("repository", "repo") or _first(_REPO, text)
    workflow = message.value("workflow", "action", "workflow name") or _workflow(message, text)
    branch = (
        (message.value("branch", "ref") or _first(_BRANCH, text))
        .removeprefix("refs/heads/")
        .strip("` ")
    )
    title = " ".join(
        filter(
            None,
            (
                workflow or "Workflow",
                "failed",
                f"in {repo}" if repo else "",
                f"({branch})" if branch else "",
            ),
        )
    )
    return alert(
        message,
        "github",
        "firing" if failed else "resolved",
        title,
        key=(repo.casefold(), workflow.casefold(), branch.casefold()),
        service=repo.rsplit("/", 1)[-1],
        labels={
            **labels(message),
            **{
                k: v
                for k, v in (("repository", repo), ("workflow", workflow), ("branch", branch))
                if v
            },
        },
        url=message.link(_RUN),
    )


def _workflow(message: Message, text: str) -> str:
    """The words that the run's link stands behind (`CI #512: ...`), else what the sentence calls it."""
    label = next((link.label for link in message.links if _RUN.search(link.url)), "")
    named = label.partition(" #")[0].strip()
    if named and len(named) <= 60 and not _BUTTON.match(named):
        return named
    for pattern in _WORKFLOW:
        found = pattern.search(text)
        if found:
            return found.group("name").strip(" *`'\"·-")
    return ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
