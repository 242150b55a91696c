"""The crew behind the doors: progress in the thread, the report with what it cost, questions, the past, and Stop."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from adapters.kit.capabilities import CommitQuery, LogQuery
from adapters.kit.records import LOG_SCHEMA, Commit, FileChange, LogBatch, Page
from bot.crew.answering import CrewAnswerer
from bot.crew.narrator import CrewNarrator
from bot.investigate import Deps
from bot.queue.handlers import FOLLOWUP, handlers
from bot.queue.run import Timing, run_job
from bot.queue.submit import cancel, submit
from bot.slack.thread import SlackThread
from bot.sources import Source, Sources
from storage import events, evidence, investigations, jobs, messages, outbox
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.jobs import Limits
from storage.models import Job
from storage.outbox import Draft
from tests.crew import characters, stage
from tests.crew.characters import finding, said, verdict
from tests.crew.conftest import CREWAI_WARNS
from tests.crew.scripted import Body, Reply, ScriptedModel, role_of, scripted
from tests.storage.databases import Clock, migrated

pytestmark = [pytest.mark.timeout(60), *CREWAI_WARNS]

BEGUN = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
LIMITS = Limits(total=4, per_workspace=4)
TIMING = Timing(look_s=0.05, polite_s=0.5)


class Logs:
    """Half an hour of calm, then a KeyError every few seconds."""

    name = "files"

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        rows = []
        for n in range(1_200):
            at = BEGUN + timedelta(seconds=3 * n)
            bad = n > 600 and n % 2 == 0
            text = "KeyError: 'currency' at checkout/price.py:88" if bad else f"order {n} was paid"
            level = "error" if bad else "info"
            rows.append((text, at, level, "checkout", None, None, None, "checkout.log", n + 1))
        frame = pl.DataFrame(rows, schema=dict(LOG_SCHEMA), orient="row")
        inside = (pl.col("time") >= query.window.since) & (pl.col("time") < query.window.until)
        yield LogBatch("files", frame.filter(inside))


class Git:
    """One change that may have done it."""

    name = "git"

    def commits(self, query: CommitQuery) -> Iterator[Page[Commit]]:
        patch = "@@ -88 +88 @@\n-    return 1\n+    return amounts[order['currency']]"
        change = FileChange(path="checkout/price.py", patch=patch)
        yield Page(
            (
                Commit(
                    source="git",
                    repo="shop",
                    sha="ab" * 20,
                    title="Read the currency from the order",
                    committed_at=BEGUN,
                    files=(change,),
                ),
            )
        )


@dataclass
class Bot:
    """Handlers on a database, run by hand."""

    db: Database
    deps: Deps

    def notify(self, job_id: str) -> None:
        """Nobody waits for hints here."""

    def start(self) -> None: ...
    def stop(self, grace_s: float) -> None: ...

    def submit(self, origin: str = "o1") -> int:
        new = NewInvestigation(
            workspace="T1", origin=origin, door="slash", channel="C1", thread_ts="1.0",
            question="checkout returns 500", service="checkout", since=BEGUN,
            until=BEGUN + timedelta(hours=1),
        )  # fmt: skip
        return submit(self.db, self, new).investigation_id

    def run(self) -> None:
        kinds = handlers(self.db, self.deps, SlackThread, self.notify)
        assert run_job(self.db, None, kinds, owner="w", limits=LIMITS, timing=TIMING)

    def ask(self, number: int, text: str, ts: str = "2.0") -> str:
        """Ask in the thread; returns what was answered."""
        with self.db.write() as session:
            now = self.db.now(session)
            messages.add(session, number, "C1", "1.0", ts, "U1", "person", text, now)
            payload: dict[str, object] = {"text": text, "user": "U1", "ts": ts, "channel": "C1"}
            jobs.enqueue(
                session, kind=FOLLOWUP, workspace="T1", payload=payload, now=now,
                investigation_id=number,
            )  # fmt: skip
        self.run()
        with self.db.read() as session:
            return messages.thread(session, number, 1)[0].text

    def shown(self, number: int) -> str:
        with self.db.read() as session:
            return json.dumps([row.body for row in outbox.all_for(session, number)])

    def report(self, number: int) -> dict[str, object]:
        with self.db.read() as session:
            case = investigations.get(session, number)
        assert case is not None
        assert case.report is not None
        return case.report


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with migrated("sqlite", tmp_path) as url:
        database = Database(url, clock=Clock())
        yield database
        database.close()


def bot(db: Database, model: ScriptedModel, folder: Path) -> Bot:
    used = stage.means(model.url, folder)
    sources = Sources(
        (
            Source("log_sources", "files", "files", Logs()),
            Source("git_sources", "local", "git", Git()),
        )
    )
    narrator, answerer = CrewNarrator(used), CrewAnswerer(used)
    return Bot(db, Deps(sources=sources, narrator=narrator, seconds=20, answerer=answerer))


def analyst(body: Body) -> Reply:
    """A good analyst of this incident."""
    commander = verdict(
        said("The checks fail with a KeyError.", ["L1"], quote="KeyError: 'currency'"),
        said("C1 reads the currency that orders lack.", ["C1", "L1"], cause=True),
        summary="Checkout fails with a KeyError, most likely because of C1.",
    )
    if role_of(body) == "Answerer":
        text = json.dumps({"statements": [said("C1 wrote that line.", ["C1"])], "not_known": ""})
        return characters.speaking("", text)(body)
    return characters.speaking(commander, finding(said("It fails.", ["L1"])))(body)


def test_the_thread_shows_who_does_what_and_the_report_what_it_cost(
    db: Database, crew_folder: Path
) -> None:
    with scripted(analyst) as model:
        used = bot(db, model, crew_folder)
        number = used.submit()
        used.run()
    report = used.report(number)
    shown = used.shown(number)
    assert str(report["summary"]).startswith("Checkout fails with a KeyError, most likely because")
    assert "Log Analyst" in shown
    assert "Commander" in shown
    assert "model calls" in shown
    with db.read() as session:
        told = [
            event.payload for event in events.since(session, number) if event.kind == "progress"
        ]
    assert {
        "step": "Code Historian",
        "status": "in_progress",
        "detail": "reads the diff of C1",
    } in told
    usage = report["usage"]
    assert isinstance(usage, dict)
    assert {role["role"] for role in usage["roles"]} == {
        "Log Analyst",
        "Code Historian",
        "Commander",
    }


def test_lines_that_an_agent_found_can_be_shown_later(db: Database, crew_folder: Path) -> None:
    def character(body: Body) -> Reply:
        found = finding(said("It fails.", ["L1"]))
        claim = said("The search shows the lines.", ["L9"], quote="KeyError: 'currency'")
        with_id = json.loads(verdict(said("C1 did it.", ["C1"], cause=True)))
        key = _fresh(model)
        with_id["claims"].append({**claim, "cites": [key]})
        return characters.speaking(json.dumps(with_id), found)(body)

    with scripted(character) as model:
        used = bot(db, model, crew_folder)
        number = used.submit()
        used.run()
        key = _fresh(model)
        assert "KeyError: 'currency'" in used.ask(number, f"show {key}")
    with db.read() as session:
        assert evidence.one(session, number, key) is not None


def _fresh(model: ScriptedModel) -> str:
    """The id under which the Log Analyst's search was shelved, as the model was told it."""
    for body in model.of("Log Analyst"):
        for message in body["messages"]:
            text = str(message.get("content"))
            if message["role"] == "tool" and "lines with 'KeyError'" in text:
                return text.split("\n")[1].split(":", maxsplit=1)[0]
    return "L9"


