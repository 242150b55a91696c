"""Reads what people type after `/investigate` or a mention into one typed request.

    /investigate checkout returns 500s service:checkout since:14:00 until:10m repo:shop/checkout head:v1.4

Words that are no option are the question; an option's value may be quoted. Whoever types something that
makes no sense gets a `UserError` with the usage line, never a guess.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot import ask
from bot.errors import UserError

USAGE = "/investigate [what is wrong] [service:…] [since:30m|14:00|ISO] [until:…] [repo:…] [head:…]"
EXAMPLE = '/investigate "checkout returns 500s" service:checkout since:30m'
MAX_TEXT = 8_000
MAX_QUESTION = 2_000

_TIMES = ("since", "until")
_NAMES = ("service", "repo", "head")
_OPTIONS = (*_NAMES, *_TIMES)
# A revision or name never begins with a dash: it may reach a command line, where that is an option.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@:^~+-]{0,199}", re.ASCII)
_OPTION = re.compile(r"([A-Za-z]{3,10}):(.*)", re.DOTALL | re.ASCII)
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’"}
_LOOSE_QUOTES = {"'", "‘"}  # also apostrophes: unclosed, they are part of the word

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>", re.ASCII)
_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True)
class InvestigateRequest:
    """What a person asked for. Times are aware UTC; empty text and None mean "not said"."""

    question: str
    service: str = ""
    since: datetime | None = None
    until: datetime | None = None
    repo: str = ""
    head: str = ""


def parse(text: str, tz: tzinfo, now: datetime) -> InvestigateRequest:
    """Read one request.

    Args:
        text: as Slack delivers it, entities and references escaped.
        tz: the zone of the person, for times that name none.
        now: aware.

    Raises:
        UserError: an option is unknown, empty, repeated or unreadable, or nothing was asked; its text holds
            the usage line and an example.
    """
    try:
        return _parse(text, tz, now)
    except UserError as error:
        raise UserError(f"{error}\nUsage: `{USAGE}`\nExample: `{EXAMPLE}`") from None


class FieldError(UserError):
    """One field of a form makes no sense."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def of_fields(
    question: str, service: str, since: str, tz: tzinfo, now: datetime
) -> InvestigateRequest:
    """Read a form, whose words are not escaped and hold no options.

    Raises:
        FieldError: the first field that makes no sense.
    """
    words = " ".join(question.split())[:MAX_QUESTION]
    if not words:
        raise FieldError("question", "Say what is wrong.")
    try:
        named = _checked_name("service", service.strip()) if service.strip() else ""
    except UserError as error:
        raise FieldError("service", str(error)) from None
    try:
        began = ask.parse_moment(since.strip(), tz=tz, now=now) if since.strip() else None
        ask.check_order(began, None)
    except UserError as error:
        raise FieldError("since", str(error)) from None
    return InvestigateRequest(words, named, began)


def needs_zone(text: str) -> bool:
    """Whether some time in the text means different moments in different zones."""
    return any(
        key in _TIMES and value and not ask.is_zone_free(value) for key, value in _lenient(text)
    )


def plain(text: str) -> str:
    """Turn Slack's escaped text into what the person saw: names instead of ids, no entities."""

    def shown(match: re.Match[str]) -> str:
        sigil, target, label = match[1], match[2], match[3]
        if sigil == "!":
            return label or f"@{target.split('^')[0]}"
        return f"{sigil}{label or target}" if sigil else (label or target)

    unfolded = _REFERENCE.sub(shown, text[:MAX_TEXT])
    return unfolded.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def mentions(text: str) -> frozenset[str]:
    """The ids of the users whom a message mentions."""
    return frozenset(_MENTION.findall(text[:MAX_TEXT]))


def without_mention(text: str, user: str) -> str:
    """The message without the mentions of `user`, still escaped."""
    return re.sub(rf"<@{re.escape(user)}(?:\|[^<>]*)?>", " ", text[:MAX_TEXT]).strip()


