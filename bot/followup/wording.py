"""How people word what the commands answer. The first command of which a wording is in the question is meant."""

from __future__ import annotations

import re

_WORDINGS: dict[str, tuple[str, ...]] = {
    "compare": ("compare", "versus", "vs"),
    "page": (
        r"who\b.*\b(?:page|call|wake|ask|contact|talk|own|owns|owner|escalate)",
        "on[- ]?call",
        "owner",
        r"escalat\w*",
    ),
    "timeline": ("time ?line", "sequence", "order of events", "what happened", r"chronolog\w*"),
    "since": (
        "since when",
        "when did",
        "when was",
        "onset",
        "how long",
        "began",
        "begin",
        r"(?<!.)when",
    ),
    "gaps": (
        "gaps?",
        "not see",
        r"could(?:n.t| not)\b.*\bsee",
        "missing",
        "blind",
        "unseen",
        "not look",
    ),
    "why": (
        "how (?:sure|certain|confident)",
        r"confiden\w*",
        "(?<!.)why",
        "how do you know",
        "evidence",
        "why do you",
        "prove",
        "proof",
    ),
    "deploys": (r"deploy(?:s|ed|ments?)?", "released?", "rollouts?"),
    "suspects": (
        "suspects?",
        "what changed",
        "culprit",
        "root cause",
        "caused?",
        "who (?:did|broke|committed|wrote)",
        "commits?",
        "changes?",
        "guilty",
        "blame",
        "which (?:pr|merge|author)",
    ),
    "next": (
        "next",
        "what (?:should|can|do) (?:i|we)",
        "fix",
        r"mitigat\w*",
        "revert",
        "roll(?:ing)? ?back",
        "runbooks?",
        r"remed\w*",
        r"how (?:do|can|to)\b.*\b(?:solve|stop)",
    ),
    "services": (
        "which services?",
        "where",
        "affected",
        "impact(?:ed)?",
        "blast",
        "spread",
        r"propagat\w*",
        "upstream",
        "services",
    ),
    "patterns": (
        "patterns?",
        "errors?",
        "exceptions?",
        "logs?",
        "stack ?traces?",
        "what (?:broke|breaks|fails?|is failing)",
        "symptoms?",
        "how (?:many|often|much)",
    ),
    "summary": (
        r"summar\w*",
        "tl;?dr",
        "verdict",
        "conclusion",
        "report",
        "status",
        "what(?:'s| is) (?:it|going|wrong|up)",
    ),
    "help": ("help", "what can (?:you|i ask)", "commands?"),
}
_FORMS = {
    command: re.compile("|".join(rf"(?<!\w)(?:{form})(?!\w)" for form in forms))
    for command, forms in _WORDINGS.items()
}


def meant(lowered: str) -> str:
    """The command that a question, in lower case, words; empty when it is none."""
    return next((command for command, form in _FORMS.items() if form.search(lowered)), "")
