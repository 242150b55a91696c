from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.records import Commit, Deploy, FileChange
from bot.analysis.findings import Example, Onset, Pattern, Suspect
from bot.analysis.frames import frames
from bot.analysis.suspects import Ranking, Symptom, rank

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def commit(
    number: int,
    title: str = "Tidy up",
    path: str = "",
    patch: str = "@@ -1 +1 @@\n-left = 1\n+left = 2",
    author: str = "Ada",
) -> Commit:
    """The `number`th commit before noon, an hour apart."""
    return Commit(
        source="local",
        repo="shop",
        sha=f"{number:040x}",
        title=title,
        message=title,
        author=author,
        committed_at=NOON - timedelta(hours=number),
        files=(FileChange(path=path or f"lib/part{number}.py", added=1, removed=1, patch=patch),),
    )


def others(count: int = 12) -> list[Commit]:
    return [commit(number) for number in range(1, count + 1)]


def ask(text: str, commits: list[Commit], **given: object) -> Ranking:
    symptom = Symptom(text=text, frames=frames(text))
    return rank(symptom, commits, **given)  # type: ignore[arg-type]


def terms(suspect: Suspect) -> dict[str, float]:
    return {term.name: term.weight for term in suspect.terms}


TRACE = """Traceback (most recent call last):
  File "/srv/shop/pay/charge.py", line 31, in refund_card
    gateway.settle(order)
AttributeError: 'Gateway' object has no attribute 'settle'
"""


def culprit(number: int) -> Commit:
    return commit(
        number,
        "Rename the gateway's methods",
        "pay/gateway.py",
        "@@ -9 +9 @@ class Gateway:\n-    def settle(self, order):\n+    def complete(self, order):",
    )


def test_a_change_that_removes_what_is_missing_is_first_and_says_why():
    commits = [*others(), culprit(13)]
    ranking = ask(TRACE, commits)
    first = ranking.suspects[0]
    assert (first.id, first.title) == ("C13", "Rename the gateway's methods")
    assert first.probability > ranking.none_of_these
    assert "removes what is missing" in terms(first)
    assert any("settle" in term.evidence for term in first.terms)


def test_the_change_that_last_wrote_the_failing_line_is_found_through_newer_changes():
    newer = commit(1, path="pay/charge.py", patch="@@ -1,0 +2,10 @@\n" + "+x\n" * 9 + "+x")
    wrote = commit(5, path="pay/charge.py", patch="@@ -21 +21 @@\n-a\n+b")
    ranking = ask(TRACE, [newer, *others()[1:4], wrote, *others()[5:]])
    by_id = {suspect.id: suspect for suspect in ranking.suspects}
    assert "last wrote the failing line" in terms(by_id["C5"])
    assert "last wrote the failing line" not in terms(by_id["C1"])


def test_terms_add_up_to_the_score_and_probabilities_to_one():
    ranking = ask(TRACE, [*others(), culprit(13)])
    for suspect in ranking.suspects:
        assert suspect.score == pytest.approx(sum(term.weight for term in suspect.terms))
    total = ranking.none_of_these + sum(suspect.probability for suspect in ranking.suspects)
    assert total == pytest.approx(1.0)
    assert [s.score for s in ranking.suspects] == sorted(
        (s.score for s in ranking.suspects), reverse=True
    )
    assert ranking.none_terms


def test_nothing_in_common_means_none_of_these():
    ranking = ask(TRACE, others())
    assert ranking.none_of_these > ranking.suspects[0].probability


def test_without_changes_it_was_none_of_them():
    ranking = ask(TRACE, [])
    assert (ranking.suspects, ranking.none_of_these) == ((), 1.0)


def test_who_wrote_a_change_does_not_matter():
    def scores(author: str) -> list[tuple[str, float]]:
        commits = [c.model_copy(update={"author": author}) for c in [*others(), culprit(13)]]
        return [(s.id, s.score) for s in ask(TRACE, commits).suspects]

    assert scores("Ada") == scores("settle Gateway refund_card")


def test_equal_input_gives_equal_output():
    commits = [*others(), culprit(13)]
    assert ask(TRACE, commits) == ask(TRACE, commits)


def test_documentation_and_tests_are_unlikely():
    text = "ValueError: refund_window is negative"
    patch = "@@ -1 +1 @@\n-refund_window = 7\n+refund_window = -7"
    code = commit(3, path="pay/rules.py", patch=patch)
    ranking = ask(text, [commit(1, path="docs/rules.md", patch=patch), commit(2), code])
    assert ranking.suspects[0].id == "C3"
    docs = next(s for s in ranking.suspects if s.id == "C1")
    assert terms(docs)["documentation only"] < 0


def onset(at: datetime) -> Onset:
    return Onset(at=at, earliest=at - timedelta(minutes=1), latest=at + timedelta(minutes=1))


def deploy(sha: str, at: datetime, status: str = "succeeded") -> Deploy:
    return Deploy(source="cd", service="shop", sha=sha, status=status, at=at)


