"""A made-up incident of any size: logs of ten services, a repository, and the change that broke payments.

Everything follows from the seed. An hour of traffic with about a thousand kinds of messages; at 60 % of it a
deploy, and from then on failing payments, checkouts four seconds and gateway errors nine seconds later, among
cron bursts that always were there.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SPAN = timedelta(hours=1)
ONSET = START + SPAN * 0.6
SERVICES = (
    *("gateway", "checkout", "payments", "cart", "catalog"),
    *("inventory", "shipping", "accounts", "search", "mailer"),
)
CULPRIT = "payments: send amounts in minor units"

_PER_SERVICE = 100
_POOL = 4_096
_VERBS = (
    *("fetched", "stored", "queued", "sent", "received", "updated"),
    *("indexed", "cached", "expired", "resolved", "validated"),
)
_NOUNS = (
    *(
        "order",
        "session",
        "invoice",
        "basket",
        "item",
        "page",
        "user",
        "token",
        "address",
        "parcel",
    ),
    *("label", "query", "shard", "record", "message", "template", "refund", "price", "stock"),
    *("region", "batch", "coupon", "cookie"),
)
_LINKS = ("for", "in", "with", "from", "after", "by", "of", "via")
_TRACE = """Traceback (most recent call last):
  File "/srv/payments/payments/charge.py", line 41, in charge
    amount = minor_units(order.total)
  File "/srv/payments/payments/money.py", line 12, in minor_units
    raise AmountError(total)
