"""From the first released schema to the newest with 10,000 investigations in it, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert, text
from sqlalchemy.pool import NullPool

from storage import investigations, jobs, outbox, schema, search
from storage.columns import dumps, loads
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.models import EvidenceItem, Investigation, Job, OutboxMessage, Row
from storage.search import Remembered
from tests.storage.databases import BOTH, START, empty_database

FIRST = "0001"
MANY = 10_000
COUNTED = ("investigation", "job", "outbox", "evidence")


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request.param, tmp_path) as url:
        db = Database(url)
        yield db
        db.close()


def fill(engine: Engine) -> None:
    """As the first release would have left it: the tables of then, column by column."""
    cases = [
        {
            "id": n,
            "workspace": "T1",
            "origin": f"o{n}",
            "door": "alert",
            "requested_by": "",
            "channel": "C1",
            "question": f"question {n} \u2028 \U0001f525",
            "service": "checkout",
            "repo": "",
            "head": "",
            "tz": "UTC",
            "state": "done",
            "error": "",
            "conclusion": "likely",
            "confidence": 0.5,
            "summary": f"summary {n}",
            "report": {"id": str(n), "suspects": []},
            "last_event": 0,
            "created_at": START + timedelta(seconds=n),
            "updated_at": START,
        }
        for n in range(1, MANY + 1)
    ]
    work: list[dict[str, object]] = [
        {
            "id": f"{n:032x}",
            "kind": "investigate",
            "workspace": "T1",
            "investigation_id": n,
            "priority": 5,
            "state": "queued" if n == MANY else "done",
            "payload": {},
            "created_at": START,
            "run_after": START,
            "attempt": 0,
            "max_attempts": 5,
            "fence": 0,
            "cancel_requested": False,
            "error": "",
        }
        for n in range(1, MANY + 1)
    ]
    said = [
        {
            "investigation_id": n,
            "section": "report",
            "key": f"ir-{n}-report",
            "seq": 100,
            "kind": "message",
            "channel": "C1",
            "thread": True,
            "body": {"text": f"said {n}"},
            "version": 1,
            "claimed_version": 1,
            "state": "posted",
            "ts": f"{n}.0",
            "attempt": 1,
            "error": "",
            "next_try": START,
            "created_at": START,
        }
        for n in range(1, MANY + 1)
    ]
    seen = [
        {"investigation_id": n, "key": "C1", "kind": "commit", "position": 0, "payload": {"n": n}}
        for n in range(1, MANY + 1)
    ]
    tables = Row.metadata.tables
    with engine.begin() as connection:
        for model, rows in (
            (Investigation, cases),
            (Job, work),
            (OutboxMessage, said),
            (EvidenceItem, seen),
        ):
            connection.execute(insert(tables[str(model.__tablename__)]), rows)
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT setval('investigation_id_seq', {MANY})"))


@pytest.mark.timeout(180)
def test_ten_thousand_investigations_come_along_and_back(empty: Database) -> None:
    schema.upgrade(empty.url, FIRST)
    engine = create_engine(
        empty.url, poolclass=NullPool, json_serializer=dumps, json_deserializer=loads
    )
    fill(engine)
    empty.migrate()
    assert empty.revision() == empty.head()
    assert counts(engine) == dict.fromkeys(COUNTED, MANY)
    with empty.read() as session:
        case = investigations.get(session, 4_711)
        assert case is not None
        assert case.question == "question 4711 \u2028 \U0001f525"
        assert case.report == {"id": "4711", "suspects": []}
        assert case.created_at == START + timedelta(seconds=4_711)
        assert outbox.all_for(session, 4_711)[0].body == {"text": "said 4711"}
        assert jobs.due(session, START)
    with empty.write() as session:
        new, created = investigations.open(
            session, NewInvestigation(workspace="T1", origin="new", door="slash"), START
        )
        assert created
        assert new.id > MANY
        what = Remembered(
            investigation_id=4_711, workspace="T1", service="", at=START, cause="", features={}
        )
        search.remember(session, what, ["found again"])
    with empty.read() as session:
        assert [hit.investigation_id for hit in search.search(session, "T1", "again")] == [4_711]
    schema.downgrade(empty.url, FIRST)
    assert counts(engine)["outbox"] == MANY
    empty.migrate()
    assert counts(engine)["evidence"] == MANY


@pytest.mark.parametrize("revision", sorted(schema.revisions()))
def test_every_released_schema_leads_to_the_newest(empty: Database, revision: str) -> None:
    schema.upgrade(empty.url, revision)
    empty.migrate()
    assert empty.revision() == empty.head()
    schema.downgrade(empty.url, revision)
    assert empty.revision() == revision
    empty.migrate()


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608
            for name in COUNTED
        }
