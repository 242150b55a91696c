"""What the Log Analyst may ask: patterns, their lines, the lines around them, a search, two spans beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

import polars as pl
from pydantic import BaseModel, Field

from adapters.kit.capabilities import LogQuery, LogSource
from adapters.kit.records import LogBatch, Window
from bot.analysis.findings import Example, Pattern
from bot.crew.ground import Ground
from bot.crew.pages import at, page, split
from bot.errors import UserError

MOST_LINES = 200


class ListPatterns(BaseModel):
    """Arguments of `list_patterns`."""

    contains: str = Field(default="", max_length=200, description="Only patterns with this text.")
    skip: int = Field(default=0, ge=0, le=100_000)


class OfPattern(BaseModel):
    """Arguments of `show_pattern` and `lines_around`."""

    pattern: str = Field(max_length=12, description="Id of a log pattern, for example L1.")
    example: int = Field(default=1, ge=1, le=50, description="Which of its examples.")


class Search(BaseModel):
    """Arguments of `search_lines`."""

    text: str = Field(min_length=2, max_length=200, description="Literal text, any case.")
    since: str = Field(default="", max_length=40, description="HH:MM, HH:MM:SS or ISO, UTC.")
    until: str = Field(default="", max_length=40)


class Compare(BaseModel):
    """Arguments of `compare_windows`."""

    first_since: str = Field(max_length=40)
    first_until: str = Field(max_length=40)
    second_since: str = Field(max_length=40)
    second_until: str = Field(max_length=40)


def list_patterns(ground: Ground, args: ListPatterns) -> str:
    """Log patterns, most unusual first, with their counts."""
    wanted = args.contains.casefold()
    lines = [
        pattern_line(pattern)
        for pattern in ground.findings.patterns
        if wanted in pattern.template.casefold()
        or any(wanted in example.text.casefold() for example in pattern.examples)
    ]
    return page(f"{len(lines)} log patterns:", lines, skip=args.skip)


def pattern_line(pattern: Pattern) -> str:
    """A pattern on one line."""
    told = f"{pattern.kind}, {pattern.count} times, {pattern.baseline_count} before"
    where = f" service={pattern.service}" if pattern.service else ""
    again = ", also in the baseline" if pattern.recurring else ""
    first = f", first {at(pattern.first_seen)}" if pattern.first_seen else ""
    return f"{pattern.id} [{told}{again}{first}]{where} {pattern.level}: {pattern.template}"


def show_pattern(ground: Ground, args: OfPattern) -> str:
    """One pattern with its lines and stack frames."""
    pattern = _pattern(ground, args.pattern)
    lines = [f"{f.file}:{f.line or '?'} {f.function} {f.exception}" for f in pattern.frames]
    for number, example in enumerate(pattern.examples, start=1):
        lines += [f"example {number}, {_place(example)}:", *example.text.splitlines()]
    return page(pattern_line(pattern), lines)


def lines_around(ground: Ground, args: OfPattern) -> str:
    """What stands before and after one line of a pattern."""
    pattern = _pattern(ground, args.pattern)
    if args.example > len(pattern.examples):
        raise UserError(f"{pattern.id} has {len(pattern.examples)} examples.")
    example = pattern.examples[args.example - 1]
    lines = [
        *(f"  {line}" for line in example.before),
        *(f"> {line}" for line in example.text.splitlines()),
        *(f"  {line}" for line in example.after),
    ]
    return page(f"{pattern.id}, around {_place(example)}:", lines)


def _pattern(ground: Ground, key: str) -> Pattern:
    for pattern in ground.findings.patterns:
        if pattern.id == key.strip().upper():
            return pattern
    raise UserError(f"There is no log pattern {key!r}; list_patterns names them.")


def _place(example: Example) -> str:
    name = example.origin or example.source
    return f"{name}:{example.line or '?'} at {at(example.at)}"


def search_lines(ground: Ground, args: Search) -> str:
    """Lines that hold a text, read from the log sources anew; they become citable evidence."""
    span = ground.span(args.since, args.until, ground.window)
    found = list(islice(_searched(ground, args.text, span), MOST_LINES + 1))
    if not found:
        return _kept_lines(ground, args.text)
    lines = found[:MOST_LINES]
    more = ", and more" if len(found) > MOST_LINES else ""
    seen = page(f"lines with {args.text!r}, {at(span.since)} to {at(span.until)}:", lines)
    service = ground.desk.ask.service
    payload = {"title": f"lines with {args.text!r}", "text": seen, "service": service}
    key = ground.shelf.add("L", "lines", seen, payload)
    return f"{key or 'not citable'}: {len(lines)} lines{more}\n{seen}"


def _searched(ground: Ground, text: str, span: Window) -> Iterator[str]:
    for source, selector in ground.sources("log_sources"):
        if not isinstance(source, LogSource):
            continue
        query = LogQuery(
            window=span,
            service=selector.service or ground.desk.ask.service,
            selector=selector.selector,
            contains=(text,),
        )
        for batch in ground.ask(source.name, partial(source.logs, query)):
            yield from _matching(batch, text, span)
            if batch.truncated:
                yield f"({source.name}: {batch.truncated})"


def _matching(batch: LogBatch, text: str, span: Window) -> list[str]:
    """Lines of a batch that hold the text; a source may answer with more than it was asked for."""
    time = pl.col("time")
    inside = time.is_null() | ((time >= span.since) & (time < span.until))
    held = pl.col("text").str.to_lowercase().str.contains(text.lower(), literal=True)
    rows = batch.frame.filter(held & inside).head(MOST_LINES + 1)
    return [
        f"{at(moment) if moment else ''} {origin or batch.source}:{line or '?'} {service or ''} {event}"
        for moment, origin, line, service, event in rows.select(
            "time", "origin", "line", "service", "text"
        ).iter_rows()
    ]


def _kept_lines(ground: Ground, text: str) -> str:
    """The same in what was kept when the logs were read."""
    wanted = text.casefold()
    lines = [
        f"{pattern.id} {_place(example)} {line}"
        for pattern in ground.findings.patterns
        for example in pattern.examples
        for line in split((*example.before, example.text, *example.after))
        if wanted in line.casefold()
    ]
    return page(f"{len(lines)} kept lines with {text!r}:", lines)


def compare_windows(ground: Ground, args: Compare) -> str:
    """Counts by service and pattern in two spans, from the numbers behind the picture."""
    findings = ground.findings
    if not findings.series:
        raise UserError("The log lines carry no times, so there are no counts to compare.")
    first = ground.span(args.first_since, args.first_until, ground.window)
    second = ground.span(args.second_since, args.second_until, ground.window)
    start, width = findings.series[0].start, timedelta(seconds=findings.series[0].bucket_s)
    rows: list[tuple[str, Sequence[int]]] = []
    for series in findings.series:
        name = series.service or "logs"
        rows += [(f"{name} events", series.total), (f"{name} errors", series.errors)]
    rows += [(f"{p.id} {p.template[:80]}", p.counts) for p in findings.patterns if p.counts]
    lines = [
        f"{name}: {_total(counts, first, start, width):.0f} -> {_total(counts, second, start, width):.0f}"
        for name, counts in rows
    ]
    spans = f"{at(first.since)}..{at(first.until)} -> {at(second.since)}..{at(second.until)}"
    return page(f"Counts, {spans}:", lines)


def _total(counts: Sequence[int], span: Window, start: datetime, width: timedelta) -> float:
    total = 0.0
    for i, count in enumerate(counts):
        begin = start + width * i
        overlap = min(span.until, begin + width) - max(span.since, begin)
        total += count * max(0.0, overlap / width)
    return total
