from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from typing_extensions import override

from adapters.kit.capabilities import CommitQuery, LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LOG_SCHEMA, Commit, LogBatch, Page, Window
from bot.collect import Ask, collect
from bot.collect.store import LogStore
from bot.errors import UserError
from bot.sources import Service, Source, Sources

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WINDOW = Window(since=NOON - timedelta(hours=1), until=NOON)


def ask(**fields: object) -> Ask:
    return Ask(question="checkout fails", window=WINDOW, as_of=NOON, **fields)  # type: ignore[arg-type]


def batch(*texts: str, truncated: str = "") -> LogBatch:
    frame = pl.DataFrame({"text": list(texts)}).with_columns(
        **{name: pl.lit(None, dtype=kind) for name, kind in LOG_SCHEMA.items() if name != "text"}
    )
    return LogBatch("logs", frame.select(*LOG_SCHEMA), truncated=truncated)


def commit(sha: str, minutes: int, repo: str = "shop") -> Commit:
    return Commit(
        source="git", repo=repo, sha=sha, title=sha, committed_at=NOON - timedelta(minutes=minutes)
    )


class Git:
    """Answers with given pages and remembers what it was asked."""

    def __init__(self, *pages: Page[Commit], name: str = "git") -> None:
        self.name, self.pages, self.asked = name, pages, list[CommitQuery]()

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        self.asked.append(query)
        yield from self.pages


class Logs:
    def __init__(self, *batches: LogBatch, name: str = "logs") -> None:
        self.name, self.batches, self.asked = name, batches, list[LogQuery]()

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        self.asked.append(query)
        if query.window == WINDOW:
            yield from self.batches


class Failing:
    name = "broken"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        yield batch("one line before it broke")
        raise self.error


class Hanging:
    name = "slow"

    def __init__(self) -> None:
        self.release = threading.Event()

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        yield batch("what came in time")
        self.release.wait(10)
        yield batch("too late")


def sources(*adapters: object, services: tuple[Service, ...] = ()) -> Sources:
    def group(adapter: object) -> str:
        return "git_sources" if hasattr(adapter, "commits") else "log_sources"

    listed = tuple(Source(group(a), "fake", a.name, a) for a in adapters)  # type: ignore[attr-defined]
    return Sources(listed, services)


def lines(evidence) -> list[str]:
    return [text for held in evidence.logs for text in held.frame["text"].to_list()]


def test_all_sources_are_asked_and_their_answers_kept():
    git = Git(Page((commit("b", 1),)), Page((commit("a", 9),)))
    evidence = collect(sources(git, Logs(batch("x", "y"))), ask(), seconds=5)
    assert [c.sha for c in evidence.commits] == ["b", "a"]
    assert lines(evidence) == ["x", "y"]
    assert (evidence.asked, evidence.failed, evidence.gaps) == (2, 0, ())


def test_changes_are_looked_for_from_two_weeks_before():
    git = Git()
    collect(sources(git), ask(), seconds=5)
    assert git.asked[0].window == Window(since=WINDOW.since - timedelta(days=14), until=NOON)
    assert git.asked[0].at_least == 50


def dated(text: str, at: datetime) -> LogBatch:
    made = batch(text)
    return LogBatch("logs", made.frame.with_columns(time=pl.lit(at).cast(LOG_SCHEMA["time"])))


def test_the_same_hours_of_earlier_days_are_asked_for_as_a_baseline():
    class Archive(Logs):
        @override
        def logs(self, query: LogQuery) -> Iterator[LogBatch]:
            self.asked.append(query)
            yield dated("as ever", query.window.since)

    logs = Archive()
    evidence = collect(sources(logs), ask(), seconds=5)
    assert [(q.window.until - NOON).days for q in logs.asked] == [0, -1, -7]
    assert sum(len(held) for held in evidence.baseline) == 2


