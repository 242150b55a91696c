"""Search, ticks and forgetting, the same on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import events, evidence, investigations, jobs, retention, search, ticks
from storage.db import Database
from storage.models import InvestigationState
from storage.search import Remembered
from tests.storage.databases import START, an_investigation


def remembered(db: Database, *texts: str, workspace: str = "T1", **features: object) -> int:
    case = an_investigation(db, workspace=workspace)
    what = Remembered(
        investigation_id=case.id,
        workspace=workspace,
        service="checkout",
        at=START,
        cause="pool too small",
        features=features,
    )
    with db.write() as session:
        search.remember(session, what, texts)
    return case.id


def found(db: Database, query: str, workspace: str | None = "T1") -> list[int]:
    with db.read() as session:
        return [hit.investigation_id for hit in search.search(session, workspace, query)]


def test_every_word_must_be_there_and_the_last_may_be_a_beginning(db: Database) -> None:
    pool = remembered(db, "Connection pool exhausted in checkout_service")
    remembered(db, "Certificate expired")
    assert found(db, "POOL exhau") == [pool]
    assert found(db, "service") == [pool]
    assert found(db, "pool certificate") == []
    assert found(db, "") == found(db, "!!! ---") == []


def test_other_workspaces_see_nothing(db: Database) -> None:
    one = remembered(db, "pool exhausted", workspace="T2")
    assert found(db, "pool") == []
    assert found(db, "pool", None) == [one]


def test_remembering_again_replaces(db: Database) -> None:
    case = remembered(db, "first words")
    what = Remembered(
        investigation_id=case, workspace="T1", service="", at=START, cause="", features={}
    )
    with db.write() as session:
        search.remember(session, what, ["second words"])
    assert found(db, "first") == []
    assert found(db, "second") == [case]


def test_likeness_prefers_what_shares_more_words_and_brings_the_features(db: Database) -> None:
    close = remembered(db, "timeout acquiring connection from pool", patterns=["a"])
    far = remembered(db, "timeout reading file")
    with db.read() as session:
        hits = search.alike(session, "T1", ["timeout acquiring connection"])
    assert [hit.investigation_id for hit, _ in hits] == [close, far]
    assert hits[0][1] == {"patterns": ["a"]}
    assert hits[0][0].at == START


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60))
def test_no_query_breaks_the_search(db: Database, query: str) -> None:
    found(db, query)
    with db.read() as session:
        search.alike(session, "T1", [query])


def test_what_is_deleted_is_found_no_more(db: Database) -> None:
    case = remembered(db, "pool exhausted")
    with db.write() as session:
        session.delete(investigations.get(session, case))
    assert found(db, "pool") == []


def test_a_tick_is_taken_once_in_a_cluster(db: Database) -> None:
    gap = timedelta(minutes=30)
    taken = []
    for minutes in (0, 1, 29, 30, 31):
        with db.write() as session:
            taken.append(ticks.take(session, "digest", START + timedelta(minutes=minutes), gap))
    assert taken == [True, False, False, True, False]


@pytest.mark.parametrize("state", [InvestigationState.DONE, InvestigationState.RUNNING])
def test_evidence_goes_before_reports_and_what_is_open_stays(db: Database, state: str) -> None:
    case = an_investigation(db)
    with db.write() as session:
        investigations.set_state(session, case.id, state, START)
        evidence.save(session, case.id, [("C1", "commit", {})])
        events.append(session, case.id, "progress", {}, START)
        jobs.enqueue(
            session,
            kind="investigate",
            workspace="T1",
            payload={},
            now=START,
            investigation_id=case.id,
        )
    over = state == InvestigationState.DONE
    later = START + timedelta(days=1)
    with db.write() as session:
        gone = retention.forget(session, reports_before=START, evidence_before=later)
    assert (gone.evidence, gone.investigations) == (int(over), 0)
    with db.read() as session:
        assert bool(evidence.all(session, case.id)) is not over
    with db.write() as session:
        gone = retention.forget(session, reports_before=later, evidence_before=later)
    assert gone.investigations == int(over)
    with db.read() as session:
        assert (investigations.get(session, case.id) is None) is over
