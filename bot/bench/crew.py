"""`bench crew`: what the agents' framework costs when the model costs nothing, alone and with eight investigations at once.

The model is a server on loopback that answers at once: three specialists make three tool calls each, then the Commander
answers. Its own CPU time is not counted: it runs in a process of its own.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

from pydantic import BaseModel
from typing_extensions import override

from adapters.kit.records import Alert, Commit, FileChange, Window
from bot.analysis.findings import Example, Findings, LogStats, Onset, Pattern, Suspect
from bot.bench.tables import Table
from bot.collect import Ask
from bot.crew import framework
from bot.crew.desk import Desk
from bot.crew.models import Limits, Model, Models
from bot.crew.narrator import CrewNarrator, Means
from bot.report import Seen
from bot.sources import Sources

RUNS = 20
AT_ONCE = 8
CALLS_A_RUN = 7
BUDGET_CPU_MS = 500
_START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class CrewResult(BaseModel):
    """The result of `bench crew`; milliseconds but for the import.

    Attributes:
        calls: model calls a run makes; fewer than seven mean that an agent failed and the figures mean nothing.
    """

    import_seconds: float
    runs: int
    calls: float
    cpu_ms: float
    wall_ms_median: float
    wall_ms_worst: float
    at_once: int
    at_once_cpu_ms: float
    at_once_wall_ms_median: float
    at_once_wall_ms_worst: float

    def tables(self) -> tuple[Table, ...]:
        """The table to print."""
        rows = (
            ("import of the framework, once a process", f"{self.import_seconds:.1f} s"),
            ("model calls a run", f"{self.calls:.0f}"),
            ("CPU a run", f"{self.cpu_ms:.0f} ms (budget {BUDGET_CPU_MS} ms)"),
            ("wall time a run", f"{self.wall_ms_median:.0f} ms, worst {self.wall_ms_worst:.0f} ms"),
            (f"CPU a run, {self.at_once} at once", f"{self.at_once_cpu_ms:.0f} ms"),
            (
                f"wall time a run, {self.at_once} at once",
                f"{self.at_once_wall_ms_median:.0f} ms, worst {self.at_once_wall_ms_worst:.0f} ms",
            ),
        )
        title = f"The crew with an instant model, {self.runs} runs"
        return (Table(title, ("what", "measured"), rows),)


def run(runs: int = RUNS, at_once: int = AT_ONCE) -> CrewResult:
    """Measure runs one after another, then `at_once` side by side."""
    with tempfile.TemporaryDirectory(prefix="incident-responder-bench-") as name, _model() as url:
        begun = time.perf_counter()
        framework.load(Path(name) / "crew")
        imported = time.perf_counter() - begun
        model = Model("openai/instant", base_url=url, api_key="none")
        narrator = CrewNarrator(Means(Models(model, model, Limits()), Path(name) / "crew"))
        _narrate(narrator)  # lazily imported modules
        cpu = time.process_time()
        alone = [_narrate(narrator) for _ in range(runs)]
        alone_cpu = time.process_time() - cpu
        cpu = time.process_time()
        with ThreadPoolExecutor(at_once) as pool:
            beside = list(pool.map(lambda _: _narrate(narrator), range(runs)))
        beside_cpu = time.process_time() - cpu
    return CrewResult(
        import_seconds=round(imported, 2),
        runs=runs,
        calls=statistics.mean(calls for _, calls in alone),
        cpu_ms=round(alone_cpu / runs * 1000, 1),
        wall_ms_median=round(statistics.median(wall for wall, _ in alone), 1),
        wall_ms_worst=round(max(wall for wall, _ in alone), 1),
        at_once=at_once,
        at_once_cpu_ms=round(beside_cpu / runs * 1000, 1),
        at_once_wall_ms_median=round(statistics.median(wall for wall, _ in beside), 1),
        at_once_wall_ms_worst=round(max(wall for wall, _ in beside), 1),
    )


def _narrate(narrator: CrewNarrator) -> tuple[float, int]:
    """Wall time in milliseconds, and how many model calls it took."""
    findings, records = _incident()
    ask = Ask("checkout returns 500", findings.window, as_of=findings.window.until)
    begun = time.perf_counter()
    told = narrator.narrate(
        ask.question, findings, records, seconds=60, desk=Desk(ask, Sources(), threading.Event())
    )
    return (time.perf_counter() - begun) * 1000, told.usage.llm_calls


def _incident() -> tuple[Findings, Seen]:
    """Ten patterns, twenty changes, an alert."""
    onset = _START + timedelta(minutes=30)
    patterns = tuple(
        Pattern(
            id=f"L{number}",
            template=f"cannot charge order <*>: step {number} failed",
            service="checkout",
            level="error",
            kind="new",
            count=100 * number,
            baseline_count=0,
            first_seen=onset,
            last_seen=onset + timedelta(minutes=20),
            score=float(number),
            examples=(Example(source="files", origin="a.log", line=number, at=onset, text="boom"),),
        )
        for number in range(1, 11)
    )
    commits = tuple(
        Commit(
            source="git",
            repo="shop",
            sha=f"{number:040x}",
            title=f"Change {number}",
            committed_at=_START - timedelta(hours=number),
            files=(FileChange(path=f"shop/{number}.py", patch="@@ -1 +1 @@\n-a\n+b"),),
        )
        for number in range(1, 21)
    )
    suspects = tuple(
        Suspect(
            id=f"C{number}",
            sha=commit.sha,
            repo="shop",
            title=commit.title,
            committed_at=commit.committed_at,
            probability=0.6 / number**2,
            score=0.0,
        )
        for number, commit in enumerate(commits[:10], start=1)
    )
    findings = Findings(
        window=Window(since=_START, until=_START + timedelta(hours=1)),
        service="checkout",
        onset=Onset(at=onset, earliest=onset, latest=onset),
        patterns=patterns,
        suspects=suspects,
        none_of_these=0.1,
        stats=LogStats(lines=100_000),
    )
    alert = Alert(source="alertmanager", title="Checkout errors", fingerprint="1")
    return findings, Seen(commits=commits, alerts=(alert,))


@contextmanager
def _model() -> Iterator[str]:
    """The address of a model that answers at once, in a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    here, there = fresh.Pipe()
    process = fresh.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        process.terminate()
        process.join(5)


