"""What a statement mentions that can be looked up: quotations, shas, paths, times, numbers with units, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Kind = Literal["link", "quote", "id", "time", "sha", "path", "name", "number", "service"]

_LINK = re.compile(r"https?://[^\s<>\"'`|)\]]+")
_QUOTE = re.compile('[\u201c\u201e]([^\u201c\u201d\u201e]*)[\u201c\u201d]|"([^"]*)"|`+([^`]+)`+')
_ID = re.compile(r"(?<![\w./-])([ACDILMPRT][1-9][0-9]{0,3})(?![\w/-]|\.\w)")
_SHA = re.compile(
    r"(?<![\w-])(?=[0-9a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,64}(?![\w-])", re.IGNORECASE
)
_UUID = re.compile(
    r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])",
    re.IGNORECASE,
)
_EXTENSIONS = (
    "py|pyi|js|jsx|mjs|ts|tsx|go|java|kt|scala|rb|php|cs|fs|c|cc|cpp|h|hpp|rs|swift|ex|exs|erl|clj|lua|pl|sh|sql|"
    "ya?ml|json|toml|ini|cfg|conf|properties|xml|gradle|tf|proto|lock|env|md|txt|log|html|css|vue|dockerfile"
)
_PATH = re.compile(
    rf"(?<![\w/.~@-])((?:[~.]{{0,2}}/)?(?:[\w.@+-]+/)*[\w.@+-]+\.(?:{_EXTENSIONS})|(?:/[\w.@+-]+){{2,}}/?"
    r"|[\w.@+-]+(?:/[\w.@+-]+){2,}|/[a-z][\w.@+-]{2,})(?::([0-9]+))?(?![\w/])",
    re.IGNORECASE,
)
_DATE = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_CLOCK = r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,](?P<fraction>[0-9]{1,9}))?"
_ZONE = r"(?:\s?(?P<zone>Z\b|UTC\b|GMT\b|[+-][0-9]{2}:?[0-9]{2}(?![0-9])|[ap]\.?m\b\.?))?"
MOMENT = re.compile(rf"(?<![\w.])(?:{_DATE}(?:[T ]{_CLOCK}{_ZONE})?)(?![0-9])", re.IGNORECASE)
CLOCK = re.compile(rf"(?<![0-9.]){_CLOCK}{_ZONE}(?![0-9:])", re.IGNORECASE)
_NAME = re.compile(
    r"(?<![\w.])(?:[A-Za-z_][\w]*(?:(?:\.|::|\#)[A-Za-z_]\w*)+(?:\(\))?|[A-Za-z_]\w*\(\)|[A-Za-z]\w*_\w+"
    r"|[A-Za-z]\w*(?:Error|Exception|Timeout|Fault|Failure|Panic))(?![\w])"
    r"|(?<![\w.])v?[0-9]+(?:\.[0-9]+){2,}(?:[-+][\w.]+)?(?!\w)"
    r"|(?<![\w-])[a-z][a-z0-9]*(?:-[a-z0-9]+)*-(?=[a-z0-9]*[0-9])[a-z0-9]{5,}(?:-[a-z0-9]+)*(?![\w-])"
)
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), ("time", 1e-9)),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), ("time", 1e-6)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("time", 1e-3)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("time", 1.0)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), ("time", 60.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("time", 3600.0)),
    **dict.fromkeys(("d", "day", "days"), ("time", 86400.0)),
    **dict.fromkeys(("b", "byte", "bytes"), ("size", 1.0)),
    **dict.fromkeys(("kb", "kilobytes"), ("size", 1e3)),
    **dict.fromkeys(("mb", "megabytes"), ("size", 1e6)),
    **dict.fromkeys(("gb", "gigabytes"), ("size", 1e9)),
    **dict.fromkeys(("tb",), ("size", 1e12)),
    **dict.fromkeys(("kib", "ki"), ("size", 1024.0)),
    **dict.fromkeys(("mib", "mi"), ("size", 1024.0**2)),
    **dict.fromkeys(("gib", "gi"), ("size", 1024.0**3)),
    **dict.fromkeys(("%", "percent", "per cent"), ("share", 0.01)),
}
_UNIT = "|".join(sorted((re.escape(unit) for unit in _UNITS), key=len, reverse=True))
NUMBER = re.compile(
    rf"(?<![\w.,:/#-])(?P<number>[0-9]{{1,3}}(?:[,\u202f\u00a0][0-9]{{3}})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
    rf"(?:[ \u00a0\u202f]?(?P<unit>{_UNIT})(?![\w/]))?(?P<rest>[a-z\u00d7]*)(?![\w]|[.:/-][0-9])",
    re.IGNORECASE,
)
_FUZZY = re.compile(
    r"(?:about|around|roughly|approximately|almost|nearly|some|ca\.?|~|≈)\s*\Z", re.IGNORECASE
)
_KEY_UNIT = re.compile(
    r"_(ns|us|ms|s|sec|seconds|bytes|kb|mb|gb|percent|pct)[\"']?\s?[=:]\s?\Z", re.IGNORECASE
)
_OF_SERVICE = re.compile(
    r"(?<![\w-])(?:service\s+([a-z][a-z0-9_-]{2,})|([a-z][a-z0-9_-]{2,})\s+(?:micro)?service)(?![\w-])"
)
_NO_SERVICE = frozenset(
    """
    the this that each every any some one another other same affected failing faulty upstream downstream dependent
    external internal backend frontend web whole our your their its which and began begins fails failed failing is was
    has had degraded unavailable names name did does first second calling called new no per from for with without
    health mesh level account discovery worker between across into after before started stopped went shows showed
    """.split()  # noqa: SIM905 - a paragraph of words reads better than a hundred quoted ones
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in base units (seconds, bytes, shares); `step` is what its last digit stands for."""

    raw: float
    value: float
    step: float
    dimension: str = ""
    fuzzy: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment as far as a text says it, in UTC when the text names a zone."""

    hour: int
    minute: int
    second: int | None
    date: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing in a statement that the cited records must hold."""

    kind: Kind
    text: str
    quantity: Quantity | None = None
    clock: Clock | None = None
    line: int | None = None


