"""Settings of channels, mutes, feedback, audit and installations, on both databases."""

from __future__ import annotations

from datetime import timedelta

from storage import alerts, audit, channels, feedback, installations, investigations, mutes, outbox
from storage.alerts import NewAlert
from storage.db import Database
from storage.outbox import Draft
from tests.storage.databases import START, an_investigation

LATER = START + timedelta(hours=2)


def test_decisions_for_a_channel_are_changed_one_by_one(db: Database) -> None:
    with db.write() as session:
        assert channels.get(session, "T1", "C1") is None
        channels.decide(session, "T1", "C1", "U1", START, watch=True)
        channels.decide(session, "T1", "C1", "U2", LATER, per_hour=3)
        channels.decide(session, "T1", "C2", "U1", START, watch=False)
        channels.decide(session, "T2", "C1", "U1", START, watch=True)
    with db.read() as session:
        row = channels.get(session, "T1", "C1")
        assert row is not None
        assert (row.watch, row.per_hour, row.shared, row.updated_by) == (True, 3, None, "U2")
        assert [one.channel for one in channels.watched(session, "T1")] == ["C1"]


def test_a_mute_covers_its_service_everywhere_and_its_channel_until_it_ends(db: Database) -> None:
    with db.write() as session:
        mutes.add(session, "T1", LATER, "U1", START, service="Checkout")
        mutes.add(session, "T1", LATER, "U1", START, channel="C9")

        def covered(service: str, channel: str, workspace: str = "T1") -> bool:
            return mutes.covering(session, workspace, service, channel, START) is not None

        assert covered("checkout", "C1")
        assert covered("payments", "C9")
        assert not covered("payments", "C1")
        assert not covered("", "C1")
        assert not covered("checkout", "C1", "T2")
        assert mutes.covering(session, "T1", "checkout", "C1", LATER) is None
        assert len(mutes.active(session, "T1", START)) == 2
        mutes.add(session, "T1", LATER + timedelta(hours=1), "U1", START, service="checkout")
        assert len(mutes.active(session, "T1", START)) == 2
        assert mutes.lift(session, "T1", service="CHECKOUT")
        assert not mutes.lift(session, "T1", service="checkout")


def test_feedback_is_one_opinion_a_person_and_is_exported_without_names(db: Database) -> None:
    case = an_investigation(db, question="checkout is down")
    with db.write() as session:
        feedback.say(session, case.id, "U1", "right", START)
        feedback.say(session, case.id, "U1", "wrong", LATER)
        feedback.explain(session, case.id, "U2", "the cache\x00", "abc123", LATER)
        feedback.say(session, case.id, "U2", "wrong", LATER)
    with db.read() as session:
        said = feedback.of(session, case.id)
        assert [(one.author, one.verdict, one.cause) for one in said] == [
            ("U1", "wrong", ""),
            ("U2", "wrong", "the cache\ufffd"),
        ]
        rows = list(feedback.export(session, "T1"))
        assert [row["sha"] for row in rows] == ["", "abc123"]
        assert "U1" not in str(rows)
        assert list(feedback.export(session, "T2")) == []


def test_the_audit_tells_who_was_allowed_and_who_was_not(db: Database) -> None:
    with db.write() as session:
        audit.note(session, "T1", "U1", "stop", START, allowed=True, subject="#1")
        audit.note(session, "T1", "U2", "watch", LATER, allowed=False, channel="C1")
    with db.read() as session:
        rows = audit.recent(session, "T1")
        assert [(one.person, one.action, one.allowed) for one in rows] == [
            ("U2", "watch", False),
            ("U1", "stop", True),
        ]


def test_an_installation_is_replaced_found_and_forgotten(db: Database) -> None:
    with db.write() as session:
        installations.save(session, "", "T1", "", "sealed one", START)
        installations.save(session, "", "T1", "", "sealed two", LATER)
        installations.save(session, "", "T1", "U1", "theirs", START)
        assert installations.find(session, "", "T1") == "sealed two"
        assert installations.find(session, "E1", "T1") is None
        assert len(installations.all_sealed(session)) == 2
        assert installations.forget(session, "", "T1", "U1") == 1
        assert installations.forget(session, "", "T1") == 1
        assert installations.find(session, "", "T1") is None


def test_a_state_of_an_installation_is_used_once_and_in_time(db: Database) -> None:
    with db.write() as session:
        installations.begin(session, "s1", LATER)
        installations.begin(session, "s2", START)
        assert installations.finish(session, "s1", START)
        assert not installations.finish(session, "s1", START)
        assert not installations.finish(session, "s2", LATER)
        assert not installations.finish(session, "s3", START)


def test_alerts_of_a_channel_are_found_by_when_they_began_and_by_who_answers_them(
    db: Database,
) -> None:
    case = an_investigation(db)
    with db.write() as session:
        first, _ = alerts.record(session, "T1", "C1", "1.1", NewAlert(fingerprint="a"), START)
        second, _ = alerts.record(session, "T1", "C1", "1.2", NewAlert(fingerprint="b"), LATER)
        alerts.record(session, "T1", "C2", "1.3", NewAlert(fingerprint="c"), LATER)
        for one in (first, second):
            alerts.link(session, one.id, case.id)
        found = alerts.begun_since(session, "T1", "C1", LATER)
        assert [one.fingerprint for one in found] == ["b"]
        assert [one.fingerprint for one in alerts.answered_by(session, case.id)] == ["a", "b"]
        alerts.resolve(session, "T1", "C1", "a", LATER)
        last = alerts.newest(session, "T1", "C1", "a")
        assert last is not None
        assert last.resolved
        assert alerts.newest(session, "T1", "C1", "zzz") is None


def test_investigations_of_a_door_are_counted_by_channel_and_service(db: Database) -> None:
    an_investigation(db, door="alert", service="checkout")
    an_investigation(db, door="alert", service="payments", channel="C2")
    an_investigation(db, door="slash", service="checkout")
    with db.read() as session:

        def count(**of: str) -> int:
            return investigations.started_since(session, "T1", START, door="alert", **of)

        assert (count(), count(channel="C1"), count(service="payments")) == (2, 1, 1)
        assert investigations.started_since(session, "T1", LATER, door="alert") == 0


def test_a_deleted_investigation_says_which_messages_it_leaves(db: Database) -> None:
    case = an_investigation(db)
    with db.write() as session:
        drafts = [
            Draft("root", 0, "root", "C1", {"text": "x"}),
            Draft("seen", 1, "reaction", "C1", {"name": "eyes", "ts": "1.1"}, thread=False),
            Draft("report", 2, "message", "C1", {"text": "y"}),
        ]
        outbox.put(session, case.id, drafts, START)
        root = outbox.all_for(session, case.id)[0]
        outbox.posted(session, root.id, "5.5", START)
    with db.write() as session:
        assert investigations.delete(session, case.id) == [("C1", "5.5")]
        assert investigations.get(session, case.id) is None
        assert investigations.delete(session, case.id) == []
