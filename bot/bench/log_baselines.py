"""What `bench logs` is compared with: simple orders of Drain3's templates.

Templates are mined over the normal log, else over the first 60 % of the incident's, and then over the rest.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adapters.kit.records import LogBatch

_EARLIER_SHARE = 0.6
_ERROR = re.compile(r"\b(?:ERROR|FATAL|FAIL(?:ED|URE)?|SEVERE|CRITICAL)\b|Exception|\b[Ee]rror\b")


@dataclass(slots=True)
class Entry:
    """One Drain3 template with what the orders look at."""

    number: int
    count: int = 0
    new: bool = True
    error: bool = False
    lines: list[int] = field(default_factory=list)
    services: list[str] = field(default_factory=list)


Order = Callable[[Sequence[Entry]], list[Entry]]

ORDERS: dict[str, Order] = {
    "random order": lambda entries: random.Random(7).sample(entries, len(entries)),
    "most frequent error": lambda entries: sorted(
        entries, key=lambda e: (not e.error, -e.count, e.number)
    ),
    "most frequent new": lambda entries: sorted(
        entries, key=lambda e: (not e.new, -e.count, e.number)
    ),
    "new, errors first": lambda entries: sorted(
        entries, key=lambda e: (not e.new, not e.error, -e.count, e.number)
    ),
}


def entries(incident: Sequence[LogBatch], normal: Sequence[LogBatch]) -> list[Entry]:
    """Drain3's templates of the incident's events, in the order in which they appear."""
    from drain3.drain import Drain

    drain = Drain()
    known: set[int] = set()
    for batch in normal:
        known.update(
            drain.add_log_message(_head(text))[0].cluster_id for text in batch.frame["text"]
        )
    total = sum(len(batch) for batch in incident)
    earlier = 0 if normal else int(total * _EARLIER_SHARE)
    found: dict[int, Entry] = {}
    seen = 0
    for batch in incident:
        for text, level, service, line in batch.frame.select(
            "text", "level", "service", "line"
        ).iter_rows():
            cluster = drain.add_log_message(_head(text))[0].cluster_id
            seen += 1
            if seen <= earlier:
                known.add(cluster)
            entry = found.setdefault(cluster, Entry(cluster))
            entry.count += 1
            entry.new = cluster not in known
            entry.error |= level in {"error", "fatal"} or bool(_ERROR.search(_head(text)))
            entry.lines.extend(range(line, line + 1 + (text or "").count("\n")))
            if service and service not in entry.services:
                entry.services.append(service)
    return list(found.values())


def _head(text: str | None) -> str:
    return (text or "").partition("\n")[0]
