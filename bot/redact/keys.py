"""The names under which secrets stand: `DB_PASSWORD`, `clientSecret`, `x-api-key`, `JSESSIONID`."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\[secret:([a-z0-9-]{1,24})(?:#([0-9]{1,6}))?\]")

HINTS = (
    *(
        "passw",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "token",
        "credential",
        "signature",
        "sig",
    ),
    *("otp", "cvv", "cvc", "ssn", "key", "sessid", "sessionid", "connect.sid"),
)
# Literals first: `re` then skips to their first characters. What must stand before them is checked by `tells`.
KEY = (
    r"(?P<key>passw(?:or)?d|passphrase|passcode|pwd"
    r"|secret(?!(?<=\[secret):[a-z0-9-]{0,24}(?:#[0-9]{0,6})?(?:\]|…|\.\.\.|\n|\Z))|token|credentials?|signature|sig|otp|cvv|cvc|ssn"
    r"|key|sess(?:ion)?id|connect\.sid)"
)
SUFFIX = r"(?:[_-]?(?:hash|digest|b64|base64|encrypted|value|plain|text|old|new|[0-9]{1,3})){0,2}"

_OF_KEY = re.compile(
    r"(?:api|access|secret|private|encryption|signing|account|auth|master|app|application|shared|session|license"
    r"|subscription|ssh|functions|consumer|routing|integration|genie|ingest|ingestion)[_. -]?\Z"
)
_SHORT = frozenset({"pwd", "signature", "sig", "otp", "cvv", "cvc", "ssn"})
_AT_THE_END = re.compile(KEY + SUFFIX + r"[\"']?\Z")
_HEADERS = frozenset({"authorization", "proxy_authorization", "cookie", "set_cookie"})
_KINDS = (
    (("passw", "passp", "passc", "pwd"), "password"),
    (("secret",), "secret"),
    (("token",), "token"),
    (("key",), "api-key"),
    (("sess", "sid"), "session"),
    (("sig",), "signature"),
)


def tells(match: re.Match[str]) -> bool:
    """Whether the word before the matched `key` makes it the name of a secret: `api` key, but no `cache` key."""
    key, start = match["key"], match.start("key")
    before = match.string[max(0, start - 16) : start]
    if key == "key":
        return _OF_KEY.search(before) is not None
    if key == "token":
        return not before.endswith(("unexpected ", "illegal "))
    return key not in _SHORT or not before[-1:].isalpha()


def kind(key: str) -> str:
    """What a placeholder says for a secret that stood under this (lower-case) key."""
    return next((name for parts, name in _KINDS if any(p in key for p in parts)), "credential")


def kind_of_name(name: str) -> str:
    """The same for the name of a member of an object, of any case; empty when it announces no secret."""
    lowered = name[-200:].lower()
    if lowered.replace("-", "_") in _HEADERS:
        return "authorization"
    match = _AT_THE_END.search(lowered)
    return kind(match["key"]) if match and tells(match) else ""
