from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bot.sandbox import LocalSlack
from bot.slack import refusals
from bot.slack.app import build_client
from bot.slack.limiter import Limiter
from bot.slack.publisher import Publisher
from bot.slack.refusals import Then
from bot.slack.thread import SlackThread
from storage import events, investigations, jobs, outbox
from storage.db import Database
from storage.investigations import NewInvestigation
from storage.models import OutboxMessage
from storage.outbox import Draft
from tests.slack.reports import report


class Desk:
    """One investigation whose messages are published by hand."""

    def __init__(self, slack: LocalSlack, db: Database) -> None:
        self.slack, self.db = slack, db
        self.time = 0.0
        self.channel = slack.workspace.find_channel("alerts").id
        self.client = build_client(slack.bot_token, slack.base_url)
        self.publisher = self.another("first")

    def another(self, owner: str) -> Publisher:
        """A publisher of another process."""
        return Publisher(
            self.db, self.client, owner=owner, limiter=Limiter(lambda: self.time), pause=self._pass
        )

    async def _pass(self, seconds: float) -> None:
        self.time += seconds

    def open(self, thread_ts: str | None, asked_by: str = "") -> SlackThread:
        new = NewInvestigation(
            workspace=self.slack.team_id,
            origin=f"o{time.monotonic_ns()}",
            door="slash",
            requested_by=asked_by,
            channel=self.channel,
            thread_ts=thread_ts,
        )
        with self.db.write() as session:
            now = self.db.now(session)
            made, _ = investigations.open(session, new, now)
            jobs.enqueue(
                session,
                kind="investigate",
                workspace=new.workspace,
                payload={},
                now=now,
                investigation_id=made.id,
            )
        return SlackThread(made.id, self.channel)

    def put(self, thread: SlackThread, drafts: Sequence[Draft]) -> None:
        with self.db.write() as session:
            outbox.put(session, thread.number, drafts, self.db.now(session))

    def rows(self, thread: SlackThread) -> dict[str, OutboxMessage]:
        with self.db.read() as session:
            return {row.section: row for row in outbox.all_for(session, thread.number)}

    def expire(self, thread: SlackThread) -> None:
        """Time passes: every pause and lease is over."""
        with self.db.write() as session:
            for row in outbox.all_for(session, thread.number):
                row.next_try = row.created_at
                row.lease_until = None
                session.add(row)

    def thread(self, ts: str) -> list[dict[str, Any]]:
        return self.slack.messages("alerts", ts)[1:]


@pytest.fixture
async def desk(slack: LocalSlack, db: Database) -> Desk:
    return Desk(slack, db)


async def test_everything_appears_in_order_in_the_thread_of_the_root(desk: Desk):
    thread = desk.open(None)
    desk.put(
        thread, [*thread.report(report()), *thread.started(), *thread.root("q", "", "U0ALICE00")]
    )
    await desk.publisher.drain()
    [root] = desk.slack.messages("alerts")
    shown = desk.thread(root["ts"])
    assert [one["text"][:6] for one in shown[:2]] == ["On it ", "#1 Lik"]
    assert all(row.state == "posted" for row in desk.rows(thread).values())
    assert all(
        call["args"].get("unfurl_links") in (False, "false", "0", 0)
        for call in desk.slack.calls("chat.postMessage")
    )


async def test_a_section_put_again_edits_its_message_and_only_the_newest_body_is_sent(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.started())
    await desk.publisher.drain()
    for position in (3, 2, 1):
        desk.put(thread, thread.started(position=position))
    await desk.publisher.drain()
    assert len(desk.slack.calls("chat.update")) == 1
    assert [one["text"] for one in desk.thread(ts)] == [
        "Queued (#1), position 1. I start as soon as a place is free."
    ]


async def test_edits_in_quick_succession_are_held_back_and_merged(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.started())
    await desk.publisher.drain()
    for position in range(1, 10):
        desk.put(thread, thread.started(position=position))
        await desk.publisher.drain()
    assert len(desk.slack.calls("chat.update")) < 4
    desk.time += 60
    desk.expire(thread)
    await desk.publisher.drain()
    assert "position 9" in desk.thread(ts)[0]["text"]


