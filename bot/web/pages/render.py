"""Templates and what they may call. Every value is escaped, every text of strangers redacted, every link checked."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from bot.redact import redact
from bot.report.words import CONCLUSIONS, percent
from bot.web.identity import Principal


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bot.web.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": clean,
        "percent": percent,
        "moment": moment,
        "link": link,
        "verdict": lambda name: CONCLUSIONS.get(name, name) if name else "",
    }
    return environment


def clean(text: object, limit: int = 4_000) -> str:
    """Text of strangers as it may be shown; autoescape does the rest."""
    return redact(str(text)[: limit * 2])[:limit]


def moment(at: datetime | None) -> str:
    """A time in UTC, in words that sort."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""


def link(url: object) -> str:
    """The address if it is one of the web, else nothing."""
    text = str(url or "")
    return text if text.startswith(("https://", "http://")) else ""


def page(
    name: str, request: Request, who: Principal | None, status: int = 200, **values: object
) -> HTMLResponse:
    """A page from its template."""
    html = (
        _templates()
        .get_template(f"{name}.html")
        .render(who=who, path=request.url.path, theme=_theme(request), **values)
    )
    return HTMLResponse(html, status)


def _theme(request: Request) -> str:
    said = request.cookies.get("ir_theme", "")
    return said if said in {"dark", "light"} else "auto"


@cache
def static(name: str) -> bytes:
    """A file that pages load; only those of the package."""
    return (resources.files("bot.web.pages") / "static" / name).read_bytes()
