"""Drains the outbox: the only place from which messages reach Slack.

A post that was cut off may have arrived. So every message carries its outbox key as metadata, and whoever tries
again first looks for the key in the thread and adopts what is there. Edits may be repeated freely; of several
waiting edits of one message only the newest is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot.slack import limiter as limits
from bot.slack import undelivered
from bot.slack.deliveries import DELIVERIES, aftermath
from bot.slack.limiter import Limiter, Rate
from bot.slack.refusals import Refusal, Then, understood
from storage import outbox
from storage.db import BusyError, Database
from storage.outbox import OutboxRow

EVENT_TYPE = "incident_responder"
AT_ONCE = 8
LEASE_S = 30.0
"""How long after a publisher's death others wait before they take up what it was sending; it renews while it lives."""
LONGEST_WAIT_S = 30.0
POLL_S = 1.0
BUDGET = 12
"""How often one message may fail in this process before it is given up: with the backoff, about 40 minutes."""
BUDGET_OF_SIGNS = 3
"""The same for a reaction or a whisper: minutes later it says nothing any more."""
PAGES = 5
PAGE = 200

log = structlog.get_logger()
Wanted = tuple[tuple[str, ...], Rate]


class Publisher:
    """Sends what is due, in order, within Slack's rates.

    Args:
        db: whose outbox is drained. Several publishers may share it.
        client: without retries of its own.
        owner: names this process in the leases.
        limiter: one for the whole process.
        client_of: the client of a workspace, where there are many; None: `client` for all.
        pause: how to wait; tests pass one that moves their clock.
    """

    def __init__(  # noqa: PLR0913 - what is sent, by whom, and how fast
        self,
        db: Database,
        client: AsyncWebClient,
        *,
        owner: str,
        limiter: Limiter,
        lease_s: float = LEASE_S,
        client_of: Callable[[str], Awaitable[AsyncWebClient]] | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db = db
        self._client = client
        self._owner = owner
        self._limiter = limiter
        self._lease_s = lease_s
        self._client_of = client_of
        self._pause = pause
        self._failures: dict[int, int] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set; what is being sent then is finished."""
        wake = _Wake(asyncio.get_running_loop())
        self._db.subscribe("outbox", wake.from_any_thread)
        sending = self._sending
        stopping = asyncio.create_task(stop.wait())
        renewing = asyncio.create_task(self._renew())
        try:
            while not stop.is_set():
                wake.clear()
                for row in await self._claimed(AT_ONCE - len(sending)):
                    sending.add(asyncio.create_task(self._send(row)))
                waiting = asyncio.create_task(wake.wait())
                await asyncio.wait(
                    {stopping, waiting, *sending},
                    timeout=POLL_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiting.cancel()
                sending -= {task for task in sending if task.done()}
        finally:
            wake.close()
            stopping.cancel()
            if sending:
                await asyncio.wait(sending)
            renewing.cancel()

    async def _renew(self) -> None:
        """Keep the leases of what is on the wire, or waits for the rates, until it is done."""

        def renew() -> None:
            with self._db.write() as session:
                outbox.renew(session, self._owner, self._db.now(session), self._lease_s)

        while True:
            await asyncio.sleep(self._lease_s / 3)
            if self._sending:
                try:
                    await asyncio.to_thread(renew)
                except (BusyError, OperationalError) as error:
                    log.warning("outbox_unavailable", error=type(error).__name__)

    async def drain(self) -> None:
        """Send everything that is due now and becomes due by it; for tests and for a clean stop."""
        while rows := await self._claimed(AT_ONCE):
            await asyncio.gather(*(self._send(row) for row in rows))

    async def _claimed(self, room: int) -> list[OutboxRow]:
        if room <= 0:
            return []
        try:
            return await asyncio.to_thread(self._claim, room)
        except (BusyError, OperationalError) as error:
            log.warning("outbox_unavailable", error=type(error).__name__)
            return []

    def _claim(self, room: int) -> list[OutboxRow]:
        with self._db.read() as session:
            due = outbox.next_due(session)
            if due is None or due > self._db.now(session):
                return []
        with self._db.write() as session:
            return outbox.claim_due(
                session, self._owner, self._db.now(session), room, self._lease_s
            )

    async def _send(self, row: OutboxRow) -> None:
        try:
            await self._attempt(row)
        except Exception:  # the edge: one bad message must not silence all others
            log.exception("slack_message_failed", section=row.section, key=row.key)
            await self._later(row, "a bug; see the log", self._backoff(row))

    async def _attempt(self, row: OutboxRow) -> None:
        try:
            if await self._may(row):
                ts = await self._found(row) or await self._call(row, row.body)
                await self._sent(row, ts)
        except SlackApiError as error:
            await self._refused(row, understood(error))
        except (aiohttp.ClientError, TimeoutError) as error:
            await self._refused(row, Refusal(type(error).__name__, Then.LATER))

    async def _sent(self, row: OutboxRow, ts: str) -> None:
        self._failures.pop(row.id, None)

        def store(session: Session, now: datetime) -> None:
            outbox.posted(session, row.id, ts, now)
            aftermath(session, row, ts, now)

        await self._store(store)

    async def _may(self, row: OutboxRow) -> bool:
        """Wait for the rates; False when the row was put back, to be taken up later with its newest body."""
        waited = 0.0
        while (wait := self._limiter.wait_s(*_wanted(row))) > 0:
            if row.ts is not None or waited + wait > LONGEST_WAIT_S:
                await self._later(row, "", wait)
                return False
            await self._pause(wait)
            waited += wait
        return True

    async def _found(self, row: OutboxRow) -> str | None:
        """The `ts` of an earlier attempt that did arrive."""
        if row.attempt <= 1 or row.ts is not None or row.kind not in {"root", "message", "file"}:
            return None
        cursor = ""
        for _page in range(PAGES):
            try:
                answer = await self._page(row, cursor)
            except SlackApiError as error:
                if understood(error).code == "thread_not_found":  # its root was deleted
                    return None
                raise
            for message in answer.get("messages") or ():
                if _is_of(row, message):
                    log.info("slack_message_adopted", section=row.section, key=row.key)
                    return str(message["ts"])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return None

    async def _page(self, row: OutboxRow, cursor: str) -> Mapping[str, Any]:
        if row.channel[:1] in {"U", "W"}:  # a person's direct messages: not ours to read
            return {}
        client, thread_ts = await self._for(row), _thread_of(row)
        if thread_ts is None:
            answer = await client.conversations_history(
                channel=row.channel, limit=PAGE, cursor=cursor or None, include_all_metadata=True
            )
        else:
            answer = await client.conversations_replies(
                channel=row.channel,
                ts=thread_ts,
                limit=PAGE,
                cursor=cursor or None,
                include_all_metadata=True,
            )
        return answer.data if isinstance(answer.data, dict) else {}

    async def _for(self, row: OutboxRow) -> AsyncWebClient:
        return await self._client_of(row.workspace) if self._client_of else self._client

    async def _call(self, row: OutboxRow, body: Mapping[str, Any]) -> str:
        """Say it; the `ts` under which Slack shows it."""
        client = await self._for(row)
        if row.kind == "reaction":
            await client.reactions_add(channel=row.channel, name=body["name"], timestamp=body["ts"])
            return str(body["ts"])
        if row.kind in DELIVERIES:
            return await DELIVERIES[row.kind](client, row)
        said: dict[str, Any] = {"channel": row.channel, "text": body["text"]}
        blocks = body.get("blocks")
        if row.kind == "ephemeral":
            shown = await client.chat_postEphemeral(
                **said, user=body["user"], blocks=blocks, thread_ts=row.thread_ts
            )
            return str(shown.get("message_ts") or "")
        said["metadata"] = {"event_type": EVENT_TYPE, "event_payload": {"key": row.key}}
        ts = row.ts or (str(body["ts"]) if row.kind == "update" else None)
        if ts is not None:
            # An empty list takes earlier blocks away; leaving them out would keep them.
            await client.chat_update(**said, ts=ts, blocks=blocks or [])
            return ts
        posted = await client.chat_postMessage(
            **said,
            blocks=blocks,
            thread_ts=_thread_of(row),
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(posted["ts"])

    async def _refused(self, row: OutboxRow, refusal: Refusal) -> None:
        if refusal.then is Then.DONE:
            await self._sent(row, row.ts or str(row.body.get("ts") or ""))
        elif refusal.then is Then.PLAIN and row.body.get("blocks"):
            log.warning("slack_blocks_refused", section=row.section, code=refusal.code)
            await self._plain(row)
        elif refusal.wait_s is not None:
            for key, rate in _wanted(row):
                self._limiter.pause(key, rate, refusal.wait_s)
            await self._later(row, refusal.code, refusal.wait_s)
        elif refusal.then is Then.LATER and self._failures.get(row.id, 0) < _budget(row):
            await self._later(row, refusal.code, self._backoff(row))
        else:
            await self._give_up(row, refusal)

    async def _plain(self, row: OutboxRow) -> None:
        """Say the same without blocks."""
        try:
            ts = await self._call(row, {**row.body, "blocks": []})
        except SlackApiError as error:
            refusal = understood(error)
            if refusal.then is Then.PLAIN:
                refusal = Refusal(refusal.code, Then.TELL, "Slack refuses the message itself.")
            await self._refused(row, refusal)
        else:
            await self._sent(row, ts)

    def _backoff(self, row: OutboxRow) -> float:
        failures = self._failures[row.id] = self._failures.get(row.id, 0) + 1
        return float(min(2**failures, 300))

    async def _later(self, row: OutboxRow, error: str, seconds: float) -> None:
        def store(session: Session, now: datetime) -> None:
            outbox.try_later(session, row.id, now + timedelta(seconds=seconds), error)

        if error:
            log.warning("slack_message_delayed", section=row.section, code=error, seconds=seconds)
        await self._store(store)

    async def _give_up(self, row: OutboxRow, refusal: Refusal) -> None:
        log.error(
            "slack_message_given_up",
            investigation_id=row.investigation_id,
            section=row.section,
            channel=row.channel,
            code=refusal.code,
            advice=refusal.advice,
        )
        self._failures.pop(row.id, None)
        await self._store(lambda session, now: undelivered.give_up(session, row, refusal, now))

    async def _store(self, write: Callable[[Session, datetime], None]) -> None:
        """What became of a row, in one transaction. Should it fail, the lease runs out and the row is due again."""

        def work() -> None:
            with self._db.write() as session:
                write(session, self._db.now(session))

        try:
            await asyncio.to_thread(work)
        except (BusyError, OperationalError) as error:
            log.warning("outbox_unavailable", error=type(error).__name__)


class _Wake:
    """Lets any thread end the publisher's sleep."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: asyncio.AbstractEventLoop | None = loop
        self._event = asyncio.Event()

    def from_any_thread(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        self._event.clear()

    async def wait(self) -> None:
        await self._event.wait()

    def close(self) -> None:
        self._loop = None


def _thread_of(row: OutboxRow) -> str | None:
    """Most messages go into their investigation's thread; some stand under another message."""
    return row.thread_ts or row.body.get("thread_ts") or None


def _is_of(row: OutboxRow, message: Mapping[str, Any]) -> bool:
    """Whether an earlier attempt at this row made the message: by its metadata, or by the name of its file."""
    if row.kind == "file":
        return any(one.get("name") == row.body["filename"] for one in message.get("files") or ())
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("key") == row.key


def _budget(row: OutboxRow) -> int:
    return BUDGET if row.kind in {"root", "message", "update"} else BUDGET_OF_SIGNS


def _wanted(row: OutboxRow) -> tuple[Wanted, ...]:
    """The rates that a row counts towards."""
    workspace = row.workspace
    if row.kind in {"reaction", "session"}:
        return (((row.kind, workspace), limits.TIER_3),)
    if row.kind in {"ephemeral", "file"}:
        return (((row.kind, workspace), limits.TIER_4),)
    if row.kind in {"canvas", "complete"}:
        return (((row.kind, workspace), limits.TIER_2),)
    ts = row.ts or (str(row.body.get("ts") or "") if row.kind == "update" else "")
    if ts:
        return (
            (("update", workspace), limits.TIER_3),
            (("message", workspace, row.channel, ts), limits.ONE_MESSAGE),
        )
    return ((("post", workspace, row.channel), limits.POSTS),)
