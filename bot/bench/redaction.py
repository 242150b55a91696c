"""How fast secrets are taken out of log text, and that no text makes it slow."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from bot.redact import Redactor

MEGABYTES = 24
_HOSTILE_CHARS = 400_000
# Longest first try of each rule, over and over: what would be quadratic shows here.
_HOSTILE = {
    "letters": "a",
    "keys": "password=",
    "unclosed quotes": 'token="',
    "nested calls": "secret=f(",
    "addresses": "a.b-c@d.e-",
    "urls": "postgres://u:p",
    "private keys": "-----BEGIN RSA PRIVATE KEY-----\n",
    "digits": "4111-",
    "escapes": '\\\\\\"password\\\\\\":',
    "tokens": "eyJhbGciOiJI.",
    "commands": "curl -u mysql -p ",
    "cookies": "cookie: ",
}


def run(megabytes: int = MEGABYTES, seed: int = 1) -> dict[str, object]:
    """Measure. CPU time of one thread; sizes in 10^6 bytes.

    Returns:
        `mb_per_s` of a whole log text, `mb_per_s_by_line` for one call a line, the secrets found, and the slowest
        of the hostile texts with its speed.
    """
    lines = list(_lines(megabytes * 1_000_000, random.Random(seed)))
    text = "\n".join(lines)
    whole = Redactor()
    whole_s = _seconds(whole, [text])
    some = lines[: max(1, len(lines) // 8)]
    some_mb = sum(len(line.encode()) for line in some) / 1e6
    hostile = {
        name: round(
            _HOSTILE_CHARS / 1e6 / _seconds(Redactor(), [unit * (_HOSTILE_CHARS // len(unit))]), 2
        )
        for name, unit in _HOSTILE.items()
    }
    slowest = min(hostile, key=lambda name: hostile[name])
    return {
        "megabytes": round(len(text.encode()) / 1e6, 1),
        "lines": len(lines),
        "mb_per_s": round(len(text.encode()) / 1e6 / whole_s, 1),
        "mb_per_s_by_line": round(some_mb / _seconds(Redactor(), some), 1),
        "found": dict(sorted(whole.found.items())),
        "slowest_hostile": slowest,
        "slowest_hostile_mb_per_s": hostile[slowest],
    }


def _seconds(redactor: Redactor, texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        redactor.text(text)
    return max(time.process_time() - started, 1e-6)


def _lines(size: int, rng: random.Random) -> Iterator[str]:
    """Log lines as services write them: about one in thirty holds a secret, one in eight a word that announces one."""
    written = 0
    second = 0
    while written < size:
        second += 1
        stamp = f"2026-11-21T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{second % 1000:03}Z"
        line = _line(stamp, rng)
        written += len(line) + 1
        yield line


def _line(stamp: str, rng: random.Random) -> str:
    kind = rng.random()
    service = rng.choice(("checkout", "payments", "cart", "web"))
    trace = f"{rng.getrandbits(128):032x}"
    if kind < 0.45:
        return (
            f"{stamp} INFO {service} handled path=/api/v1/items/{rng.randint(1, 99_999)} status=200"
            f" dur_ms={rng.randint(1, 900)} host=ip-10-0-{rng.randint(0, 255)}-7 trace={trace}"
        )
    if kind < 0.75:
        return f'{{"ts":"{stamp}","level":"info","svc":"{service}","msg":"handled","trace_id":"{trace}"}}'
    if kind < 0.87:
        return f'10.0.0.3 - - [{stamp}] "GET https://shop.example.com/x?a={rng.randint(1, 999)} HTTP/1.1" 200 512'
    if kind < 0.97:
        return f"{stamp} WARN {service} token expired for user_id={rng.randint(1, 999)} key=cart:{trace[:8]}"
    if kind < 0.985:
        return f"{stamp} INFO {service} login user=u{rng.randint(1, 99)}@example.com password=p{trace[:6]}"
    return f"{stamp} DEBUG {service} > Authorization: Bearer {trace}{trace} GET /v1/pay"
