"""Alerts by the dozen: watched or not, again and again, together, muted, too many."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import col, func, select

from bot.sandbox import LocalSlack
from bot.slack.rules import Rules
from storage import alerts, investigations
from storage.db import Database
from storage.jobs import Limits
from storage.models import Inbox
from tests.slack.conftest import Rig, alert


def named(name: str, service: str = "", state: str = "FIRING:1") -> dict[str, Any]:
    """An alert of this name, in the shape of Alertmanager's fields."""
    color = "good" if state == "RESOLVED" else "danger"
    fields = [{"title": "alertname", "value": name, "short": True}]
    if service:
        fields.append({"title": "service", "value": service, "short": True})
    return {
        "text": "",
        "attachments": [
            {
                "color": color,
                "title": f"[{state}] {name} (critical)",
                "title_link": "https://alertmanager.example/#/alerts",
                "text": f"*alertname:* `{name}`\n*service:* `{service}`" if service else name,
                "fallback": f"[{state}] {name} | <https://alertmanager.example>",
            }
        ],
    }


def said(slack: LocalSlack, ts: str, channel: str = "alerts") -> str:
    return "\n".join(one["text"] for one in slack.messages(channel, ts))


@pytest.fixture
async def quiet(slack: LocalSlack, db: Database) -> AsyncIterator[Rig]:
    """A bot whose operator allows alerts two investigations an hour and channel."""
    rules = Rules(
        Limits(total=4, per_workspace=4),
        watched=frozenset({"alerts"}),
        channel_per_hour=2,
        service_per_hour=1,
    )
    rig = Rig(slack, db, rules=rules)
    await rig.start()
    yield rig
    await rig.stop()


async def taken_in(rig: Rig, count: int) -> None:
    """So many alert posts have been decided upon."""
    events = select(func.count()).select_from(Inbox).where(col(Inbox.source).endswith(":event"))
    await rig.until(lambda: rig.rows(lambda s: s.exec(events).one()) >= count)


async def settled(rig: Rig) -> None:
    """Everything that was delivered until now has been taken in."""
    await rig.slack.slash("alerts", "/investigate", "help")
    await rig.until(lambda: all(one.state == "done" for one in rig.investigations()))


async def test_an_alert_in_a_channel_that_nobody_watches_is_left_alone_until_somebody_does(
    rig: Rig, slack: LocalSlack
):
    await slack.post_as_bot("incidents", alert())
    await taken_in(rig, 1)
    await settled(rig)
    assert rig.investigations() == []
    shown = await slack.slash("incidents", "/investigate", "watch")
    assert "I investigate alerts" in shown[0]["text"]
    ts = await slack.post_as_bot("incidents", alert())
    await rig.thread("incidents", ts, 4)
    await slack.slash("incidents", "/investigate", "unwatch")
    await slack.post_as_bot("incidents", named("Other"))
    await taken_in(rig, 3)
    await settled(rig)
    assert len(rig.investigations()) == 1


async def test_unwatch_silences_a_channel_that_the_configuration_names(rig: Rig, slack: LocalSlack):
    await slack.slash("alerts", "/investigate", "unwatch")
    await slack.post_as_bot("alerts", alert())
    await taken_in(rig, 1)
    assert rig.investigations() == []


async def test_an_alert_that_fires_again_soon_after_its_recovery_is_noted_in_its_old_thread(
    rig: Rig, slack: LocalSlack
):
    ts = await slack.post_as_bot("alerts", alert())
    await rig.thread("alerts", ts, 4)
    await slack.post_as_bot("alerts", alert("RESOLVED", "good"))
    await rig.until(lambda: "Recovered" in said(slack, ts))
    await settled(rig)
    await slack.post_as_bot("alerts", alert())
    await rig.until(lambda: "Fires again" in said(slack, ts))
    assert len(rig.investigations()) == 1
    note = next(one for one in slack.messages("alerts", ts) if "Fires again" in one["text"])
    await slack.click("alerts", note["ts"], "investigate_again")
    await rig.until(lambda: len(rig.investigations()) == 2)