def _serve(pipe: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Instant)
    server.daemon_threads = True
    pipe.send(server.server_address[1])
    server.serve_forever()


_TOOL_CALLS = 3
_ARGUMENTS: Mapping[str, Mapping[str, object]] = {
    "show_pattern": {"pattern": "L1"},
    "lines_around": {"pattern": "L1"},
    "show_change": {"change": "C1"},
    "blame_line": {"file": "shop/1.py", "line": 1},
    "search_history": {"text": "checkout"},
    "look_up": {"record": "A1"},
}
_ANSWER = json.dumps(
    {
        "conclusion": "likely",
        "confidence": 0.8,
        "culprit": "C1",
        "summary": "Orders cannot be charged since C1.",
        "claims": [{"text": "C1 did it.", "cites": ["C1"], "quote": None, "cause": True}],
        "statements": [{"text": "It fails.", "cites": ["L1"], "quote": None, "cause": False}],
        "next_steps": ["Look at C1."],
    }
)


class _Instant(BaseHTTPRequestHandler):
    """Three tool calls for whoever has tools, then an answer that fits every role."""

    protocol_version = "HTTP/1.1"

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        used = any(message["role"] == "tool" for message in body["messages"])
        names = [tool["function"]["name"] for tool in body.get("tools", ())][:_TOOL_CALLS]
        delta: dict[str, object] = {"role": "assistant", "content": _ANSWER}
        if names and not used:
            delta = {"role": "assistant", "tool_calls": [_call(*n) for n in enumerate(names)]}
        choice = {"index": 0, "delta": delta, "finish_reason": "stop"}
        usage = {"prompt_tokens": 900, "completion_tokens": 90, "total_tokens": 990}
        events = ({"choices": [choice]}, {"choices": [], "usage": usage})
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "instant"}
        text = "".join(f"data: {json.dumps({**head, **event})}\n\n" for event in events)
        data = f"{text}data: [DONE]\n\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _call(number: int, name: str) -> dict[str, object]:
    arguments = json.dumps(_ARGUMENTS.get(name, {}))
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "index": number, "type": "function", "function": function}
