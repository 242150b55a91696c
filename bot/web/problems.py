"""Errors as RFC 9457 problem details with stable codes; nothing of our inside is ever in them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bot.errors import UserError

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}


class Problem(BaseModel):
    """What went wrong. `code` is stable; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str = ""
    code: str
    errors: list[dict[str, str]] = []


class ProblemError(Exception):
    """Ends a request with a problem.

    Args:
        detail: written to be shown to whoever asked.
    """

    def __init__(
        self, status: int, detail: str, *, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.code = code or CODES.get(status, "error")
        self.headers = dict(headers or {})


def response(
    status: int,
    detail: str,
    *,
    code: str = "",
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """A problem as an answer."""
    code = code or CODES.get(status, "error")
    body = Problem(
        type=f"urn:incident-responder:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=errors or [],
    )
    content = body.model_dump(exclude_defaults=not errors)
    return JSONResponse(content, status, dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""

    @app.exception_handler(ProblemError)
    async def known(_: Request, error: ProblemError) -> JSONResponse:
        return response(error.status, error.detail, code=error.code, headers=error.headers)

    @app.exception_handler(UserError)
    async def words(_: Request, error: UserError) -> JSONResponse:
        return response(422, str(error), code="invalid")

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return response(error.status_code, str(error.detail)[:300], headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"at": ".".join(str(part) for part in e["loc"]), "problem": str(e["msg"])[:300]}
            for e in error.errors()[:20]
        ]
        return response(422, "The request does not fit its description.", errors=errors)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        reference = uuid.uuid4().hex[:8]
        log.error("request_failed", reference=reference, path=request.url.path, exc_info=error)
        return response(500, f"Something broke on our side ({reference}).")


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """For OpenAPI: these problems are possible answers."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
