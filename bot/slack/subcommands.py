"""What the subcommands do, the same after `/investigate`, in a mention and in direct messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from bot.slack import intake
from bot.slack.blocks import lists, notes
from bot.slack.blocks.text import prose, when
from bot.slack.delivery import Delivery, Outcome, Step, say
from bot.slack.rules import Rules, guarded, noted, refusal
from bot.slack.subcommand_text import Subcommand, count, span, switch
from storage import channels, investigations, mutes
from storage.investigations import FINAL
from storage.models import Investigation, InvestigationState

COMMAND = "/investigate"
LOOKED_AT = 200
"""How many investigations of a workspace are looked through for those of one channel."""
LISTED = 10


def step_of(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    """What a subcommand asks for.

    Raises:
        UserError: an option's value makes no sense.
    """
    builders: dict[str, Callable[[Subcommand, Delivery, Rules], Step]] = {
        "help": lambda _asked, _delivery, _rules: say(notes.usage()),
        "status": _status,
        "list": _list,
        "stop": _stop,
        "delete": _delete,
        "debug": _debug,
        "watch": _watch,
        "unwatch": _watch,
        "settings": _settings,
        "mute": _mute,
        "unmute": _unmute,
    }
    return builders[asked.name](asked, delivery, rules)


def _status(_asked: Subcommand, delivery: Delivery, _rules: Rules) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        muted = mutes.active(session, delivery.workspace, now)
        here = [one for one in muted if one.service or one.channel == delivery.channel]
        return Outcome(lists.status(_open(session, delivery), here))

    return step


def _list(_asked: Subcommand, delivery: Delivery, _rules: Rules) -> Step:
    def step(session: Session, _now: datetime) -> Outcome:
        rows = investigations.recent(session, delivery.workspace, LOOKED_AT)
        here = [row for row in rows if row.channel == delivery.channel]
        return Outcome(lists.recent(here[:LISTED]))

    return step


def _stop(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    def step(session: Session, now: datetime) -> Outcome:
        found = [
            one
            for one in _open(session, delivery)
            if asked.number is None or one.id == asked.number
        ]
        if not found:
            if asked.number is None:
                return Outcome("Nothing is running in this channel.")
            return Outcome(
                f"#{asked.number} is not running in this channel. `{COMMAND} status` shows what is."
            )
        if len(found) > 1:
            return Outcome(
                f"Several are running. Say which, such as `{COMMAND} stop #{found[0].id}`.\n"
                + lists.status(found)
            )
        asked_to_stop = intake.stop(session, found[0], delivery.user, now)
        return Outcome(f"Stopping #{found[0].id}.", asked_to_stop or ())

    return guarded(rules, "stop", delivery, step, subject=f"#{asked.number or ''}")


def _delete(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    if asked.number is None:
        return say(f"Say which one, such as `{COMMAND} delete #3`. `{COMMAND} list` shows them.")
    number = asked.number

    def step(session: Session, now: datetime) -> Outcome:
        known = investigations.get(session, number)
        if known is None or (known.workspace, known.channel) != (
            delivery.workspace,
            delivery.channel,
        ):
            return Outcome(f"There is no investigation #{number} in this channel.")
        allowed = may_delete(rules, delivery, known)
        noted(session, now, delivery, "delete", allowed=allowed, subject=f"#{number}")
        if not allowed:
            return Outcome(refusal(rules, "delete"))
        if known.state not in FINAL:
            return Outcome(f"#{number} is still running. `{COMMAND} stop #{number}` first.")
        gone = investigations.delete(session, number)
        return Outcome(
            f"Investigation #{number} is deleted, with its evidence and my messages about it.",
            removes=tuple(gone),
        )

    return step


def may_delete(rules: Rules, delivery: Delivery, known: Investigation) -> bool:
    """Whoever asked for it may, besides those whom the rules name; without rules an alert's is everybody's."""
    if known.requested_by == delivery.user:
        return True
    if "delete" in rules.permissions:
        return rules.may("delete", delivery)
    return not known.requested_by


def _debug(asked: Subcommand, delivery: Delivery, _rules: Rules) -> Step:
    def step(session: Session, _now: datetime) -> Outcome:
        rows = investigations.recent(session, delivery.workspace, LOOKED_AT)
        for row in rows:
            wanted = row.id == asked.number if asked.number else row.door == "alert"
            if row.channel == delivery.channel and wanted and row.thread_ts:
                return Outcome(debug=(row.channel, row.thread_ts))
        return Outcome("No alert of this channel has been investigated yet.")

    return step


def _watch(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    return watch(delivery, rules, delivery.channel, on=asked.name == "watch")


def watch(delivery: Delivery, rules: Rules, channel: str, *, on: bool) -> Step:
    """Begin or cease to investigate the alerts of a channel."""

    def step(session: Session, now: datetime) -> Outcome:
        channels.decide(session, delivery.workspace, channel, delivery.user, now, watch=on)
        if on:
            text = f"I investigate alerts in <#{channel}> from now on. `{COMMAND} unwatch` ends it."
        else:
            text = f"I leave alerts in <#{channel}> alone. `{COMMAND} watch` changes that."
        return Outcome(text, home=True)

    return guarded(rules, "watch", delivery, step, subject=f"{'on' if on else 'off'} {channel}")


def _settings(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    changes: dict[str, bool | int | None] = {}
    for key, value in asked.options.items():
        if key == "per-hour":
            changes["per_hour"] = count(key, value)
        else:
            changes[key] = switch(key, value)

    def shown(session: Session, _now: datetime) -> Outcome:
        decided = channels.get(session, delivery.workspace, delivery.channel)
        per_hour = decided.per_hour if decided is not None else None
        return Outcome(
            lists.settings(
                watched=rules.watches(session, delivery),
                shared=delivery.shared,
                answers=rules.answers(session, delivery),
                per_hour=rules.channel_per_hour if per_hour is None else per_hour,
                reaction=rules.reaction,
            )
        )

    def step(session: Session, now: datetime) -> Outcome:
        channels.decide(
            session, delivery.workspace, delivery.channel, delivery.user, now, **changes
        )
        return shown(session, now)

    if not changes:
        return shown
    subject = " ".join(f"{key}:{value}" for key, value in asked.options.items())
    return guarded(rules, "settings", delivery, step, subject=subject)


def _mute(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    length = span(asked.options.get("for", ""))
    service = asked.options.get("service", "")

    def step(session: Session, now: datetime) -> Outcome:
        made = mutes.add(
            session,
            delivery.workspace,
            now + length,
            delivery.user,
            now,
            service=service,
            channel="" if service else delivery.channel,
        )
        what = f"of {prose(service, 100)}" if service else "in this channel"
        return Outcome(
            f"Alerts {what} start nothing until {when(made.until)}. `{COMMAND} unmute"
            + (f" service:{prose(service, 100)}`" if service else "`")
            + " ends that early."
        )

    return guarded(rules, "mute", delivery, step, subject=service or delivery.channel)


def _unmute(asked: Subcommand, delivery: Delivery, rules: Rules) -> Step:
    service = asked.options.get("service", "")

    def step(session: Session, _now: datetime) -> Outcome:
        channel = "" if service else delivery.channel
        ended = mutes.lift(session, delivery.workspace, service=service, channel=channel)
        what = prose(service, 100) if service else "This channel"
        return Outcome(f"{what} is no longer muted." if ended else f"{what} was not muted.")

    return guarded(rules, "mute", delivery, step, subject=f"not {service or delivery.channel}")


def _open(session: Session, delivery: Delivery) -> list[Investigation]:
    """What runs or waits in the channel, newest first."""
    rows = [
        row
        for state in (InvestigationState.QUEUED, InvestigationState.RUNNING)
        for row in investigations.recent(session, delivery.workspace, LOOKED_AT, state=state)
        if row.channel == delivery.channel
    ]
    return sorted(rows, key=lambda row: row.id, reverse=True)
