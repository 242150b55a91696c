from __future__ import annotations

from bot.bench import slack


def test_every_event_of_a_burst_and_a_stream_is_stored_once() -> None:
    figures = slack.run(events=40, connections=10, rate=20, seconds=1.0)
    assert (figures["events"], figures["lost"], figures["twice"]) == (61, 0, 0)
    for part in ("burst", "steady", "redelivered"):
        measured = figures[part]
        assert isinstance(measured, dict)
        assert measured["refused"] == 0
        assert 0 < measured["p50_ms"] <= measured["p99_ms"] <= measured["max_ms"]
