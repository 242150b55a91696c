"""Throws broken input at everything that reads what strangers write: `python -m tests.fuzz --seconds 60`.

A target takes any bytes and must neither raise nor hang. To add one, write it in the package of its tests and
name it in `TARGETS`. A finding is printed with the seed that makes it again.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Target = Callable[[bytes], object]

TARGETS: Mapping[str, str] = {
    "lines": "tests.adapters.lines.fuzzing:lines",
}
"""Name -> `module:function`; imported only when it runs."""

SLOW_S: Final = 5.0
_SEEDS: Final[Sequence[bytes]] = (
    b"2026-11-21T03:04:05.123Z web-1 checkout[812]: ERROR payment failed\n",
    b'{"ts":1795230245.123,"level":"error","msg":"boom","err":{"stack":"E: x\\n  at y"}}\n',
    b'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: x\n',
    b'<34>1 2026-11-21T03:04:05Z host app 1 ID47 [a b="c"] \xef\xbb\xbfhello\n',
    b'10.0.0.7 - - [21/Nov/2026:03:04:05 +0000] "GET / HTTP/1.1" 502 12 "-" "x"\n',
    b'level=warn ts=2026-11-21T03:04:05Z msg="a \\" b" err=x\n',
    b"2026-11-21T03:04:05.1Z stdout P part\n2026-11-21T03:04:05.2Z stdout F end\n",
    b"Feb 29 23:59:60 h p[1]: x\n31/Apr/2026:25:61:61 +9999\n99999999999999999999 x\n",
    b"\tat a.B.c(D.java:1)\nCaused by: x.Y: z\n\n\ngoroutine 1 [running]:\n",
)
_NASTY: Final[Sequence[bytes]] = (
    b"\0", b"\xff", b"\r", b"\n", b"\x1b[31m", b"\xed\xa0\x80", b"{", b"}", b'"', b"\\", b"[", b"=", b" ", b"\t",
    b"\xe2\x80\xa8", b"9" * 40, b"{" * 200, b'{"a":' * 50, b"%s", b"-1", b"1e999", b"\xef\xbb\xbf", b"A" * 5000,
)  # fmt: skip


def mutated(rng: random.Random, seeds: Sequence[bytes] = _SEEDS) -> bytes:
    """A few seeds put together and damaged."""
    data = bytearray(b"".join(rng.choices(seeds, k=rng.randint(1, 12))))
    for _ in range(rng.randint(0, 12)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[at:at] = rng.choice(_NASTY)
            case 1:
                del data[at : at + rng.randint(1, 20)]
            case 2:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case _:
                data[at:at] = data[at : at + rng.randint(1, 60)] * rng.randint(1, 4)
    return bytes(data)


def run(name: str, target: Target, seconds: float, seed: int) -> int:
    """Feed one target until its time is over; returns how many inputs it took.

    Raises:
        Exception: whatever the target raised, with the seed in a note.
    """
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        data = mutated(random.Random(seed + count))
        started = time.monotonic()
        try:
            target(data)
        except Exception as error:
            error.add_note(f"fuzz target {name}, seed {seed + count}, input {data[:2000]!r}")
            raise
        if time.monotonic() - started > SLOW_S:
            msg = f"fuzz target {name} took over {SLOW_S} s, seed {seed + count}"
            raise TimeoutError(msg)
        count += 1
    return count


def load(path: str) -> Target:
    """The function that an entry of `TARGETS` names."""
    module, _, function = path.partition(":")
    found: Target = getattr(importlib.import_module(module), function)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all targets, or those named, for about so many seconds together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; default all"
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    options = parser.parse_args(arguments)
    names = options.targets or list(TARGETS)
    for name in names:
        count = run(name, load(TARGETS[name]), options.seconds / len(names), options.seed)
        sys.stdout.write(f"{name}: {count} inputs, nothing found (seed {options.seed})\n")


if __name__ == "__main__":
    main()
