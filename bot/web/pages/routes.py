"""The pages, and the forms on them. Forms carry a token of their browser's session; every change is audited."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.report import Report
from bot.web import cases
from bot.web.api.operations import make, revoke, view
from bot.web.api.shapes import NewKey, Start
from bot.web.deps import Door, WebDeps
from bot.web.identity import (
    COOKIE,
    Principal,
    Scope,
    authorise,
    by_bearer,
    digest,
    identify,
    note,
    same_origin,
)
from bot.web.limits import GateOf
from bot.web.pages.chart import chart
from bot.web.pages.render import page, static
from bot.web.problems import ProblemError
from storage import access, audit, evidence, feedback, messages
from storage.models import Investigation

router = APIRouter(include_in_schema=False)
SEE_OTHER = 303
PER_PAGE = 30
TYPES = {"page.css": "text/css", "page.js": "text/javascript"}
Text = Annotated[str, Form(max_length=4_000)]


class SignInError(Exception):
    """Nobody is signed in: show the page where one does."""


def _who(request: Request, deps: WebDeps, scope: Scope = "read") -> Principal:
    if identify(request, deps) is None:
        raise SignInError
    return authorise(request, deps, scope, request.method)


def _sender(request: Request, deps: WebDeps, csrf: str, scope: Scope = "write") -> Principal:
    """Who sent a form of ours.

    Raises:
        ProblemError: 403, it was another page's form, or they may not.
    """
    who = _who(request, deps, scope)
    if not who.csrf or not hmac.compare_digest(who.csrf.encode(), csrf.encode("utf-8", "replace")):
        raise ProblemError(403, "Load the page again and repeat that.", code="bad_form")
    return who


@router.get("/static/{name}")
def file(name: str) -> Response:
    """A style sheet or script."""
    if name not in TYPES:
        raise ProblemError(404, "There is no such file.")
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(static(name), headers=headers, media_type=TYPES[name])


@router.get("/")
def home(  # noqa: PLR0913, PLR0917 - the filters
    request: Request,
    deps: Door,
    q: Annotated[str, Query(max_length=200)] = "",
    service: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    conclusion: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    """Investigations, newest first."""
    who = _who(request, deps)
    wanted = cases.Wanted(service, state, conclusion, text=q.replace("\x00", ""))
    with deps.db.read() as session:
        rows = cases.listed(session, wanted, limit=PER_PAGE + 1, before=cases.from_cursor(cursor))
    after = cases.cursor_of(rows[PER_PAGE - 1].id) if len(rows) > PER_PAGE else ""
    return page(
        "home",
        request,
        who,
        rows=rows[:PER_PAGE],
        after=after,
        wanted=wanted,
        title="Investigations",
    )


@router.get("/investigations/{number}")
def one(number: int, request: Request, deps: Door) -> HTMLResponse:
    """One investigation: live while it runs, whole when it is done."""
    who = _who(request, deps)
    with deps.db.read() as session:
        case = cases.found(session, number)
        records = evidence.all(session, number)
        talk = messages.thread(session, number, 200)
        opinions = feedback.of(session, number)
    report = Report.model_validate(case.report) if case.report else None
    return page(
        "investigation",
        request,
        who,
        title=f"Investigation {number}",
        case=case,
        report=report,
        chart=chart(report) if report else None,
        records=[record for record in records if record.kind != "pattern"][:200],
        talk=talk,
        right=sum(one.verdict == "right" for one in opinions),
        wrong=sum(one.verdict == "wrong" for one in opinions),
        running=case.state in {"queued", "running"},
        quotes=_quotes(report),
        shown={suspect.id for suspect in report.suspects[:10]} if report else set(),
    )


def _quotes(report: Report | None) -> dict[str, list[str]]:
    """What claims quote from each record, to be marked where the record is shown."""
    found: dict[str, list[str]] = {}
    for claim in report.claims if report else ():
        for key in claim.cites if claim.quote else ():
            found.setdefault(key, []).append(str(claim.quote))
    return found


@router.get("/alerts")
def alerts(request: Request, deps: Door) -> HTMLResponse:
    """Episodes of alerts."""
    who = _who(request, deps)
    with deps.db.read() as session:
        rows = cases.recent_alerts(session, 200)
    return page("alerts", request, who, rows=rows, title="Alerts")


@router.get("/sources")
def sources(request: Request, deps: Door) -> HTMLResponse:
    """Sources and the state of their circuit breakers; services of the catalogue."""
    who = _who(request, deps)
    rows = [view(one) for one in deps.sources.sources]
    return page("sources", request, who, rows=rows, services=deps.sources.services, title="Sources")


@router.get("/settings")
def settings(request: Request, deps: Door) -> HTMLResponse:
    """Keys and the audit log, for admins."""
    who = _who(request, deps, "admin")
    return _settings(request, deps, who)


def _settings(request: Request, deps: WebDeps, who: Principal, made: str = "") -> HTMLResponse:
    with deps.db.read() as session:
        keys = access.keys(session, 100)
        lines = audit.recent(session, deps.settings.workspace, 100)
    return page("settings", request, who, keys=keys, lines=lines, made=made, title="Settings")


@router.post("/settings/keys")
def make_key(
    request: Request, deps: Door, name: Text, scope: Text, csrf: Text = ""
) -> HTMLResponse:
    """Make a key and show it this once."""
    who = _sender(request, deps, csrf, "admin")
    scopes = {"read": ["read"], "write": ["read", "write"], "admin": ["read", "write", "admin"]}
    if scope not in scopes or not 0 < len(name.strip()) <= 100:
        raise ProblemError(422, "A key needs a name and one of the rights.")
    body = NewKey.model_validate({"name": name, "scopes": scopes[scope]})
    return _settings(request, deps, who, make(body, deps, who).key)


@router.post("/settings/keys/{number}/revoke")
def revoke_key(number: int, request: Request, deps: Door, csrf: Text = "") -> Response:
    """End a key."""
    revoke(number, deps, _sender(request, deps, csrf, "admin"))
    return RedirectResponse("/settings", SEE_OTHER)


@router.post("/investigations")
def start(
    request: Request,
    deps: Door,
    question: Text,
    service: Text = "",
    since: Text = "",
    csrf: Text = "",
) -> Response:
    """Start an investigation."""
    who = _sender(request, deps, csrf)
    if not question.strip():
        raise ProblemError(422, "Ask a question, such as: checkout returns 500.")
    with deps.db.read() as session:
        now = deps.db.now(session)
    body = Start(question=question, service=service[:200], since=since[:60])
    made = cases.start(deps, who, body, "", now)
    return RedirectResponse(f"/investigations/{made.investigation_id}", SEE_OTHER)


@router.post("/investigations/{number}/{action}")
def act(  # noqa: PLR0913, PLR0917 - the fields of four small forms
    number: int,
    action: str,
    request: Request,
    deps: Door,
    csrf: Text = "",
    text: Text = "",
    verdict: Text = "",
) -> Response:
    """Stop, repeat, ask, or say whether it was right."""
    who = _sender(request, deps, csrf)
    target = number
    match action:
        case "stop":
            cases.stop(deps, who, number)
        case "rerun":
            target = cases.again(deps, who, number, "").investigation_id
        case "ask" if text.strip():
            cases.ask(deps, who, number, text.strip(), "")
        case "feedback" if verdict in {"right", "wrong"}:
            _say(deps, who, number, verdict)
        case _:
            raise ProblemError(422, "There is nothing to do in this form.")
    return RedirectResponse(f"/investigations/{target}", SEE_OTHER)


def _say(deps: WebDeps, who: Principal, number: int, verdict: str) -> None:
    with deps.db.write() as session:
        case: Investigation = cases.found(session, number)
        known: feedback.Verdict = "right" if verdict == "right" else "wrong"
        feedback.say(session, case.id, who.name, known, deps.db.now(session))
    note(deps, who, "feedback", subject=f"{number}: {verdict}")


@router.get("/login")
def login_page(request: Request, deps: Door) -> HTMLResponse:
    """Where one signs in."""
    return page(
        "login",
        request,
        identify(request, deps),
        title="Sign in",
        oidc=bool(deps.settings.oidc_client_id),
        wrong=False,
    )


@router.post("/login")
def login(request: Request, deps: Door, gate: GateOf, token: Text = "") -> Response:
    """Sign in with the admin token or a key; the session is new, whatever the browser brought along."""
    gate.sign_in(request)
    who = by_bearer(deps, token.strip()) if same_origin(request, deps) else None
    if who is None:
        return page(
            "login",
            request,
            None,
            401,
            title="Sign in",
            oidc=bool(deps.settings.oidc_client_id),
            wrong=True,
        )
    return signed_in(deps, who)


def signed_in(deps: WebDeps, who: Principal) -> Response:
    """Remember the browser and send it to the list."""
    secret = secrets.token_urlsafe(32)
    hours = deps.settings.session_hours
    with deps.db.write() as session:
        now = deps.db.now(session)
        access.sign_in(
            session,
            digest=digest(deps.pepper, secret),
            person=who.name,
            scopes=who.scopes,
            expires_at=now + timedelta(hours=hours),
            now=now,
        )
    note(deps, who, "sign in")
    answer = RedirectResponse("/", SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(hours * 3_600),
        httponly=True,
        samesite="lax",
        secure=deps.settings.url.startswith("https://"),
    )
    return answer


@router.post("/logout")
def logout(request: Request, deps: Door, csrf: Text = "") -> Response:
    """Forget the browser."""
    who = _sender(request, deps, csrf, "read")
    with deps.db.write() as session:
        access.sign_out(session, digest(deps.pepper, request.cookies.get(COOKIE, "")))
    note(deps, who, "sign out")
    answer = RedirectResponse("/login", SEE_OTHER)
    answer.delete_cookie(COOKIE)
    return answer
