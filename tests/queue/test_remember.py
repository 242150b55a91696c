"""An incident that was investigated is known when it comes again."""

from __future__ import annotations

from datetime import UTC

from bot.queue.remember import likest_first, remember, similar
from bot.report import outline
from bot.report.markdown import markdown
from storage import investigations
from storage.db import Database
from storage.models import InvestigationState
from tests.report import cases
from tests.storage.databases import START, an_investigation


def finished(db: Database, **fields: object) -> int:
    case = an_investigation(db, **fields)
    with db.write() as session:
        investigations.set_state(session, case.id, InvestigationState.DONE, START)
        remember(session, case, cases.findings(), cases.report(), START)
    return case.id


def test_the_same_incident_is_recognised_and_explained(db: Database) -> None:
    first, second = finished(db), finished(db)
    now = an_investigation(db)
    with db.read() as session:
        alike = similar(session, now, cases.findings())
    assert {one.number for one in alike} == {first, second}
    assert [one.id for one in alike] == ["P1", "P2"]
    assert alike[0].times == 2
    assert alike[0].score > 0.9
    assert "patterns" in {term.name for term in alike[0].terms}


def test_another_incident_and_another_workspace_are_not(db: Database) -> None:
    finished(db)
    with db.read() as session:
        other = cases.findings().model_copy(update={"patterns": (), "service": "search"})
        now = an_investigation(db, question="certificate expired")
        assert similar(session, now, other) == ()
    stranger = an_investigation(db, workspace="T9")
    with db.read() as session:
        assert similar(session, stranger, cases.findings()) == ()


def test_the_report_says_what_it_was_then_and_narrators_see_the_same_ids(db: Database) -> None:
    number = finished(db)
    now = an_investigation(db)
    with db.read() as session:
        alike = similar(session, now, cases.findings())
    report = cases.report().model_copy(update={"similar": alike})
    line = outline.similar(alike[0], UTC)
    assert f"#{number}" in line
    assert "cause then" in line
    assert "## Seen before" in markdown(report)
    assert likest_first((), alike)[0].number == number
