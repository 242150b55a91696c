"""The clock enqueues, once in a cluster; what it enqueues forgets, sums up and asks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from bot.config import Routine, Settings
from bot.errors import ConfigError
from bot.queue.chores import DIGEST, FORGET, HEALTH, chores, summary
from bot.queue.run import run_job
from bot.schedule import DAILY, SOON, Schedule
from bot.slack.periodic import announced, digest_drafts
from bot.sources import Source, Sources
from storage import evidence, investigations, jobs, outbox
from storage.db import Database
from storage.jobs import Limits
from storage.models import InvestigationState
from tests.storage.databases import START, Clock, an_investigation

MORNING = Routine(
    name="morning", cron="0 7 * * mon-fri", question="What changed?", channel="C1", hours=12
)

NOTHING = Sources()


def schedule(db: Database, told: list[str] | None = None, **settings: object) -> Schedule:
    return Schedule(
        db,
        Settings(**settings),  # type: ignore[arg-type]
        notify=(told if told is not None else []).append,
        announce=announced,
        workspace="T1",
    )


def run(db: Database, sources: Sources = NOTHING) -> None:
    kinds = chores(db, sources, digest_drafts, (365, 30))
    while run_job(db, None, kinds, owner="w", limits=Limits(4, 4)):
        pass


def test_a_tick_of_two_replicas_is_one_job(db: Database, clock: Clock) -> None:
    told: list[str] = []
    one, other = schedule(db, told), schedule(db, told)
    first = one.chore(FORGET, DAILY)
    assert first is not None
    assert other.chore(FORGET, DAILY) is None
    assert told == [first]
    run(db)
    clock.tick(DAILY.total_seconds())
    assert other.chore(FORGET, DAILY) is not None


def test_a_scheduled_question_is_an_investigation_with_a_root_message(
    db: Database, clock: Clock
) -> None:
    job_id = schedule(db).routine(MORNING)
    assert schedule(db).routine(MORNING) is None
    assert job_id is not None
    with db.read() as session:
        job = jobs.get(session, job_id)
        assert job is not None
        case = investigations.get(session, job.investigation_id or 0)
        rows = outbox.all_for(session, job.investigation_id or 0)
    assert case is not None
    assert (case.door, case.question, case.workspace) == ("schedule", "What changed?", "T1")
    assert case.since == START - timedelta(hours=12)
    assert job.priority == 7
    assert rows[0].kind == "root"
    clock.tick(86_400)
    assert schedule(db).routine(MORNING) is not None


def test_the_digest_is_said_once_a_week(db: Database, clock: Clock) -> None:
    case = an_investigation(db, service="checkout")
    with db.write() as session:
        suspects = [{"sha": "abcdef0123456789", "title": "Shrink the pool"}]
        investigations.save_report(
            session, case.id, {"suspects": suspects, "similar": [1]}, "likely", 0.8, "s", START
        )
        investigations.set_state(session, case.id, InvestigationState.DONE, START)
    clock.tick(60)
    for _ in range(2):
        schedule(db, digest_channel="C9").chore(DIGEST, timedelta(0))
        run(db)
    with db.read() as session:
        said = outbox.all_for(session, case.id + 1)
        assert investigations.get(session, case.id + 2) is None
    assert [(row.channel, row.kind) for row in said] == [("C9", "root")]
    shown = str(said[0].body)
    for part in ("The week in incidents: 1", "checkout", "Shrink the pool", "likely: 1"):
        assert part in shown


def test_an_empty_week_is_said_to_be_empty(db: Database) -> None:
    schedule(db, digest_channel="C9").chore(DIGEST, DAILY)
    run(db)
    with db.read() as session:
        assert "Nothing was investigated" in str(outbox.all_for(session, 1)[0].body)


def test_the_median_time_to_a_verdict_is_told(db: Database) -> None:
    case = an_investigation(db)
    case.finished_at = case.created_at + timedelta(seconds=42)
    told = summary([case], START, START + timedelta(days=7))
    assert told.verdict_s == 42


def test_forgetting_runs_until_nothing_is_left(db: Database, clock: Clock) -> None:
    cases = [an_investigation(db) for _ in range(450)]
    with db.write() as session:
        for case in cases:
            investigations.set_state(session, case.id, InvestigationState.DONE, START)
        evidence.save(session, cases[0].id, [("C1", "commit", {})])
    clock.tick(31 * 86_400)
    schedule(db).chore(FORGET, DAILY)
    run(db)
    with db.read() as session:
        assert evidence.all(session, cases[0].id) == []
        assert investigations.get(session, cases[0].id) is not None
    clock.tick(335 * 86_400)
    schedule(db).chore(FORGET, DAILY)
    run(db)
    with db.read() as session:
        assert investigations.recent(session, None, 10) == []


def test_sources_are_asked_whether_they_are_well(db: Database) -> None:
    asked: list[str] = []

    class Well:
        name = "well"

        def check(self) -> object:
            asked.append(self.name)
            return type("Check", (), {"ok": True, "detail": "", "version": ""})()

    sources = Sources(sources=(Source("log_sources", "files", "well", Well()),))
    schedule(db).chore(HEALTH, SOON)
    run(db, sources)
    assert asked == ["well"]


def test_the_clock_really_ticks(db: Database) -> None:
    ticked = threading.Event()
    every_second = Routine(name="now", cron="* * * * *", question="?", channel="C1")
    settings = Settings(routines=[every_second])
    clockwork = Schedule(
        db, settings, notify=lambda _: ticked.set(), announce=announced, workspace="T1"
    )
    clockwork.start()
    try:
        job = clockwork._scheduler.get_job("routine-0")
        job.modify(next_run_time=job.next_run_time - timedelta(minutes=1))
        assert ticked.wait(20)
    finally:
        clockwork.stop()


@pytest.mark.parametrize("wrong", [{"cron": "every day"}, {"tz": "Mars/Olympus"}])
def test_a_time_that_makes_no_sense_is_refused_at_the_start(
    db: Database, wrong: dict[str, str]
) -> None:
    bad = MORNING.model_copy(update=wrong)
    with pytest.raises(ConfigError, match="the schedule"):
        schedule(db, routines=[bad]).start()
