"""How bad a pattern sounds: from its level where it has one, else from its words."""

from __future__ import annotations

import re

from bot.analysis.findings import Term
from bot.analysis.grid import Shape

BAD = 2.0
"""From this weight on a pattern counts as an error."""

_LEVEL = {"fatal": 3.0, "error": 2.5, "warn": 1.0, "info": 0.0, "debug": -0.5, "trace": -0.5}
_CRASH = re.compile(
    r"\bpanic\b|\bFATAL\b|\bSIG(?:SEGV|KILL|ABRT)\b|segmentation fault|out of memory|OOM ?Kill"
    r"|core dumped|CrashLoopBackOff|Traceback \(most recent",
    re.IGNORECASE,
)
_RAISED = re.compile(
    r"\b(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)\b|\b(?:ERROR|FAILED|FAILURE|FAIL|SEVERE|CRITICAL)\b"
    r"|(?:^|\s)(?:E|Error|error|✕|✗|✘|×|●)(?::|\s)"
)
_FAILING = re.compile(
    r"\b(?:fail(?:ed|ure|s|ing)?|error|unable to|cannot|can't|could not|couldn't|refused|denied|rejected"
    r"|timed? ?out|timeout|unreachable|unavailable|aborted|broken pipe|reset by peer|not found|invalid"
    r"|exceeded|exhausted|deadlock|unhealthy|severed|lost connection)\b",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\w.])([45])[0-9]{2}(?!\w)")
# "Failures: 3" and "2 errors" are counters, and masked: they say nothing about this line being a failure.
_COUNTER = re.compile(
    r"\b(?:fail(?:ed|ures?|s)?|errors?)\s*[:=]\s*<\*>|<\*>\s+(?:fail(?:ed|ures?|s|ing)?|errors?)\b",
    re.IGNORECASE,
)


def severity(shape: Shape) -> Term:
    """The severity term: at least `BAD` for errors, around 0 for routine lines, below 0 for chatter."""
    by_level = _LEVEL.get(shape.level)
    words, seen = _words(shape.template)
    if by_level is None:
        return Term(name="severity", weight=words, evidence=seen or "no level and no failure words")
    if by_level < 1.0:
        # A routine level was the author's judgement; failure words in it weigh, but less.
        weight = max(by_level, words - 0.75 if words else by_level)
        evidence = f"level {shape.level}" + (f", but {seen}" if words else "")
        return Term(name="severity", weight=weight, evidence=evidence)
    crash = 0.5 if _CRASH.search(shape.template) else 0.0
    return Term(name="severity", weight=by_level + crash, evidence=f"level {shape.level}")


def _words(template: str) -> tuple[float, str]:
    text = _COUNTER.sub(" ", template)
    for pattern, weight in ((_CRASH, 3.0), (_RAISED, 2.2), (_FAILING, 1.4)):
        if found := pattern.search(text):
            return weight, f"says “{found.group(0).strip()[:40]}”"
    if found := _STATUS.search(text):
        return (2.0 if found.group(1) == "5" else 0.5), f"status {found.group(0)}"
    return 0.0, ""
