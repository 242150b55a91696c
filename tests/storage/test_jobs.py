"""Claims, leases and fences, on every database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage import jobs
from storage.db import Database
from storage.jobs import Limits, LostLease
from storage.models import Job
from tests.storage.databases import START, Clock, an_investigation

PLENTY = Limits(total=100, per_workspace=100)


def put(db: Database, *, workspace: str = "T1", after_s: float = 0, **more: object) -> Job:
    with db.write() as session:
        return jobs.enqueue(
            session,
            kind="investigate",
            workspace=workspace,
            payload={"n": 1},
            now=START + timedelta(seconds=after_s),
            **more,  # type: ignore[arg-type]
        )


def take(
    db: Database,
    *,
    owner: str = "w1",
    limits: Limits = PLENTY,
    after_s: float = 100,
    job_id: str | None = None,
    kinds: tuple[str, ...] | None = None,
) -> Job | None:
    with db.write() as session:
        return jobs.claim(
            session,
            owner=owner,
            lease_s=30,
            now=START + timedelta(seconds=after_s),
            limits=limits,
            job_id=job_id,
            kinds=kinds,
        )


def taken(db: Database, **how: object) -> Job:
    job = take(db, **how)  # type: ignore[arg-type]
    assert job is not None
    return job


def state(db: Database, job: Job) -> Job:
    with db.read() as session:
        found = jobs.get(session, job.id)
    assert found is not None
    return found


def test_a_claimed_job_is_running_under_a_lease(db: Database) -> None:
    queued = put(db)
    job = taken(db)
    assert (job.id, job.state, job.owner, job.attempt, job.fence) == (
        queued.id,
        "running",
        "w1",
        1,
        1,
    )
    assert job.lease_until == START + timedelta(seconds=130)
    assert take(db) is None


def test_racing_workers_never_get_the_same_job(db: Database) -> None:
    ids = {put(db).id for _ in range(30)}
    start = threading.Barrier(8)

    def work(owner: str) -> list[str]:
        start.wait()
        mine = []
        while (job := take(db, owner=owner)) is not None:
            mine.append(job.id)
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [job for mine in pool.map(work, map(str, range(8))) for job in mine]
    assert len(claimed) == 30
    assert set(claimed) == ids


def test_limits_hold_however_many_workers_race(db: Database) -> None:
    for workspace in ("T1", "T1", "T1", "T2", "T2", "T3", "T3"):
        put(db, workspace=workspace)
    limits = Limits(total=5, per_workspace=2)
    with ThreadPoolExecutor(8) as pool:
        got = [job for job in pool.map(lambda _: take(db, limits=limits), range(20)) if job]
    assert len(got) == 5
    assert max([job.workspace for job in got].count(name) for name in ("T1", "T2", "T3")) == 2


def test_people_go_before_alerts_and_a_quiet_workspace_before_a_busy_one(db: Database) -> None:
    first, second = (put(db, workspace="busy", after_s=n) for n in range(2))
    quiet = put(db, workspace="quiet", after_s=2)
    urgent = put(db, workspace="busy", after_s=3, priority=1)
    order = [taken(db).id for _ in range(4)]
    assert order == [urgent.id, quiet.id, first.id, second.id]


def test_a_job_waits_for_its_time(db: Database) -> None:
    put(db, run_after=START + timedelta(minutes=5))
    assert take(db, after_s=299) is None
    with db.read() as session:
        assert not jobs.due(session, START)
        assert jobs.due(session, START + timedelta(minutes=5))
    assert take(db, after_s=300) is not None


def test_one_job_can_be_claimed_by_its_id_and_only_kinds_that_are_known(db: Database) -> None:
    put(db)
    wanted = put(db)
    assert take(db, kinds=("digest",)) is None
    assert taken(db, job_id=wanted.id, kinds=("investigate",)).id == wanted.id
    assert take(db, job_id=wanted.id) is None


def test_an_open_dedupe_key_gives_the_same_job_and_a_finished_one_a_new_job(db: Database) -> None:
    first = put(db, dedupe_key="k")
    assert put(db, dedupe_key="k").id == first.id
    assert put(db, dedupe_key="k", workspace="T2").id != first.id
    job = taken(db, job_id=first.id)
    with db.write() as session:
        jobs.finish(session, job.id, job.fence, "done")
    assert put(db, dedupe_key="k").id != first.id


def test_a_heartbeat_extends_the_lease_and_brings_the_wish_to_cancel(db: Database) -> None:
    put(db)
    job = taken(db)
    with db.write() as session:
        beat = jobs.heartbeat(session, job.id, "w1", job.fence, 30, START + timedelta(hours=1))
    assert (beat.alive, beat.cancel_requested) == (True, False)
    assert state(db, job).lease_until == START + timedelta(hours=1, seconds=30)
    with db.write() as session:
        asked = jobs.request_cancel(session, job.id)
        assert asked is not None
        assert asked.state == "running"
        assert jobs.heartbeat(session, job.id, "w1", job.fence, 30, START).cancel_requested
    with db.read() as session:
        assert jobs.cancel_requested(session, job.id, job.fence)


def test_a_stale_fence_can_write_nothing(db: Database) -> None:
    put(db)
    old = taken(db)
    with db.write() as session:
        jobs.sweep(session, START + timedelta(minutes=10))
    new = taken(db, owner="w2", after_s=700)
    assert new.fence == old.fence + 1
    with db.write() as session:
        assert not jobs.heartbeat(session, old.id, "w1", old.fence, 30, START).alive
        with pytest.raises(LostLease):
            jobs.save_step(session, old.id, old.fence, "collect", {}, START)
        with pytest.raises(LostLease):
            jobs.finish(session, old.id, old.fence, "done")
        with pytest.raises(LostLease):
            jobs.retry_later(session, old.id, old.fence, START, "")
        with pytest.raises(LostLease):
            jobs.release(session, old.id, old.fence)
        jobs.save_step(session, new.id, new.fence, "collect", {"by": "new"}, START)
    with db.read() as session:
        assert jobs.steps(session, new.id) == {"collect": {"by": "new"}}
        assert jobs.saved_step(session, new.id, "report") is None


def test_an_expired_lease_is_swept_back_into_the_queue(db: Database) -> None:
    put(db)
    job = taken(db)
    with db.read() as session:
        assert not jobs.expired(session, START + timedelta(seconds=129))
        assert jobs.expired(session, START + timedelta(seconds=130))
    with db.write() as session:
        assert jobs.sweep(session, START + timedelta(seconds=129)) == jobs.Swept((), ())
        assert jobs.sweep(session, START + timedelta(seconds=130)).requeued == (job.id,)
    assert taken(db, after_s=131).attempt == 2


def test_a_job_that_kills_its_workers_ends_dead(db: Database) -> None:
    put(db, max_attempts=2)

    def attempt(after_s: float) -> tuple[Job, jobs.Swept]:
        job = taken(db, after_s=after_s)
        with db.write() as session:
            return job, jobs.sweep(session, START + timedelta(seconds=after_s + 50))

    job, swept = attempt(100)
    assert (swept.requeued, swept.dead) == ((job.id,), ())
    job, swept = attempt(200)
    assert [dead.id for dead in swept.dead] == [job.id]
    assert state(db, job).state == "dead"
    assert take(db, after_s=1_000) is None


def test_two_sweepers_report_a_dead_job_once(db: Database) -> None:
    for _ in range(10):
        put(db, max_attempts=1)
        taken(db)

    def sweep(_: int) -> int:
        with db.write() as session:
            return len(jobs.sweep(session, START + timedelta(hours=1)).dead)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sweep, range(4))) == 10


def test_a_cancelled_job_whose_worker_died_is_not_run_again(db: Database) -> None:
    put(db)
    job = taken(db)
    with db.write() as session:
        jobs.request_cancel(session, job.id)
        swept = jobs.sweep(session, START + timedelta(hours=1))
    assert [over.state for over in swept.dead] == ["cancelled"]


def test_a_waiting_job_is_cancelled_at_once_and_a_finished_one_not_at_all(db: Database) -> None:
    job = put(db)
    with db.write() as session:
        gone = jobs.request_cancel(session, job.id, now=START)
        assert gone is not None
        assert (gone.state, gone.finished_at) == ("cancelled", START)
        assert jobs.request_cancel(session, job.id) is None
    assert take(db) is None


def test_a_released_job_keeps_its_attempt_and_a_failed_one_spends_it(db: Database) -> None:
    put(db)
    job = taken(db)
    with db.write() as session:
        jobs.release(session, job.id, job.fence)
    job = taken(db)
    assert (job.attempt, job.fence) == (1, 2)
    with db.write() as session:
        jobs.retry_later(session, job.id, job.fence, START + timedelta(seconds=200), "boom")
    assert take(db, after_s=199) is None
    assert (taken(db, after_s=200).attempt, state(db, job).error) == (2, "boom")


def test_the_place_in_the_queue_counts_what_is_ahead(db: Database, clock: Clock) -> None:
    ids = [put(db, after_s=n).id for n in range(3)]
    limits = Limits(total=1, per_workspace=1)
    with db.read() as session:
        assert [jobs.position(session, job_id) for job_id in ids] == [0, 1, 2]
        assert [jobs.position(session, job_id, limits=limits) for job_id in ids] == [0, 1, 2]
    take(db)
    with db.read() as session:
        assert [jobs.position(session, job_id) for job_id in ids] == [0, 0, 1]
        assert [jobs.position(session, job_id, limits=limits) for job_id in ids] == [0, 1, 2]


def test_jobs_of_an_investigation_are_found(db: Database) -> None:
    case = an_investigation(db)
    first = put(db, investigation_id=case.id)
    second = put(db, investigation_id=case.id, after_s=1)
    put(db)
    with db.read() as session:
        found = jobs.for_investigation(session, case.id)
    assert [job.id for job in found] == [first.id, second.id]