async def test_a_post_that_arrived_although_the_connection_broke_is_adopted_not_repeated(
    desk: Desk,
):
    thread = desk.open(None)
    desk.put(thread, [*thread.root("q", "", ""), *thread.started()])
    desk.slack.inject("chat.postMessage", accept_then_drop=True, times=2)
    for _attempt in range(3):
        await desk.publisher.drain()
        desk.expire(thread)
    [root] = desk.slack.messages("alerts")
    assert len(desk.thread(root["ts"])) == 1
    assert len(desk.slack.calls("chat.postMessage")) == 2
    assert {row.state for row in desk.rows(thread).values()} == {"posted"}


async def test_a_publisher_that_died_after_posting_does_not_make_its_successor_post_again(
    desk: Desk,
):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.started())
    with desk.db.write() as session:  # claimed and sent by a process that did not live to say so
        [row] = outbox.claim_due(session, "dead", desk.db.now(session), 1, 90)
    await desk.publisher._call(row, row.body)
    desk.expire(thread)
    await desk.another("second").drain()
    assert len(desk.thread(ts)) == 1
    assert desk.rows(thread)["progress"].ts == desk.thread(ts)[0]["ts"]


async def test_two_publishers_on_one_database_post_everything_once(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, [*thread.started(), *thread.report(report())])
    await asyncio.gather(desk.publisher.drain(), desk.another("second").drain())
    for _round in range(3):
        await desk.publisher.drain()
    shown = [one["text"] for one in desk.thread(ts)]
    said = [row for row in desk.rows(thread).values() if row.kind == "message"]
    assert len(shown) == len(set(shown)) == len(said)


async def test_retry_after_is_honoured(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.started())
    desk.slack.inject("chat.postMessage", retry_after=7)
    await desk.publisher.drain()
    row = desk.rows(thread)["progress"]
    assert row.error == "ratelimited"
    assert 5 < (row.next_try - row.created_at).total_seconds() < 9
    desk.expire(thread)
    desk.time += 7
    await desk.publisher.drain()
    assert len(desk.thread(ts)) == 1


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"error": "internal_error"}, {"error": "brand_new_error"}]
)
async def test_what_may_pass_is_tried_again(desk: Desk, fault: dict[str, Any]):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.started())
    desk.slack.inject("chat.postMessage", **fault)
    await desk.publisher.drain()
    assert desk.rows(thread)["progress"].state == "pending"
    desk.expire(thread)
    await desk.publisher.drain()
    assert len(desk.thread(ts)) == 1


async def test_what_never_passes_is_given_up_and_noted(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.started())
    desk.slack.inject("chat.postMessage", error="internal_error", times=99)
    for _attempt in range(20):
        await desk.publisher.drain()
        desk.expire(thread)
    assert desk.rows(thread)["progress"].state == "failed"
    with desk.db.read() as session:
        [note] = events.since(session, thread.number)
    assert (note.kind, note.payload["error"]) == ("undelivered", "internal_error")


async def test_a_channel_without_us_is_told_to_the_requester_and_the_work_is_stopped(desk: Desk):
    await desk.slack.remove("alerts")
    thread = desk.open(None, asked_by="U0ALICE00")
    desk.put(thread, [*thread.root("q", "", "U0ALICE00"), *thread.started()])
    await desk.publisher.drain()
    [told] = desk.slack.messages("@alice")
    assert "/invite" in json.dumps(told)
    assert desk.slack.messages("alerts") == []
    with desk.db.read() as session:
        assert jobs.for_investigation(session, thread.number)[0].state == "cancelled"
    desk.put(thread, thread.report(report()))
    await desk.publisher.drain()
    assert len(desk.slack.messages("@alice")) == 1


async def test_a_report_for_an_archived_channel_goes_to_the_requester(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts, asked_by="U0ALICE00")
    desk.put(thread, thread.started())
    await desk.publisher.drain()
    await desk.slack.archive("alerts")
    desk.put(thread, thread.report(report()))
    await desk.publisher.drain()
    direct = [one["text"] for one in desk.slack.messages("@alice")]
    assert "unarchive" in direct[0]
    assert any("Likely (82 % sure)" in one for one in direct)
    assert sum("could not post" in one for one in direct) == 1


async def test_a_revoked_token_is_given_up_without_a_word_to_slack(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts, asked_by="U0ALICE00")
    desk.put(thread, thread.started())
    desk.slack.revoke()
    await desk.publisher.drain()
    assert desk.rows(thread)["progress"].error == "token_revoked"
    assert set(desk.rows(thread)) == {"progress", "session"}


