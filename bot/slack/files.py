"""Files that stand in a thread: the incident's picture, the report as Markdown or a web page, a post-mortem."""

from __future__ import annotations

import base64

import structlog

from adapters.kit.records import Window
from bot.analysis import picture as drawing
from bot.analysis.findings import Findings
from bot.redact import redact
from bot.report import Report
from bot.report.markdown import markdown
from bot.report.page import page

LARGEST = 2_000_000
"""Characters of one file; a report is far smaller."""

log = structlog.get_logger()
File = dict[str, str]
"""The body of a draft of kind `file`: `name`, `filename`, `title`, and `content` or (in base64) `bytes`."""


def picture(report: Report, number: int) -> File | None:
    """The incident as one picture; None when there is nothing to draw."""
    drawn = png(report)
    if drawn is None:
        return None
    return {
        "name": "picture",
        "filename": f"incident-{number}.png",
        "title": drawing.description(_findings(report))[:250],
        "bytes": base64.b64encode(drawn).decode("ascii"),
    }


def png(report: Report) -> bytes | None:
    """The picture's bytes; None also when it cannot be drawn, which must not cost the report."""
    try:
        return drawing.timeline(_findings(report))
    except Exception:
        log.exception("picture_failed")
        return None


def markdown_file(report: Report, number: int) -> File:
    """The whole report as Markdown."""
    return text_file("markdown", f"incident-{number}.md", f"Report #{number}", markdown(report))


def html_file(report: Report, number: int) -> File:
    """The whole report as one web page; its picture stands in the thread, and drawing takes too long here."""
    return text_file("html", f"incident-{number}.html", f"Report #{number}", page(report))


def text_file(name: str, filename: str, title: str, content: str) -> File:
    """A file of text, without secrets."""
    return {
        "name": name,
        "filename": filename,
        "title": title,
        "content": redact(content[:LARGEST]),
    }


def _findings(report: Report) -> Findings:
    """What the picture is drawn from."""
    return Findings(
        window=Window(since=report.window.since, until=report.window.until),
        patterns=report.patterns,
        onset=report.onset,
        series=report.series,
        propagation=report.propagation,
        suspects=report.suspects,
        none_of_these=report.none_of_these,
        none_terms=report.none_terms,
        stats=report.stats,
    )
