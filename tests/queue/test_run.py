"""One attempt at one job, on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from pydantic import BaseModel
from sqlmodel import Session
from typing_extensions import override

from bot.errors import UserError
from bot.queue import Context, Handler
from bot.queue.run import Desk, Timing, run_job, sweep
from bot.queue.submit import cancel, submit
from storage import events, evidence, investigations, jobs, outbox
from storage.db import BusyError, Database
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from storage.models import Investigation, Job, OutboxMessage
from storage.outbox import Draft
from tests.storage.databases import Clock

LIMITS = Limits(total=4, per_workspace=4)
QUICK = Timing(lease_s=30, heartbeat_s=0.05, look_s=0.02, limit_s=10, polite_s=0.05)


class Note(BaseModel):
    text: str


class Hints:
    """A queue that runs nothing and remembers what it was told."""

    limits = LIMITS

    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self) -> None: ...

    def notify(self, job_id: str) -> None:
        self.told.append(job_id)

    def stop(self, grace_s: float) -> None: ...


def message(section: str, seq: int = 1, text: str = "hello") -> Draft:
    return Draft(section, seq, "message", "C1", {"text": text})


def asked(db: Database, origin: str = "o1", door: str = "slash") -> tuple[int, str]:
    new = NewInvestigation(workspace="T1", origin=origin, door=door, channel="C1", thread_ts="1.0")
    submitted = submit(db, Hints(), new)
    return submitted.investigation_id, submitted.job_id


def run(db: Database, handler: Handler, job_id: str | None = None, **more: object) -> bool:
    how: dict[str, object] = {"owner": "w1", "limits": LIMITS, "timing": QUICK}
    return run_job(db, job_id, {"investigate": handler}, **(how | more))  # type: ignore[arg-type]


def the_job(db: Database, job_id: str) -> Job:
    with db.read() as session:
        job = jobs.get(session, job_id)
    assert job is not None
    return job


def the_case(db: Database, number: int) -> Investigation:
    with db.read() as session:
        case = investigations.get(session, number)
    assert case is not None
    return case


def said(db: Database, number: int) -> list[OutboxMessage]:
    with db.read() as session:
        return outbox.all_for(session, number)


def obituary(job: Job) -> list[Draft]:
    return [message("end", 9, f"{job.state}: {job.error}")]


def looks(text: str) -> Handler:
    def handler(context: Context) -> None:
        context.stage(
            "look", lambda: Note(text=text), Note, lambda note: [message("report", text=note.text)]
        )

    return handler


@pytest.fixture
def free() -> Iterator[threading.Event]:
    """What a handler that hangs waits for; let go, and waited for, at the end of the test."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name.startswith("job-"):
            thread.join(10)


def test_a_stage_is_kept_with_its_messages_and_what_it_saves(db: Database) -> None:
    number, job_id = asked(db)

    def handler(context: Context) -> None:
        note = context.stage(
            "look",
            lambda: Note(text="seen"),
            Note,
            render=lambda note: [message("report", text=note.text)],
            save=lambda session, note: evidence.save(
                session, context.investigation_id, [("L1", "pattern", {"t": note.text})]
            ),
        )
        context.emit("progress", {"note": note.text})

    assert run(db, handler)
    assert the_job(db, job_id).state == "done"
    assert the_case(db, number).state == "done"
    assert [row.body for row in said(db, number)] == [{"text": "seen"}]
    with db.read() as session:
        assert [item.key for item in evidence.all(session, number)] == ["L1"]
        log = [(event.kind, event.payload) for event in events.since(session, number)]
    assert log == [
        ("state", {"state": "running", "attempt": 1}),
        ("progress", {"note": "seen"}),
        ("state", {"state": "done", "attempt": 1}),
    ]


def test_there_is_nothing_to_run_in_an_empty_queue(db: Database) -> None:
    assert not run(db, lambda context: None)


def test_doubled_and_late_hints_are_harmless(db: Database) -> None:
    _, job_id = asked(db)
    ran: list[str] = []
    for _ in range(3):
        run(db, lambda context: ran.append(context.job_id), job_id)
    assert not run(db, lambda context: None, "no-such-job")
    assert ran == [job_id]


def test_an_attempt_resumes_after_the_last_saved_stage(db: Database, clock: Clock) -> None:
    _, job_id = asked(db)
    ran: list[str] = []

    def note(name: str) -> Note:
        ran.append(name)
        return Note(text=name)

    def handler(context: Context) -> None:
        first = context.stage("first", lambda: note("first"), Note)
        if the_job(db, job_id).attempt == 1:
            raise OSError
        context.stage("second", lambda: note(f"second after {first.text}"), Note)

    run(db, handler)
    assert (the_job(db, job_id).state, the_job(db, job_id).error) == ("queued", "OSError")
    assert not run(db, handler)
    clock.tick(10)
    run(db, handler)
    assert ran == ["first", "second after first"]
    assert the_job(db, job_id).state == "done"