def test_what_was_deployed_only_after_the_onset_is_pushed_down():
    commits = [culprit(1), *others()[1:6]]
    began = NOON + timedelta(hours=1)
    deploys = [
        deploy(commits[1].sha, began - timedelta(minutes=10)),
        deploy(commits[0].sha, began + timedelta(hours=2)),
    ]
    ranking = ask(TRACE, commits, deploys=deploys, onset=onset(began))
    late = next(s for s in ranking.suspects if s.id == "C1")
    assert late.deployed_at == began + timedelta(hours=2)
    assert terms(late)["deployed too late"] < -3
    shipped = next(s for s in ranking.suspects if s.id == "C2")
    assert terms(shipped)["deploy before onset"] > 1


def test_a_failed_deploy_ships_nothing():
    commits = [culprit(1), *others()[1:6]]
    began = NOON + timedelta(hours=1)
    deploys = [
        deploy(commits[0].sha, began - timedelta(minutes=5), status="failed"),
        deploy(commits[1].sha, began - timedelta(minutes=50)),
    ]
    late = next(
        s for s in ask(TRACE, commits, deploys=deploys, onset=onset(began)).suspects if s.id == "C1"
    )
    assert late.deployed_at is None
    assert "not deployed" in terms(late)


def test_a_deploy_without_a_sha_carries_what_was_committed_before_it():
    commits = others(6)
    began = NOON + timedelta(hours=1)
    ranking = ask(TRACE, commits, deploys=[deploy("", NOON)], onset=onset(began))
    assert {s.deployed_at for s in ranking.suspects} == {NOON}


AFTER = "committed after it began"


def test_what_was_committed_after_it_began_is_no_candidate():
    commits = [culprit(0), *others(6)]
    ranking = ask(TRACE, commits, as_of=NOON - timedelta(minutes=30))
    last = ranking.suspects[-1]
    assert (last.id, last.probability) == ("C1", 0.0)
    assert list(terms(last)) == [AFTER]
    assert "may be the fix" in last.terms[0].evidence
    rest = ask(TRACE, commits[1:], as_of=NOON - timedelta(minutes=30))
    assert [s.probability for s in ranking.suspects[:-1]] == [s.probability for s in rest.suspects]
    assert ranking.none_of_these == rest.none_of_these


def test_the_end_of_the_onset_and_the_alert_bound_what_can_have_caused_it():
    commits = [culprit(0), *others(6)]
    began = NOON - timedelta(minutes=10)
    for bound in ({"onset": onset(began)}, {"alert_at": began}):
        late = ask(TRACE, commits, as_of=NOON + timedelta(hours=1), **bound).suspects[-1]
        assert (late.id, late.probability, list(terms(late))) == ("C1", 0.0, [AFTER])


def test_clocks_of_two_hosts_may_differ_by_a_minute():
    commits = [culprit(0), *others(6)]
    ranking = ask(TRACE, commits, alert_at=NOON - timedelta(seconds=90))
    assert ranking.suspects[0].id == "C1"


def test_a_deploy_before_the_onset_outweighs_a_rewritten_commit_date():
    commits = [culprit(0), *others(6)]
    began = NOON - timedelta(minutes=10)
    rollout = [deploy(commits[0].sha, began - timedelta(minutes=5))]
    first = ask(TRACE, commits, onset=onset(began), deploys=rollout).suspects[0]
    assert first.id == "C1"
    assert AFTER not in terms(first)


def test_anomalous_log_patterns_are_part_of_the_symptom():
    pattern = Pattern(
        id="L1",
        template="<*>",
        kind="new",
        count=9,
        baseline_count=0,
        score=9.0,
        examples=(Example(source="files", text=TRACE),),
        frames=frames(TRACE),
    )
    symptom = Symptom(text="checkout returns 500", patterns=(pattern,))
    ranking = rank(symptom, [*others(), culprit(13)])
    assert ranking.suspects[0].id == "C13"


def test_hostile_text_is_read_in_bounded_time():
    pieces = ("a/" * 30_000, "'" * 30_000, "a." * 30_000, "aA_" * 30_000, "x-" * 30_000)
    evil = [
        commit(n, title=piece[:500], patch="@@ -1 +1 @@\n+" + piece)
        for n, piece in enumerate(pieces)
    ]
    start = time.process_time()
    for piece in pieces:
        ask(piece, evil)
    assert time.process_time() - start < 20


@settings(max_examples=60, deadline=None)
@given(
    symptom=st.text(max_size=300),
    titles=st.lists(st.text(max_size=60), max_size=5),
    patch=st.text(alphabet="@-+ 0123456789,\nabc_D", max_size=200),
)
def test_any_text_is_survived(symptom: str, titles: list[str], patch: str):
    ranking = ask(symptom, [commit(n, title, patch=patch) for n, title in enumerate(titles)])
    assert len(ranking.suspects) == len(titles)
    assert all(math.isfinite(suspect.score) for suspect in ranking.suspects)