async def test_blocks_that_slack_refuses_are_sent_as_plain_text(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.report(report()))
    desk.slack.inject("chat.postMessage", error="invalid_blocks")
    await desk.publisher.drain()
    assert "Likely (82 % sure)" in desk.thread(ts)[0]["text"]
    assert not desk.thread(ts)[0].get("blocks")


async def test_a_reaction_that_is_there_already_is_fine_and_a_deleted_message_is_let_go(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread, gone = desk.open(ts), desk.open(ts)
    await desk.client.reactions_add(channel=desk.channel, name="eyes", timestamp=ts)
    desk.put(thread, thread.seen(ts))
    desk.put(gone, [*gone.seen("1.000001"), *gone.started()])
    await desk.publisher.drain()
    assert desk.rows(thread)["seen"].state == "posted"
    assert desk.rows(gone)["seen"].state == "failed"
    assert len(desk.thread(ts)) == 1


async def test_a_reaction_that_slack_refuses_again_and_again_holds_nothing_up(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, [*thread.seen(ts), *thread.started(), *thread.report(report())])
    desk.slack.inject("reactions.add", error="brand_new_error", times=99)
    for _attempt in range(5):
        await desk.publisher.drain()
        desk.expire(thread)
    assert any("Likely" in one["text"] for one in desk.thread(ts))
    assert desk.rows(thread)["seen"].state == "failed"


async def test_the_plain_message_too_may_meet_a_broken_connection(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    desk.put(thread, thread.report(report())[:1])
    desk.slack.inject("chat.postMessage", error="invalid_blocks")
    desk.slack.inject("chat.postMessage", accept_then_drop=True)
    for _attempt in range(3):
        await desk.publisher.drain()
        desk.expire(thread)
    assert len(desk.thread(ts)) == 1
    assert desk.rows(thread)["report"].state == "posted"


async def test_a_progress_message_that_somebody_deleted_is_not_missed(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts, asked_by="U0ALICE00")
    desk.put(thread, thread.started())
    await desk.publisher.drain()
    await desk.slack.delete("alerts", desk.thread(ts)[0]["ts"])
    desk.put(thread, [*thread.started(position=1), *thread.report(report())])
    await desk.publisher.drain()
    assert any("Likely" in one["text"] for one in desk.thread(ts))
    assert desk.slack.messages("@alice") == []


async def test_an_ephemeral_draft_is_shown_to_one_person(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    body = {"user": "U0ALICE00", "text": "only you"}
    desk.put(thread, [Draft("hint", 1, "ephemeral", desk.channel, body)])
    await desk.publisher.drain()
    assert [one["text"] for one in desk.slack.ephemerals("alerts")] == ["only you"]
    assert desk.rows(thread)["hint"].state == "posted"


async def test_a_bug_in_one_message_does_not_silence_the_others(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    broken, fine = desk.open(ts), desk.open(ts)
    desk.put(broken, [Draft("odd", 1, "message", desk.channel, {"no": "text"})])
    desk.put(fine, fine.started())
    await desk.publisher.drain()
    assert len(desk.thread(ts)) == 1
    assert desk.rows(broken)["odd"].state == "pending"


async def test_the_loop_publishes_soon_and_stops_cleanly(desk: Desk):
    ts = await desk.slack.post("alerts", "x")
    thread = desk.open(ts)
    stop = asyncio.Event()
    running = asyncio.create_task(desk.publisher.run(stop))
    await asyncio.to_thread(desk.put, thread, thread.started())
    await desk.slack.wait_for(lambda s: len(s.messages("alerts", ts)) == 2)
    stop.set()
    await asyncio.wait_for(running, 5)
    desk.put(thread, thread.started(position=1))  # nobody listens any more, and that is fine


def test_every_refusal_that_needs_somebody_says_what_to_do():
    for code, (then, advice) in refusals._BY_CODE.items():
        if then is Then.BROKEN:
            assert "token" in advice, code
    assert "/invite" in refusals._BY_CODE["not_in_channel"][1]


def test_the_table_knows_every_code_that_slack_documents_for_a_lost_channel_or_token(shared_data):
    documented = json.loads((shared_data / "slack" / "api_errors.json").read_text(encoding="utf-8"))
    codes = set(documented["chat.postMessage"]["errors"])
    for code in codes & set(refusals._BY_CODE):
        assert refusals._BY_CODE[code][0] in Then
    needed = {
        code
        for code in codes
        if code.startswith(("restricted_action", "token_", "not_in_", "is_archived"))
    }
    assert needed <= set(refusals._BY_CODE), needed - set(refusals._BY_CODE)
