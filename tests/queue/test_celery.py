"""Both executors keep the same contract; Celery's messages may come twice, late or never."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from bot.config import Settings, require_executor
from bot.errors import ConfigError
from bot.queue import Context, Handler
from bot.queue.celery import TASK, CeleryQueue, celery_app
from bot.queue.submit import Submitted, cancel, submit
from bot.queue.threads import ThreadQueue
from storage import jobs, outbox
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from tests import servers
from tests.queue.test_run import obituary, the_job
from tests.queue.test_threads import eventually, three_stages

Executor = ThreadQueue | CeleryQueue
Start = Callable[..., Executor]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with servers.redis() as server:
        yield servers.redis_url(server)


@pytest.fixture
def live(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    for thread in threading.enumerate():
        if thread.name.startswith("job-"):
            thread.join(10)
    database.close()


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["threads", pytest.param("celery", marks=pytest.mark.redis)])
def start(request: pytest.FixtureRequest, live: Database, name: str) -> Iterator[Start]:
    started: list[Executor] = []

    def begin(handler: Handler, max_concurrent: int = 4, **more: object) -> Executor:
        how: dict[str, object] = {
            "sweep_s": 0.2,
            "heartbeat_s": 0.1,
            "backoff_s": 0,
            "limits": Limits(max_concurrent, max_concurrent),
        } | more
        queue: Executor
        kinds = {"investigate": handler}
        if request.param == "threads":
            queue = ThreadQueue(live, kinds, max_concurrent, poll_s=0.05, **how)  # type: ignore[arg-type]
        else:
            url = request.getfixturevalue("broker")
            queue = CeleryQueue(live, kinds, max_concurrent, broker_url=url, name=name, **how)  # type: ignore[arg-type]
        queue.start()
        started.append(queue)
        return queue

    yield begin
    for queue in started:
        queue.stop(0.1)


def ask(db: Database, queue: Executor, origin: str, workspace: str = "T1") -> Submitted:
    new = NewInvestigation(
        workspace=workspace, origin=origin, door="slash", channel="C1", thread_ts="1.0"
    )
    return submit(db, queue, new)


def states(db: Database, asked: list[Submitted]) -> set[str]:
    return {the_job(db, one.job_id).state for one in asked}


def test_what_is_submitted_runs_once_with_all_its_stages(live: Database, start: Start) -> None:
    queue = start(three_stages())
    asked = [ask(live, queue, f"{n}") for n in range(12)]
    eventually(lambda: states(live, asked) == {"done"})
    with live.read() as session:
        for one in asked:
            rows = outbox.all_for(session, one.investigation_id)
            assert [row.section for row in rows] == ["collect", "reason", "report"]
    assert {the_job(live, one.job_id).attempt for one in asked} == {1}


def test_a_job_without_a_hint_is_found(live: Database, start: Start) -> None:
    ran = threading.Event()
    start(lambda context: ran.set())
    with live.write() as session:
        now = live.now(session)
        jobs.enqueue(session, kind="investigate", workspace="T1", payload={}, now=now)
    assert ran.wait(15)


def test_hints_for_jobs_that_are_over_or_unknown_do_nothing(live: Database, start: Start) -> None:
    ran: list[str] = []
    queue = start(lambda context: ran.append(context.job_id))
    asked = ask(live, queue, "once")
    for _ in range(20):
        queue.notify(asked.job_id)
        queue.notify("unknown")
    eventually(lambda: states(live, [asked]) == {"done"})
    other = ask(live, queue, "another")
    eventually(lambda: states(live, [other]) == {"done"})
    assert sorted(ran) == sorted([asked.job_id, other.job_id])


def test_the_limits_hold(live: Database, start: Start) -> None:
    lock = threading.Lock()
    now, most = [0], [0]

    def handler(context: Context) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.02)
        with lock:
            now[0] -= 1

    queue = start(handler, 6, limits=Limits(total=2, per_workspace=2))
    asked = [ask(live, queue, f"{n}") for n in range(10)]
    eventually(lambda: states(live, asked) == {"done"})
    assert most[0] <= 2


def test_people_go_before_schedules(live: Database, start: Start) -> None:
    order: list[str] = []
    first, free = threading.Event(), threading.Event()

    def handler(context: Context) -> None:
        order.append(
            the_job(live, context.job_id).kind + str(the_job(live, context.job_id).priority)
        )
        first.set()
        free.wait(15)

    queue = start(handler, 1)
    asked = [ask(live, queue, "first")]
    assert first.wait(15)
    for door in ("schedule", "alert", "slash"):
        new = NewInvestigation(workspace="T1", origin=door, door=door)
        asked.append(submit(live, queue, new))
    free.set()
    eventually(lambda: states(live, asked) == {"done"})
    assert order[1:] == ["investigate3", "investigate5", "investigate7"]


def test_a_running_job_is_cancelled(live: Database, start: Start) -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(context: Context) -> None:
        begun.set()
        free.wait(20)

    queue = start(hang, on_dead=obituary)
    asked = ask(live, queue, "o")
    assert begun.wait(15)
    assert cancel(live, queue, asked.investigation_id)
    eventually(lambda: states(live, [asked]) == {"cancelled"})
    free.set()


def test_stopping_hands_over_what_is_in_flight(live: Database, start: Start) -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(context: Context) -> None:
        begun.set()
        free.wait(20)

    queue = start(hang, lease_s=600)
    asked = ask(live, queue, "o")
    assert begun.wait(15)
    queue.stop(0.1)
    free.set()
    job = the_job(live, asked.job_id)
    assert (job.state, job.attempt, job.owner) == ("queued", 0, None)
    start(lambda context: None)
    eventually(lambda: states(live, [asked]) == {"done"})


@pytest.mark.redis
def test_work_goes_on_when_the_broker_comes_back(live: Database, name: str) -> None:
    with servers.redis() as server:
        queue = CeleryQueue(
            live,
            {"investigate": three_stages()},
            2,
            broker_url=servers.redis_url(server),
            limits=Limits(2, 2),
            name=name,
            sweep_s=0.2,
        )
        queue.start()
        try:
            asked = [ask(live, queue, "before")]
            eventually(lambda: states(live, asked) == {"done"})
            server.kill()
            asked += [ask(live, queue, f"during{n}") for n in range(3)]
            server.start()
            eventually(lambda: states(live, asked) == {"done"}, 30)
        finally:
            queue.stop(1)


@pytest.mark.redis
def test_a_message_carries_nothing_but_a_job_id(broker: str, name: str) -> None:
    app = celery_app(broker, name)
    app.send_task(TASK, args=["abc"], retry=False)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(name).get(timeout=5)
        message.ack()
    args, kwargs, _ = message.payload
    assert (args, kwargs) == (["abc"], {})


def test_celery_without_postgres_or_broker_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        require_executor(Settings(queue="celery"))
    assert len(refused.value.problems) == 2
    require_executor(
        Settings(
            queue="celery",
            database_url="postgresql://a:b@c/d",
            broker_url=SecretStr("redis://localhost/0"),
        )
    )
