"""The rules: how each kind of secret looks in a line, in the order in which they are tried.

Every rule runs in linear time on any text: none begins with an unbounded repeat, no repeat is nested in another, and
what a failed attempt can scan is bounded. `hints` are lower-case literals of which one must occur for a rule to be
tried at all; together they also make the one pattern that finds the lines worth looking at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.redact import keys
from bot.redact.tokens import LONGER_ANCHORS, TOKENS
from bot.redact.values import (
    is_bearer,
    is_card,
    is_email,
    is_made_up,
    is_secret_value,
    is_secret_word,
)


def _always(_match: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One way a secret looks.

    Attributes:
        kind: what the placeholder says it was; empty: `keys.kind` of the match's `key`.
        pattern: the secret is the last named group that matched, or the whole match.
        hints: lower-case literals; the pattern is tried only where one of them occurs. Empty: always.
        counts: whether a match really is a secret.
        value: for a pattern that only announces (`tells` says whether it does), what must follow it: the secret.
            Two steps, because a value may be long and is not to be read for every word that only looks like a key.
        lowered: the pattern is for lower-cased text. That is several times faster than ignoring case.
    """

    kind: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    counts: Callable[[re.Match[str]], bool] = _always
    value: re.Pattern[str] | None = None
    tells: Callable[[re.Match[str]], bool] = keys.tells
    lowered: bool = True


def _flagged(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 40) : match.start()]
    return _FLAG.search(before) is not None and keys.tells(match)


_FLAG = re.compile(r"(?:^|[\s\"'])--?[a-z-]{0,32}\Z")
_QUOTED = (
    r'"(?P<double>(?:[^"\\\n]|\\.)*)'
    r"|'(?P<single>(?:[^'\\\n]|\\.)*)"
    r"|\\{1,7}[\"'](?P<inner>(?:(?!\\{1,7}[\"'])[^\n])*)"
)
_BARE = (
    r"(?P<bare>(?:[^\s\"'`“”‘’«»&;,<>\\|]|<[a-z*_:0-9]{1,40}>|\\(?![nrt\"'])"
    r"|&(?!amp;|[\w.%~\[\]-]{1,64}=)|,(?![\s\"'\]})]|$|[\w.-]{1,40}[=:]))+)"
)
_QUOTE = r"\\{0,7}[\"'`]?"
_SEPARATOR = _QUOTE + r"[ \t]{0,8}(?:=>|:=|==?|:)[ \t]{0,8}"
_SCHEMES = "bearer|basic|token|apikey|genie-?key|splunk|negotiate|ntlm|key|bot"
_LONG_SCHEMES = "digest|aws4-hmac-sha256|hawk|oauth|signature"

_HEADERS = (
    Rule(
        "authorization",
        re.compile(
            f"authorization{_SEPARATOR}{_QUOTE}"
            rf"(?:(?:{_SCHEMES})[ \t]{{1,4}}(?P<secret>[^\s\"'`“”\\,;]+)"
            rf"|(?:{_LONG_SCHEMES})[ \t]{{1,4}}(?P<rest>[^\"`“”\n\\]+)"
            r"|(?P<value>[^\s\"'`“”\\,;]+))"
        ),
        ("authorization",),
        is_secret_word,
    ),
    Rule(
        "cookie",
        re.compile(rf"cookie{_SEPARATOR}{_QUOTE}(?P<secret>[^\"\n\\=;]{{1,200}}=[^\"\n\\]*)"),
        ("cookie",),
    ),
    Rule(
        "authorization",
        re.compile(r"b(?:earer|asic)[ \t]{1,4}(?P<secret>[a-z0-9._~+/=-]{12,8192})"),
        ("bearer", "basic"),
        is_bearer,
    ),
)
_URLS = (
    Rule(
        "url-password",
        re.compile(r"://[^\s/@:\"'<>]{0,256}:(?P<secret>[^\s/\"'<>]{1,1024})@"),
        ("@",),
        is_secret_word,
    ),
    Rule("url-token", re.compile(r"://(?P<secret>[^\s/@:\"'<>]{16,512})@"), ("@",), is_secret_word),
    Rule(
        "url-password",
        re.compile(r"(?<![\w.-])[\w.-]{1,64}:(?P<secret>[^\s@/:]{1,256})@(?:tcp|unix)\("),
        ("@tcp(", "@unix("),
        is_secret_word,
    ),
)


def _key_value(
    between: str,
    value: str,
    hints: tuple[str, ...],
    tells: Callable[[re.Match[str]], bool] = keys.tells,
) -> Rule:
    announced = re.compile(keys.KEY + between)
    return Rule("", announced, hints, is_secret_value, re.compile(value), tells)


