"""The application: routers joined, guarded, described."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware

from bot.web import health, metrics, problems, webhooks
from bot.web.api import events, investigations, operations
from bot.web.deps import WebDeps
from bot.web.guard import Guard
from bot.web.limits import Gate, Limited
from bot.web.pages import oidc_login
from bot.web.pages import routes as pages
from bot.web.problems import Problem, documented

VERSION = "1"
PREFIX = f"/api/v{VERSION}"
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
DESCRIPTION = """Start, follow and read investigations. Send a key as `Authorization: Bearer ir_...`.
Errors are RFC 9457 problem details whose `code` is stable."""


def build_web(deps: WebDeps) -> FastAPI:
    """The web application; nothing is opened."""
    figures = metrics.Figures(deps)
    settings = deps.settings
    guard = Middleware(
        Guard,
        max_bytes=settings.max_body_bytes,
        body_s=settings.body_seconds,
        secure=settings.url.startswith("https://"),
        hosts=LOCAL_NAMES if settings.open_access else frozenset(),
        measured=figures.measured,
    )
    app = FastAPI(
        title="Incident Responder",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        middleware=[guard],
    )
    app.state.deps, app.state.gate, app.state.figures = deps, Gate(settings), figures
    problems.install(app)

    @app.exception_handler(pages.SignInError)
    async def sign_in(_: Request, __: Exception) -> RedirectResponse:
        return RedirectResponse("/login", 303)

    known = documented(400, 401, 403, 422, 429)
    for router in (investigations.router, operations.router):
        app.include_router(router, prefix=PREFIX, dependencies=[Limited], responses=known)
    app.include_router(events.router, prefix=PREFIX, responses=known)
    app.include_router(webhooks.router, dependencies=[Limited], responses=known)
    app.include_router(pages.router, dependencies=[Limited])
    app.include_router(oidc_login.router, dependencies=[Limited])
    app.include_router(health.router)
    app.include_router(metrics.router)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Add what FastAPI cannot know: how to sign in, and the shape of problems."""
    plain = app.openapi

    def described() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = plain()
            parts = schema.setdefault("components", {})
            parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            parts.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
            schema["security"] = [{"key": []}]
            for path in schema["paths"].values():
                for operation in path.values():
                    _problems(operation["responses"])
            app.openapi_schema = schema
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]


def _problems(responses: dict[str, dict[str, object]]) -> None:
    """FastAPI describes 422 its own way; ours are problems."""
    invalid = responses.get("422")
    if invalid is not None:
        invalid["content"] = {
            problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
