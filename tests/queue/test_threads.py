"""The executor as a whole: threads, hints, cancelling, draining, and a process that is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.queue import Context, Handler
from bot.queue.submit import Submitted, cancel, submit
from bot.queue.threads import ThreadQueue
from storage import events, jobs, outbox
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from storage.outbox import Draft
from tests.queue.test_run import Note, message, obituary, the_job

Start = Callable[..., ThreadQueue]


@pytest.fixture
def live(url: str) -> Iterator[Database]:
    """A database with the real clock: leases run out by themselves."""
    database = Database(url)
    yield database
    for thread in threading.enumerate():
        if thread.name.startswith("job-"):
            thread.join(10)
    database.close()


@pytest.fixture
def start(live: Database) -> Iterator[Start]:
    started: list[ThreadQueue] = []

    def begin(handler: Handler, max_concurrent: int = 4, **more: object) -> ThreadQueue:
        how: dict[str, object] = {
            "poll_s": 0.05,
            "sweep_s": 0.1,
            "heartbeat_s": 0.1,
            "backoff_s": 0,
        }
        queue = ThreadQueue(
            live,
            {"investigate": handler},
            max_concurrent,
            **(how | more),  # type: ignore[arg-type]
        )
        queue.start()
        started.append(queue)
        return queue

    yield begin
    for queue in started:
        queue.stop(0)


def ask(db: Database, queue: ThreadQueue, origin: str = "o", workspace: str = "T1") -> Submitted:
    new = NewInvestigation(
        workspace=workspace, origin=origin, door="slash", channel="C1", thread_ts="1.0"
    )
    return submit(db, queue, new)


def eventually(true: Callable[[], bool], within_s: float = 15) -> None:
    pause = threading.Event()
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, "it did not happen"
        pause.wait(0.01)


def finished(db: Database, *submitted: Submitted) -> bool:
    return all(the_job(db, one.job_id).state == "done" for one in submitted)


def test_a_hint_starts_a_job_at_once(live: Database, start: Start) -> None:
    ran = threading.Event()
    queue = start(lambda context: ran.set(), poll_s=60)
    begun = time.monotonic()
    ask(live, queue)
    assert ran.wait(10)
    assert time.monotonic() - begun < 5


def test_a_job_without_a_hint_is_found_by_polling(live: Database, start: Start) -> None:
    ran = threading.Event()
    queue = start(lambda context: ran.set())
    with live.write() as session:
        now = live.now(session)
        jobs.enqueue(session, kind="investigate", workspace="T1", payload={}, now=now)
    assert ran.wait(10)
    queue.stop(5)


def test_no_more_run_at_once_than_allowed_and_all_get_their_turn(
    live: Database, start: Start
) -> None:
    lock = threading.Lock()
    now: dict[str, int] = {"a": 0, "b": 0}
    most = {"all": 0, "a": 0, "b": 0}

    def handler(context: Context) -> None:
        workspace = the_job(live, context.job_id).workspace
        with lock:
            now[workspace] += 1
            most["all"] = max(most["all"], sum(now.values()))
            most[workspace] = max(most[workspace], now[workspace])
        threading.Event().wait(0.02)
        with lock:
            now[workspace] -= 1

    queue = start(handler, 6, limits=Limits(total=3, per_workspace=2))
    asked = [ask(live, queue, f"{n}", "ab"[n % 2]) for n in range(16)]
    eventually(lambda: finished(live, *asked))
    assert most["all"] <= 3
    assert max(most["a"], most["b"]) <= 2


def test_a_running_job_is_cancelled_within_a_second(live: Database, start: Start) -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(context: Context) -> None:
        begun.set()
        free.wait(20)

    queue = start(hang, heartbeat_s=10, on_dead=obituary)
    submitted = ask(live, queue)
    assert begun.wait(10)
    asked_at = time.monotonic()
    assert cancel(live, queue, submitted.investigation_id)
    eventually(lambda: the_job(live, submitted.job_id).state == "cancelled")
    took = time.monotonic() - asked_at
    free.set()
    assert took < 1
    with live.read() as session:
        assert [row.section for row in outbox.all_for(session, submitted.investigation_id)] == [
            "end"
        ]


def test_another_processes_wish_to_cancel_is_heard_without_a_hint(
    live: Database, start: Start
) -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(context: Context) -> None:
        begun.set()
        free.wait(20)

    submitted = ask(live, start(hang, heartbeat_s=10))
    assert begun.wait(10)
    with live.write() as session:
        jobs.request_cancel(session, submitted.job_id)
    eventually(lambda: the_job(live, submitted.job_id).state == "cancelled")
    free.set()


def test_stopping_hands_over_what_cannot_be_finished(live: Database, start: Start) -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(context: Context) -> None:
        begun.set()
        free.wait(20)

    queue = start(hang, lease_s=600)
    submitted = ask(live, queue)
    waiting = [ask(live, queue, f"more{n}") for n in range(5)]
    assert begun.wait(10)
    queue.stop(0.1)
    free.set()
    for one in (submitted, *waiting):
        job = the_job(live, one.job_id)
        assert (job.state, job.attempt, job.owner) == ("queued", 0, None)
    again = start(lambda context: None)
    eventually(lambda: finished(live, submitted, *waiting))
    again.stop(5)


def test_a_queue_that_never_started_can_be_stopped(live: Database) -> None:
    ThreadQueue(live, {}).stop(1)


def test_stopping_lets_a_stage_in_flight_finish(live: Database, start: Start) -> None:
    begun, free = threading.Event(), threading.Event()

    def handler(context: Context) -> None:
        def step() -> Note:
            begun.set()
            free.wait(20)
            return Note(text="kept")

        context.stage("look", step, Note)

    queue = start(handler)
    submitted = ask(live, queue)
    assert begun.wait(10)
    stopping = threading.Thread(target=queue.stop, args=(20,))
    stopping.start()
    free.set()
    stopping.join(20)
    assert the_job(live, submitted.job_id).state == "done"


def test_a_lost_database_does_not_end_the_threads(live: Database, start: Start) -> None:
    ran = threading.Event()
    asked: list[int] = []

    def now(session: object) -> object:
        asked.append(1)
        if len(asked) < 6:
            raise OSError
        return true_now(session)  # type: ignore[arg-type]

    true_now = live.now
    live.now = now  # type: ignore[method-assign, assignment]
    start(lambda context: ran.set(), poll_s=0.01)
    with live.write() as session:
        jobs.enqueue(session, kind="investigate", workspace="T1", payload={}, now=true_now(session))
    assert ran.wait(10)


WORKER = """
import sys, time
from bot.queue.threads import ThreadQueue
from storage.db import Database
from tests.queue.test_threads import three_stages