payments.money.AmountError: cannot express {} in minor units"""


@dataclass(frozen=True, slots=True)
class Incident:
    """Where the made-up incident lies, and what is true about it."""

    logs: Path
    repository: Path
    lines: int
    commits: int
    culprit: str


def messages(lines: int, seed: int) -> Iterator[tuple[datetime, str, str, str]]:
    """Moment, service, level and text of each background message, in order; texts of about 90 bytes."""
    rng = random.Random(seed)
    kinds = [kind for service in SERVICES for kind in _kinds(service, rng)]
    weights = [1 / (1 + rank) ** 0.7 for rank in rng.sample(range(len(kinds)), len(kinds))]
    values = [_value(rng) for _ in range(_POOL)]
    step = SPAN / max(lines, 1)
    number = 0
    while number < lines:
        some = rng.choices(kinds, weights, k=min(10_000, lines - number))
        slots = rng.choices(values, k=3 * len(some))
        for place, (service, level, form) in enumerate(some):
            text = form % tuple(slots[3 * place : 3 * place + 3])
            yield START + step * (number + place), service, level, text
        number += len(some)


def plain_lines(lines: int, seed: int) -> Iterator[str]:
    """Log lines of about 130 bytes, time and level first, as one stream."""
    for at, service, level, text in messages(lines, seed):
        yield f"{at.isoformat(timespec='milliseconds')} {level.upper():5} [{service}] {text}\n"


def write(folder: Path, *, lines: int, commits: int, seed: int) -> Incident:
    """Write the logs and the repository of an incident below `folder`."""
    logs, repository = folder / "logs", folder / "shop.git"
    logs.mkdir(parents=True)
    files = {name: (logs / f"{name}.log").open("w", encoding="utf-8") for name in SERVICES}
    try:
        written = _write_logs(files, lines, seed)
    finally:
        for file in files.values():
            file.close()
    culprit = _write_commits(repository, commits, seed)
    return Incident(logs, repository, written, commits, culprit)


def _kinds(service: str, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    for number in range(_PER_SERVICE):
        words = [rng.choice(_VERBS), rng.choice(_NOUNS), "%s"]
        for _ in range(2):
            words += [rng.choice(_LINKS), rng.choice(_NOUNS), rng.choice(_NOUNS), "%s"]
        words += rng.sample(_NOUNS, k=rng.randint(1, 4))
        level = "warn" if number % 33 == 32 else "debug" if number % 10 == 9 else "info"
        yield service, level, " ".join(words)


def _value(rng: random.Random) -> str:
    kind = rng.randrange(5)
    if kind == 0:
        return f"{rng.getrandbits(64):016x}"
    if kind == 1:
        return ".".join(str(rng.randrange(256)) for _ in range(4))
    if kind == 2:
        return f"{rng.random() * 900:.2f}ms"
    return str(rng.randrange(10 ** rng.randint(1, 7)))


def _write_logs(files: Mapping[str, TextIO], lines: int, seed: int) -> int:
    """Background lines with the incident mixed in; about `lines` in all."""
    rng = random.Random(seed + 1)
    written = 0
    failing = max(40, lines // 500)
    gap = (START + SPAN - ONSET) / failing
    failures = (ONSET + gap * n for n in range(failing))
    next_failure: datetime | None = next(failures)
    burst = START + timedelta(minutes=5)
    for at, service, level, text in messages(max(lines - 9 * failing, 1), seed):
        while next_failure is not None and next_failure <= at:
            written += _fail(files, next_failure, rng)
            next_failure = next(failures, None)
        if at >= burst:
            written += _compact(files["search"], burst)
            burst += timedelta(minutes=10)
        files[service].write(_line(at, service, level, text))
        written += 1
    return written


def _line(at: datetime, service: str, level: str, text: str) -> str:
    return f"{at.isoformat(timespec='milliseconds')} {level.upper():5} [{service}] {text}\n"


def _fail(files: Mapping[str, TextIO], at: datetime, rng: random.Random) -> int:
    order, total = rng.randrange(10**6), f"{rng.random() * 500:.3f}"
    trace = _TRACE.format(total)
    payment = _line(at, "payments", "error", f"charge for order {order} failed\n{trace}")
    files["payments"].write(payment)
    text = f"checkout of order {order} failed: payments answered status=500"
    files["checkout"].write(_line(at + timedelta(seconds=4), "checkout", "error", text))
    text = f'"POST /checkout HTTP/1.1" 502 {rng.randrange(200)} upstream checkout'
    files["gateway"].write(_line(at + timedelta(seconds=9), "gateway", "error", text))
    return payment.count("\n") + 2


def _compact(file: TextIO, at: datetime) -> int:
    for n in range(50):
        moment = at + timedelta(milliseconds=20 * n)
        file.write(_line(moment, "search", "error", f"segment {n} is locked, retrying compaction"))
    return 50


def _write_commits(repository: Path, commits: int, seed: int) -> str:
    """A bare repository with `commits` changes in the fortnight before the onset; the culprit's subject."""
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(repository))
    history = "".join(_history(commits, random.Random(seed + 2)))
    _git(f"--git-dir={repository}", "fast-import", "--quiet", stdin=history)
    return CULPRIT


def _git(*arguments: str, stdin: str = "") -> None:
    # Fixed words and our own temporary folder; whichever git the user has.
    subprocess.run(["git", *arguments], input=stdin.encode(), check=True)  # noqa: S603, S607


def _history(commits: int, rng: random.Random) -> Iterator[str]:
    guilty = max(0, commits - 3)
    for number in range(commits):
        age = timedelta(minutes=30 + 80 * (commits - 1 - number))
        path, subject = f"{rng.choice(SERVICES)}/{rng.choice(_NOUNS)}.py", "refactor"
        body = "\n".join(
            f"def {rng.choice(_VERBS)}_{rng.choice(_NOUNS)}_{n}(value):\n    return value + {rng.randrange(99)}"
            for n in range(rng.randint(5, 60))
        )
        if number == guilty:
            path, subject = "payments/money.py", CULPRIT
            body = (
                "def minor_units(total):\n    if total != round(total, 2):\n        raise AmountError(total)\n"
                "\n\nclass AmountError(ValueError):\n    pass"
            )
        moment = int((ONSET - age).timestamp())
        message = subject if number == guilty else f"{subject}: {path} {number}"
        yield (
            f"commit refs/heads/main\nmark :{number + 1}\n"
            f"committer Dev <dev@example.com> {moment} +0000\ndata {len(message)}\n{message}\n"
            f"M 100644 inline {path}\ndata {len(body)}\n{body}\n"
        )
