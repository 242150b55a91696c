"""`incident-responder export`: stored reports as files that people and other programs read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from bot.config import load_settings
from bot.errors import UserError
from bot.report import Report
from bot.report.markdown import markdown
from bot.report.page import page
from bot.report.tables import patterns_csv, suspects_csv
from bot.slack.files import png
from bot.wiring import build_database
from storage import investigations
from storage.db import Database
from storage.models import Investigation

FORMATS = ("markdown", "html", "json", "csv")
PAGE = 100


def export(numbers: list[int], form: str, out: Path | None) -> int:
    """Write the reports of these investigations, or of all, to a folder; one report without a folder is printed.

    Raises:
        UserError: the format or a number is unknown, or the folder cannot be written.
    """
    if form not in FORMATS:
        raise UserError(f"There is no format {form!r}; there are {', '.join(FORMATS)}")
    if out is None and len(numbers) != 1:
        raise UserError(
            "Give a folder (--out) for more than one report, or one investigation's number"
        )
    db = build_database(load_settings())
    try:
        return _export(db, numbers, form, out)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from None
    finally:
        db.close()


def _export(db: Database, numbers: list[int], form: str, out: Path | None) -> int:
    written = 0
    for case in _chosen(db, numbers) if numbers else _all(db):
        report = _report(case)
        if report is None:
            if numbers:
                raise UserError(
                    f"Investigation #{case.id} has no report that this release can read"
                )
            continue
        for suffix, text in _files(report, form):
            if out is None:
                sys.stdout.write(text)
            else:
                out.mkdir(parents=True, exist_ok=True)
                (out / f"investigation-{case.id}{suffix}").write_text(text, encoding="utf-8")
        written += 1
    if out is not None:
        sys.stdout.write(f"{written} reports in {out}\n")
    return 0


def _chosen(db: Database, numbers: list[int]) -> Iterator[Investigation]:
    for number in numbers:
        with db.read() as session:
            case = investigations.get(session, number)
        if case is None:
            raise UserError(f"There is no investigation #{number}")
        yield case


def _all(db: Database) -> Iterator[Investigation]:
    """Newest first, a page at a time."""
    before: int | None = None
    while True:
        with db.read() as session:
            found = investigations.recent(session, None, PAGE, before_id=before)
        yield from found
        if len(found) < PAGE:
            return
        before = found[-1].id


def _report(case: Investigation) -> Report | None:
    try:
        return Report.model_validate(case.report) if case.report is not None else None
    except ValidationError:
        return None


def _files(report: Report, form: str) -> Iterator[tuple[str, str]]:
    forms: dict[str, Callable[[], str]] = {
        "markdown": lambda: markdown(report) + "\n",
        "html": lambda: page(report, picture=png(report)),
        "json": lambda: json.dumps(report.model_dump(mode="json"), indent=2) + "\n",
    }
    if form == "csv":
        yield ".suspects.csv", suspects_csv(report)
        yield ".patterns.csv", patterns_csv(report)
    else:
        yield {"markdown": ".md", "html": ".html", "json": ".json"}[form], forms[form]()