_KEY_VALUES = (
    _key_value(  # name: DB_PASSWORD, value: ... of Kubernetes and of key-value lists
        r"[\w.-]{0,40}[\"']?[ \t]{0,4},?\s{1,40}-?[ \t]{0,4}[\"']?value[\"']?[ \t]{0,4}:[ \t]{0,4}",
        _QUOTED + r"|(?P<bare>[^\s\"',}]+)",
        ("value",),
    ),
    _key_value(
        keys.SUFFIX + _SEPARATOR + r"(?:[bru]{1,2}(?=[\"']))?", f"{_QUOTED}|{_BARE}", keys.HINTS
    ),
    _key_value(
        r"(?:%22|%27)?%3[ad](?:%20|%22|%27){0,4}",
        r"(?P<bare>(?:[^\s\"'&;,%]|%(?!2[267c]|7d))+)",
        ("%3",),
    ),
    _key_value(r"[ \t]{1,8}[\"']?", r"(?P<bare>[^\s\"']+)", ("--", " -"), _flagged),
    Rule(  # prose: `passwd hunter3hunter3`, `the secret is tr0ub4dor`
        "",
        re.compile(
            r"(?P<key>passw(?:or)?d|passphrase|passcode|(?:secret|token)(?=[ \t]{1,4}(?:is|was)[ \t]))"
            r"(?:[ \t]{1,4}(?:is|was))?[ \t]{1,4}[\"'`]?(?P<secret>[^\s\"'`“”<>\[\]]{6,256})"
        ),
        ("passw", "passphrase", "passcode", "secret", "token"),
        is_made_up,
    ),
    _key_value(">", r"(?P<bare>[^<>\s]+)(?=</)", ("</",)),
    Rule(
        "password",
        re.compile(
            r"curl\b[^\n]{0,400}?[ \t](?:-u|--user)[ \t=]?[\"']?[^\s:\"']{1,100}:(?P<secret>[^\s\"']+)"
        ),
        ("curl",),
        is_secret_word,
    ),
    Rule(
        "password",
        re.compile(
            r"mysql(?:dump|admin|import)?\b[^\n]{0,400}?[ \t]-p(?P<secret>(?!roto|ort)[^\s\"']+)"
        ),
        ("mysql",),
        is_secret_word,
    ),
)
_PERSONAL = (
    Rule(
        "email",
        re.compile(
            r"(?<![a-z0-9_.+%-])[a-z0-9_.+%-]{1,128}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,6}"
            r"\.[a-z]{2,24}(?![\w-])"
        ),
        ("@",),
        is_email,
    ),
    Rule(
        "ssn",
        re.compile(r"ssn\W{1,4}(?P<secret>[0-9]{3}-[0-9]{2}-[0-9]{4})(?![\w-])"),
        ("ssn",),
    ),
    Rule(
        "card",
        re.compile(
            r"(?<![\w.-])(?:[2-6][0-9]{13,15}|[2-6][0-9]{3}(?:[ -][0-9]{4}){3}"
            r"|3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5})(?![\w-]|\.[0-9])"
        ),
        (),
        is_card,
    ),
)
TOKEN_RULES: tuple[Rule, ...] = tuple(
    Rule(
        kind,
        re.compile(f"(?<![A-Za-z0-9])(?:{pattern})"),
        tuple(hints.split()),
        lowered=False,
    )
    for kind, pattern, hints in TOKENS
)
CONTEXT_RULES: tuple[Rule, ...] = (*_HEADERS, *_URLS, *_KEY_VALUES, *_PERSONAL)


def _alternatives(words: Iterable[str]) -> str:
    """Alternation of literals with common beginnings factored out, which `re` does not do by itself."""
    groups: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        groups.setdefault(word[:1], []).append(word[1:])
    if "" in groups:  # a shorter word ends here: what follows does not matter
        return ""
    parts = [
        # A NUL stands for the pattern that must follow an announcement which ordinary words hold too.
        LONGER_ANCHORS[rest[0]] if first == "\0" else re.escape(first) + _alternatives(rest)
        for first, rest in groups.items()
    ]
    return parts[0] if len(parts) == 1 else "(?:" + "|".join(parts) + ")"


def _anchor(hints: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_alternatives(h + "\0" + h if h in LONGER_ANCHORS else h for h in hints))


_HINTS = {hint for rule in (*TOKEN_RULES, *CONTEXT_RULES) for hint in rule.hints}
_WEAK_HINTS = {"value", "--", " -", "</", "%3"}  # never without one of the others

TOKEN_ANCHOR = _anchor(hint for rule in TOKEN_RULES for hint in rule.hints)
"""Finds, in lower-cased text, where a token may stand."""

ANCHOR = _anchor(_HINTS - _WEAK_HINTS)
"""Finds, in lower-cased text, every line that a rule with hints could match."""

CARD_ANCHOR = re.compile("[2-6][0-9]{3}(?:[0-9]{10}|[ -][0-9]{4}[ -][0-9]{4}|[ -][0-9]{6}[ -])")
"""Likewise for card numbers; a search of its own, because digits in `ANCHOR` would cost it more."""

_LOOSE_HINTS = frozenset(LONGER_ANCHORS) | _WEAK_HINTS | {"@"}

ANNOUNCES = _anchor(_HINTS - _LOOSE_HINTS)
"""Finds, in lower-cased text, where a secret may stand of which a mask like `<*>` has torn pieces out."""

ANNOUNCES_TORN = re.compile(
    r"(?:(?<![a-z])s[kg][.-]|(?<![a-z])sk(?=[0-9a-f<])|:aa|(?<![a-z])dp\.)(?:[\w.-]|<\*>){0,80}<\*>"
    r"|@[\w.-]{1,80}\.[a-z]|@(?:<\*>|[\w.-])*:<\*>|:[^/\s@]{1,80}@"
    r"|(?:key|sig|otp|cvv|cvc|signature)[\w\"']{0,12}[ \t]{0,8}[:=]|ssn\W"
    r"|(?:bearer|basic|curl|mysql\w{0,9})[ \t]"
)
"""The same for announcements that ordinary words hold too."""
