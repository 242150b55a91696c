from __future__ import annotations

from pathlib import Path

from adapters.kit.errors import Reason
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at


def folder(path: Path) -> Config:
    books = path / "books"
    (books / "checkout").mkdir(parents=True)
    (books / "pool.md").write_text(
        "---\nservices: [checkout, cart]\n---\n# Pool exhausted\nRaise the pool.\n"
    )
    (books / "checkout" / "deploy.md").write_text("# Roll back\nPress the button.\n")
    (books / "payments.md").write_text("# Payments\nOf another service.\n")
    (books / ".hidden.md").write_text("# Hidden checkout\n")
    return {"path": str(books), "url_template": "https://git.example.com/books/{path}"}


CASE = Case(
    group="runbook_sources",
    type="runbooks",
    prepare=folder,
    service="checkout",
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(("Roll back",), ("Pool exhausted",)),
    empty=None,
    broken=((Reason.NOT_FOUND, lambda path: {"path": str(path / "missing")}),),
    link="https://git.example.com/books/checkout/deploy.md",
)
