"""`/api/v1/investigations`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import PlainTextResponse, Response

from bot.report import Report
from bot.report.markdown import markdown
from bot.report.page import page
from bot.report.tables import patterns_csv, suspects_csv
from bot.web import cases
from bot.web.api import shapes
from bot.web.deps import Door
from bot.web.identity import Reader, Responder, note
from bot.web.problems import ProblemError, documented
from storage import evidence, feedback, messages

router = APIRouter(tags=["investigations"])
Number = Annotated[int, Path(ge=1, lt=2**63)]
Key = Annotated[
    str,
    Header(alias="Idempotency-Key", max_length=200, description="The same key: the same result."),
]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.post("/investigations", status_code=202, responses=documented(409))
def start(body: shapes.Start, deps: Door, who: Responder, key: Key = "") -> shapes.Started:
    """Start an investigation."""
    with deps.db.read() as session:
        now = deps.db.now(session)
    made = cases.start(deps, who, body, key, now)
    return shapes.Started(id=made.investigation_id, created=made.created, position=made.position)


@router.get("/investigations")
def listing(  # noqa: PLR0913, PLR0917 - the filters
    deps: Door,
    _: Reader,
    service: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    conclusion: Annotated[str, Query(max_length=20)] = "",
    door: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=200, description="Text to search for.")] = "",
    limit: Limit = 25,
    cursor: Annotated[str, Query(max_length=60)] = "",
) -> shapes.Investigations:
    """List investigations, newest first."""
    wanted = cases.Wanted(service, state, conclusion, door, _searchable(q))
    before = cases.from_cursor(cursor)
    with deps.db.read() as session:
        rows = cases.listed(session, wanted, limit=limit + 1, before=before)
        items = [shapes.investigation(row) for row in rows[:limit]]
    after = cases.cursor_of(items[-1].id) if len(rows) > limit else None
    return shapes.Investigations(items=items, next=after)


@router.get("/search")
def search(
    deps: Door, _: Reader, q: Annotated[str, Query(min_length=1, max_length=200)], limit: Limit = 25
) -> shapes.Investigations:
    """Investigations whose question, summary or service holds the text."""
    with deps.db.read() as session:
        rows = cases.listed(session, cases.Wanted(text=_searchable(q)), limit=limit)
        return shapes.Investigations(items=[shapes.investigation(row) for row in rows])


def _searchable(text: str) -> str:
    return text.replace("\x00", "")


@router.get("/investigations/{number}", responses=documented(404))
def read(number: Number, deps: Door, _: Reader) -> shapes.InvestigationView:
    """Read one."""
    with deps.db.read() as session:
        return shapes.investigation(cases.found(session, number))


@router.post("/investigations/{number}/stop", status_code=202, responses=documented(404, 409))
def stop(number: Number, deps: Door, who: Responder) -> shapes.Accepted:
    """Stop it."""
    cases.stop(deps, who, number)
    return shapes.Accepted(id=str(number))


@router.post("/investigations/{number}/rerun", status_code=202, responses=documented(404, 409))
def rerun(number: Number, deps: Door, who: Responder, key: Key = "") -> shapes.Started:
    """Investigate the same once more."""
    made = cases.again(deps, who, number, key)
    return shapes.Started(id=made.investigation_id, created=made.created, position=made.position)


@router.post("/investigations/{number}/questions", status_code=202, responses=documented(404, 409))
def ask(
    number: Number, body: shapes.Question, deps: Door, who: Responder, key: Key = ""
) -> shapes.Accepted:
    """Ask a follow-up; the answer appears among the messages."""
    return shapes.Accepted(id=cases.ask(deps, who, number, body.text, key))


@router.get("/investigations/{number}/messages", responses=documented(404))
def conversation(number: Number, deps: Door, _: Reader) -> list[shapes.MessageView]:
    """What was asked and answered, the newest 200, oldest of them first."""
    with deps.db.read() as session:
        cases.found(session, number)
        return [shapes.message(one) for one in messages.thread(session, number, 200)]


@router.get("/investigations/{number}/evidence", responses=documented(404))
def all_evidence(number: Number, deps: Door, _: Reader) -> list[shapes.EvidenceView]:
    """Every record that the report may cite."""
    with deps.db.read() as session:
        cases.found(session, number)
        return [
            shapes.EvidenceView(key=e.key, kind=e.kind, payload=shapes.clean(e.payload))
            for e in evidence.all(session, number)
        ]


@router.get("/investigations/{number}/evidence/{key}", responses=documented(404))
def one_evidence(
    number: Number,
    key: Annotated[str, Path(pattern=r"^[A-Z]{1,3}[0-9]{1,6}$")],
    deps: Door,
    _: Reader,
) -> shapes.EvidenceView:
    """One record by its id within the investigation."""
    with deps.db.read() as session:
        item = evidence.one(session, number, key)
    if item is None:
        raise ProblemError(404, "There is no such record.")
    return shapes.EvidenceView(key=item.key, kind=item.kind, payload=shapes.clean(item.payload))


Form = Literal["json", "md", "html", "suspects.csv", "patterns.csv"]


@router.get(
    "/investigations/{number}/report",
    response_model=Report,
    responses={
        200: {
            "content": {"text/markdown": {}, "text/html": {}, "text/csv": {}},
            "description": "In the form that was asked for.",
        },
        **documented(404),
    },
)
def report(number: Number, deps: Door, _: Reader, form: Form = "json") -> Response:
    """The report as JSON, Markdown, HTML, or its suspects or patterns as CSV."""
    with deps.db.read() as session:
        told = cases.report_of(cases.found(session, number))
    match form:
        case "json":
            return Response(
                Report.model_validate(shapes.clean(told.model_dump(mode="json"))).model_dump_json(),
                media_type="application/json",
            )
        case "md":
            return PlainTextResponse(markdown(told), media_type="text/markdown; charset=utf-8")
        case "html":
            headers = _attachment(number, "html")
            return Response(page(told), headers=headers, media_type="text/html; charset=utf-8")
        case _:
            text = suspects_csv(told) if form == "suspects.csv" else patterns_csv(told)
            headers = _attachment(number, form)
            return Response(text, headers=headers, media_type="text/csv; charset=utf-8")


def _attachment(number: int, form: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="investigation-{number}.{form}"'}


@router.get("/investigations/{number}/feedback", responses=documented(404))
def opinions(number: Number, deps: Door, _: Reader) -> list[shapes.FeedbackView]:
    """What people said of the report."""
    with deps.db.read() as session:
        cases.found(session, number)
        return [shapes.opinion(one) for one in feedback.of(session, number)]


@router.put("/investigations/{number}/feedback", status_code=204, responses=documented(404))
def say(number: Number, body: shapes.Opinion, deps: Door, who: Responder) -> None:
    """Say whether it was right; one opinion a caller."""
    with deps.db.write() as session:
        cases.found(session, number)
        now = deps.db.now(session)
        if body.cause or body.sha:
            feedback.explain(session, number, who.name, body.cause, body.sha, now)
        else:
            feedback.say(session, number, who.name, body.verdict, now)
    note(deps, who, "feedback", subject=f"{number}: {body.verdict}")
