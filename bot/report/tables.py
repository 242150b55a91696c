"""Suspects and patterns as CSV (RFC 4180), for spreadsheets that must not run what a log line says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from bot.report.models import Report
from bot.report.words import one_line

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def suspects_csv(report: Report) -> str:
    """One line a suspect, best first; the last line is "none of these"."""
    header = (
        "id",
        "probability",
        "score",
        "sha",
        "repo",
        "title",
        "committed_at",
        "deployed_at",
        "kind",
        "url",
        "terms",
    )
    rows: list[Sequence[str | float]] = [
        (
            s.id,
            round(s.probability, 6),
            round(s.score, 4),
            s.sha,
            s.repo,
            s.title,
            s.committed_at.isoformat(),
            s.deployed_at.isoformat() if s.deployed_at else "",
            s.kind,
            s.url,
            "; ".join(f"{t.name} {t.weight:+.2f} {t.evidence}".strip() for t in s.terms),
        )
        for s in report.suspects
    ]
    nobody = ("", round(report.none_of_these, 6), "", "", "", "none of these", "", "", "", "", "")
    return _csv(header, [*rows, nobody])


def patterns_csv(report: Report) -> str:
    """One line a log pattern, most important first."""
    header = (
        *("id", "kind", "service", "level", "count", "baseline_count", "score", "recurring"),
        *("first_seen", "last_seen", "template", "example"),
    )
    rows: list[Sequence[str | float]] = [
        (
            p.id,
            p.kind,
            p.service,
            p.level,
            p.count,
            p.baseline_count,
            round(p.score, 4),
            str(p.recurring).lower(),
            p.first_seen.isoformat() if p.first_seen else "",
            p.last_seen.isoformat() if p.last_seen else "",
            p.template,
            p.examples[0].text if p.examples else "",
        )
        for p in report.patterns
    ]
    return _csv(header, rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) if isinstance(value, str) else value for value in row])
    return out.getvalue()


def _cell(text: str) -> str:
    """One line, and no formula: what begins like one gets an apostrophe before it (OWASP, CSV injection)."""
    line = one_line(text, 2_000)
    return f"'{line}" if line.startswith(_FORMULA) else line
