"""The app's Home: what it can see, which channels it watches, what it found lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.slack.blocks import kit, lists
from bot.slack.blocks.alarms import UNWATCH
from bot.slack.blocks.kit import Block
from bot.slack.blocks.text import prose, when

NEW_BUTTON = "investigation_new"
WATCH_CHOICE = "channel_watch_choice"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One configured source. `ok` is None until it has been checked."""

    name: str
    ok: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What one person's Home shows."""

    sources: Sequence[SourceHealth] = ()
    checked_at: datetime | None = None
    watched: Sequence[str] = ()
    configured: Sequence[str] = ()
    recent: Sequence[lists.Row] = ()
    this_month: int = 0
    model: str = ""
    links: dict[int, str] = field(default_factory=dict)


def home(facts: HomeFacts) -> Block:
    """The view for `views.publish`."""
    blocks = [
        kit.header("Incident Responder"),
        kit.section(
            "I investigate incidents: what broke, since when, and which change did it. `/investigate`, a mention, "
            "the message shortcut, a direct message, or an alert in a watched channel starts me."
        ),
        kit.actions([kit.button("New investigation", NEW_BUTTON, "new", style="primary")]),
        kit.divider(),
        *_sources(facts),
        kit.divider(),
        *_watched(facts),
        kit.divider(),
        *_recent(facts),
        kit.context(
            "Answers may be wrong; verify before you act. Secrets and personal data are taken out of what I read "
            "before it is shown"
            + (f" or sent to {prose(facts.model, 80)}." if facts.model else ".")
        ),
    ]
    return {"type": "home", "blocks": blocks}


def _sources(facts: HomeFacts) -> list[Block]:
    if not facts.sources:
        return [
            kit.section(
                "*Sources*\nNone is connected, so reports will only name gaps. Whoever runs me sets `BOT_SOURCES`."
            )
        ]
    marks = {True: ":large_green_circle:", False: ":red_circle:", None: ":white_circle:"}
    lines = [
        f"{marks[one.ok]} {prose(one.name, 80)}"
        + (f": {prose(one.detail, 160)}" if one.detail else "")
        for one in facts.sources[:SHOWN]
    ]
    if len(facts.sources) > SHOWN:
        lines.append(f"… and {len(facts.sources) - SHOWN} more")
    checked = f"Checked {when(facts.checked_at)}." if facts.checked_at else "Being checked …"
    return [kit.section("*Sources*"), *kit.listing(lines), kit.context(checked)]


def _watched(facts: HomeFacts) -> list[Block]:
    blocks: list[Block] = [kit.section("*Watched channels*")]
    if facts.configured:
        names = ", ".join(prose(one, 80) for one in facts.configured[:SHOWN])
        blocks.append(kit.context(f"By configuration: {names}"))
    for channel in facts.watched[:SHOWN]:
        row = kit.section(f"<#{channel}>")
        blocks.append(row | {"accessory": kit.button("Stop watching", UNWATCH, channel)})
    if not facts.watched and not facts.configured:
        blocks.append(kit.context("None yet. I must be a member of a channel to hear its alerts."))
    choice: Block = {
        "type": "conversations_select",
        "action_id": WATCH_CHOICE,
        "placeholder": {"type": "plain_text", "text": "Watch another channel"},
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return [*blocks, kit.actions([choice])]


def _recent(facts: HomeFacts) -> list[Block]:
    lines = [f"• {lists.line(row)}" for row in facts.recent[:10]]
    used = kit.context(f"{facts.this_month:,} investigations in the last 30 days.")
    return [
        kit.section("*Recent investigations*"),
        *(kit.listing(lines) or [kit.context("None that you can see.")]),
        used,
    ]
