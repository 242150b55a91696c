"""Answers to commands, seen by one person: what runs, what was found lately, how the channel is set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.report.words import CONCLUSIONS
from bot.slack.blocks.text import prose, stamp, when


class Row(Protocol):
    """What a list shows of an investigation."""

    @property
    def id(self) -> int: ...
    @property
    def question(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def conclusion(self) -> str | None: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def created_at(self) -> datetime: ...


class Muted(Protocol):
    """What is shown of a mute."""

    @property
    def service(self) -> str: ...
    @property
    def until(self) -> datetime: ...


def status(rows: Sequence[Row], muted: Sequence[Muted] = ()) -> str:
    """What is going on in a channel, newest first, and what is muted."""
    lines = [
        f"• #{row.id} {row.state}, since {stamp(row.created_at)}: "
        f"{prose(row.question or row.service, 200)}"
        for row in rows[:20]
    ]
    if len(rows) > 20:
        lines.append(f"… and {len(rows) - 20} more")
    if not rows:
        lines.append(
            "Nothing is running or waiting in this channel. `/investigate help` shows how to start."
        )
    lines += [
        f":no_bell: {prose(one.service, 100) or 'This channel'} is muted until {when(one.until)}."
        for one in muted[:20]
    ]
    return "\n".join(lines)


def recent(rows: Sequence[Row]) -> str:
    """The newest investigations with what came out of them."""
    if not rows:
        return "Nothing has been investigated in this channel yet."
    return "\n".join(f"• {line(row)}" for row in rows)


def line(row: Row) -> str:
    """One investigation: number, when, outcome, question."""
    outcome = row.state
    for name, label in CONCLUSIONS.items():
        if row.conclusion == name:
            outcome = f"{label} ({round(100 * (row.confidence or 0))} %)"
    return (
        f"#{row.id} {when(row.created_at)} *{outcome}*: {prose(row.question or row.service, 200)}"
    )


def settings(*, watched: bool, shared: bool, answers: bool, per_hour: int, reaction: str) -> str:
    """How the channel is set, and how to change it."""
    lines = [
        "*This channel*",
        f"• Alerts are {'investigated' if watched else 'left alone'} (`watch:{_switch(on=watched)}`).",
        f"• Alerts may start {per_hour:,} investigations an hour (`per-hour:{per_hour}`).",
    ]
    if shared:
        state = "answer" if answers else "do not answer"
        lines.append(
            f"• It is shared with another organisation; I {state} here (`shared:{_switch(on=answers)}`)."
        )
    if reaction:
        lines.append(f"• React with :{prose(reaction, 60)}: to hand me a message.")
    lines.append("Change them with, for example, `/investigate settings watch:on per-hour:10`.")
    return "\n".join(lines)


def _switch(*, on: bool) -> str:
    return "on" if on else "off"
