"""A report as CommonMark with tables: everything that came from elsewhere is escaped or fenced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo

from bot.report import outline
from bot.report.models import Report
from bot.report.words import moment, one_line, percent, plain

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LINK_CHARS = re.compile(r"[\s()<>\"'`\\|]")


def markdown(report: Report, tz: tzinfo = UTC) -> str:
    """Render the whole report."""
    return "\n".join(_lines(report, tz)).rstrip()


def escaped(text: str, limit: int = 500) -> str:
    """Foreign text on one line, that formats nothing, links nothing and mentions nobody."""
    return _SPECIAL.sub(r"\\\1", one_line(text, limit))


def code(text: str, limit: int = 300) -> str:
    """Foreign text as a code span; backticks in it cannot end it."""
    line = one_line(text, limit)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def fenced(lines: Iterable[str]) -> str:
    """Foreign lines as a code block that they cannot close."""
    body = "\n".join(plain(line).replace("\n", " ")[:500] for line in lines)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body}\n{fence}"


def link(label: str, url: str) -> str:
    """A link with an escaped label, or the label alone when the address is not plain http."""
    if not url.startswith(("https://", "http://")) or _LINK_CHARS.search(url):
        return escaped(label)
    return f"[{escaped(label)}]({url})"


def _lines(report: Report, tz: tzinfo) -> Iterator[str]:
    yield f"# {outline.headline(report)}"
    yield f"\n{escaped(report.summary, 4_000)}\n"
    for name, value in outline.facts(report, tz):
        yield f"- **{name}:** {escaped(value)}"
    yield from _suspects(report, tz)
    yield from _section("What was found", _claims(report))
    yield from _section("Log patterns", _patterns(report))
    yield from _section("Timeline", _timeline(report, tz))
    yield from _section("Seen before", _items(outline.similar(one, tz) for one in report.similar))
    yield from _section("Ruled out", _items(report.ruled_out))
    yield from _section(
        "What I could not see", _items(f"{g.system}: {g.reason}" for g in report.gaps)
    )
    yield from _section("Next steps", _items(report.next_steps, numbered=True))
    yield f"\n---\nInvestigation {escaped(report.id)} · {escaped(outline.footnote(report))}"


def _section(title: str, body: Iterator[str]) -> Iterator[str]:
    first = next(body, None)
    if first is not None:
        yield f"\n## {title}\n"
        yield first
        yield from body


def _suspects(report: Report, tz: tzinfo) -> Iterator[str]:
    yield "\n## Suspect changes\n"
    if not report.suspects:
        yield outline.no_suspects(report)
        return
    yield "| | Probability | Change | Committed | Why |"
    yield "|---|---|---|---|---|"
    for suspect in report.suspects[: outline.SHOWN_SUSPECTS]:
        sha = link(suspect.sha[:10], suspect.url)
        why = "; ".join(
            f"{escaped(t.name, 60)} {t.weight:+.2f} {escaped(t.evidence, 120)}".rstrip()
            for t in outline.top_terms(suspect.terms)
        )
        change = f"{sha} {escaped(suspect.title, 120)}"
        share = percent(suspect.probability)
        yield f"| {suspect.id} | {share} | {change} | {moment(suspect.committed_at, tz)} | {why} |"
    yield f"| | {percent(report.none_of_these)} | none of these | | |"


def _claims(report: Report) -> Iterator[str]:
    for claim in report.claims:
        yield f"- {escaped(claim.text, 2_000)} {escaped(outline.cited(claim))}".rstrip()
        if claim.quote:
            yield f"  > {code(claim.quote)}"


def _patterns(report: Report) -> Iterator[str]:
    for pattern in report.patterns[: outline.SHOWN_PATTERNS]:
        yield f"**{pattern.id}** {code(pattern.template)}  "
        yield f"{escaped(outline.pattern_line(pattern))}\n"
        for example in pattern.examples[: outline.SHOWN_EXAMPLES]:
            lines = example.text.splitlines()[:12]
            yield f"{escaped(outline.place(example))}\n\n{fenced(lines)}\n"


def _timeline(report: Report, tz: tzinfo) -> Iterator[str]:
    for item in report.timeline:
        cites = f" \\[{', '.join(item.cites)}\\]" if item.cites else ""
        yield f"- {moment(item.at, tz)}: {escaped(item.text)}{cites}"


def _items(items: Iterable[str], *, numbered: bool = False) -> Iterator[str]:
    for number, item in enumerate(items, start=1):
        yield f"{f'{number}.' if numbered else '-'} {escaped(item, 1_000)}"
