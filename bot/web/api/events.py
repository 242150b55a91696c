"""Progress as it comes: Server-Sent Events and WebSocket, both resumed by the number of the last event seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

from bot.web import cases
from bot.web.api import shapes
from bot.web.api.investigations import Number
from bot.web.deps import Door, WebDeps, of_socket
from bot.web.identity import Reader, authorise, same_origin
from bot.web.problems import ProblemError, documented
from storage import events, investigations
from storage.investigations import FINAL
from storage.models import InvestigationEvent

router = APIRouter(tags=["events"])
POLL_S = 0.7
ALIVE_S = 15.0
LONGEST_S = 3_600.0
After = Annotated[int, Query(ge=0, lt=2**31, description="Number of the last event that was seen.")]


@router.get("/investigations/{number}/events", responses=documented(404))
def past(number: Number, deps: Door, _: Reader, after: After = 0) -> list[shapes.EventView]:
    """The events after a number, at most 1,000."""
    with deps.db.read() as session:
        cases.found(session, number)
        return _views(session_events=events.since(session, number, after))


def _views(session_events: list[InvestigationEvent]) -> list[shapes.EventView]:
    return [
        shapes.EventView(number=e.number, kind=e.kind, payload=shapes.clean(e.payload), at=e.at)
        for e in session_events
    ]


@router.get(
    "/investigations/{number}/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **documented(404)},
)
async def stream(
    number: Number,
    deps: Door,
    _: Reader,
    after: After = 0,
    last: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = "",
) -> StreamingResponse:
    """The events as Server-Sent Events; `end` is the last one. A browser resumes by itself."""
    await asyncio.to_thread(_exists, deps, number)
    begin = int(last) if last.isascii() and last.isdigit() else after

    async def lines() -> AsyncIterator[bytes]:
        async for kind, body in _follow(deps, number, begin):
            if kind == "":
                yield b": alive\n\n"
                continue
            head = f"event: {kind}\n" + (f"id: {body['number']}\n" if "number" in body else "")
            yield head.encode() + b"data: " + orjson.dumps(body) + b"\n\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)


@router.websocket("/investigations/{number}/ws")
async def socket(socket: WebSocket, number: int, after: int = 0) -> None:
    """The same over a WebSocket: one JSON object an event."""
    deps = of_socket(socket)
    try:
        if not same_origin(socket, deps):
            raise ProblemError(403, "")
        await asyncio.to_thread(authorise, socket, deps, "read", "GET")
        await asyncio.to_thread(_exists, deps, number)
    except ProblemError:
        await socket.close(1008)
        return
    await socket.accept()
    hearing = asyncio.create_task(_until_gone(socket))
    try:
        async for kind, body in _follow(deps, number, max(0, after)):
            if hearing.done():
                return
            if kind:
                await socket.send_json({"event": kind, **body})
        await socket.close(1000)
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        hearing.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _exists(deps: WebDeps, number: int) -> None:
    with deps.db.read() as session:
        cases.found(session, number)


async def _follow(
    deps: WebDeps, number: int, after: int
) -> AsyncIterator[tuple[str, dict[str, object]]]:
    """(kind, event) in order, an empty kind as a sign of life, `end` when the investigation is over."""
    begun = said = time.monotonic()
    while time.monotonic() - begun < LONGEST_S:
        found, state = await asyncio.to_thread(_look, deps, number, after)
        for event in found:
            after = event.number
            yield "progress", event.model_dump(mode="json")
        if state in FINAL and not found:
            yield "end", {"state": state}
            return
        if found:
            said = time.monotonic()
            continue
        if time.monotonic() - said > ALIVE_S:
            said = time.monotonic()
            yield "", {}
        await asyncio.sleep(POLL_S)


def _look(deps: WebDeps, number: int, after: int) -> tuple[list[shapes.EventView], str]:
    with deps.db.read() as session:
        case = investigations.get(session, number)
        return _views(events.since(session, number, after, 200)), case.state if case else "done"
