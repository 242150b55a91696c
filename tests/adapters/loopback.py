"""A scripted HTTP server on loopback: what adapters are tested against, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What to answer. `drop` cuts the connection after the given bytes of the body; `hang_s` waits first."""

    body: bytes | str = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: threading.Event | None = None


Script = Callable[[Asked], Reply]


class Loopback:
    """A server on 127.0.0.1 that answers by a function and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._serve(self)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - names of http.server

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(
            handler.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            headers,
            body,
        )
        self.asked.append(asked)
        reply = self.script(asked)
        if reply.hang is not None:
            reply.hang.wait(10)
        content = reply.body.encode() if isinstance(reply.body, str) else reply.body
        try:
            handler.send_response(reply.status)
            length = len(content) + (100 if reply.drop else 0)
            for name, value in {"Content-Length": str(length), **reply.headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            return
        if reply.drop:
            handler.close_connection = True


@contextmanager
def serving(script: Script) -> Iterator[Loopback]:
    server = Loopback(script)
    try:
        yield server
    finally:
        server.close()


def in_turn(*replies: Reply) -> Script:
    """Answer with these, one after the other; the last one for ever."""
    left = list(replies)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]
