from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.kit.records import Commit, FileChange, LogBatch
from bot.analysis.engine import MAX_PATTERNS, analyse
from bot.analysis.findings import Findings, Pattern
from tests.analysis.streams import Said, at, batches, case, in_batches, plain
from tests.analysis.test_onset import BREAK, TRAFFIC


def named(findings: Findings, part: str) -> Pattern:
    return next(pattern for pattern in findings.patterns if part in pattern.template)


def test_the_new_error_comes_first_with_its_terms_and_lines() -> None:
    found = analyse(case(batches([*TRAFFIC, BREAK]), symptom="charge failures at pay"))
    first = found.patterns[0]
    assert (first.id, first.kind, first.service, first.level) == ("L1", "new", "pay", "error")
    assert first.template == "charge <*> failed: gateway refused"
    assert first.score == pytest.approx(sum(term.weight for term in first.terms))
    assert {"severity", "new", "starts at onset", "symptom"} <= {term.name for term in first.terms}
    assert first.first_seen == at("10:40:07")
    example = first.examples[0]
    assert example.text == "charge 1000 failed: gateway refused"
    assert example.origin == "app.log"
    assert len(example.before) == len(example.after) == 10
    assert sum(first.counts) == first.count == 299


def test_patterns_that_vanish_or_surge_are_told_from_steady_ones() -> None:
    said = [
        TRAFFIC[0],
        BREAK,
        Said(
            "paid order {n}", at("10:00:00"), at("10:40:00"), every_s=2, service="pay", level="info"
        ),
        Said("retry {n}", at("10:00:00"), at("10:40:00"), every_s=60, service="pay", level="warn"),
        Said("retry {n}", at("10:40:00"), at("11:00:00"), every_s=1, service="pay", level="warn"),
    ]
    found = analyse(case(batches(said)))
    assert named(found, "paid order").kind == "vanished"
    assert named(found, "paid order").baseline_count > 1000
    assert named(found, "retry").kind == "surging"
    assert not [p for p in found.patterns if "GET /cart" in p.template]


def test_a_fix_that_was_made_during_the_incident_is_not_blamed_for_it() -> None:
    words = "charge failed: gateway refused"
    fix = a_commit("2" * 40, f"Mend {words}", at("10:50:00"))
    broke = a_commit("1" * 40, "Speak to the gateway over TLS", at("10:30:00"))
    logs = case(batches([*TRAFFIC, BREAK]), symptom=words)
    found = analyse(replace(logs, commits=(fix, broke)))
    assert [(s.sha[0], s.probability > 0) for s in found.suspects] == [("1", True), ("2", False)]
    assert any("perhaps the fix: C1" in note for note in found.notes)


def a_commit(sha: str, title: str, when: datetime) -> Commit:
    patch = "@@ -1 +1 @@\n-charge failed\n+gateway refused"
    files = (FileChange(path="pay/charge.py", added=1, removed=1, patch=patch),)
    return Commit(
        source="git",
        repo="pay",
        sha=sha,
        title=title,
        message=title,
        author="A",
        committed_at=when,
        files=files,
    )


def test_a_burst_that_recurs_is_marked_and_sinks() -> None:
    bursts = [
        Said(
            "error while compacting {n}",
            at(f"10:{m:02}:00"),
            at(f"10:{m:02}:05"),
            every_s=1,
            times=9,
            level="error",
        )
        for m in (5, 15, 25, 35, 45, 55)
    ]
    found = analyse(case(batches([*TRAFFIC, BREAK, *bursts])))
    assert found.patterns[0].template.startswith("charge")
    compacting = [p for p in found.patterns if "compacting" in p.template]
    assert all(p.recurring and p.score < found.patterns[0].score - 2 for p in compacting)


def test_lines_without_times_are_ranked_by_severity_without_an_onset() -> None:
    lines = [f"step {n} done" for n in range(300)] + ["FATAL: disk image is corrupt"] + ["bye"] * 3
    found = analyse(case(plain(lines)))
    assert found.onset is None
    assert found.patterns[0].template == "FATAL: disk image is corrupt"
    assert found.patterns[0].first_seen is None
    assert found.patterns[0].examples[0].line == 301
    assert found.series == ()
    assert "no times" in found.notes[0]


def test_one_line_is_enough_for_a_finding() -> None:
    found = analyse(case(plain(["panic: runtime error: index out of range [3] with length 3"])))
    assert found.patterns[0].count == 1
    assert found.stats.lines == 1


UNDATED = [f"INFO request ok id={n}" for n in range(3000)]


def test_in_a_log_without_times_errors_lead_and_nothing_came_or_went() -> None:
    failures = [f"ERROR payment failed: timeout id={n}" for n in range(300)]
    for lines in (UNDATED + failures, failures + UNDATED, UNDATED[:300] + failures):
        found = analyse(case(plain(lines)))
        assert "payment failed" in found.patterns[0].template
        assert {p.kind for p in found.patterns} == {"seen"}
        assert not any(p.recurring for p in found.patterns)
        assert (found.patterns[0].count, found.patterns[0].baseline_count) == (300, 0)


def test_a_log_without_times_is_compared_with_a_baseline_but_not_by_position() -> None:
    common, once = "ERROR retry {}", "ERROR disk quota of volume exceeded"
    before = [*UNDATED, *(common.format(n) for n in range(300)), *["INFO bye now"] * 900]
    now = [*(common.format(n) for n in range(100)), *UNDATED[:1000], once]
    found = analyse(case(plain(now), plain(before)))
    kinds = {p.template: p.kind for p in found.patterns}
    assert found.patterns[0].template.endswith(once.removeprefix("ERROR "))
    assert found.patterns[0].kind == "new"
    assert not {"vanished", "dropping"} & set(kinds.values())
    assert not any(p.recurring for p in found.patterns)
    assert not any("bye" in template for template in kinds)


