"""Timestamps as logs write them, read a column at a time.

A `Stamp` is one way of writing a moment: a pattern with named groups and a layout that says which position of
the group `stamp` holds which digit. Reading digits by position handles every separator alike and costs about
0.2 us a line; a parser per line would cost more than everything else together.

Times without a zone are taken to be in a stated default zone. Times without a year get the latest year in
which they are not after the reference moment (a day's grace); times without a date likewise its day. No clock
is read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

TIME: Final = pl.Datetime("us", "UTC")
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
_YEARS_BACK = 8  # the longest gap between two 29ths of February
_LATEST_US = DAY_US * 365 * 130  # about 2100

# Abbreviations of zones are ambiguous (CST, IST, BST); these are the readings most logs mean.
ZONES: Final = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120,
    "EEST": 180, "MSK": 180, "IST": 330, "SGT": 480, "HKT": 480, "JST": 540, "KST": 540, "AEST": 600,
    "AEDT": 660, "NZST": 720, "NZDT": 780, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}  # fmt: skip
_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]

_N = "[0-9]"
_CLOCK = rf"{_N}{{2}}:{_N}{{2}}:{_N}{{2}}"
_FRAC = rf"(?:[.,](?P<frac>{_N}{{1,9}}))?"
_ZONE = rf"(?P<zone>[Zz]\b| ?[+-]{_N}{{2}}:?{_N}{{2}}|[+-]{_N}{{2}}\b| (?:{'|'.join(ZONES)})\b)?"
_MONTH = "(?:" + "|".join(month.title() for month in _MONTHS) + ")"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?"
_AMPM = r"(?: (?P<ampm>[AaPp]\.?[Mm]\.?))?"


@dataclass(frozen=True, slots=True)
class Stamp:
    """One way of writing a moment.

    Attributes:
        name: what it is called in tests and notes.
        pattern: RE2-like; groups `stamp` or `epoch`, and maybe `frac`, `zone`, `ampm`.
        layout: what each character of `stamp` is: Y year, M month, N month's name, D day, h m s; else ignored.
    """

    name: str
    pattern: str
    layout: str = ""


STAMPS: Final = (
    Stamp(
        "iso",
        rf"(?P<stamp>{_N}{{4}}[-/.]{_N}{{2}}[-/.]{_N}{{2}}[Tt _:-]{_N}{{2}}[:.]{_N}{{2}}[:.]{_N}{{2}})"
        rf"(?:[.,:](?P<frac>{_N}{{1,9}}))?{_ZONE}",
        "YYYY-MM-DD hh:mm:ss",
    ),
    Stamp("syslog year", rf"(?P<stamp>{_MONTH} [ 0-9]?{_N},? {_N}{{4}},? {_CLOCK}){_FRAC}{_ZONE}", "NNN DD YYYY hh:mm:ss"),
    Stamp("syslog", rf"(?P<stamp>{_MONTH} [ 0-9]?{_N} {_CLOCK}){_FRAC}", "NNN DD hh:mm:ss"),
    Stamp(
        "ctime",
        rf"{_WEEKDAY}(?P<stamp>{_MONTH} [ 0-9]?{_N} {_CLOCK}){_FRAC}(?P<zone> [A-Z]{{3,4}})? (?P<year>{_N}{{4}})\b",
        "NNN DD hh:mm:ss",
    ),
    Stamp(
        "day month year",
        rf"{_WEEKDAY}(?P<stamp>[ 0-9]?{_N}[-/ ]{_MONTH}[-/ ]{_N}{{4}}[: ]{_CLOCK}){_FRAC}{_ZONE}",
        "DD NNN YYYY hh:mm:ss",
    ),
    Stamp("us long", rf"(?P<stamp>{_N}{{1,2}}/{_N}{{1,2}}/{_N}{{4}},? {_N}{{1,2}}:{_N}{{2}}:{_N}{{2}}){_FRAC}{_AMPM}{_ZONE}", "MM/DD/YYYY hh:mm:ss"),
    Stamp("us", rf"(?P<stamp>{_N}{{1,2}}/{_N}{{1,2}}/{_N}{{2}},? {_N}{{1,2}}:{_N}{{2}}:{_N}{{2}}){_FRAC}{_AMPM}{_ZONE}", "MM/DD/YY hh:mm:ss"),
    Stamp("java util", rf"(?P<stamp>{_MONTH} {_N}{{1,2}}, {_N}{{4}},? {_N}{{1,2}}:{_N}{{2}}:{_N}{{2}}){_FRAC}{_AMPM}{_ZONE}", "NNN DD YYYY hh:mm:ss"),
    Stamp("basic", rf"(?P<stamp>{_N}{{8}}[T _-](?:{_N}{{6}}|{_N}{{1,2}}:{_N}{{1,2}}:{_N}{{1,2}}))(?:[.,:](?P<frac>{_N}{{1,9}}))?{_ZONE}\b", "YYYYMMDD hh:mm:ss"),
    Stamp("short date", rf"(?P<stamp>{_N}{{6}} {_N}{{2}}:?{_N}{{2}}:?{_N}{{2}}){_FRAC}\b", "YYMMDD hh:mm:ss"),
    Stamp("month day", rf"(?P<stamp>{_N}{{2}}[-.]{_N}{{2}} {_CLOCK}){_FRAC}", "MM-DD hh:mm:ss"),
    Stamp("iso minutes", rf"(?P<stamp>{_N}{{4}}-{_N}{{2}}-{_N}{{2}}[T ]{_N}{{2}}:{_N}{{2}}){_ZONE}\b", "YYYY-MM-DD hh:mm"),
    Stamp("epoch", rf"(?P<epoch>{_N}{{10}}\.{_N}{{1,9}}|{_N}{{19}}|{_N}{{16}}|{_N}{{13}}|{_N}{{10}})\b"),
    Stamp("clock", rf"(?P<stamp>{_CLOCK}){_FRAC}{_ZONE}", "hh:mm:ss"),
)  # fmt: skip
KLOG: Final = Stamp(
    "klog", rf"(?P<stamp>{_N}{{4}} {_CLOCK})\.(?P<frac>{_N}{{1,9}})", "MMDD hh:mm:ss"
)
BY_NAME: Final = {stamp.name: stamp for stamp in (*STAMPS, KLOG)}


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a timestamp leaves unsaid.

    Attributes:
        zone: IANA name of the zone of times that name none.
        reference: aware moment that times without a year or date are not after, by more than a day.
    """

    reference: datetime
    zone: str = "UTC"


