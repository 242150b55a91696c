"""Writes the demo's world: the service's git repository and the logs of an incident in it."""

from __future__ import annotations

import json
import random
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.demo.base import BASE
from bot.demo.history import CHANGES, Change

LOGS_BEGIN = timedelta(hours=3)
DEPLOYED = timedelta(minutes=11)
BROKE = timedelta(minutes=10)
SECONDS_PER_ORDER = 0.9
GIFT_CARDS = 0.34
"""Share of orders without a shipping address: the ones that the guilty change breaks."""


@dataclass(frozen=True)
class Shop:
    """Where the demo's world lies, and the truth that its report is held against."""

    repository: Path
    logs: Path
    guilty_sha: str
    broke_at: datetime
    lines: int
    commits: int


def build(folder: Path, now: datetime, seed: int = 7) -> Shop:
    """Write repository and logs below `folder`, as if the alert fired at `now` (aware UTC)."""
    repository, logs = folder / "shop", folder / "logs"
    shas = _write_history(repository, now)
    lines = _write_logs(logs, now, random.Random(seed))
    guilty = next(sha for change, sha in shas if change.guilty)
    return Shop(repository, logs, guilty, now - BROKE, lines, len(shas) + 1)


def _git(repository: Path, *args: str, data: bytes | None = None) -> str:
    command = ["git", "-C", str(repository), "-c", "core.hooksPath=/dev/null", *args]
    done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=30)  # noqa: S603
    return done.stdout.decode()


def _write_history(repository: Path, now: datetime) -> list[tuple[Change, str]]:
    repository.mkdir(parents=True)
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _git(repository, "fast-import", "--quiet", data=_stream(now))
    _git(repository, "reset", "--quiet", "--hard", "main")
    shas = _git(repository, "log", "--format=%H", "--reverse", "main").split()
    return list(zip(CHANGES, shas[1:], strict=True))


def _stream(now: datetime) -> bytes:
    """A `git fast-import` stream: one process writes the whole history (git-fast-import(1))."""
    first = Change(timedelta(days=28), "Maya Lindqvist", "Begin the checkout", ())
    files, out = dict(BASE), [_commit(first, now, BASE)]
    for change in CHANGES:
        changed = {}
        for path, old, new in change.edits:
            files[path] = files[path].replace(old, new, 1)
            changed[path] = files[path]
        out.append(_commit(change, now, changed))
    return b"".join(out)


def _commit(change: Change, now: datetime, files: dict[str, str]) -> bytes:
    name = change.author
    who = f"{name} <{name.split()[0].lower()}@shop.example> {int((now - change.before).timestamp())} +0000"
    message = f"{change.title}\n\n{change.body}".strip() + "\n"
    parts = [f"commit refs/heads/main\nauthor {who}\ncommitter {who}\n{_data(message)}"]
    parts += [f"M 100644 inline {path}\n{_data(text)}" for path, text in files.items()]
    return "".join(parts).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _write_logs(folder: Path, now: datetime, rng: random.Random) -> int:
    folder.mkdir(parents=True)
    events = sorted(_events(now, rng), key=lambda event: event[0])
    texts: dict[str, list[str]] = {}
    for at, name, text in events:
        texts.setdefault(name, []).append(_line(name, at, text))
    for name, lines in texts.items():
        (folder / f"{name}.log").write_text("\n".join(lines) + "\n")
    return sum(text.count("\n") + 1 for lines in texts.values() for text in lines)


Event = tuple[datetime, str, str]


def _line(name: str, at: datetime, text: str) -> str:
    if name == "gateway":
        fields = json.loads(text)
        return json.dumps(
            {"time": at.isoformat(timespec="milliseconds"), "service": "gateway", **fields}
        )
    if name == "checkout":
        return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d} {text}"
    return f"{at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')} {text}"


def _events(now: datetime, rng: random.Random) -> Iterator[Event]:
    moment, end = now - LOGS_BEGIN, now + timedelta(seconds=20)
    number = 48_000
    while moment < end:
        moment += timedelta(seconds=rng.expovariate(1 / SECONDS_PER_ORDER))
        number += 1
        yield from _order(moment, number, now, rng)
        for _ in range(rng.randrange(3)):
            at = moment + timedelta(seconds=rng.random())
            path = rng.choice(("/api/products", "/api/search?q=lamp", "/api/cart", "/"))
            yield at, "gateway", _access("GET", path, 200, rng)
    yield from _background(now, end, rng)
    yield from _deploy(now, rng)