async def test_alerts_of_one_service_within_minutes_are_one_investigation_with_a_list(
    rig: Rig, slack: LocalSlack
):
    first = await slack.post_as_bot("alerts", named("HighErrorRate", "checkout"))
    await rig.thread("alerts", first, 3)
    others = [await slack.post_as_bot("alerts", named(f"Symptom{n}", "checkout")) for n in range(8)]
    await rig.until(lambda: "9 alerts fired together" in said(slack, first))
    await settled(rig)
    assert len(rig.investigations()) == 1
    assert rig.rows(lambda s: len(alerts.answered_by(s, 1))) == 9
    await rig.until(lambda: "belongs to" in said(slack, others[0]))
    listed = str([one.get("blocks") for one in slack.messages("alerts", first)])
    assert "Symptom7" in listed
    assert "belongs to" not in said(slack, others[7])


async def test_many_alerts_of_one_channel_become_one_storm(rig: Rig, slack: LocalSlack):
    for n in range(12):
        await slack.post_as_bot("alerts", named(f"Broken{n}", f"service-{n}"))
    await rig.until(lambda: rig.rows(lambda s: len(alerts.answered_by(s, 1))) == 9)
    await settled(rig)
    assert len(rig.investigations()) == 4


async def test_a_muted_service_starts_nothing_and_does_when_it_is_unmuted(
    rig: Rig, slack: LocalSlack
):
    shown = await slack.slash("alerts", "/investigate", "mute service:Checkout for:2h")
    assert "start nothing until" in shown[0]["text"]
    await slack.post_as_bot("alerts", named("HighErrorRate", "checkout"))
    await taken_in(rig, 1)
    assert rig.investigations() == []
    status = await slack.slash("alerts", "/investigate", "status")
    assert "Checkout is muted" in status[0]["text"]
    await slack.slash("alerts", "/investigate", "unmute service:checkout")
    await slack.post_as_bot("alerts", named("HighErrorRate", "checkout"))
    await rig.until(lambda: len(rig.investigations()) == 1)


async def test_a_muted_channel_starts_nothing(rig: Rig, slack: LocalSlack):
    await slack.slash("alerts", "/investigate", "mute for:30m")
    await slack.post_as_bot("alerts", alert())
    await taken_in(rig, 1)
    assert rig.investigations() == []
    assert "no longer" in (await slack.slash("alerts", "/investigate", "unmute"))[0]["text"]


async def test_alerts_above_the_limit_of_a_channel_are_only_counted_and_it_is_said_once(
    quiet: Rig, slack: LocalSlack
):
    posted = [await slack.post_as_bot("alerts", named(f"Alone{n}")) for n in range(4)]
    await settled(quiet)
    await quiet.until(lambda: any("within an hour" in said(slack, ts) for ts in posted))
    assert len(quiet.investigations()) == 2
    told = [one["text"] for ts in posted for one in slack.messages("alerts", ts)]
    assert sum("within an hour" in one for one in told) == 1
    await slack.slash("alerts", "/investigate", "settings per-hour:9")
    await slack.post_as_bot("alerts", named("Another"))
    await quiet.until(lambda: len(quiet.investigations()) == 3)


async def test_two_hosts_with_the_same_alert_are_two_investigations(rig: Rig, slack: LocalSlack):
    for host in ("web-1", "web-2"):
        await slack.post_as_bot("alerts", named(f"DiskFull on host:{host}"))
    await rig.until(lambda: len(rig.investigations()) == 2)


async def test_a_recovery_tells_how_long_it_lasted_and_lets_the_work_go_on(
    rig: Rig, slack: LocalSlack
):
    rig.go.clear()
    ts = await slack.post_as_bot("alerts", alert())
    await rig.until(rig.investigations)
    await slack.post_as_bot("alerts", alert("RESOLVED", "good"))
    await rig.until(lambda: "Recovered after" in said(slack, ts))
    assert rig.rows(lambda s: investigations.get(s, 1)).state == "running"
    rig.go.set()
    await rig.until(lambda: "Likely" in said(slack, ts))
