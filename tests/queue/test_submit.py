"""The way in: one transaction, then a hint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.queue.submit import Submitted, submit
from storage import inbox, investigations, jobs, outbox
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.outbox import Draft
from tests.queue.test_run import Hints, message
from tests.storage.databases import Clock


def new(origin: str, door: str = "slash") -> NewInvestigation:
    return NewInvestigation(workspace="T1", origin=origin, door=door, channel="C1")


def test_a_request_is_stored_whole_and_the_queue_is_told_afterwards(db: Database) -> None:
    queue = Hints()
    got = submit(db, queue, new("o1"), inbox=("slack", "Ev1"), drafts=[message("root")])
    assert (got.position, got.created, queue.told) == (0, True, [got.job_id])
    with db.write() as session:
        assert not inbox.remember(session, "slack", "Ev1", db.now(session))
        (job,) = jobs.for_investigation(session, got.investigation_id)
        assert (job.id, job.kind, job.state) == (got.job_id, "investigate", "queued")
        assert [row.section for row in outbox.all_for(session, got.investigation_id)] == ["root"]


def test_a_doubled_submit_gives_one_investigation(db: Database) -> None:
    queue = Hints()
    with ThreadPoolExecutor(8) as pool:
        got = list(
            pool.map(
                lambda n: submit(
                    db, queue, new("o1"), inbox=("slack", f"Ev{n}"), drafts=[message("root")]
                ),
                range(8),
            )
        )
    assert len({(one.investigation_id, one.job_id) for one in got}) == 1
    assert sum(one.created for one in got) == 1
    assert len(queue.told) == 1


def test_an_event_remembered_without_its_investigation_is_done_now(db: Database) -> None:
    with db.write() as session:
        inbox.remember(session, "slack", "Ev1", db.now(session))
    assert submit(db, Hints(), new("o1"), inbox=("slack", "Ev1")).created


def test_more_than_can_run_are_told_their_place(db: Database, clock: Clock) -> None:
    def drafts(submitted: Submitted) -> list[Draft]:
        return [message("root", text=f"#{submitted.investigation_id}, place {submitted.position}")]

    got = []
    for n in range(6):
        got.append(submit(db, Hints(), new(f"o{n}"), drafts=drafts))
        clock.tick(1)
    assert [one.position for one in got] == [0, 0, 0, 0, 1, 2]
    with db.read() as session:
        (first,) = outbox.all_for(session, got[5].investigation_id)
    assert first.body["text"] == f"#{got[5].investigation_id}, place 2"


def test_people_go_before_alerts_and_alerts_before_schedules(db: Database) -> None:
    queue = Hints()
    got = [submit(db, queue, new(door, door)) for door in ("schedule", "alert", "mention")]
    with db.read() as session:
        places = [jobs.position(session, one.job_id) for one in got]
    assert places == [2, 1, 0]


def test_nothing_is_left_of_a_request_that_cannot_be_stored_whole(db: Database) -> None:
    queue = Hints()

    def broken(_: Submitted) -> list[Draft]:
        raise KeyError

    with pytest.raises(KeyError):
        submit(db, queue, new("o1"), inbox=("slack", "Ev1"), drafts=broken)
    assert queue.told == []
    with db.write() as session:
        assert investigations.recent(session, None, 10) == []
        assert inbox.remember(session, "slack", "Ev1", db.now(session))
