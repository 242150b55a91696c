from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from sqlmodel import func, select

from bot.sandbox import LocalSlack
from bot.slack.app import build_app, build_client
from bot.slack.blocks.notes import BUSY
from bot.slack.deps import SlackDeps
from bot.slack.rules import Rules
from storage.db import Database
from storage.jobs import Limits
from storage.models import Inbox, Investigation

CHANNELS = [f"C{number:08}" for number in range(50)]


class Edge:
    """The app without a socket: requests go in, responses come out."""

    def __init__(self, slack: LocalSlack, db: Database, store_s: float = 1.0) -> None:
        self.slack, self.db = slack, db
        self.hints: list[str] = []
        self.app: AsyncApp = build_app(
            SlackDeps(
                db=db,
                notify=self.hints.append,
                client=build_client(slack.bot_token, slack.base_url),
                clock=lambda: datetime.now(UTC),
                rules=Rules(
                    Limits(total=1, per_workspace=1), watched=frozenset({"alerts", *CHANNELS})
                ),
                store_s=store_s,
            )
        )

    async def send(self, body: dict[str, Any]) -> BoltResponse:
        return await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))

    async def mention(
        self, event_id: str, text: str = "checkout is down", **event: Any
    ) -> BoltResponse:
        said = {
            "type": "app_mention",
            "channel": "C0ALERTS0",
            "user": "U0ALICE00",
            "ts": f"{event_id}.000001",
            "text": f"<@{self.slack.bot_user_id}> {text}",
        }
        return await self.send(self.envelope(event_id, said | event))

    async def command(self, trigger_id: str, text: str) -> BoltResponse:
        return await self.send(
            {
                "command": "/investigate",
                "text": text,
                "trigger_id": trigger_id,
                "team_id": self.slack.team_id,
                "user_id": "U0ALICE00",
                "channel_id": "C0ALERTS0",
            }
        )

    def envelope(self, event_id: str, event: dict[str, Any], **more: Any) -> dict[str, Any]:
        base = {"type": "event_callback", "event_id": event_id, "team_id": self.slack.team_id}
        return base | {"event": event} | more

    def count(self, table: type[Any]) -> int:
        with self.db.read() as session:
            return session.exec(select(func.count()).select_from(table)).one()

    @contextmanager
    def somebody_writing(self) -> Iterator[None]:
        """Another thread holds the database."""
        writing, done = threading.Event(), threading.Event()

        def hold() -> None:
            with self.db.write():
                writing.set()
                done.wait(10)

        holder = threading.Thread(target=hold)
        holder.start()
        writing.wait(5)
        try:
            yield
        finally:
            done.set()
            holder.join()


@pytest.fixture
async def edge(slack: LocalSlack, db: Database) -> Edge:
    made = Edge(slack, db)
    await made.command("t0", "help")  # who we are is asked once, before anything is timed
    return made


async def test_a_redelivered_event_is_stored_once(edge: Edge):
    for _delivery in range(3):
        assert (await edge.mention("7")).status == 200
    assert edge.count(Investigation) == 1
    assert len(edge.hints) == 1


async def test_one_mention_that_arrives_as_two_events_is_stored_once(edge: Edge):
    await edge.mention("7", ts="7.1")
    await edge.mention("8", ts="7.1", type="message")
    assert edge.count(Investigation) == 1


async def test_a_question_that_arrives_as_two_events_is_asked_once(edge: Edge):
    await edge.mention("7", ts="7.1")
    hints = len(edge.hints)
    await edge.mention("8", "since when?", ts="8.1", thread_ts="7.1")
    await edge.mention("9", "since when?", ts="8.1", thread_ts="7.1", type="message")
    assert len(edge.hints) == hints + 1


async def test_an_event_that_cannot_be_stored_is_not_acknowledged_and_its_redelivery_is(edge: Edge):
    slow = Edge(edge.slack, edge.db, store_s=0.05)
    with edge.somebody_writing():
        assert (await slow.mention("7")).status == 503
    assert edge.count(Investigation) == 0
    assert (await edge.mention("7")).status == 200
    assert edge.count(Investigation) == 1


async def test_a_command_that_cannot_be_stored_asks_to_try_again_and_leaves_nothing_behind(
    edge: Edge,
):
    slow = Edge(edge.slack, edge.db, store_s=0.05)
    with edge.somebody_writing():
        answer = await slow.command("t1", "checkout is down")
    assert answer.status == 200
    assert json.loads(answer.body)["text"] == BUSY
    await edge.command("t2", "help")
    assert edge.count(Investigation) == 0