def convert(groups: pl.DataFrame, stamp: Stamp, calendar: Calendar) -> pl.Series:
    """Moments of the captured groups of one stamp.

    Args:
        groups: columns named as the groups of `stamp.pattern`; every row is a match.

    Returns:
        UTC, microseconds; null where the digits are no moment (month 13) or none we can believe.
    """
    if groups.is_empty():
        return pl.Series("time", [], dtype=TIME)
    if "epoch" in groups.columns:
        return _epoch(groups.get_column("epoch"))
    columns = _digits(groups, stamp)
    whole, valid = _assemble(columns, calendar)
    if "frac" in groups.columns:
        frac = groups.get_column("frac").fill_null("0").str.pad_end(6, "0").str.head(6)
        whole = whole + frac.cast(pl.Int64).to_numpy()
    naive = pl.Series("time", whole).set(pl.Series(~valid), None)
    naive = naive.cast(pl.Datetime("us"))
    return _to_utc(naive, groups, calendar.zone)


def read_column(texts: pl.Series, calendar: Calendar) -> pl.Series:
    """Moments of a column of bare timestamps (a JSON or logfmt field), each in whatever way it is written."""
    texts = texts.cast(pl.String).str.strip_chars(' "[]')
    out = pl.Series("time", [None], dtype=TIME).new_from_index(0, texts.len())
    open_rows = texts.is_not_null()
    for _ in range(8):  # a column mixes few ways of writing
        if not open_rows.any():
            break
        stamp = _best(texts.filter(open_rows).head(64))
        if stamp is None:
            break
        groups = texts.str.extract_groups(f"^{stamp.pattern}$").struct.unnest()
        lead = groups.get_column("epoch" if "epoch" in groups.columns else "stamp")
        hit = lead.is_not_null() & open_rows
        if hit.all():
            return convert(groups, stamp, calendar)
        rows = hit.arg_true()
        out = out.scatter(rows, convert(groups.filter(hit), stamp, calendar))
        open_rows = open_rows & ~hit
    return out


