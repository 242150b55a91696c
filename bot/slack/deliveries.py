"""How the rarer kinds of outbox rows are delivered: files, canvases, the end of a workflow's step, Stop."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import Session

from bot.slack.blocks import kit
from bot.slack.blocks.text import link
from storage import investigations, outbox
from storage.models import InvestigationState
from storage.outbox import Draft, OutboxRow

WORKFLOW = "workflow"
"""The door of investigations that a step of a workflow has started; their origin is `function:<execution id>`."""
_ENDS = {"report", "stopped"}


async def _file(client: AsyncWebClient, row: OutboxRow) -> str:
    body = row.body
    content = base64.b64decode(body["bytes"]) if "bytes" in body else body["content"].encode()
    await client.files_upload_v2(
        file=content,
        filename=body["filename"],
        title=body["title"],
        channel=row.channel,
        thread_ts=row.thread_ts,
    )
    return row.key


async def _canvas(client: AsyncWebClient, row: OutboxRow) -> str:
    made = await client.canvases_create(
        title=row.body["title"],
        document_content={"type": "markdown", "markdown": row.body["markdown"]},
        channel_id=row.channel,
    )
    return str(made["canvas_id"])


async def _complete(client: AsyncWebClient, row: OutboxRow) -> str:
    execution = str(row.body["execution"])
    if "error" in row.body:
        await client.functions_completeError(
            function_execution_id=execution, error=row.body["error"]
        )
    else:
        await client.functions_completeSuccess(
            function_execution_id=execution, outputs=row.body["outputs"]
        )
    return execution


async def _session(client: AsyncWebClient, row: OutboxRow) -> str:
    await client.agents_sessions_setStatus(
        channel_id=row.channel, thread_ts=row.thread_ts, status=row.body["status"]
    )
    return row.key


DELIVERIES: Mapping[str, Callable[[AsyncWebClient, OutboxRow], Awaitable[str]]] = {
    "file": _file,
    "canvas": _canvas,
    "complete": _complete,
    "session": _session,
}


def aftermath(session: Session, row: OutboxRow, ts: str, now: datetime) -> None:
    """What follows from a delivered row, in the transaction that notes its delivery."""
    if row.kind == "canvas":
        url = f"{row.body['home'].rstrip('/')}/docs/{row.workspace}/{ts}"
        where = link(url, "a canvas") if row.body["home"] else "a canvas"
        said = kit.message(f"The report is {where} now, in this channel's tabs.")
        told = Draft(f"{row.section}.told", 1_000, "message", row.channel, said)
        outbox.put(session, row.investigation_id, [told], now)
    elif row.section in _ENDS:
        _end_step(session, row, now)


def _end_step(session: Session, row: OutboxRow, now: datetime) -> None:
    case = investigations.get(session, row.investigation_id)
    if case is None or case.door != WORKFLOW:
        return
    body: dict[str, object] = {"execution": case.origin.removeprefix("function:")}
    if case.state in {InvestigationState.FAILED, InvestigationState.CANCELLED}:
        body["error"] = f"Investigation #{case.id} has no result."
    else:
        body["outputs"] = {"summary": case.summary, "conclusion": case.conclusion or ""}
    done = Draft("workflow", 2_000, "complete", row.channel, body, thread=False)
    outbox.put(session, case.id, [done], now)