def test_a_stage_that_another_release_saved_is_run_again(db: Database) -> None:
    _, job_id = asked(db)

    class Older(BaseModel):
        words: list[str]

    def older(context: Context) -> None:
        context.stage("look", lambda: Older(words=[]), Older)
        raise OSError

    run(db, older, timing=Timing(backoff_s=0))
    run(db, looks("new"))
    with db.read() as session:
        assert jobs.steps(session, job_id) == {"look": {"text": "new"}}


def test_a_poison_job_ends_dead_and_its_thread_is_told(db: Database, clock: Clock) -> None:
    number, job_id = asked(db)

    def poison(context: Context) -> None:
        msg = "/etc/passwd"
        raise RuntimeError(msg)

    for _ in range(5):
        assert run(db, poison, on_dead=obituary)
        clock.tick(100)
    assert not run(db, poison, on_dead=obituary)
    job = the_job(db, job_id)
    assert (job.state, job.attempt, the_case(db, number).state) == ("dead", 5, "failed")
    assert [row.body["text"] for row in said(db, number)] == ["dead: RuntimeError"]


def test_words_that_make_no_sense_end_the_job_at_once(db: Database) -> None:
    number, job_id = asked(db)

    def handler(context: Context) -> None:
        msg = "There is no service “chekout”."
        raise UserError(msg)

    run(db, handler, on_dead=obituary)
    assert the_job(db, job_id).state == "failed"
    assert [row.body["text"] for row in said(db, number)] == [
        "failed: There is no service “chekout”."
    ]


def test_a_message_that_cannot_be_made_does_not_keep_the_job_open(db: Database) -> None:
    _, job_id = asked(db)

    def broken(job: Job) -> list[Draft]:
        raise KeyError(job.id)

    def handler(context: Context) -> None:
        raise UserError

    run(db, handler, on_dead=broken)
    assert the_job(db, job_id).state == "failed"


def test_a_worker_that_lost_its_job_can_write_nothing(db: Database, clock: Clock) -> None:
    number, job_id = asked(db)
    stalled, go_on = threading.Event(), threading.Event()

    def slow(context: Context) -> None:
        def step() -> Note:
            stalled.set()
            go_on.wait(10)
            return Note(text="old")

        context.stage("look", step, Note, render=lambda _: [message("report", text="old")])

    never = Timing(heartbeat_s=1_000, look_s=5)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run, db, slow, timing=never)
        stalled.wait(10)
        clock.tick(31)
        assert sweep(db) == (job_id,)
        run(db, looks("new"), owner="w2")
        go_on.set()
        assert first.result(10)
    assert [row.body for row in said(db, number)] == [{"text": "new"}]
    with db.read() as session:
        assert jobs.steps(session, job_id) == {"look": {"text": "new"}}
    assert the_job(db, job_id).state == "done"


def test_a_lost_lease_is_noticed_by_the_heartbeat(
    db: Database, clock: Clock, free: threading.Event
) -> None:
    _, job_id = asked(db)
    seen: list[Context] = []

    def handler(context: Context) -> None:
        seen.append(context)
        clock.tick(31)
        sweep(db)
        free.wait(10)

    assert run(db, handler)
    assert seen[0].cancelled.is_set()
    assert the_job(db, job_id).state == "queued"


def test_the_lease_is_kept_while_the_handler_works(db: Database, clock: Clock) -> None:
    _, job_id = asked(db)

    def handler(context: Context) -> None:
        before = the_job(db, job_id).lease_until
        clock.tick(20)
        until = threading.Event()
        for _ in range(500):
            if the_job(db, job_id).lease_until != before:
                return
            until.wait(0.01)
        pytest.fail("no heartbeat")

    run(db, handler)
    assert the_job(db, job_id).state == "done"


class Flaky(Database):
    """A database that can be out of reach for writers."""

    away = False

    @override
    @contextmanager
    def write(self) -> Iterator[Session]:
        if self.away:
            raise BusyError
        with super().write() as session:
            yield session


@pytest.fixture
def flaky(url: str, clock: Clock) -> Iterator[Flaky]:
    database = Flaky(url, clock=clock)
    yield database
    database.close()


def test_a_missed_heartbeat_is_made_up_for(flaky: Flaky, free: threading.Event) -> None:
    _, job_id = asked(flaky)

    def handler(context: Context) -> None:
        flaky.away = True
        context.cancelled.wait(0.2)
        flaky.away = False
        looks("seen")(context)

    run(flaky, handler)
    assert the_job(flaky, job_id).state == "done"