def test_without_earlier_days_the_time_just_before_is_the_baseline():
    logs = Logs(batch("x"))
    collect(sources(logs), ask(), seconds=5)
    assert logs.asked[-1].window == Window(
        since=NOON - timedelta(hours=2), until=NOON - timedelta(hours=1)
    )


def test_a_log_without_times_is_no_baseline_of_itself():
    class Undated(Logs):
        @override
        def logs(self, query: LogQuery) -> Iterator[LogBatch]:
            yield batch("ERROR no disk")

    evidence = collect(sources(Undated()), ask(), seconds=5)
    assert lines(evidence) == ["ERROR no disk"]
    assert len(evidence.baseline) == 0


def test_a_failing_source_becomes_a_gap_and_costs_only_its_own_part():
    broken = Failing(AdapterError("broken", Reason.AUTH, "the token may not read logs"))
    evidence = collect(sources(broken, Git(Page((commit("a", 1),)))), ask(), seconds=5)
    assert [(g.system, g.reason) for g in evidence.gaps] == [
        ("broken", "the token may not read logs")
    ]
    assert lines(evidence) == ["one line before it broke"]
    assert (evidence.asked, evidence.failed) == (2, 1)
    assert evidence.commits


def test_a_bug_in_an_adapter_is_a_gap_that_tells_nothing_internal():
    evidence = collect(sources(Failing(ValueError("password=hunter2"))), ask(), seconds=5)
    (gap,) = evidence.gaps
    assert "hunter2" not in gap.reason
    assert "our side" in gap.reason


def test_a_slow_source_becomes_a_gap_at_the_deadline_and_what_came_is_kept():
    slow = Hanging()
    evidence = collect(sources(slow), ask(), seconds=0.3)
    slow.release.set()
    assert lines(evidence) == ["what came in time"]
    assert "did not answer" in evidence.gaps[0].reason
    assert evidence.failed == 1


def test_stop_ends_the_waiting_at_once():
    slow, stop = Hanging(), threading.Event()
    stop.set()
    evidence = collect(sources(slow), ask(), seconds=60, cancelled=stop)
    slow.release.set()
    assert evidence.failed == 1


def test_a_cut_page_and_a_cut_batch_are_named():
    git = Git(Page((commit("a", 1),), truncated="only 100 commits are listed"))
    evidence = collect(sources(git, Logs(batch("x", truncated="cut at 1 GiB"))), ask(), seconds=5)
    assert {g.reason for g in evidence.gaps} == {"only 100 commits are listed", "cut at 1 GiB"}


def test_only_the_sources_of_the_service_are_asked():
    mine, other = Logs(name="mine"), Logs(name="other")
    catalogue = (Service(name="checkout", logs=("mine",)),)
    collect(sources(mine, other, services=catalogue), ask(service="Checkout"), seconds=5)
    assert mine.asked
    assert not other.asked


def test_an_unknown_service_is_refused_with_the_known_ones():
    catalogue = (Service(name="checkout"), Service(name="billing"))
    with pytest.raises(UserError, match=r"do not know.*billing, checkout"):
        collect(sources(services=catalogue), ask(service="chekout"), seconds=5)


def test_one_repository_keeps_its_own_order_and_several_are_merged_by_time():
    skewed = Git(Page((commit("new", 9), commit("old", 1))))
    assert [c.sha for c in collect(sources(skewed), ask(), seconds=5).commits] == ["new", "old"]
    two = Git(Page((commit("x", 9), commit("y", 1, repo="api"))))
    assert [c.sha for c in collect(sources(two), ask(), seconds=5).commits] == ["y", "x"]


def test_many_lines_go_to_disk_and_come_back_in_order():
    store = LogStore(memory_bytes=1)
    for number in range(5):
        store.append(batch(f"line {number}"))
    texts = [held.frame["text"][0] for held in store]
    assert texts == [held.frame["text"][0] for held in store] == [f"line {n}" for n in range(5)]
    store.close()
    assert len(store) == 0
