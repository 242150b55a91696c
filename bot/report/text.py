"""A report as plain text for a terminal, without escape sequences of its own or of anybody else's."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, tzinfo

from bot.report import outline
from bot.report.models import Report
from bot.report.words import moment, one_line, plain

WIDTH = 100


def text(report: Report, tz: tzinfo = UTC) -> str:
    """Render the report in lines of about `WIDTH` characters; log lines and titles are cut, not wrapped."""
    return plain("\n".join(_lines(report, tz))).rstrip()


def _lines(report: Report, tz: tzinfo) -> Iterator[str]:
    number = f"#{report.id}  " if report.id.isdigit() else ""
    yield f"{number}{outline.headline(report)}"
    yield ""
    yield from _wrapped(report.summary, "")
    yield ""
    for name, value in outline.facts(report, tz):
        yield f"{name:<9} {one_line(value, 400)}"
    yield from _section("Suspect changes", _suspects(report, tz))
    yield from _section("What was found", _claims(report))
    yield from _section("Log patterns", _patterns(report))
    yield from _section("Timeline", _timeline(report, tz))
    yield from _section(
        "Seen before", _items(tuple(outline.similar(one, tz) for one in report.similar))
    )
    yield from _section("Ruled out", _items(report.ruled_out))
    yield from _section(
        "What I could not see", _items(tuple(f"{g.system}: {g.reason}" for g in report.gaps))
    )
    yield from _section("Next steps", _items(report.next_steps))
    yield ""
    yield outline.footnote(report)


def _section(title: str, body: Iterator[str]) -> Iterator[str]:
    first = next(body, None)
    if first is None:
        return
    yield ""
    yield title
    yield "-" * len(title)
    yield first
    yield from body


def _wrapped(words: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        one_line(words, 4_000),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _suspects(report: Report, tz: tzinfo) -> Iterator[str]:
    for suspect in report.suspects[: outline.SHOWN_SUSPECTS]:
        name, when = outline.suspect_line(suspect, tz)
        yield f"{name}  {one_line(suspect.title, 80)}"
        yield f"    {one_line(suspect.repo, 60)}, {when}" if suspect.repo else f"    {when}"
        if suspect.url:
            yield f"    {one_line(suspect.url, 300)}"
        for term in outline.top_terms(suspect.terms):
            yield f"    {term.weight:+6.2f}  {one_line(f'{term.name}: {term.evidence}', 140).rstrip(': ')}"
    if report.suspects:
        yield outline.none_of_these(report)
    else:
        yield outline.no_suspects(report)


def _claims(report: Report) -> Iterator[str]:
    for claim in report.claims:
        yield from _wrapped(f"{claim.text} {outline.cited(claim)}", "- ")
        if claim.quote:
            yield f"    > {one_line(claim.quote, 240)}"


def _patterns(report: Report) -> Iterator[str]:
    for pattern in report.patterns[: outline.SHOWN_PATTERNS]:
        yield f"{pattern.id}  {one_line(pattern.template, 160)}"
        yield f"    {one_line(outline.pattern_line(pattern), 200)}"
        for example in pattern.examples[: outline.SHOWN_EXAMPLES]:
            yield f"    {one_line(outline.place(example), 120)}"
            yield from (f"      | {one_line(line, 200)}" for line in _head(example.text))


def _head(text_: str, most: int = 6) -> list[str]:
    lines = [line for line in text_.splitlines() if line.strip()]
    more = [f"... {len(lines) - most} more lines"] if len(lines) > most else []
    return lines[:most] + more


def _timeline(report: Report, tz: tzinfo) -> Iterator[str]:
    for item in report.timeline:
        cites = f" [{', '.join(item.cites)}]" if item.cites else ""
        yield f"{moment(item.at, tz)}  {one_line(item.text, 200)}{cites}"


def _items(items: tuple[str, ...]) -> Iterator[str]:
    for item in items:
        yield from _wrapped(item, "- ")