def test_a_worker_cut_off_for_a_whole_lease_gives_up(flaky: Flaky, free: threading.Event) -> None:
    _, job_id = asked(flaky)
    seen: list[Context] = []

    def handler(context: Context) -> None:
        seen.append(context)
        flaky.away = True
        free.wait(10)
        looks("too late")(context)

    assert run(flaky, handler, timing=Timing(lease_s=0.2, heartbeat_s=0.05, look_s=0.02))
    assert seen[0].cancelled.is_set()
    assert the_job(flaky, job_id).state == "running"


def test_cancelling_abandons_the_call_in_flight(db: Database, free: threading.Event) -> None:
    number, job_id = asked(db)
    hints = Hints()
    refused: list[str] = []

    def handler(context: Context) -> None:
        def hang() -> Note:
            assert cancel(db, hints, number)
            free.wait(10)
            return Note(text="too late")

        try:
            context.stage("look", hang, Note, lambda _: [message("report")])
        finally:
            refused.append("ended")

    assert run(db, handler, on_dead=obituary)
    assert refused == []
    assert (the_job(db, job_id).state, the_case(db, number).state) == ("cancelled", "cancelled")
    free.set()
    assert [row.body["text"] for row in said(db, number)] == ["cancelled: "]
    assert hints.told == [job_id]


def test_a_cancelled_handler_begins_nothing_new(db: Database, free: threading.Event) -> None:
    number, job_id = asked(db)
    began: list[str] = []

    def handler(context: Context) -> None:
        cancel(db, Hints(), number)
        context.cancelled.wait(10)
        looks("never")(context)
        began.append("look")

    assert run(db, handler)
    assert began == []
    assert the_job(db, job_id).state == "cancelled"


def test_a_waiting_investigation_is_cancelled_at_once(db: Database) -> None:
    number, job_id = asked(db)
    assert cancel(db, Hints(), number, [message("stopped")])
    assert (the_job(db, job_id).state, the_case(db, number).state) == ("cancelled", "cancelled")
    assert [row.section for row in said(db, number)] == ["stopped"]
    assert not cancel(db, Hints(), number)


def test_a_handler_that_hangs_is_out_of_time_and_tried_again(
    db: Database, free: threading.Event
) -> None:
    _, job_id = asked(db)

    def hang(context: Context) -> None:
        free.wait(10)

    run(db, hang, timing=Timing(limit_s=0.05, look_s=0.02))
    job = the_job(db, job_id)
    assert (job.state, job.attempt, job.error) == ("queued", 1, "TimeoutError")


def test_a_draining_worker_hands_over_at_the_next_stage(db: Database) -> None:
    number, job_id = asked(db)
    desk = Desk()
    began: list[str] = []

    def second() -> Note:
        began.append("second")
        return Note(text="")

    def handler(context: Context) -> None:
        looks("kept")(context)
        desk.drain()
        looks("kept")(context)
        context.stage("second", second, Note)

    run(db, handler, desk=desk)
    job = the_job(db, job_id)
    assert (job.state, job.attempt, began, the_case(db, number).state) == (
        "queued",
        0,
        [],
        "queued",
    )
    with db.read() as session:
        assert jobs.steps(session, job_id) == {"look": {"text": "kept"}}


def test_dead_workers_jobs_are_swept_and_the_hopeless_are_reported(
    db: Database, clock: Clock
) -> None:
    number, job_id = asked(db)

    def kill(_: Context) -> None: ...

    for attempt in range(1, 6):
        with db.write() as session:
            claimed = jobs.claim(
                session, owner="dead", lease_s=30, now=db.now(session), limits=LIMITS
            )
        assert claimed is not None
        assert sweep(db, obituary) == ()
        clock.tick(31)
        assert sweep(db, obituary) == ((job_id,) if attempt < 5 else ())
    assert not run(db, kill)
    assert the_case(db, number).state == "failed"
    assert [row.body["text"] for row in said(db, number)] == ["dead: "]


def test_a_follow_up_does_not_change_what_became_of_its_investigation(db: Database) -> None:
    number, _ = asked(db)
    run(db, lambda context: None)
    with db.write() as session:
        jobs.enqueue(
            session,
            kind="followup",
            workspace="T1",
            payload={"text": "why?"},
            now=db.now(session),
            investigation_id=number,
        )
    answered: list[str] = []

    def answer(context: Context) -> None:
        answered.append(context.payload["text"])
        raise UserError

    handlers: dict[str, Callable[[Context], None]] = {"followup": answer}
    assert run_job(db, None, handlers, owner="w1", limits=LIMITS, timing=QUICK)
    assert answered == ["why?"]
    assert the_case(db, number).state == "done"