def _parse(text: str, tz: tzinfo, now: datetime) -> InvestigateRequest:
    words: list[str] = []
    found: dict[str, str] = {}
    for key, value in _pairs(_tokens(plain(text))):
        if not key:
            words.append(value)
        elif not value:
            raise UserError(f"`{key}:` needs a value.")
        elif key in found:
            raise UserError(f"`{key}:` is given twice.")
        else:
            found[key] = value
    times = {key: ask.parse_moment(found[key], tz=tz, now=now) for key in _TIMES if key in found}
    names = {key: _checked_name(key, found[key]) for key in _NAMES if key in found}
    ask.check_order(times.get("since"), times.get("until"))
    question = " ".join(words)
    if not question and not names.get("service"):
        raise UserError("Say what is wrong, or which service to look at.")
    if len(question) > MAX_QUESTION:
        raise UserError(f"That is longer than {MAX_QUESTION:,} characters; one sentence is enough.")
    return InvestigateRequest(
        question=question,
        service=names.get("service", ""),
        since=times.get("since"),
        until=times.get("until"),
        repo=names.get("repo", ""),
        head=names.get("head", ""),
    )


def _lenient(text: str) -> Iterator[tuple[str, str]]:
    """The pairs up to the first mistake: `parse` is the one that complains."""
    try:
        yield from _pairs(_tokens(plain(text)))
    except UserError:
        return


def _pairs(tokens: list[tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    """Join `since:` with the value that follows it; yield ("", word) for words of the question."""
    waiting = ""
    for token, quoted in tokens:
        key, value = ("", token) if quoted else _split(token)
        if waiting and not key:
            yield waiting, value
            waiting = ""
        elif waiting:
            yield waiting, ""
        elif key and not value:
            waiting = key
        else:
            yield key, value
    if waiting:
        yield waiting, ""


def _split(token: str) -> tuple[str, str]:
    match = _OPTION.fullmatch(token)
    if match is None:
        return "", token
    key = match[1].lower()
    if key in _OPTIONS:
        return key, match[2]
    near = difflib.get_close_matches(key, _OPTIONS, n=1, cutoff=0.8)
    if near and abs(len(near[0]) - len(key)) <= 1:  # "report:" and "server:" are words
        raise UserError(f"I know no option `{key}:`. Did you mean `{near[0]}:`?")
    return "", token  # "NullPointerException: ..." and URLs are words


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Split at white space; a quote at the start of a word or of an option's value holds it together."""
    tokens: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        option = re.compile(r"[A-Za-z]{3,10}:(?=\S)").match(text, at)
        start = option.end() if option and option[0][:-1].lower() in _OPTIONS else at
        value, end, quoted = _word(text, start)
        tokens.append((text[at:start] + value, quoted and start == at))
        at = end
    return tokens


def _word(text: str, start: int) -> tuple[str, int, bool]:
    """One word or quoted run from `start`; its text, where it ends, and whether it was quoted."""
    opening = text[start]
    if opening in _QUOTES:
        end = text.find(_QUOTES[opening], start + 1)
        if end < 0 and opening == "“":  # a keyboard that always opens
            end = text.find("“", start + 1)
        if end >= 0:
            return text[start + 1 : end].strip(), end + 1, True
        if opening not in _LOOSE_QUOTES:
            raise UserError(f"The quote {opening} is not closed.")
    end = start
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end], end, False


def _checked_name(key: str, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise UserError(
            f"`{key}:` takes a name of letters, digits and `._/@:-`, such as `{key}:checkout`."
        )
    return value


_COMMAND = re.compile(
    r"(?:(?:show|lines|around) [A-Z]\d{1,4}|timeline|suspects|patterns|gaps|compare \d\S*-\S+ \S+|rerun(?: .+)?)[.!?]*",
    re.IGNORECASE,
)


def is_command(said: str) -> bool:
    """Whether a reply is one of the commands that our reports tell people to type, and cannot be small talk."""
    return len(said) <= 200 and _COMMAND.fullmatch(plain(said).strip()) is not None