@cache
def _whole(name: str) -> re.Pattern[str]:
    return re.compile(BY_NAME[name].pattern, re.ASCII)


def _best(sample: pl.Series) -> Stamp | None:
    values = sample.to_list()
    counts = [(sum(bool(_whole(s.name).fullmatch(v)) for v in values), s) for s in STAMPS]
    count, stamp = max(counts, key=lambda pair: pair[0])
    return stamp if count else None


def _epoch(texts: pl.Series) -> pl.Series:
    """Seconds (maybe with a fraction), milli-, micro- or nanoseconds, told apart by their length."""
    whole = texts.str.extract(r"^([0-9]+)", 1)
    frac = texts.str.extract(r"\.([0-9]+)$", 1).fill_null("0").str.pad_end(6, "0").str.head(6)
    length = whole.str.len_bytes().to_numpy()
    value = whole.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    scale = np.select([length <= 11, length <= 14, length <= 17], [1_000_000, 1_000, 1], 0)
    micros = np.where(scale > 0, value * scale, value // 1_000) + frac.cast(pl.Int64).to_numpy()
    bad = (micros < 0) | (micros > _LATEST_US)
    return pl.Series("time", micros).set(pl.Series(bad), None).cast(TIME)


def _digits(groups: pl.DataFrame, stamp: Stamp) -> dict[str, Ints]:
    """The components that the layout names, as numbers."""
    texts = groups.get_column("stamp")
    layout = stamp.layout
    if stamp.name == "us":
        layout = _order_of_short_date(texts, layout)
    if not texts.str.contains(r"[0-9][:.][0-9]").any():
        layout = layout.replace(":", "")
    texts = _fixed_width(texts, layout)
    odd = texts.str.len_bytes() != len(layout)
    if odd.any():  # month 00: no moment
        texts = texts.set(odd, "0" * len(layout))
    raw = texts.str.join("").item().encode()
    table = np.frombuffer(raw, dtype=np.uint8).reshape(texts.len(), len(layout))
    columns: dict[str, Ints] = {}
    for unit in dict.fromkeys(letter for letter in layout if letter in "YMDhms"):
        value = np.zeros(texts.len(), dtype=np.int64)
        for at in (i for i, letter in enumerate(layout) if letter == unit):
            digit = table[:, at].astype(np.int64) - 48
            value = value * 10 + np.where(digit < 0, 0, digit)  # a blank pads a one-digit day
        columns[unit] = value
    if "N" in layout:
        at = layout.index("N")
        columns["M"] = _month_numbers(table[:, at : at + 3])
    if "year" in groups.columns:
        columns["Y"] = groups.get_column("year").cast(pl.Int64).to_numpy()
    elif "Y" in columns and layout.count("Y") == 2:
        columns["Y"] = columns["Y"] + np.where(columns["Y"] < 70, 2000, 1900)
    if "ampm" in groups.columns:
        half = groups.get_column("ampm").str.head(1).str.to_lowercase()
        hours = columns["h"]
        columns["h"] = np.where(
            half.eq_missing("p").to_numpy() & (hours < 12),
            hours + 12,
            np.where(half.eq_missing("a").to_numpy() & (hours == 12), 0, hours),
        )
    return columns


def _order_of_short_date(texts: pl.Series, layout: str) -> str:
    """`06/09/17` is read month first; where a first number over 12 forbids it, year first (Spark, Squid)."""
    first = texts.str.extract(r"^([0-9]+)/", 1).cast(pl.Int64)
    return "YY/MM/DD hh:mm:ss" if bool((first > 12).any()) else layout


def _fixed_width(texts: pl.Series, layout: str) -> pl.Series:
    """Pad one-digit numbers where a writer left them out, and drop commas, so that positions hold."""
    texts = texts.str.replace_all(",", "", literal=True)
    if bool((texts.str.len_bytes() == len(layout)).all()):
        return texts
    for _ in range(2):  # neighbours share a separator, which one pass consumes
        texts = texts.str.replace_all(r"(^|[^0-9])([0-9])([^0-9]|$)", "${1}0${2}${3}")
    return texts.str.replace_all("  ", " ", literal=True)


def _month_numbers(letters: npt.NDArray[np.uint8]) -> Ints:
    lower = letters.astype(np.int64) | 32
    keys = lower[:, 0] << 16 | lower[:, 1] << 8 | lower[:, 2]
    known = np.array([ord(m[0]) << 16 | ord(m[1]) << 8 | ord(m[2]) for m in _MONTHS])
    order = np.argsort(known)
    at = np.clip(np.searchsorted(known[order], keys), 0, 11)
    found: Ints = np.where(known[order][at] == keys, order[at] + 1, 0).astype(np.int64)
    return found


def _assemble(columns: dict[str, Ints], calendar: Calendar) -> tuple[Ints, Bools]:
    """Microseconds since 1970 in local time, and which of them are real moments."""
    zero = np.zeros_like(columns["h"])
    hour, minute, second = columns["h"], columns["m"], columns.get("s", zero)
    clock = ((hour * 60 + minute) * 60 + np.minimum(second, 59)) * 1_000_000
    valid = (hour < 24) & (minute < 60) & (second < 61)
    latest = _micros(calendar.reference.astimezone(UTC)) + DAY_US
    if "D" not in columns:
        now = latest - DAY_US
        today = now // DAY_US * DAY_US + clock
        return np.where(today > now + HOUR_US, today - DAY_US, today), valid
    month, day = columns["M"], columns["D"]
    if "Y" in columns:
        days, real = _days(columns["Y"], month, day)
        return days * DAY_US + clock, valid & real
    micros, placed = zero.copy(), np.zeros(len(zero), dtype=np.bool_)
    for back in range(_YEARS_BACK + 1):
        days, real = _days(zero + (calendar.reference.year + 1 - back), month, day)
        moment = days * DAY_US + clock
        fits = real & ~placed & (moment <= latest)
        micros, placed = np.where(fits, moment, micros), placed | fits
        if placed.all():
            break
    return micros, valid & placed


def _days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """Days since 1970-01-01 of civil dates (Hinnant, "chrono-Compatible Low-Level Date Algorithms")."""
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    safe = np.clip(month, 0, 12)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (day <= lengths[safe] + (leap & (safe == 2)))
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return days, real & (year >= 1970) & (year < 2100)


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _to_utc(naive: pl.Series, groups: pl.DataFrame, zone: str) -> pl.Series:
    """Apply the zone that was written, or the default one."""
    if "zone" not in groups.columns or (written := groups.get_column("zone")).null_count() == len(
        naive
    ):
        return _localised(naive, zone)
    offsets = {text: _offset(text) for text in written.unique().to_list() if text is not None}
    if len(offsets) == 1 and written.null_count() == 0:
        minutes = next(iter(offsets.values()))
        shifted = naive if minutes == 0 else naive - timedelta(minutes=minutes)
        return shifted.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    east = written.replace_strict(offsets, default=0, return_dtype=pl.Int64) * 60_000_000
    utc = (naive.cast(pl.Int64) - east).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return utc.zip_with(written.is_not_null(), _localised(naive, zone))


def _offset(text: str) -> int:
    """Minutes east of UTC."""
    text = text.strip()
    if text[0] in "+-":
        digits = text[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:4])
        return minutes if text[0] == "+" else -minutes
    return ZONES.get(text.upper(), 0)


def _localised(naive: pl.Series, zone: str) -> pl.Series:
    if zone == "UTC":
        return naive.dt.replace_time_zone("UTC")
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if local.null_count() > naive.null_count():  # clocks that jumped: the hour that did not exist
        later = (naive + timedelta(hours=1)).dt.replace_time_zone(
            zone, ambiguous="earliest", non_existent="null"
        )
        local = local.fill_null(later)
    return local.dt.convert_time_zone("UTC")
