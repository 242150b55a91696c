"""How bad a pattern sounds: from its level where it has one, else from its words."""

from __future__ import annotations

import re

from bot.analysis.findings import Term
from bot.analysis.grid import Shape

BAD = 2.0
"""From this weight on a pattern counts as an error."""

_LEVEL = {"fatal": 3.0, "error": 2.5, "warn": 1.0, "info": 0.0, "debug": -0.5, "trace": -0.5}
_CRASH = re.compile(
    r"\bpanic(?:ked|:| at|$)|\bFATAL\b|\bSIG(?:SEGV|KILL|ABRT)\b|[Ss]egmentation fault|[Oo]ut of memory"
    r"|OOM ?[Kk]ill|OutOfMemory|core dumped|CrashLoopBackOff"
)
_VERDICT = re.compile(
    r"\b(?:ERROR|FAILED|FAILURE|FAIL|SEVERE|CRITICAL)\b|\A\W*(?:not ok|✕|✗|✘|×|●)\s"
    r"|\bFailed tests?:|\A\W*Failed (?!to\b)"
)
_RAISED = re.compile(
    r"(?:\A|: |Caused by: |\AE\s+)(?:[\w$]+\.)*[A-Z][\w$]*(?:Error|Exception|Failure)\b"
    r"|\A\W*[Ee]rror\b|\b[Ee]rror[:=]|\ATraceback \(most recent"
)
_FAILING = re.compile(
    r"\b(?:fail(?:ed|ure|s|ing)?|error|unable to|cannot|can't|could not|couldn't|refused|denied|rejected"
    r"|timed? ?out|timeout|unreachable|unavailable|aborted|broken pipe|reset by peer|not found|invalid"
    r"|exceeded|exhausted|deadlock|unhealthy|severed|lost connection|\w+(?:Error|Exception))\b",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\w.])([45])[0-9]{2}(?!\w)")
# "Failures: 3" and "2 errors" are counters, and masked: they say nothing about this line being a failure.
_COUNTER = re.compile(
    r"\b(?:fail(?:ed|ures?|s)?|errors?)\s*[:=]\s*<\*>|(?:\A|[,;:(/]\s*)<\*>\s+(?:failed|failures|failing|errors)\b(?![:=])",
    re.IGNORECASE,
)
# What a test runner says about a test that went well; its name may hold any word.
_WENT_WELL = re.compile(
    r"(?:\bok|PASS(?:ED)?|passed|SKIP(?:PED)?|skipped(?: '[^']*')?|STANDARD_(?:OUT|ERR(?:OR)?)|XFAIL|xfail)"
    r"\W*(?:<\*>\W*)?\Z|\A\W*(?:ok|PASS(?:ED)?|✓|✔|√|skipped|Skipping)\b|\A\s*[✓✔√]"
)
_OUTCOME = re.compile(
    r"exit(?:ed with)? (?:code|status)|\bbuild (?:failed|failure)|failing tests|tests? failed\b|tests run:"
    r"|execution failed for|\bsee the (?:full )?(?:report|log|documentation)|for more (?:details|information)"
    r"|failed to execute goal|please refer to|you can resume|> task <\*> failed|make(?:\[<\*>\])?: \*\*\*"
    r"|npm err!|re-run|\[help <\*>\]|stack ?trace|(?:\A|[,;:(]\s*)<\*> (?:tests?|failed|errors|failures)\b|\blog(?:s)? (?:is|are) in\b",
    re.IGNORECASE,
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+")
_PLACE = re.compile(
    r"[a-z0-9][A-Z]\w*|\w::\w|\b\w+\.\w+\.\w|\w/\w+\.\w|\w\(\)|[a-z]_[a-z]|›|\w#[\w<]|\w > \w"
)
_LETTERS = re.compile(r"[A-Za-z]{2,}")


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
    if _WENT_WELL.search(template):
        return 0.0, ""
    text = _COUNTER.sub(" ", template)
    for pattern, weight in ((_CRASH, 3.0), (_VERDICT, 2.5), (_RAISED, 2.2), (_FAILING, 1.4)):
        if found := pattern.search(text):
            return weight, f"says “{found.group(0).strip()[:40]}”"
    if found := _STATUS.search(text):
        return (2.0 if found.group(1) == "5" else 0.5), f"status {found.group(0)}"
    return 0.0, ""


def telling(shape: Shape) -> list[Term]:
    """How much an error says: a place in the code more than "build failed", an empty line nothing."""
    template = _URL.sub(" ", shape.template)
    if len(_LETTERS.findall(template.replace(shape.level.upper(), ""))) < 2:
        return [Term(name="says little", weight=-1.5, evidence=shape.template[:80])]
    found: list[Term] = []
    if outcome := _OUTCOME.search(template):
        found.append(Term(name="only an outcome", weight=-1.5, evidence=outcome.group(0)))
    elif place := _PLACE.search(template):
        text = template[max(0, place.start() - 20) : place.end() + 20].strip()
        found.append(Term(name="names a place", weight=0.8, evidence=text))
        if verdict := _VERDICT.search(template):
            said = verdict.group(0).strip()
            found.append(Term(name="says what failed", weight=0.5, evidence=f"{said}: {text}"))
    return found
