"""All evidence of one run under its ids: what was collected, and what the agents' own questions brought in addition.

A record that an agent finds gets an id of its own, so that a statement can cite it, the checks can look it up, and the
thread can show it later. Found twice, it keeps its id.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from bot.analysis.findings import Findings
from bot.report import Found, Records, texts

MOST_FOUND = 60
LONGEST = 20_000


class Shelf:
    """Evidence ids and the text that was seen behind each. Thread-safe."""

    def __init__(self, findings: Findings, records: Records) -> None:
        self._texts = texts(findings, records)
        self._found: dict[str, Found] = {}
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()
        self._last: dict[str, int] = {}
        self._count(self._texts)

    def _count(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key[1:].isdigit():
                self._last[key[0]] = max(self._last.get(key[0], 0), int(key[1:]))

    def remember(self, evidence: Mapping[str, Mapping[str, object]]) -> None:
        """Put what earlier runs of the same investigation found back under its ids."""
        with self._lock:
            for key, payload in evidence.items():
                told = payload.get("text")
                lines = (f"{name}: {value}" for name, value in payload.items())
                self._texts.setdefault(key, str(told or "\n".join(lines))[:LONGEST])
            self._count(evidence)

    def add(self, letter: str, kind: str, text: str, payload: Mapping[str, object]) -> str:
        """The id of a new record of this kind; empty when the shelf is full."""
        seen = text[:LONGEST]
        with self._lock:
            known = self._ids.get(f"{letter}{seen}")
            if known:
                return known
            if len(self._found) >= MOST_FOUND:
                return ""
            number = self._last.get(letter, 0) + 1
            self._last[letter] = number
            key = f"{letter}{number}"
            self._ids[f"{letter}{seen}"] = key
            self._texts[key] = seen
            self._found[key] = Found(id=key, kind=kind, text=seen, payload=dict(payload))
            return key

    def texts(self) -> dict[str, str]:
        """What claims are checked against, what was found in addition included."""
        with self._lock:
            return dict(self._texts)

    def found(self) -> tuple[Found, ...]:
        """What was found in addition, in the order in which it was."""
        with self._lock:
            return tuple(self._found.values())
