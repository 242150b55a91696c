"""What is said in Slack: order, edits, leases, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage import investigations, outbox
from storage.db import Database
from storage.models import Investigation
from storage.outbox import Draft, OutboxRow
from tests.storage.databases import START, an_investigation


def draft(section: str, seq: int, **more: object) -> Draft:
    known: dict[str, object] = {"kind": "message", "channel": "C1", "body": {"text": section}}
    return Draft(section=section, seq=seq, **(known | more))  # type: ignore[arg-type]


def put(db: Database, case: Investigation, *drafts: Draft) -> None:
    with db.write() as session:
        outbox.put(session, case.id, drafts, START)


def due(db: Database, after_s: float = 0, owner: str = "p1", limit: int = 10) -> list[OutboxRow]:
    with db.write() as session:
        return outbox.claim_due(session, owner, START + timedelta(seconds=after_s), limit, 60)


def sent(db: Database, row: OutboxRow, ts: str) -> None:
    with db.write() as session:
        outbox.posted(session, row.id, ts, START)


def drain(db: Database) -> list[str]:
    """Send everything that is due; the sections in the order of their sending."""
    said: list[str] = []
    while rows := due(db):
        for row in rows:
            said.append(row.section)
            sent(db, row, f"{len(said)}.0")
    return said


@pytest.fixture
def case(db: Database) -> Investigation:
    return an_investigation(db, thread_ts="100.1")


def test_messages_come_in_order_and_the_root_before_all(db: Database) -> None:
    case = an_investigation(db)
    put(db, case, draft("report", 5), draft("plan", 1), draft("root", 9, kind="root"))
    assert drain(db) == ["root", "plan", "report"]


def test_the_root_becomes_the_thread_of_what_follows(db: Database) -> None:
    case = an_investigation(db)
    put(db, case, draft("root", 0, kind="root"), draft("plan", 1))
    (root,) = due(db)
    assert (root.thread_ts, root.ts, root.key) == (None, None, f"ir-{case.id}-root")
    assert due(db) == []
    sent(db, root, "200.5")
    (plan,) = due(db)
    assert plan.thread_ts == "200.5"
    with db.read() as session:
        found = investigations.in_thread(session, "T1", "C1", "200.5")
    assert found is not None
    assert found.id == case.id


def test_a_section_put_again_edits_its_message(db: Database, case: Investigation) -> None:
    put(db, case, draft("plan", 1))
    (row,) = due(db)
    sent(db, row, "1.0")
    put(db, case, draft("plan", 1, body={"text": "half way"}))
    (edit,) = due(db)
    assert (edit.id, edit.ts, edit.body, edit.attempt) == (row.id, "1.0", {"text": "half way"}, 1)


def test_a_draft_that_changes_nothing_is_not_sent_again(db: Database, case: Investigation) -> None:
    put(db, case, draft("plan", 1))
    assert drain(db) == ["plan"]
    put(db, case, draft("plan", 1))
    assert drain(db) == []


def test_a_body_that_changes_on_the_wire_is_sent_afterwards(
    db: Database, case: Investigation
) -> None:
    put(db, case, draft("plan", 1))
    (row,) = due(db)
    put(db, case, draft("plan", 1, body={"text": "newer"}))
    assert due(db) == []
    sent(db, row, "1.0")
    (edit,) = due(db)
    assert (edit.ts, edit.body) == ("1.0", {"text": "newer"})
    sent(db, edit, "1.0")
    assert due(db) == []


def test_an_edit_neither_waits_nor_is_waited_for(db: Database, case: Investigation) -> None:
    put(db, case, draft("plan", 1), draft("report", 2))
    assert drain(db) == ["plan", "report"]
    put(db, case, draft("plan", 1, body={}), draft("next", 3), draft("report", 2, body={}))
    assert sorted(row.section for row in due(db)) == ["next", "plan", "report"]


def test_two_publishers_never_get_the_same_row(db: Database) -> None:
    for _ in range(20):
        put(db, an_investigation(db, thread_ts="1.1"), draft("plan", 1))

    def claim(owner: int) -> list[int]:
        mine: list[int] = []
        while rows := due(db, owner=str(owner), limit=3):
            mine.extend(row.id for row in rows)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [row for mine in pool.map(claim, range(4)) for row in mine]
    assert len(claimed) == 20
    assert len(set(claimed)) == 20


def test_a_row_whose_publisher_died_is_due_again_with_a_warning(
    db: Database, case: Investigation
) -> None:
    put(db, case, draft("plan", 1))
    assert due(db)[0].attempt == 1
    assert due(db, after_s=59) == []
    (again,) = due(db, after_s=60)
    assert (again.attempt, again.ts) == (2, None)


def test_a_new_body_does_not_hide_that_an_earlier_sending_may_have_arrived(
    db: Database, case: Investigation
) -> None:
    put(db, case, draft("plan", 1))
    due(db)
    put(db, case, draft("plan", 1, body={"text": "newer"}))
    (again,) = due(db, after_s=60)
    assert (again.attempt, again.ts, again.body) == (2, None, {"text": "newer"})


def test_a_row_to_be_tried_later_holds_back_what_follows(db: Database, case: Investigation) -> None:
    put(db, case, draft("plan", 1), draft("report", 2))
    (row,) = due(db)
    with db.write() as session:
        outbox.try_later(session, row.id, START + timedelta(seconds=30), "rate_limited")
    assert due(db, after_s=29) == []
    with db.read() as session:
        assert outbox.next_due(session) == START + timedelta(seconds=30)
    assert [row.section for row in due(db, after_s=30)] == ["plan"]


def test_what_is_given_up_holds_nothing_back(db: Database, case: Investigation) -> None:
    put(db, case, draft("plan", 1), draft("report", 2))
    (row,) = due(db)
    with db.write() as session:
        outbox.give_up(session, row.id, "msg_too_long")
    assert drain(db) == ["report"]
    with db.read() as session:
        first = outbox.all_for(session, case.id)[0]
    assert (first.state, first.error) == ("failed", "msg_too_long")


def test_without_a_root_its_thread_is_given_up_but_not_the_word_to_the_asker(db: Database) -> None:
    case = an_investigation(db)
    put(db, case, draft("root", 0, kind="root"), draft("plan", 1))
    put(db, case, draft("sorry", 2, kind="ephemeral", thread=False))
    (root,) = due(db)
    with db.write() as session:
        outbox.give_up(session, root.id, "not_in_channel")
    put(db, case, draft("report", 1))
    assert drain(db) == ["sorry"]
    with db.read() as session:
        assert outbox.next_due(session) is None


def test_a_failed_message_put_again_gets_a_new_chance(db: Database, case: Investigation) -> None:
    put(db, case, draft("plan", 1))
    (row,) = due(db)
    with db.write() as session:
        outbox.give_up(session, row.id, "is_archived")
    put(db, case, draft("plan", 1))
    assert drain(db) == ["plan"]


def test_the_next_due_moment_follows_leases(db: Database, case: Investigation) -> None:
    with db.read() as session:
        assert outbox.next_due(session) is None
    put(db, case, draft("plan", 1))
    with db.read() as session:
        assert outbox.next_due(session) == START
    due(db)
    with db.read() as session:
        assert outbox.next_due(session) == START + timedelta(seconds=60)


def test_listeners_hear_of_new_messages_after_the_commit(db: Database, case: Investigation) -> None:
    heard: list[int] = []

    def listen() -> None:
        heard.append(len(due(db)))

    db.subscribe("outbox", listen)
    put(db, case, draft("plan", 1))
    assert heard == [1]