db = Database(sys.argv[1])
queue = ThreadQueue(
    db, {"investigate": three_stages(hang_in=sys.argv[2])}, 2,
    lease_s=1, heartbeat_s=0.2, sweep_s=0.1, poll_s=0.05,
)
queue.start()
print("ready", flush=True)
time.sleep(60)
"""


def three_stages(hang_in: str = "") -> Handler:
    def handler(context: Context) -> None:
        for seq, name in enumerate(("collect", "reason", "report")):

            def step(name: str = name) -> Note:
                context.emit("begun", {"stage": name})
                if name == hang_in:
                    time.sleep(60)
                return Note(text=name)

            def said(note: Note, seq: int = seq) -> list[Draft]:
                return [message(note.text, seq, note.text)]

            context.stage(name, step, Note, said)

    return handler


@pytest.mark.parametrize("hang_in", ["collect", "reason", "report"])
def test_what_a_killed_worker_began_another_finishes(
    live: Database, start: Start, url: str, hang_in: str
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, url, hang_in],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        asked = [
            submit(
                live,
                ThreadQueue(live, {}),
                NewInvestigation(workspace="T1", origin=str(n), door="slash", thread_ts="1"),
            )
            for n in range(2)
        ]

        def begun(number: int) -> list[str]:
            with live.read() as session:
                log = events.since(session, number)
            return [event.payload["stage"] for event in log if event.kind == "begun"]

        eventually(lambda: all(hang_in in begun(one.investigation_id) for one in asked))
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()
    start(three_stages())
    eventually(lambda: finished(live, *asked))
    for one in asked:
        stages = begun(one.investigation_id)
        assert sorted(stages) == sorted(["collect", "reason", "report", hang_in])
        with live.read() as session:
            rows = outbox.all_for(session, one.investigation_id)
        assert [row.section for row in rows] == ["collect", "reason", "report"]
        assert the_job(live, one.job_id).attempt == 2
