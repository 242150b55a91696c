"""What the clock makes the bot say: the digest, and the first messages of a scheduled investigation."""

from __future__ import annotations

from collections.abc import Sequence

from bot.config import Routine
from bot.queue.chores import Digest
from bot.queue.submit import Submitted
from bot.slack.blocks.digest import digest
from bot.slack.thread import SlackThread
from storage.outbox import Draft


def digest_drafts(number: int, channel: str, told: Digest) -> Sequence[Draft]:
    """The weekly digest as a message of its own."""
    del number
    return (Draft("root", 0, "root", channel, digest(told), thread=False),)


def announced(submitted: Submitted, routine: Routine) -> Sequence[Draft]:
    """The root message of a scheduled question, and that it is being worked on."""
    thread = SlackThread(submitted.investigation_id, routine.channel)
    return (
        *thread.root(routine.question, routine.service, ""),
        *thread.started(position=submitted.position),
    )
