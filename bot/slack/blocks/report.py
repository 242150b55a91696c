"""A report as messages: the verdict on the first screen, what it rests on behind it.

The first message must be enough for somebody who was just woken up: conclusion and confidence, what broke and
since when, the likeliest changes with their reasons, what to do next, and what could not be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.analysis.findings import Example, Pattern, Suspect, Term
from bot.report import Claim, Report
from bot.report.words import percent
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Block
from bot.slack.blocks.text import code, link, literal, prose, sentence, when

AGAIN = "investigate_again"
FEEDBACK = "feedback"
MORE = "report_more"
EXTRAS = {
    "share": "Share to channel",
    "postmortem": "Draft post-mortem",
    "markdown": "As Markdown",
    "html": "As a web page",
    "canvas": "As a canvas",
}
"""What can be made of a report on request, in the order of the menu."""

TOP_SUSPECTS = 3
MORE_SUSPECTS = 5
WORTH_A_LINE = 0.01
"""A change less likely than this is counted, not listed; the best one is always shown."""
DETAIL_MESSAGES = 3
_BLOCKS = kit.MESSAGE_BLOCKS - 2
_CHARS = kit.MESSAGE_CHARS - 500
_LABELS = {
    "confirmed": (":red_circle:", "Confirmed"),
    "likely": (":large_orange_circle:", "Likely"),
    "inconclusive": (":white_circle:", "Inconclusive"),
    "not_an_incident": (":large_green_circle:", "Not an incident"),
}


_NONE_TERMS = {
    "prior": "it need not have been a change at all",
    "framed": "a stack trace that a guilty change should touch",
    "wordy": "telling words that a guilty change should share",
}
"""What the terms of "none of these" are called here; their own names are those of the weights."""


def headline(report: Report) -> str:
    """The verdict in one line of plain text: for notifications and lists."""
    return f"{_LABELS[report.conclusion][1]} ({percent(report.confidence)} sure)"


def verdict(report: Report, number: int) -> Block:
    """The first message of a report."""
    icon, _ = _LABELS[report.conclusion]
    blocks = [
        kit.header(f"{icon} {headline(report)}"),
        kit.section(sentence(report.summary, 1_500) or "No summary."),
        kit.fields(_facts(report, number)),
        *_suspects(report),
        *_seen_before(report),
        *_next_steps(report),
        *_gaps(report),
        kit.context(_small_print(report)),
        kit.feedback(FEEDBACK, str(number)),
        kit.actions(
            [
                kit.button("Investigate again", AGAIN, str(number)),
                kit.menu(MORE, [(label, f"{number}:{name}") for name, label in EXTRAS.items()]),
            ]
        ),
    ]
    text = f"#{number} {headline(report)}: {prose(report.summary, kit.FALLBACK_LIMIT - 100)}"
    return kit.message(text, blocks)


def is_long(report: Report) -> bool:
    """Whether `details` leaves something out, so that the whole has to come as a file."""
    return len(kit.split(_detail_groups(report), blocks=_BLOCKS, chars=_CHARS)) > DETAIL_MESSAGES


def shared(report: Report, number: int, thread: str) -> Block:
    """The verdict for the whole channel, with the way to its thread."""
    icon, _ = _LABELS[report.conclusion]
    where = link(thread, f"Investigation #{number}") if thread else f"Investigation #{number}"
    about = f" · {prose(report.service, 100)}" if report.service else ""
    return kit.message(
        f"{headline(report)}: {prose(report.summary, kit.FALLBACK_LIMIT - 100)}",
        [
            kit.section(f"{icon} *{headline(report)}*\n{sentence(report.summary, 1_500)}"),
            kit.context(f"{where}{about}. This may still be wrong."),
        ],
    )


def details(report: Report, number: int) -> list[Block]:
    """The messages behind the verdict; at most `DETAIL_MESSAGES`, the last one says what was left out."""
    pages = kit.split(_detail_groups(report), blocks=_BLOCKS, chars=_CHARS)
    left_out = len(pages) - DETAIL_MESSAGES
    pages = pages[:DETAIL_MESSAGES]
    if left_out > 0:
        pages[-1].append(
            kit.context(
                "There is more than fits here: the whole is in the file below. Ask in this thread for any of it."
            )
        )
    total = len(pages)
    return [
        kit.message(f"#{number} details, part {part} of {total}", blocks)
        for part, blocks in enumerate(pages, 1)
    ]


def _facts(report: Report, number: int) -> Iterator[str]:
    if report.service:
        yield f"*Service*\n{prose(report.service, 100)}"
    if report.onset is not None:
        onset = report.onset
        yield f"*Since*\n{when(onset.at)}"
        if (onset.latest - onset.earliest).total_seconds() > 60:
            yield f"*Began between*\n{when(onset.earliest)} and {when(onset.latest)}"
    else:
        yield "*Since*\nno clear beginning in this window"
    if len(report.propagation) > 1:
        order = " → ".join(prose(crossing.service, 40) for crossing in report.propagation[:6])
        yield f"*Seen first to last*\n{order}"
    yield f"*Looked at*\n{when(report.window.since)} to {when(report.window.until)}"
    yield f"*Investigation*\n#{number}"


def _suspects(report: Report) -> Iterator[Block]:
    if not report.suspects:
        if report.conclusion != "not_an_incident":
            yield kit.section("*Suspect changes*\nNo change in reach of this window stands out.")
        return
    listed = _worth_a_line(report)
    for rank, suspect in enumerate(listed[:TOP_SUSPECTS], 1):
        title = "*Suspect changes*\n" if rank == 1 else ""
        yield kit.section(title + _suspect(rank, suspect, reasons=3))
    rest = [f"None of these: {percent(report.none_of_these)}"]
    if len(listed) > TOP_SUSPECTS:
        rest.append(f"{len(listed) - TOP_SUSPECTS} more below")
    if len(report.suspects) > len(listed):
        rest.append(f"{len(report.suspects) - len(listed):,} others below 1 % each")
    yield kit.context(" · ".join(rest))


def _worth_a_line(report: Report) -> Sequence[Suspect]:
    """The best suspect, and whichever others are not next to impossible."""
    others = [one for one in report.suspects[1:] if one.probability >= WORTH_A_LINE]
    return (*report.suspects[:1], *others)


def _suspect(rank: int, suspect: Suspect, *, reasons: int) -> str:
    name = code(suspect.sha[:10] or suspect.id, 30)
    facts = [percent(suspect.probability), prose(suspect.repo, 80), when(suspect.committed_at)]
    if suspect.deployed_at is not None:
        facts.append(f"deployed {when(suspect.deployed_at)}")
    lines = [f"{rank}. {link(suspect.url, name)} {prose(suspect.title, 300)}"]
    lines.append(" · ".join(fact for fact in facts if fact) + f" · {prose(suspect.id, 20)}")
    strongest = sorted(suspect.terms, key=lambda term: -term.weight)
    lines += [_term(term) for term in strongest[:reasons] if term.weight > 0]
    return "\n".join(lines)


def _seen_before(report: Report) -> Iterator[Block]:
    """The likest earlier incidents: what it was last time is often what it is."""
    if not report.similar:
        return
    lines = []
    for one in report.similar[:3]:
        why = ", ".join(prose(term.name, 20) for term in one.terms)
        cause = f"; cause then: {prose(one.cause, 200)}" if one.cause else ""
        lines.append(
            f"• {when(one.at)} (#{one.number}, {percent(one.score)} alike by {why}){cause}"
        )
    times = report.similar[0].times
    more = f" ({times} times)" if times > 1 else ""
    yield kit.section(f"*Seen before*{more}\n" + "\n".join(lines))


def _next_steps(report: Report) -> Iterator[Block]:
    if report.next_steps:
        steps = [f"{n}. {sentence(step, 280)}" for n, step in enumerate(report.next_steps[:5], 1)]
        yield kit.section("*Next*\n" + "\n".join(steps))


def _gaps(report: Report) -> Iterator[Block]:
    if report.gaps:
        shown = [f"{prose(gap.system, 60)}: {sentence(gap.reason, 180)}" for gap in report.gaps[:4]]
        more = f" · and {len(report.gaps) - 4} more below" if len(report.gaps) > 4 else ""
        yield kit.context(f"*What I could not see*: {' · '.join(shown)}{more}")


def _small_print(report: Report) -> str:
    removed = report.removed_claims
    checked = "Every statement was checked against the evidence."
    if removed == 1:
        checked = "1 statement was removed: the evidence did not carry it."
    elif removed:
        checked = f"{removed} statements were removed: the evidence did not carry them."
    return f"{checked} This may still be wrong; verify before you act."


def _detail_groups(report: Report) -> Iterator[list[Block]]:
    yield from _listed("Evidence", (_claim(claim) for claim in report.claims[:20]))
    yield from _patterns(report.patterns)
    yield from _listed(
        "Timeline",
        (f"{when(m.at)} {sentence(m.text, 300)}{_cites(m.cites)}" for m in report.timeline[:40]),
    )
    listed = _worth_a_line(report)[TOP_SUSPECTS : TOP_SUSPECTS + MORE_SUSPECTS]
    more = enumerate(listed, TOP_SUSPECTS + 1)
    yield from _listed("More suspects", (_suspect(rank, one, reasons=1) for rank, one in more))
    yield from _listed(
        f"Why “none of these” has {percent(report.none_of_these)}",
        (_term(term, _NONE_TERMS.get(term.name, "")) for term in report.none_terms[:10]),
    )
    yield from _listed(
        f"Why {percent(report.confidence)}",
        (_share(term) for term in report.confidence_terms[:10]),
    )
    yield from _listed("Ruled out", (f"• {sentence(one, 300)}" for one in report.ruled_out[:20]))
    yield from _listed(
        "What I could not see",
        (f"• {prose(gap.system, 60)}: {sentence(gap.reason, 300)}" for gap in report.gaps[:20]),
    )
    yield [kit.context(_cost(report))]


def _listed(title: str, lines: Iterable[str]) -> Iterator[list[Block]]:
    """A titled list, in as many sections as Slack's limit needs; nothing for an empty list."""
    text = ""
    for line in lines:
        if text and len(text) + 1 + len(line) > kit.SECTION_LIMIT:
            yield [kit.section(text)]
            text = line
        else:
            text = f"{text}\n{line}" if text else f"*{title}*\n{line}"
    if text:
        yield [kit.section(text)]


