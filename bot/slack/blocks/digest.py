"""The weekly digest: one message, no decoration."""

from __future__ import annotations

from collections.abc import Iterator

from bot.queue.chores import Digest
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Block
from bot.slack.blocks.text import prose, when


def digest(told: Digest) -> Block:
    """How many incidents, of which services, which changes, and how long a verdict took."""
    title = f"The week in incidents: {told.total}"
    blocks = [kit.header(title), kit.section(f"{when(told.since)} to {when(told.until)}")]
    blocks += [kit.section(text) for text in _parts(told)]
    return kit.message(title, blocks)


def _parts(told: Digest) -> Iterator[str]:
    if not told.total:
        yield "Nothing was investigated."
        return
    yield "*Verdicts*\n" + _counted(told.conclusions)
    if told.services:
        yield "*Services*\n" + _counted(told.services)
    if told.suspects:
        lines = (f"• #{number}: {prose(text, 200)}" for number, text in told.suspects)
        yield "*Changes that most likely did it*\n" + "\n".join(lines)
    last = []
    if told.again:
        last.append(f"{told.again} had been seen before in much the same form.")
    if told.verdict_s is not None:
        last.append(f"Half of the reports came within {told.verdict_s:.0f} s of the question.")
    yield " ".join(last)


def _counted(items: tuple[tuple[str, int], ...]) -> str:
    return "\n".join(f"• {prose(name.replace('_', ' '), 80) or 'none'}: {n}" for name, n in items)
