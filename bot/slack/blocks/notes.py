"""The short messages: what was started, how far it is, what stopped it, and answers to commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.report import Gap
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Block, Task
from bot.slack.blocks.report import AGAIN
from bot.slack.blocks.text import code, link, literal, prose, sentence, user
from bot.slack.command_text import EXAMPLE, USAGE

STOP = "investigation_stop"
ANSWER_MESSAGES = 4
GONE = "I do not know this investigation any more."
BUSY = "I am busy and could not take that in. Please try again in a minute."


def on_it(number: int, position: int) -> str:
    """The first words: that it is stored, under which number, and its place when it has to wait."""
    if position > 0:
        return f"Queued (#{number}), position {position}. I start as soon as a place is free."
    return f"On it (#{number})."


def root(number: int, question: str, service: str, asked_by: str) -> Block:
    """The message that a slash command's thread hangs on."""
    what = prose(question, 1_500) or f"What is wrong with {prose(service, 100)}?"
    about = f" · service {prose(service, 100)}" if service and question else ""
    return kit.message(
        f"Investigation #{number}: {prose(question or service, kit.FALLBACK_LIMIT)}",
        [
            kit.section(f":mag: {what}"),
            kit.context(f"Investigation #{number}, asked by {user(asked_by)}{about}"),
        ],
    )


def progress(number: int, title: str, tasks: Sequence[Task], *, stoppable: bool = True) -> Block:
    """The one message that is edited while the work goes on."""
    body = [kit.plan(title, tasks) if tasks else kit.section(title)]
    if stoppable:
        body.append(kit.actions([kit.button("Stop", STOP, str(number), style="danger")]))
    return kit.message(title, body)


def answer(
    text: str,
    sources: Iterable[tuple[str, str]] = (),
    gaps: Sequence[Gap] = (),
    listing: Sequence[str] = (),
) -> list[Block]:
    """An answer to a question in the thread, split where it is long.

    Args:
        text: what to say; line breaks separate paragraphs.
        sources: what it rests on, as (label, URL or nothing).
        gaps: what could not be asked.
        listing: log lines or a diff, shown as they are after the text.
    """
    groups: list[list[Block]] = [[kit.section(part)] for part in _paragraphs(text)]
    groups += [[kit.preformatted(part, kit.SECTION_LIMIT)] for part in _pages(listing)]
    if not groups:
        groups.append([kit.section("I have no answer to that.")])
    shown = [link(url, prose(label, 80)) for label, url in list(sources)[:6]]
    if shown:
        groups.append([kit.context("From " + " · ".join(shown))])
    if gaps:
        lacking = " · ".join(f"{prose(g.system, 60)}: {prose(g.reason, 180)}" for g in gaps[:5])
        groups.append([kit.context(f"*What I could not see*: {lacking}")])
    pages = kit.split(groups, blocks=kit.MESSAGE_BLOCKS - 2, chars=kit.MESSAGE_CHARS - 500)
    said = prose(text, kit.FALLBACK_LIMIT) or "An answer"
    return [kit.message(said, blocks) for blocks in pages[:ANSWER_MESSAGES]]


def failed(number: int, reference: str) -> Block:
    """A bug or an exhausted job: nothing about its insides, a reference for the operator, a way on."""
    text = (
        f"Something broke on our side, and investigation #{number} stopped "
        f"(reference {code(reference, 80)}). Whoever runs this bot finds the reason in its logs."
    )
    return kit.message(
        f"Investigation #{number} stopped: something broke on our side.",
        [
            kit.section(text),
            kit.actions([kit.button("Investigate again", AGAIN, str(number))]),
        ],
    )


def refused(number: int, reason: str) -> Block:
    """The question itself cannot be answered as it is; the reason says what to ask instead."""
    short = prose(reason, kit.FALLBACK_LIMIT - 100)
    return kit.message(
        f"Investigation #{number} did not start: {short}",
        [kit.section(f"Investigation #{number} did not start: {sentence(reason, 1_500)}")],
    )


def cancelled(number: int, by: str) -> Block:
    who = f" by {user(by)}" if by else ""
    text = f"Investigation #{number} was stopped{who}."
    again = kit.actions([kit.button("Investigate again", AGAIN, str(number))])
    return kit.message(text, [kit.section(text), again])


def stopping(number: int, by: str) -> Block:
    """Said at once when Stop is pressed; the work ends at its next boundary."""
    return kit.message(f"{user(by)} asked me to stop #{number}; I stop after the step I am in.")


def thanks(verdict: str) -> str:
    if verdict == "right":
        return "Thank you. Noted as right."
    return "Thank you. Noted as wrong."


def undelivered(number: int, channel: str, advice: str, *, stopped: bool) -> Block:
    """Told to the requester in a direct message when their channel cannot be written to."""
    then = "It was stopped." if stopped else "The result comes here instead."
    return kit.message(
        f"I could not post investigation #{number} in <#{channel}>. {prose(advice, 300)} {then}"
    )


def usage() -> str:
    """The help text of the slash command."""
    return "\n".join(
        (
            "*Investigate an incident*",
            f"`{USAGE}`",
            f"for example `{EXAMPLE}`",
            "• Times: back from now (`30m`, `2h`, `1d`), a time of day in your zone (`14:00`), or ISO.",
            "• `/investigate status`, `list`: what is running here, and what was found lately.",
            "• `/investigate stop [#number]`, `delete #number`: end one, or remove it.",
            "• `/investigate watch`, `unwatch`: whether I investigate alerts that are posted here on my own.",
            "• `/investigate mute [service:x] for:2h`, `unmute`: during maintenance.",
            "• `/investigate settings`, `debug [#number]`: how this channel is set; how an alert arrived.",
            "• In a thread of mine, ask on; mention me when other people talk there too.",
        )
    )


def _paragraphs(text: str) -> list[str]:
    """Lines joined into sections of at most Slack's limit, each line made harmless on its own."""
    parts: list[str] = []
    for line in text.splitlines()[:200]:
        shown = sentence(line, kit.SECTION_LIMIT - 100)
        if parts and len(parts[-1]) + 1 + len(shown) <= kit.SECTION_LIMIT:
            parts[-1] += f"\n{shown}"
        elif shown:
            parts.append(shown)
    return [part.strip() for part in parts if part.strip()]


def _pages(listing: Sequence[str]) -> list[str]:
    """Lines joined into blocks that Slack takes, each line made harmless and short on its own."""
    pages: list[str] = []
    for line in listing[:500]:
        shown = literal(line, 500, lines=True)
        if pages and len(pages[-1]) + 1 + len(shown) <= kit.SECTION_LIMIT - 100:
            pages[-1] += f"\n{shown}"
        else:
            pages.append(shown)
    return pages
