"""A real uvicorn server on loopback over a real database."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from bot.queue.submit import submit
from bot.report import Report
from bot.sources import Service, Sources
from bot.web.app import build_web
from bot.web.deps import WebDeps
from bot.web.settings import WebSettings
from bot.web.silent import Silent
from storage import events, evidence, investigations
from storage.db import Database
from storage.investigations import NewInvestigation

TOKEN = "t" * 40


@dataclass
class IdleQueue:
    """Remembers hints and works on nothing."""

    hints: list[str] = field(default_factory=list)

    def start(self) -> None: ...

    def notify(self, job_id: str) -> None:
        self.hints.append(job_id)

    def stop(self, grace_s: float) -> None: ...


@dataclass
class Served:
    url: str
    deps: WebDeps
    queue: IdleQueue

    def client(self, secret: str = TOKEN, **kwargs) -> httpx.Client:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, **kwargs)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'web.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def serve(db: Database) -> Iterator[Callable[..., Served]]:
    with contextlib.ExitStack() as stack:

        def start(fetch=None, **settings) -> Served:
            given = WebSettings(
                _env_file=None, **{"admin_token": SecretStr(TOKEN), "workspace": "T1", **settings}
            )
            queue = IdleQueue()
            known = Sources(services=(Service(name="checkout", channels=("C9",)),))
            deps = WebDeps(
                db, queue, known, given, b"pepper", lambda number, channel: Silent(), fetch
            )
            return stack.enter_context(serving(deps, queue))

        yield start


@contextlib.contextmanager
def serving(deps: WebDeps, queue: IdleQueue) -> Iterator[Served]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_web(deps),
        log_config=None,
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Served(f"http://127.0.0.1:{sock.getsockname()[1]}", deps, queue)
    finally:
        server.should_exit = True
        thread.join(10)
        sock.close()


@pytest.fixture
def site(serve: Callable[..., Served]) -> Served:
    return serve()


NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def a_report(number: int, text: str = "Checkout fails since the pool was cut.") -> Report:
    at = datetime(2026, 11, 21, 11, 30, tzinfo=UTC)
    term = {"name": "touches the failing file", "weight": 2.5, "evidence": "pool.py"}
    return Report.model_validate(
        {
            "id": str(number),
            "question": text,
            "window": {"since": at.replace(hour=11, minute=0), "until": at.replace(hour=12)},
            "onset": {"at": at, "earliest": at, "latest": at.replace(second=20)},
            "conclusion": "likely",
            "confidence": 0.8,
            "summary": text,
            "service": "checkout",
            "patterns": [
                {
                    "id": "L1",
                    "template": f"connection pool exhausted {text}",
                    "service": "checkout",
                    "level": "error",
                    "kind": "new",
                    "count": 40,
                    "baseline_count": 0,
                    "score": 9.0,
                    "examples": [{"source": "files", "text": f"pool exhausted {text}"}],
                }
            ],
            "suspects": [
                {
                    "id": "C1",
                    "sha": "0123456789abcdef",
                    "repo": "shop",
                    "title": text,
                    "committed_at": at.replace(minute=10),
                    "url": "javascript:alert(3)",
                    "probability": 0.7,
                    "score": 2.5,
                    "terms": [term],
                    "files": ["pool.py"],
                }
            ],
            "none_of_these": 0.3,
            "claims": [{"text": text, "cites": ["L1", "C1"], "quote": text}],
            "gaps": [{"system": "metrics", "reason": text}],
            "timeline": [{"at": at, "text": text, "cites": ["L1"]}],
            "series": [
                {
                    "service": "checkout",
                    "start": at.replace(minute=0),
                    "bucket_s": 60,
                    "total": list(range(60)),
                    "errors": [0] * 30 + [20] * 30,
                }
            ],
            "next_steps": [text],
            "ruled_out": [text],
        }
    )


def finished(served: Served, text: str = "Checkout fails since the pool was cut.") -> int:
    """An investigation with a report, stored as a worker stores it."""
    deps = served.deps
    new = NewInvestigation(
        workspace="T1",
        origin=f"test:{text}{time.monotonic_ns()}",
        door="api",
        question=text,
        service="checkout",
    )
    number = submit(deps.db, deps.queue, new).investigation_id
    report = a_report(number, text)
    with deps.db.write() as session:
        now = deps.db.now(session)
        items = [
            ("L1", "pattern", report.patterns[0].model_dump(mode="json")),
            ("C1", "commit", {"sha": "0123456789abcdef", "title": text}),
        ]
        evidence.save(session, number, items)
        body = report.model_dump(mode="json")
        investigations.save_report(
            session, number, body, report.conclusion, report.confidence, report.summary, now
        )
        for step in ("collect", "analyse"):
            events.append(
                session,
                number,
                "progress",
                {"step": step, "status": "complete", "detail": text},
                now,
            )
        investigations.set_state(session, number, "done", now)
    return number