def _access(method: str, path: str, status: int, rng: random.Random, ms: int = 40) -> str:
    level = "error" if status >= 500 else "info"
    took = int(rng.gammavariate(3, ms / 3))
    request = uuid.UUID(int=rng.getrandbits(128)).hex[:16]
    return json.dumps(
        {
            "level": level,
            "msg": "request",
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": took,
            "request_id": request,
        }
    )


def _order(at: datetime, number: int, now: datetime, rng: random.Random) -> Iterator[Event]:
    step, order = timedelta(milliseconds=rng.randint(8, 30)), f"o-{number}"
    yield at, "checkout", f"INFO checkout order {order}: {rng.randint(1, 9)} lines"
    yield (
        at + step,
        "inventory",
        f"level=info service=inventory msg=reserved order={order} took={rng.randint(2, 9)}ms",
    )
    if at >= now - BROKE and rng.random() < GIFT_CARDS:
        yield (
            at + 2 * step,
            "checkout",
            f"ERROR checkout POST /checkout failed for order {order}\n{TRACE}",
        )
        yield at + 3 * step, "gateway", _access("POST", "/api/checkout", 500, rng, 60)
        return
    if rng.random() < 0.01:
        yield at + 2 * step, "checkout", f"WARNING checkout order {order} declined"
        yield at + 3 * step, "gateway", _access("POST", "/api/checkout", 402, rng, 300)
        return
    ms = int(rng.gammavariate(4, 45))
    yield at + 2 * step, "payments", f"INFO payments charge accepted reference={order} in {ms} ms"
    yield (
        at + 3 * step,
        "checkout",
        f"INFO checkout order {order} paid, receipt r-{rng.randrange(10**9):09d}",
    )
    yield at + 3 * step, "gateway", _access("POST", "/api/checkout", 201, rng, ms)


TRACE = """Traceback (most recent call last):
  File "/srv/app/.venv/lib/python3.12/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
  File "/srv/app/.venv/lib/python3.12/site-packages/flask/app.py", line 917, in full_dispatch_request
    rv = self.dispatch_request()
  File "/srv/app/checkout/api.py", line 22, in post_checkout
    receipt = payments.charge(order, total)
  File "/srv/app/checkout/payments.py", line 16, in charge
    country = order.shipping_address.country
AttributeError: 'NoneType' object has no attribute 'country'"""


def _background(now: datetime, end: datetime, rng: random.Random) -> Iterator[Event]:
    """What every real log is full of: health checks, a noisy nightly sync, a slow query now and then."""
    moment = now - LOGS_BEGIN
    while moment < end:
        moment += timedelta(seconds=10)
        yield moment, "gateway", _access("GET", "/health", 200, rng, 3)
        if rng.random() < 0.05:
            yield (
                moment,
                "payments",
                f"WARN payments slow answer from acquire: {rng.randint(1500, 3200)} ms",
            )
        if moment.minute % 30 == 0 and moment.second < 10:
            for _ in range(rng.randint(150, 220)):
                at = moment + timedelta(seconds=rng.random() * 20)
                yield (
                    at,
                    "inventory",
                    f'level=warn service=inventory msg="stock sync conflict" sku=sku-{rng.randint(1, 4000)} retry={rng.randint(1, 3)}',
                )


def _deploy(now: datetime, rng: random.Random) -> Iterator[Event]:
    at = now - DEPLOYED
    yield at, "checkout", "INFO checkout starting version 2.31.0"
    for i in range(4):
        yield (
            at + timedelta(seconds=3 * i + rng.random()),
            "checkout",
            f"INFO checkout worker {i} ready, listening on port 8080",
        )


def alert(now: datetime) -> dict[str, object]:
    """What Alertmanager posts to Slack for this incident (its default template with the usual labels)."""
    title = "[FIRING:1] CheckoutHighErrorRate (checkout critical)"
    link = "https://alertmanager.shop.example/#/alerts?receiver=slack"
    text = (
        "*Alert:* Checkout answers 5xx for more than 10 % of requests - `critical`\n"
        "*Description:* 33 % of POST /api/checkout failed over the last 5 minutes\n"
        "*Details:*\n • *alertname:* `CheckoutHighErrorRate`\n • *service:* `checkout`\n • *severity:* `critical`\n"
        f" • *startsAt:* `{(now - timedelta(minutes=5)).isoformat(timespec='seconds').replace('+00:00', 'Z')}`\n"
    )
    attachment = {
        "color": "danger",
        "title": title,
        "title_link": link,
        "text": text,
        "fallback": f"{title} | {link}",
        "mrkdwn_in": ["text"],
    }
    return {"text": "", "attachments": [attachment]}
