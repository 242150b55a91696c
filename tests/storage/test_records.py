"""Investigations, events, evidence, messages, inbox and alerts, on every database."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from storage import alerts, events, evidence, inbox, investigations, messages
from storage.alerts import NewAlert
from storage.db import Database
from storage.events import UnknownInvestigationError
from storage.investigations import NewInvestigation
from storage.models import Alert, Investigation
from tests.storage.databases import START, an_investigation

HOUR = timedelta(hours=1)


@pytest.fixture
def case(db: Database) -> Investigation:
    return an_investigation(db)


def found(db: Database, case: Investigation) -> Investigation:
    with db.read() as session:
        row = investigations.get(session, case.id)
    assert row is not None
    return row


def test_an_origin_opens_one_investigation_however_many_doors_race(db: Database) -> None:
    def deliver(_: int) -> tuple[int, bool]:
        new = NewInvestigation(workspace="T1", origin="event:Ev1", door="mention")
        with db.write() as session:
            row, created = investigations.open(session, new, START)
            return row.id, created

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(deliver, range(8)))
    assert len({row for row, _ in got}) == 1
    assert sum(created for _, created in got) == 1


def test_the_same_origin_in_another_workspace_is_another_investigation(db: Database) -> None:
    first = an_investigation(db, origin="x")
    second = an_investigation(db, origin="x", workspace="T2")
    assert first.id != second.id


def test_times_come_back_aware_and_in_utc(db: Database) -> None:
    since = datetime(2026, 11, 3, 15, 0, tzinfo=timezone(timedelta(hours=2)))
    case = an_investigation(db, since=since)
    read = found(db, case).since
    assert read == since
    assert read is not None
    assert read.tzinfo is UTC


def test_a_thread_belongs_to_its_newest_investigation(db: Database) -> None:
    an_investigation(db, thread_ts="1.1")
    newest = an_investigation(db, thread_ts="1.1")
    with db.read() as session:
        in_thread = investigations.in_thread(session, "T1", "C1", "1.1")
        assert investigations.in_thread(session, "T2", "C1", "1.1") is None
    assert in_thread is not None
    assert in_thread.id == newest.id


def test_a_state_carries_its_time_and_fields(db: Database, case: Investigation) -> None:
    with db.write() as session:
        investigations.set_state(session, case.id, "failed", START + HOUR, error="no sources")
    row = found(db, case)
    assert (row.state, row.finished_at, row.error) == ("failed", START + HOUR, "no sources")


def test_a_report_is_kept_and_listed(db: Database, case: Investigation) -> None:
    with db.write() as session:
        investigations.save_report(
            session, case.id, {"id": "1"}, "likely", 0.7, "A bad deploy", START
        )
    older = an_investigation(db, service="checkout")
    with db.read() as session:
        listed = investigations.recent(session, "T1", 10)
        assert investigations.recent(session, "T2", 10) == []
        paged = investigations.recent(session, None, 10, before_id=older.id)
        mine = investigations.recent(session, "T1", 10, service="checkout", state="queued")
    assert [row.id for row in listed] == [older.id, case.id]
    assert [row.summary for row in paged] == ["A bad deploy"]
    assert [row.id for row in mine] == [older.id]


def test_events_are_numbered_without_holes_whoever_writes(
    db: Database, case: Investigation
) -> None:
    def append(number: int) -> None:
        db.together(lambda s: events.append(s, case.id, "step", {"n": number}, START))
        with db.write() as session:
            events.append(session, case.id, "step", {"n": number}, START)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(append, range(20)))
    with db.read() as session:
        log = events.since(session, case.id)
        tail = events.since(session, case.id, after=35, limit=3)
    assert [event.number for event in log] == list(range(1, 41))
    assert [event.number for event in tail] == [36, 37, 38]


def test_an_event_of_nothing_is_refused_without_harm_to_its_neighbours(
    db: Database, case: Investigation
) -> None:
    def append(investigation_id: int) -> int | str:
        try:
            return db.together(lambda s: events.append(s, investigation_id, "step", {}, START))
        except UnknownInvestigationError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(append, [case.id, 999] * 20))
    assert outcomes.count("refused") == 20
    assert sorted(n for n in outcomes if isinstance(n, int)) == list(range(1, 21))


def test_evidence_is_kept_in_order_and_a_rerun_replaces_it(
    db: Database, case: Investigation
) -> None:
    for text in ("first", "second"):
        with db.write() as session:
            evidence.save(
                session, case.id, [(f"C{n}", "commit", {"text": text}) for n in (1, 2, 10)]
            )
            evidence.save(session, case.id, [])
    with db.read() as session:
        items = evidence.all(session, case.id)
        one = evidence.one(session, case.id, "C10")
        assert evidence.one(session, case.id, "L1") is None
    assert [item.key for item in items] == ["C1", "C2", "C10"]
    assert one is not None
    assert one.payload == {"text": "second"}


def test_a_message_is_kept_once_and_the_newest_are_read_in_order(
    db: Database, case: Investigation
) -> None:
    def say(ts: str) -> bool:
        with db.write() as session:
            return messages.add(
                session, case.id, "C1", "1.0", ts, "U1", "person", f"at {ts}", START
            )

    assert [say(ts) for ts in ("1.1", "1.2", "1.3", "1.2")] == [True, True, True, False]
    with db.read() as session:
        assert [row.ts for row in messages.thread(session, case.id, 2)] == ["1.2", "1.3"]


def test_an_event_is_new_once_until_it_is_purged(db: Database) -> None:
    with db.write() as session:
        assert inbox.remember(session, "slack", "Ev1", START)
        assert not inbox.remember(session, "slack", "Ev1", START)
        assert inbox.remember(session, "webhook", "Ev1", START + HOUR)
        assert inbox.purge(session, START + HOUR) == 1
        assert inbox.remember(session, "slack", "Ev1", START)


def fire(
    db: Database, ts: str, after: timedelta = timedelta(0), channel: str = "C1"
) -> tuple[Alert, bool]:
    alert = NewAlert(fingerprint="f1", title="5xx above 2%", payload={"severity": "critical"})
    with db.write() as session:
        return alerts.record(session, "T1", channel, ts, alert, START + after)


def test_a_repeating_alert_is_one_episode_that_counts(db: Database, case: Investigation) -> None:
    first, new = fire(db, "1.0")
    again, repeated = fire(db, "2.0", HOUR)
    redelivered, _ = fire(db, "2.0", HOUR)
    assert (new, repeated, again.id, again.count, redelivered.count) == (
        True,
        False,
        first.id,
        2,
        2,
    )
    with db.write() as session:
        alerts.link(session, first.id, case.id)
    assert fire(db, "3.0", HOUR)[0].investigation_id == case.id
    assert fire(db, "3.0", channel="C2")[1]


def test_an_alert_that_was_resolved_or_silent_begins_anew(db: Database) -> None:
    fire(db, "1.0")
    with db.write() as session:
        over = alerts.resolve(session, "T1", "C1", "f1", START + HOUR)
        assert alerts.resolve(session, "T1", "C1", "f1", START + HOUR) is None
    assert over is not None
    assert over.resolved
    assert fire(db, "2.0", 2 * HOUR)[1]
    assert not fire(db, "3.0", 8 * HOUR)[1]
    assert fire(db, "4.0", 15 * HOUR)[1]


def test_an_alert_posted_twice_at_once_is_one_episode(db: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: fire(db, f"{n}.0"), range(8)))
    assert sum(new for _, new in got) == 1
    assert max(row.count for row, _ in got) == 8


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=50)


def whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(text=ANY_TEXT, value=st.one_of(st.floats(), st.integers(), ANY_TEXT))
@example(text="half \ud83d of a pair", value="\udc00")
@example(text="a NUL \x00", value=math.nan)
@example(text="\ud83d", value=2**70)
@example(text="\ud83d", value=10**400)
def test_hostile_text_is_stored_on_every_database(
    db: Database, text: str, value: float | str
) -> None:
    case = an_investigation(db, question=text, alert={"v": value, "deep": [{text: (text,)}]})
    row = found(db, case)
    assert row.question == whole(text.replace("\x00", "\ufffd"))
    assert row.alert is not None
    assert row.alert["deep"] == [{whole(text): [whole(text)]}]
    if isinstance(value, str):
        assert row.alert["v"] == whole(value)
    elif abs(value) < 1e300:
        assert row.alert["v"] == pytest.approx(value)
    elif isinstance(value, int) or not math.isfinite(value):
        assert row.alert["v"] is None


def test_text_without_end_is_cut(db: Database) -> None:
    assert len(found(db, an_investigation(db, question="x" * 100_000)).question) == 8_000
