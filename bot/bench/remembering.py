"""How fast the memory of incidents answers when it is large, and whether memory of the other kind stays flat."""

from __future__ import annotations

import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import insert

from bot.queue import Context
from bot.queue.submit import submit
from bot.queue.threads import ThreadQueue
from storage import search
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.models import Investigation, Memory

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2_000
QUERIES = 200
FIRST = 1_000_001
"""Numbers of made-up reports, far from those that the database gives."""
WORDS = 20_000
"""Of the made-up language, whose words are as frequent as Zipf's law has it."""
TELLING = 0.4
"""People search by words that tell something: the fifty most frequent (20,000 ** 0.4) are not among them."""

Figures = dict[str, float]


def run(url: str = "", reports: int = 100_000, investigations: int = 1_000) -> dict[str, object]:
    """Measure on `url`, or on an SQLite file made for the purpose. The database is left full.

    Returns:
        latencies in milliseconds by kind of search, and MiB of this process before and after the investigations.
    """
    rng = random.Random(6)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        db = Database(url or f"sqlite:///{Path(folder) / 'bench.db'}")
        db.migrate()
        try:
            memory = _memory(db, investigations)
            begun = time.perf_counter()
            _fill(db, reports, rng)
            filled = time.perf_counter() - begun
            return {
                "database": db.dialect,
                "reports": reports,
                "fill_s": round(filled, 1),
                "search_two_words": _timed(lambda: _search(db, " ".join(_words(rng, 2, TELLING)))),
                "search_one_word": _timed(lambda: _search(db, _words(rng, 1, TELLING)[0])),
                "similar": _timed(lambda: _alike(db, _words(rng, 24, TELLING)), QUERIES // 4),
                "memory_mib": memory,
            }
        finally:
            db.close()


def _words(rng: random.Random, count: int, least: float = 0.0) -> list[str]:
    return [f"w{int(WORDS ** rng.uniform(least, 1))}x" for _ in range(count)]


def _fill(db: Database, reports: int, rng: random.Random) -> None:
    end = FIRST + reports
    for start in range(FIRST, end, BATCH):
        numbers = range(start, min(start + BATCH, end))
        cases = [_case(number) for number in numbers]
        kept = [_kept(number, rng) for number in numbers]
        with db.write() as session:
            session.execute(insert(Investigation), cases)
            session.execute(insert(Memory), kept)


def _case(number: int) -> dict[str, object]:
    at = BEGUN + timedelta(minutes=number)
    return {
        "id": number,
        "workspace": "T1",
        "origin": f"bench-{number}",
        "door": "alert",
        "question": f"question {number}",
        "summary": f"summary {number}",
        "state": "done",
        "created_at": at,
        "updated_at": at,
    }


def _kept(number: int, rng: random.Random) -> dict[str, object]:
    return {
        "investigation_id": number,
        "workspace": "T1",
        "service": f"service{number % 40}",
        "at": BEGUN + timedelta(minutes=number),
        "cause": "a change",
        "words": " ".join(_words(rng, 64)),
        "features": {"patterns": [], "service": f"service{number % 40}"},
    }


def _search(db: Database, query: str) -> None:
    with db.read() as session:
        search.search(session, "T1", query)


def _alike(db: Database, words: list[str]) -> None:
    with db.read() as session:
        search.alike(session, "T1", words)


def _timed(once: Callable[[], None], times: int = QUERIES) -> Figures:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        once()
        took.append((time.perf_counter() - begun) * 1_000)
    cuts = statistics.quantiles(took, n=100)
    return {
        "p50_ms": round(cuts[49], 2),
        "p95_ms": round(cuts[94], 2),
        "max_ms": round(max(took), 2),
    }


def _memory(db: Database, investigations: int) -> Figures:
    """The peak after a tenth of the investigations, and after all: flat when both are about the same."""

    def handler(context: Context) -> None:
        context.emit("progress", {"text": "x" * 2_000})

    queue = ThreadQueue(db, {"investigate": handler})
    queue.start()
    peaks: list[float] = []
    for number in range(investigations):
        submit(db, queue, NewInvestigation(workspace="T2", origin=f"m{number}", door="api"))
        if number in {investigations // 10, investigations - 1}:
            peaks.append(_peak())
    queue.stop(30)
    return {"after_a_tenth": peaks[0], "after_all": peaks[-1]}


def _peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