def burst(*minutes: int) -> list[Said]:
    text = "stock sync conflict {n}"
    return [
        Said(text, at(f"10:{m:02}:00"), at(f"10:{m:02}:20"), 1, level="warn", service="stock")
        for m in minutes
    ]


def test_a_job_that_merely_was_not_due_again_has_not_vanished() -> None:
    found = analyse(case(batches([*TRAFFIC, BREAK, *burst(5, 31)])))
    assert found.onset is not None
    assert not [p for p in found.patterns if "sync conflict" in p.template and p.kind != "steady"]


def test_a_job_that_missed_its_turn_twice_has_vanished() -> None:
    found = analyse(case(batches([*TRAFFIC, BREAK, *burst(*range(1, 40, 4))])))
    assert named(found, "sync conflict").kind == "vanished"


def test_a_window_without_lines_says_so() -> None:
    found = analyse(case([]))
    assert (found.patterns, found.onset, found.propagation) == ((), None, ())
    assert found.notes == ("The window holds no log lines.",)


def test_a_constant_log_is_not_an_incident() -> None:
    found = analyse(
        case(batches([Said("tick", at("10:00:00"), at("11:00:00"), every_s=1, level="info")]))
    )
    assert found.onset is None
    assert found.patterns == ()


def test_a_pattern_that_is_only_in_the_baseline_brings_its_example_from_there() -> None:
    before = [
        Said(
            "heartbeat {n}", at("08:00:00"), at("09:00:00"), every_s=1, service="pay", level="info"
        ),
        Said(
            "GET /cart/{n} ok",
            at("08:00:00"),
            at("09:00:00"),
            every_s=2,
            service="cart",
            level="info",
        ),
    ]
    found = analyse(case(batches([TRAFFIC[0]]), batches(before)))
    heartbeat = named(found, "heartbeat")
    assert heartbeat.kind == "vanished"
    assert heartbeat.examples[0].text.startswith("heartbeat")


def test_an_error_that_reports_another_service_ranks_below_that_service_s_own() -> None:
    said = [
        *TRAFFIC,
        Said(
            "store lost {n}",
            at("10:40:00"),
            at("11:00:00"),
            every_s=4,
            service="stock-service",
            level="error",
        ),
        Said(
            "no answer from stock-service {n}",
            at("10:40:00"),
            at("11:00:00"),
            4,
            service="cart",
            level="error",
        ),
    ]
    found = analyse(case(batches(said)))
    assert [p.service for p in found.patterns[:2]] == ["stock-service", "cart"]


def test_stack_frames_of_an_example_are_read() -> None:
    event = 'boom {n}\nTraceback (most recent call last):\n  File "shop/cart.py", line 7, in total\n    x\nKeyError: 1'
    crash = Said(event, at("10:40:00"), at("11:00:00"), every_s=5, service="cart", level="error")
    found = analyse(case(batches([*TRAFFIC, crash])))
    assert found.patterns[0].frames[0].file == "shop/cart.py"


def test_the_same_input_gives_the_same_findings_and_batch_sizes_do_not_matter() -> None:
    said = [*TRAFFIC, BREAK]
    once = analyse(case(batches(said)))
    assert analyse(case(batches(said))) == once
    assert analyse(case(batches(said, size=97))) == once


def test_the_order_of_lines_within_a_second_does_not_change_what_is_found() -> None:
    logs = batches([*TRAFFIC, BREAK])[0].frame
    shuffled = logs.sample(fraction=1.0, shuffle=True, seed=3).sort("time")
    one, other = analyse(case([LogBatch("t", logs)])), analyse(case([LogBatch("t", shuffled)]))
    bare = {"examples", "frames"}
    assert one.onset == other.onset
    assert [p.model_dump(exclude=bare) for p in one.patterns] == [
        p.model_dump(exclude=bare) for p in other.patterns
    ]


def test_no_more_patterns_than_people_read() -> None:
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghij", k=8)) for _ in range(60)]
    said = [
        Said(f"{w} {w[::-1]} error: {w}", at("10:40:00"), at("11:00:00"), 60, level="error")
        for w in words
    ]
    found = analyse(case(batches([*TRAFFIC, *said])))
    assert len(found.patterns) == MAX_PATTERNS
    assert [p.id for p in found.patterns] == [f"L{n}" for n in range(1, MAX_PATTERNS + 1)]


@given(
    st.lists(
        st.fixed_dictionaries(
            {"text": st.none() | st.text(max_size=80)},
            optional={
                "time": st.datetimes(at("09:00:00").replace(tzinfo=None)).map(
                    lambda t: t.replace(tzinfo=at("00:00:00").tzinfo)
                ),
                "level": st.sampled_from(["error", "info", "WEIRD", ""]),
                "service": st.text(max_size=5),
                "trace": st.text(max_size=2),
                "origin": st.sampled_from(["a", "b"]),
            },
        ),
        max_size=40,
    )
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_arbitrary_events_never_break_the_engine(rows: list[dict[str, object]]) -> None:
    logs = in_batches(rows, size=7)
    found = analyse(case(logs, logs[:2]))
    assert found == analyse(case(logs, logs[:2]))
    assert found.stats.lines == len(rows)