def test_a_free_question_is_answered_by_the_model_and_a_command_without_it(
    db: Database, crew_folder: Path
) -> None:
    with scripted(analyst) as model:
        used = bot(db, model, crew_folder)
        number = used.submit()
        used.run()
        before = len(model.asked)
        assert used.ask(number, "who wrote the failing line?") == "C1 wrote that line. [C1]"
        asked = len(model.asked)
        assert asked > before
        assert "Timeline" in used.ask(number, "timeline", "3.0")
        assert len(model.asked) == asked
    assert "C1 wrote that line." in used.shown(number)


def test_without_an_answer_of_the_model_the_plain_one_is_given(
    db: Database, crew_folder: Path
) -> None:
    def character(body: Body) -> Reply:
        return Reply(status=401) if role_of(body) == "Answerer" else analyst(body)

    with scripted(character) as model:
        used = bot(db, model, crew_folder)
        number = used.submit()
        used.run()
        assert "C1" in used.ask(number, "which change did it?")


def test_a_second_investigation_remembers_the_first(db: Database, crew_folder: Path) -> None:
    with scripted(analyst) as model:
        used = bot(db, model, crew_folder)
        used.submit()
        used.run()
        assert model.of("Incident Historian") == []
        used.submit("o2")
        used.run()
    assert "P1 " in str(model.of("Incident Historian")[-1]["messages"])


def test_stop_ends_the_job_within_a_second(db: Database, crew_folder: Path) -> None:
    with scripted(characters.always(Reply("late", pause_s=30))) as model:
        used = bot(db, model, crew_folder)
        number = used.submit()
        stopped: list[float] = []

        def press() -> None:
            while not model.asked:
                time.sleep(0.02)
            stopped.append(time.monotonic())
            cancel(db, used, number)

        thread = threading.Thread(target=press)
        thread.start()
        used.run()
        took = time.monotonic() - stopped[0]
        thread.join()
        asked = len(model.asked)
    assert took < 1.0
    assert len(model.asked) == asked
    with db.read() as session:
        case = investigations.get(session, number)
        (job,) = jobs.for_investigation(session, number)
        assert jobs.saved_step(session, job.id, "look") is not None
    assert case is not None
    assert case.state == "cancelled"


def test_who_pressed_stop_hears_what_was_found_so_far(db: Database, crew_folder: Path) -> None:
    from bot.queue.handlers import found_so_far

    cancelled: list[Job] = []

    def character(body: Body) -> Reply:
        cancel(db, used, number)
        return Reply("late", pause_s=30)

    with scripted(character) as model:
        used = bot(db, model, crew_folder)
        number = used.submit()
        kinds = handlers(db, used.deps, SlackThread, used.notify)

        def on_end(job: Job) -> list[Draft]:
            cancelled.append(job)
            return [*found_so_far(db, job, SlackThread(number, "C1"))]

        run_job(db, None, kinds, owner="w", limits=LIMITS, timing=TIMING, on_dead=on_end)
    assert [job.state for job in cancelled] == ["cancelled"]
    shown = used.shown(number)
    assert "What I had found so far" in shown
    assert "KeyError" in shown
