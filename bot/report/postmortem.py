"""The draft of a post-mortem: what the report and the conversation know, and headings for what only people know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.report.markdown import code, escaped
from bot.report.models import Report
from bot.report.outline import headline
from bot.report.words import moment, one_line, percent, short_sha

LONGEST = 400
_TO_FILL = "_To be written._"


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the conversation; `author` is empty for the bot."""

    at: datetime
    author: str
    text: str


def postmortem(report: Report, conversation: Sequence[Said] = (), tz: tzinfo = UTC) -> str:
    """The draft as Markdown; times in `tz`. What nobody has said yet is left for people to write."""
    return "\n".join(_lines(report, conversation, tz)).rstrip() + "\n"


def _lines(report: Report, conversation: Sequence[Said], tz: tzinfo) -> Iterator[str]:
    what = report.service or one_line(report.question, 80)
    yield f"# Post-mortem (draft): {escaped(what)}"
    yield ""
    yield f"Drafted from investigation #{report.id}. {headline(report)}; check every statement."
    yield from ("", "## Summary", "", escaped(report.summary, 2_000) or _TO_FILL)
    yield from ("", "## Impact", "", *_impact(report, tz), "", _TO_FILL)
    yield from ("", "## Root cause", "", *_cause(report, tz))
    yield from ("", "## Timeline", "", *_timeline(report, conversation, tz))
    yield from ("", "## What went well", "", _TO_FILL)
    yield from ("", "## What went badly", "", _TO_FILL)
    yield from ("", "## Actions", "")
    yield from (f"- [ ] {escaped(step, 300)}" for step in report.next_steps or (_TO_FILL,))
    if report.gaps:
        yield from ("", "## What could not be seen", "")
        yield from (
            f"- {escaped(gap.system, 80)}: {escaped(gap.reason, 300)}" for gap in report.gaps
        )


def _impact(report: Report, tz: tzinfo) -> Iterator[str]:
    if report.onset is not None:
        yield f"- Began: {moment(report.onset.at, tz)}"
    services = list(dict.fromkeys(crossing.service for crossing in report.propagation))
    if services:
        yield f"- Services, in the order of their first signs: {escaped(', '.join(services))}"
    for pattern in report.patterns[:3]:
        yield (
            f"- {code(pattern.template, 160)}: {pattern.count:,} times, "
            f"{pattern.baseline_count:,} before"
        )


def _cause(report: Report, tz: tzinfo) -> Iterator[str]:
    if not report.suspects:
        yield _TO_FILL
    for suspect in report.suspects[:3]:
        if suspect.probability >= 0.05:
            yield (
                f"- {percent(suspect.probability)}: {code(short_sha(suspect.sha))} "
                f"{escaped(suspect.title, 200)}, committed {moment(suspect.committed_at, tz)}"
            )


def _timeline(report: Report, conversation: Sequence[Said], tz: tzinfo) -> Iterator[str]:
    rows = [(one.at, escaped(one.text, LONGEST)) for one in report.timeline]
    rows += [
        (one.at, f"{escaped(one.author, 80) or 'The bot'}: {escaped(one_line(one.text, LONGEST))}")
        for one in conversation
    ]
    if not rows:
        yield _TO_FILL
    for at, text in sorted(rows, key=lambda row: row[0]):
        yield f"- {moment(at, tz)} {text}"