def _patterns(patterns: Sequence[Pattern]) -> Iterator[list[Block]]:
    for position, pattern in enumerate(patterns[:8]):
        title = "*Log patterns*\n" if position == 0 else ""
        group = [kit.section(title + _pattern(pattern))]
        group += [kit.preformatted(_lines(example), 1_500) for example in pattern.examples[:1]]
        yield group
    yield from _listed("More log patterns", (_pattern(pattern) for pattern in patterns[8:30]))


def _pattern(pattern: Pattern) -> str:
    before = "" if pattern.kind == "seen" else f" ({pattern.baseline_count:,}× before)"
    facts = [
        pattern.kind,
        prose(pattern.service, 60),
        prose(pattern.level, 10),
        f"{pattern.count:,}×{before}",
    ]
    if pattern.first_seen is not None:
        facts.append(f"first {when(pattern.first_seen)}")
    if pattern.recurring:
        facts.append("seen like this before")
    line = " · ".join(fact for fact in facts if fact)
    return f"*{prose(pattern.id, 20)}* {line}\n{code(pattern.template, 400)}"


def _lines(example: Example) -> str:
    place = example.origin or example.source
    at = f"{place}:{example.line}" if example.line is not None else place
    around = [
        *(literal(line, 200, lines=True) for line in example.before[-2:]),
        literal(example.text, 700, lines=True),
        *(literal(line, 200, lines=True) for line in example.after[:2]),
    ]
    return "\n".join((literal(at, 200), *around))


