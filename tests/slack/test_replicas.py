"""Two bots on one database, each event delivered to both: one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from bot.sandbox import LocalSlack
from storage.db import Database
from tests.slack.conftest import Rig, alert


@pytest.fixture
async def pair(slack: LocalSlack, db: Database) -> AsyncIterator[tuple[Rig, Rig]]:
    rigs = (Rig(slack, db), Rig(slack, Database(db.url.render_as_string(hide_password=False))))
    rigs[1].publisher = rigs[1].new_publisher("second")
    for rig in rigs:
        await rig.start()
    await slack.wait_for(lambda s: s.connected == 2)
    slack.deliver_everywhere()
    yield rigs
    for rig in rigs:
        await rig.stop()
    rigs[1].db.close()


async def test_each_event_delivered_to_two_replicas_has_one_answer(
    pair: tuple[Rig, Rig], slack: LocalSlack
):
    first = pair[0]
    mentioned = await slack.mention("alerts", "checkout is down")
    await slack.slash("incidents", "/investigate", "watch")
    alerted = await slack.post_as_bot("incidents", alert())
    for channel, ts in (("alerts", mentioned), ("incidents", alerted)):
        await first.thread(channel, ts, 4)
    await slack.post("alerts", "which change was it?", thread_ts=mentioned)
    await first.until(lambda: pair[0].asked or pair[1].asked)
    await first.until(lambda: all(one.state == "done" for one in first.investigations()))
    await first.until(
        lambda: any("You asked" in one["text"] for one in slack.messages("alerts", mentioned))
    )
    assert len(first.investigations()) == 2
    assert len(pair[0].asked) + len(pair[1].asked) == 1
    keys = Counter(
        one["metadata"]["event_payload"]["key"]
        for channel, ts in (("alerts", mentioned), ("incidents", alerted))
        for one in slack.messages(channel, ts)
        if one.get("metadata")
    )
    assert len(keys) >= 6
    assert max(keys.values()) == 1
