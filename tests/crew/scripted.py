"""An OpenAI-compatible server on loopback whose answers a test writes: what the crew's model says, and how it misbehaves."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

Body = Mapping[str, Any]
CHUNK = 4_000


@dataclass(frozen=True)
class Call:
    """A tool that the model wants to be called."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Reply:
    """One answer of the model, or of what should have been one.

    Attributes:
        text: JSON or words; `calls` come instead of it.
        status: another one than 200 answers with an error.
        drop: the connection ends in the middle of the answer.
        pause_s: so long nothing comes.
        chunk_pause_s: so long between two pieces of a streamed answer.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    pause_s: float = 0.0
    chunk_pause_s: float = 0.0
    raw: str = ""


Character = Callable[[Body], Reply]


def role_of(body: Body) -> str:
    """Which agent asks."""
    told = str(body["messages"][0]["content"])
    names = ("Log Analyst", "Code Historian", "Metrics Analyst", "Incident Historian", "Commander")
    return next((name for name in names if f"You are {name}" in told), "Answerer")


def wants_json(body: Body) -> bool:
    return "response_format" in body


def has_used_tools(body: Body) -> bool:
    return any(message["role"] == "tool" for message in body["messages"])


def told(body: Body) -> str:
    """Everything that was sent, as one text."""
    return json.dumps(body["messages"])


@dataclass
class ScriptedModel:
    """The running server.

    Attributes:
        asked: every request's body, in order.
    """

    character: Character
    asked: list[Body] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def of(self, role: str) -> list[Body]:
        return [body for body in self.asked if role_of(body) == role]

    @property
    def everything(self) -> str:
        return "\n".join(told(body) for body in self.asked)


@contextmanager
def scripted(character: Character) -> Iterator[ScriptedModel]:
    """Serve the character's answers until the block ends."""
    model = ScriptedModel(character)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with model.lock:
                model.asked.append(body)
            reply = model.character(body)
            model.closing.wait(reply.pause_s)
            with contextlib.suppress(OSError):
                _answer(self, body, reply, model.closing)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        @override
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _answer(
    handler: BaseHTTPRequestHandler, body: Body, reply: Reply, closing: threading.Event
) -> None:
    if reply.drop:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", "5000")
        handler.end_headers()
        handler.wfile.write(b'{"id": "cut')
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(2)
    elif reply.raw or reply.status != 200:
        error = json.dumps({"error": {"message": "no", "type": "scripted"}})
        _send(handler, reply.status, reply.raw or error, "application/json", reply.headers)
    elif body.get("stream"):
        _stream(handler, reply, closing)
    else:
        _send(handler, 200, json.dumps(_completion(reply)), "application/json", reply.headers)


def _send(
    handler: BaseHTTPRequestHandler, status: int, text: str, kind: str, headers: Mapping[str, str]
) -> None:
    data = text.encode()
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(data)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{number}",
            "index": number,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for number, call in enumerate(reply.calls)
    ]


USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def _completion(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = _calls(reply)
    finish = "tool_calls" if reply.calls else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": USAGE,
    }


def _stream(handler: BaseHTTPRequestHandler, reply: Reply, closing: threading.Event) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()

    def send(delta: Mapping[str, Any], finish: str | None = None) -> None:
        event = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": "scripted",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        _chunk(handler, f"data: {json.dumps(event)}\n\n")

    if reply.calls:
        send({"role": "assistant", "tool_calls": _calls(reply)})
        send({}, "tool_calls")
    else:
        for start in range(0, len(reply.text), CHUNK) or (0,):
            send({"role": "assistant", "content": reply.text[start : start + CHUNK]})
            closing.wait(reply.chunk_pause_s)
        send({}, "stop")
    last = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": "scripted",
        "choices": [],
        "usage": USAGE,
    }
    _chunk(handler, f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n")
    handler.wfile.write(b"0\r\n\r\n")


def _chunk(handler: BaseHTTPRequestHandler, text: str) -> None:
    data = text.encode()
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()
