"""Whether the process lives, and whether it can work; for load balancers and Kubernetes, so nobody signs in."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from bot.web.deps import Door
from bot.web.problems import ProblemError, documented

router = APIRouter(tags=["health"])
log = structlog.get_logger()


@router.get("/healthz", openapi_extra={"security": []})
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=documented(503), openapi_extra={"security": []})
def ready(deps: Door) -> dict[str, str]:
    """The database answers and has the schema of this version."""
    try:
        current = deps.db.revision() == deps.db.head()
    except SQLAlchemyError as error:
        log.warning("database_gives_no_answer", error=type(error).__name__)
        raise ProblemError(503, "The database gives no answer.") from None
    if not current:
        raise ProblemError(503, "The database's schema is of another version: run `migrate`.")
    return {"status": "ok"}
