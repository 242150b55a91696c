"""What is said of alerts beside their reports: repeats, storms, recoveries, limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Block
from bot.slack.blocks.report import AGAIN
from bot.slack.blocks.text import link, prose, when

WATCH = "channel_watch"
UNWATCH = "channel_unwatch"
LISTED = 20


class Fired(Protocol):
    """What is shown of an alert in a list."""

    @property
    def title(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def first_seen(self) -> datetime: ...


def repeated(count: int, last: datetime) -> Block:
    """The counter in the first thread of an alert that fires again and again."""
    return kit.message(
        f":repeat: This alert has fired {count:,} times; the last time {when(last)}."
    )


def recovered(title: str, after_s: float | None) -> Block:
    """The alert is over; nothing else changes."""
    lasted = f" after {duration(after_s)}" if after_s is not None and after_s > 0 else ""
    return kit.message(f":white_check_mark: Recovered{lasted}: {prose(title, 300)}")


def refired(number: int, title: str, quiet_s: float, at: datetime) -> Block:
    """It fires again soon after it had recovered; whether to look anew is left to people."""
    text = (
        f":rotating_light: Fires again since {when(at)}, {duration(quiet_s)} after it had recovered: "
        f"{prose(title, 300)}"
    )
    again = kit.actions([kit.button("Investigate again", AGAIN, str(number))])
    return kit.message(text, [kit.section(text), again])


def storm(alerts: Sequence[Fired]) -> Block:
    """Every alert that one investigation answers, in the order in which they fired."""
    lines = [
        f"• {when(one.first_seen)} {prose(one.title, 100)}"
        + (f" ({prose(one.service, 40)})" if one.service else "")
        for one in alerts[:LISTED]
    ]
    if len(alerts) > LISTED:
        lines.append(f"… and {len(alerts) - LISTED:,} more")
    text = f":thunder_cloud_and_rain: {len(alerts):,} alerts fired together; I look at them as one."
    return kit.message(text, [kit.section(text), *kit.listing(lines)])


def joined(number: int, thread: str) -> Block:
    """Said under an alert whose answer stands in another thread."""
    where = link(thread, f"investigation #{number}")
    return kit.message(f"This belongs to {where}; the answer stands there.")


def limited(most: int, what: str) -> Block:
    """Said once an hour where alerts would start more than they may."""
    return kit.message(
        f":hourglass: Alerts have started {most:,} investigations of {prose(what, 80)} within an hour. Further ones are "
        "only counted for now; `/investigate` and the message shortcut still work."
    )


def invitation(channel: str) -> Block:
    """Asked once, by whoever invites us: nothing is watched without being told so."""
    text = (
        f"Hello. When an alert is posted in <#{channel}>, shall I investigate it on my own? Without that I only "
        "answer `/investigate`, mentions and the message shortcut."
    )
    buttons = [
        kit.button("Watch this channel", WATCH, channel, style="primary"),
        kit.button("Not here", UNWATCH, channel),
    ]
    return kit.message(text, [kit.section(text), kit.actions(buttons)])


def duration(seconds: float) -> str:
    """A length of time in one or two units."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours // 24} days"