def mentions(statement: str, services: frozenset[str] = frozenset()) -> list[Mention]:
    """Everything in a statement that can be looked up, each piece of text once.

    Args:
        services: names that are known to be services; anywhere else they would be ordinary words.
    """
    found: list[Mention] = []
    rest = statement

    def take(pattern: re.Pattern[str], kind: Kind) -> None:
        nonlocal rest
        for match in pattern.finditer(rest):
            text = next((group for group in match.groups() if group), match[0])
            found.append(Mention(kind, text.rstrip(".,;:") if kind == "link" else text))
        rest = pattern.sub(" , ", rest)

    take(_QUOTE, "quote")
    take(_LINK, "link")
    take(_ID, "id")
    found += _moments(rest)
    rest = CLOCK.sub(" , ", MOMENT.sub(" , ", rest))
    take(_UUID, "sha")
    take(_SHA, "sha")
    for match in _PATH.finditer(rest):
        line = int(match[2]) if match[2] and len(match[2]) < 9 else None
        found.append(Mention("path", match[1].rstrip("."), line=line))
    rest = _PATH.sub(" , ", rest)
    take(_NAME, "name")
    for match in NUMBER.finditer(rest):
        found.append(Mention("number", match[0].strip(), quantity=quantity(match, rest)))
    found += (Mention("service", name) for name in _services(rest, services))
    return found


def _services(text: str, known: frozenset[str]) -> Iterator[str]:
    words = set(re.findall(r"[A-Za-z][\w-]*[\w]", text))
    yield from sorted(words & known)
    for match in _OF_SERVICE.finditer(text):
        name = match[1] or match[2]
        if name not in known and name not in _NO_SERVICE:
            yield name


def _moments(text: str) -> Iterator[Mention]:
    for match in MOMENT.finditer(text):
        clock = clock_of(match)
        yield Mention("time", match[0].strip(), clock=clock)
    for match in CLOCK.finditer(MOMENT.sub(" , ", text)):
        yield Mention("time", match[0].strip(), clock=clock_of(match))


def clock_of(match: re.Match[str]) -> Clock | None:
    """Read a match of `MOMENT` or `CLOCK`; None when it is no possible time, or a date alone."""
    named = match.groupdict()
    if not named["clock"]:
        return None
    date = named.get("date") or ""
    parts = [int(part) for part in named["clock"].split(":")]
    hour, minute, second = parts[0], parts[1], parts[2] if len(parts) > 2 else None
    zone = (named["zone"] or "").lower()
    if zone.startswith(("a", "p")):
        hour = hour % 12 + (12 if zone.startswith("p") else 0)
    try:
        moment = datetime.fromisoformat(
            f"{date or '2000-01-02'}T{hour:02}:{minute:02}:{second or 0:02}"
        )
    except ValueError:
        return None
    if zone.startswith(("+", "-")):
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        moment = moment.replace(tzinfo=UTC) - (shift if zone[0] == "+" else -shift)
        date = f"{moment:%Y-%m-%d}" if date else ""
    return Clock(moment.hour, moment.minute, second, date)


def quantity(match: re.Match[str], text: str) -> Quantity:
    """Read a match of `NUMBER` within its text, which shows what stands before it."""
    digits = re.sub("[,\u202f\u00a0]", "", match["number"])
    raw = float(digits)
    before = text[max(0, match.start() - 24) : match.start()]
    unit = (match["unit"] or "").lower()
    if unit == "s" and match[0].endswith(digits[-1:] + match["unit"]) and _is_status(digits):
        unit = ""  # "500s" are responses
    if unit == "m" and raw >= 1000:
        unit = ""
    told = _KEY_UNIT.search(before)
    if not unit and told:
        unit = {"pct": "percent"}.get(told[1].lower(), told[1].lower())
    dimension, factor = _UNITS.get(unit, ("", 1.0))
    decimals = len(digits.partition(".")[2])
    step = 10.0**-decimals * factor
    return Quantity(raw, raw * factor, step, dimension, _FUZZY.search(before) is not None)


def _is_status(digits: str) -> bool:
    return len(digits) == 3 and digits[0] in "12345"
