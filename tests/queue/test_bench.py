from __future__ import annotations

from bot.bench import remembering, storage


def test_the_benchmark_of_the_queue_measures_every_step() -> None:
    figures = storage.run(seconds=0.2, writers=2, starts=3)
    assert figures["database"] == "sqlite"
    for step in ("submit", "event", "claim", "hint_to_start"):
        measured = figures[step]
        assert isinstance(measured, dict)
        assert 0 < measured["p50_ms"] <= measured["max_ms"]


def test_the_benchmark_of_the_memory_measures_searches_and_this_process() -> None:
    figures = remembering.run(reports=300, investigations=20)
    for kind in ("search_two_words", "search_one_word", "similar", "memory_mib"):
        measured = figures[kind]
        assert isinstance(measured, dict)
        assert all(value > 0 for value in measured.values())