def _claim(claim: Claim) -> str:
    quote = f" {code(claim.quote, 200)}" if claim.quote else ""
    return f"• {sentence(claim.text, 400)}{quote}{_cites(claim.cites)}"


def _cites(cites: Sequence[str]) -> str:
    shown = ", ".join(prose(cite, 12) for cite in cites[:6])
    return f" [{shown}]" if shown else ""


def _term(term: Term, name: str = "") -> str:
    """A term in log-odds, by its own name or another one."""
    evidence = f": {sentence(term.evidence, 220)}" if term.evidence else ""
    return f"• {name or prose(term.name.replace('_', ' '), 60)}{evidence} ({term.weight:+.1f})"


def _share(term: Term) -> str:
    """A part of the confidence; the parts add up to it."""
    evidence = f": {sentence(term.evidence, 220)}" if term.evidence else ""
    return f"• {prose(term.name.replace('_', ' '), 60)}{evidence} ({100 * term.weight:+.0f} %)"


def _cost(report: Report) -> str:
    usage = report.usage
    if usage.llm_calls:
        price = f"${usage.cost:.2f}" if usage.cost is not None else "price unknown"
        models = f"{usage.llm_calls} model calls, {usage.tokens:,} tokens, {price}"
    else:
        models = "no model was used"
    took = f" · {sum(report.timings.values()):.1f} s" if report.timings else ""
    read = f" · {report.stats.lines:,} log lines read" if report.stats.lines else ""
    return f"Cost: {models}{took}{read}"