@pytest.mark.parametrize("fault", [{"error": "internal_error"}, {"status": 502}])
async def test_while_slack_does_not_say_who_we_are_nothing_is_acknowledged(
    slack: LocalSlack, db: Database, fault: dict[str, Any]
):
    slack.inject("auth.test", **fault)
    edge = Edge(slack, db)
    assert (await edge.mention("7")).status == 503
    assert (await edge.mention("7")).status == 200
    assert edge.count(Investigation) == 1


async def test_after_the_first_delivery_no_network_call_stands_before_the_answer(edge: Edge):
    before = len(edge.slack.calls())
    assert (await edge.command("t1", "checkout is down")).status == 200
    assert len(edge.slack.calls()) == before


async def test_a_channel_shared_with_another_organisation_gets_no_answer(edge: Edge):
    said = {
        "type": "app_mention",
        "channel": "C0ALERTS0",
        "user": "U0ALICE00",
        "ts": "7.1",
        "text": f"<@{edge.slack.bot_user_id}> checkout is down",
    }
    answer = await edge.send(edge.envelope("7", said, is_ext_shared_channel=True))
    assert answer.status == 200
    assert edge.count(Investigation) == 0


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1.1", "channel": "C1"},
        {"type": "message", "subtype": "message_deleted", "ts": "1.1", "channel": "C1"},
        {"type": "message", "text": None, "ts": [], "thread_ts": {}, "channel": "C1"},
        {
            "type": "message",
            "attachments": [[[]], None, {"fields": 3}],
            "bot_id": "B1",
            "ts": "1.1",
        },
        {"type": "reaction_added", "user": "U1", "reaction": "eyes"},
        {"type": "app_mention"},
    ],
)
async def test_odd_events_are_acknowledged_and_store_nothing(edge: Edge, event: dict[str, Any]):
    assert (await edge.send(edge.envelope("9", event))).status == 200
    assert edge.count(Investigation) == 0


async def test_our_own_edits_are_not_read(edge: Edge):
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C0ALERTS0",
        "ts": "9.1",
        "message": {"bot_id": "B0RESPONDER", "text": "[FIRING:1] x", "ts": "8.1"},
    }
    rows = edge.count(Inbox)
    assert (await edge.send(edge.envelope("9", event))).status == 200
    assert edge.count(Inbox) == rows


@pytest.mark.parametrize(
    "body",
    [
        {"type": "block_actions", "actions": [{"action_id": "open_link", "url": "https://x"}]},
        {"type": "block_actions", "actions": [{"action_id": "feedback", "value": "drop table"}]},
        {"type": "block_actions", "actions": [{"action_id": "investigation_stop", "value": "999"}]},
    ],
)
async def test_buttons_that_are_not_ours_or_forged_do_nothing(edge: Edge, body: dict[str, Any]):
    user = {"id": "U0ALICE00", "team_id": edge.slack.team_id}
    full = {"trigger_id": "t9", "team": {"id": edge.slack.team_id}, "user": user} | body
    answer = await edge.send(full)
    assert answer.status in {200, 404}
    assert edge.count(Investigation) == 0


async def test_many_deliveries_at_once_are_all_stored(slack: LocalSlack, db: Database):
    edge = Edge(slack, db, store_s=60)  # a slow machine is no reason to fail
    answers = await asyncio.gather(*(edge.command(f"t{n}", f"question {n}") for n in range(60)))
    assert not any(BUSY in (answer.body or "") for answer in answers)
    assert edge.count(Investigation) == 60


async def test_every_recorded_message_is_acknowledged_and_starts_at_most_one_investigation(
    edge: Edge, shared_data: Path
):
    samples = sorted((shared_data / "slack" / "samples").glob("*.json"))
    assert samples
    for number, path in enumerate(samples):
        saved = json.loads(path.read_text(encoding="utf-8"))
        event = next(value for key, value in saved.items() if key != "_source")
        place = {"type": "message", "channel": CHANNELS[number], "ts": f"{number}.1"}
        placed = {"bot_id": "B0OTHER"} | (event if isinstance(event, dict) else {}) | place
        for delivery in range(2):
            answer = await edge.send(edge.envelope(f"S{number}.{delivery}", placed))
            assert answer.status == 200, path.name
    assert 5 < edge.count(Investigation) <= len(samples)
