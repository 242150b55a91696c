"""From the words of a question to the answer: which command it is, or comes nearest to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from bot.errors import UserError
from bot.followup import records, views
from bot.followup.case import Answer, Case, Rerun
from bot.followup.compare import compare
from bot.followup.search import nearest
from bot.followup.times import AT, moment_near
from bot.followup.wording import meant
from bot.report import Report

__all__ = ["Answer", "Rerun", "answer"]

LONGEST_QUESTION = 2_000
_ADDRESSED = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>|^/\w+")
_ID = re.compile(r"(?<![\w-])([ACDILMPRT])([1-9]\d{0,4})(?![\w-])", re.IGNORECASE | re.ASCII)
_RERUN = re.compile(
    r"(?:please\s+|can you\s+|could you\s+)?(?:re-?run|redo|repeat|re-?investigate|investigate (?:it )?again"
    r"|look again|run (?:it |this )?again|try again)\b",
)

_SHOW = re.compile(
    r"(?:please |can you )?(?:(?:show|lines|around)\b(?: me)?(?: the)?(?: (?:diff|lines|text|details?))?(?: (?:of|around))? ?)?"
    r"(?:change |commit |pattern )?[acdilmprt][1-9]\d{0,4}",
    re.ASCII,
)

_THANKS = re.compile(
    r"(?:(?:ok|okay|great|perfect|cool|nice|many|awesome|super)[ ,.!]*)*(?:thanks?|thank you|thx|ty|cheers|merci|danke)"
    r"(?:[ ,.!]*(?:you|a lot|so much|very much|bot|all|again|a bunch|mate|for (?:the|your) (?:help|answer)))*[ ,.!:)]*"
    r"|(?:ok|okay|great|perfect|cool|nice(?: one)?|awesome|good (?:bot|job|work)|well done|got it|👍|🙏|:\+1:|:pray:)[ .!]*"
)

_COMMANDS: dict[str, Callable[[Case], Answer]] = {
    "timeline": views.timeline,
    "suspects": views.suspects,
    "patterns": views.patterns,
    "why": views.why,
    "gaps": views.gaps,
    "next": views.next_steps,
    "summary": views.summary,
    "since": views.onset,
    "services": views.services,
    "page": views.whom_to_page,
    "deploys": views.deploys,
    "compare": compare,
    "help": views.help_,
}


def answer(
    question: str,
    report: Report,
    evidence: Mapping[str, Mapping[str, object]],
    tz: tzinfo,
) -> Answer:
    """Answer a question about a finished investigation. Pure; never raises for what people type.

    Args:
        question: as it was typed; mentions of the bot are ignored.
        evidence: saved records by id, each as its model's JSON form.
        tz: the zone of the person who asks; times without one are read in it and shown in it.
    """
    asked = " ".join(_ADDRESSED.sub(" ", question[:LONGEST_QUESTION]).split())
    case = Case(asked, report, evidence, tz)
    try:
        return _answered(case)
    except UserError as error:
        return case.say(str(error))


def is_command(question: str) -> bool:
    """Whether a question is one of the plain commands word for word, so that no model need be asked."""
    asked = " ".join(_ADDRESSED.sub(" ", question[:LONGEST_QUESTION]).split())
    lowered = asked.lower().strip(" .!?:")
    if (
        not lowered
        or lowered in _COMMANDS
        or lowered.startswith("compare ")
        or _THANKS.fullmatch(lowered)
    ):
        return True
    return bool(_RERUN.match(lowered) or _SHOW.fullmatch(lowered))


def _answered(case: Case) -> Answer:
    lowered = case.question.lower().strip(" .!?:")
    if not lowered:
        return views.help_(case)
    if _THANKS.fullmatch(lowered):
        return views.welcome(case)
    if _RERUN.match(lowered):
        return _rerun(case, lowered)
    if not lowered.startswith("compare") and lowered not in _COMMANDS:
        keys = [match[1].upper() + match[2] for match in _ID.finditer(case.question)]
        if keys:
            return records.about(case, lowered, keys)
        service = _service(case, lowered)
        if service:
            return views.one_service(case, service)
    command = _command(lowered)
    return _COMMANDS[command](case) if command else nearest(case)


def _command(lowered: str) -> str:
    words = lowered.split()
    if lowered in _COMMANDS or words[0] == "compare":
        return words[0]
    mistyped = difflib.get_close_matches(words[0], _COMMANDS, n=1, cutoff=0.75)
    return meant(lowered) or (mistyped[0] if mistyped and len(words) <= 2 else "")


def _rerun(case: Case, lowered: str) -> Answer:
    since = _edge(case, lowered, r"(?:since|from|after|starting(?: at)?)[:\s]+")
    until = _edge(case, lowered, r"(?:until|till|to|up to|before)[:\s]+")
    named = re.search(r"\bservice:(\S{1,100})", case.question)
    service = named[1] if named else _service(case, lowered, of_any=True)
    if until is not None and since is not None and since >= until:
        raise UserError("The beginning must be before the end. Try: rerun since 13:40 until 14:30.")
    edges = [
        f"since {views.shown(case, since)}" if since else "",
        f"until {views.shown(case, until)}" if until else "",
        f"for {service}" if service else "",
    ]
    told = " ".join(edge for edge in edges if edge)
    return case.say(
        f"Investigating again{' ' + told if told else ''}.", rerun=Rerun(since, until, service)
    )


def _edge(case: Case, lowered: str, word: str) -> datetime | None:
    found = re.search(word + rf"({AT.pattern})", lowered, re.IGNORECASE)
    return moment_near(found[1].upper(), case.report.window, case.tz) if found else None


def _service(case: Case, lowered: str, *, of_any: bool = False) -> str:
    """The known service that a question is about: "what about payments?", "payments"."""
    for service in case.services:
        name = re.escape(service.lower())
        if re.search(rf"(?<![\w-]){name}(?![\w-])", lowered):
            about = re.fullmatch(
                rf"(?:(?:and|so|ok|but)\s+)?(?:what about|how about|how is|is|show(?: me)?|and|tell me about)?\s*"
                rf"(?:the\s+)?(?:service[\s:]+)?{name}(?:\s+service)?(?:\s+(?:affected|ok|okay|fine|too|involved|failing"
                rf"|down|healthy|doing))?",
                lowered,
            )
            if of_any or about:
                return service
    return ""
