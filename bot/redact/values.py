"""Whether what stands where a secret would stand is one: words of prose, code and masks are kept."""

from __future__ import annotations

import re

from bot.redact.keys import PLACEHOLDER

_WORKING_FOLDER = re.compile(r"pwd\W{0,6}\Z")
_SECRET_OBJECT = re.compile(r"(?:secret|credentials?)\W{0,6}\Z")
_PROSE = """
    a an and any are as at bad be been boolean bool bytes bytea but by can cannot char check could denied disabled
    does empty enabled error errors expired expiring failed failure false for forbidden from had has have hidden if in
    incorrect int integer invalid is it key list malformed mismatch missing must nil no none not null number object of
    ok okay on optional or placeholder present rejected refused required reset revoked should str string strong
    success successful text the to too true type unauthorized undefined unknown unset unsupported updated valid varchar
    via void was weak when while will with wrong yes your
"""
_WORDS = frozenset(_PROSE.split())
_MASK = re.compile(
    r"(?:[*•.xX#-]{2,}|<[A-Z_*:0-9]{1,40}>|<(?:redacted|hidden|masked|secret|omitted|none|nil|null|password|token|unset)>"
    r"|\[(?:redacted|filtered|hidden|masked|omitted|removed|protected|sensitive|scrubbed)\]"
    r"|\(?(?:redacted|filtered|hidden|masked|omitted)\)?)",
    re.IGNORECASE,
)
_VARIABLE = re.compile(
    r"\$\{[^{}]{1,200}\}|\$\([^()]{1,200}\)|\$[A-Za-z_]\w*|\{\{[^{}]{1,200}\}\}|\{[\w.!:]{0,60}\}|%[sdrv]"
    r"|%\([\w.]{1,60}\)s|%[A-Za-z_]{2,60}%"
)
_CODE = re.compile(
    r"[A-Za-z_][\w.]{0,200}(?:[(\[]|\(.{0,400}\)[.\w()]*|\[.{0,400}\][.\w()]*)[:,;]*"
)
_ATTRIBUTE = re.compile(
    r"(?:self|this|cls|settings|config|conf|options|opts|args|env|environ|params|request|process\.env|os\.environ)"
    r"\.[\w.]{1,200}",
)
_SECRET_NAME = re.compile(
    r"[A-Za-z_]*(?:passw(?:or)?d|secret|token|key|credential)s?", re.IGNORECASE
)
# namespace/name with a hyphen in the name: "/" and "-" are never both in one base64 alphabet.
_KUBERNETES_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*/[a-z]+(?:-[a-z]+)+")
_NAMES_A_THING = re.compile(r"[/=(\\]|^\d+(?:\.\d+)*[a-z]{0,2}$|\.[a-z]{2,5}$")
_NO_TOP_LEVEL = """
    service socket timer target mount slice scope device path js ts jsx tsx py go rb git local lan internal localdomain
    localhost svc cluster corp home java class cs so jar
"""
_HOST_ENDINGS = frozenset(_NO_TOP_LEVEL.split())


def is_secret_value(match: re.Match[str]) -> bool:
    """Whether the value of a telling key is a secret, and no word, mask, variable, code or placeholder."""
    form = match.lastgroup or ""
    value = match[form].strip()
    if not value or is_harmless(value):
        return False
    before = match.string[max(0, match.start() - 16) : match.start()]
    if value.startswith(("/", "~", "c:")) and _WORKING_FOLDER.search(before):
        return False
    if _KUBERNETES_NAME.fullmatch(value) and _SECRET_OBJECT.search(before):
        return False
    return form != "bare" or not _is_code(value)


def is_harmless(value: str) -> bool:
    """A word of prose, a mask, a variable or a placeholder: nothing that opens a door."""
    word = value.casefold().strip(".,;:!?)]}")
    if word in _WORDS or not word:
        return True
    return any(form.fullmatch(value) for form in (PLACEHOLDER, _MASK, _VARIABLE))


def _is_code(value: str) -> bool:
    bare = value.rstrip(",;)")
    return any(form.fullmatch(bare) for form in (_CODE, _ATTRIBUTE, _SECRET_NAME))


def is_secret_word(match: re.Match[str]) -> bool:
    """Whether the last group is a secret by the same measure, without a key to judge by."""
    return not is_harmless(match[match.lastgroup or 0].strip())


def is_made_up(match: re.Match[str]) -> bool:
    """Whether a word that follows `password` in a sentence was made up: letters and digits, and no path or host."""
    value = match["secret"].rstrip(".,;:!?)")
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return mixed and len(value) >= 6 and not _NAMES_A_THING.search(value) and not is_harmless(value)


def is_bearer(match: re.Match[str]) -> bool:
    """`Bearer abc123...` is a token, `bearer authentication` is prose."""
    value = match["secret"]
    return any(c.isdigit() for c in value) or len(value) >= 24


def is_email(match: re.Match[str]) -> bool:
    """An address of a person, and no `git@host`, `user@node.internal` or `getty@tty1.service`."""
    name, domain = match[0].rsplit("@", 1)
    top = domain.rsplit(".", 1)[-1].lower()
    return name not in {"git", "root", "hg", "svn"} and top not in _HOST_ENDINGS


_CARD_LENGTHS = (
    (re.compile(r"4"), (16,)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"6011|65|64[4-9]|62"), (16,)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    (re.compile(r"3(?:0[0-5]|[68])"), (14,)),
)


def is_card(match: re.Match[str]) -> bool:
    """Issuer's prefix, its length, and the Luhn check (ISO/IEC 7812-1)."""
    digits = match[0].replace(" ", "").replace("-", "")
    if not any(len(digits) in lengths and form.match(digits) for form, lengths in _CARD_LENGTHS):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 and len(set(digits)) > 1
