from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "ghp_s3cr3tTokenOfNobody"
REPO = "/api/v3/repos/shop/checkout"
LOG = """\ufeff2026-11-20T09:59:59.9999999Z Current runner version: '2.330.0'
2026-11-20T10:00:00.0000000Z ##[group]Run pytest -q
2026-11-20T10:00:00.5000000Z \x1b[36;1mpytest -q\x1b[0m
2026-11-20T10:00:00.6000000Z ##[endgroup]
2026-11-20T10:30:00.1000000Z Traceback (most recent call last):
2026-11-20T10:30:00.1000001Z   File "app.py", line 1, in charge
2026-11-20T10:30:00.1000002Z ValueError: no
2026-11-20T10:30:00.2000000Z ##[error]Process completed with exit code 1.
2026-11-20T11:00:00.0000000Z Post job cleanup.
"""
TRACE = """Traceback (most recent call last):
  File "app.py", line 1, in charge
ValueError: no"""


def run(base: str, number: int = 7, **fields: object) -> dict[str, object]:
    known = {
        "id": number,
        "url": f"{base}/actions/runs/{number}",
        "jobs_url": f"{base}/actions/runs/{number}/jobs",
        "name": "CI",
        "status": "completed",
        "conclusion": "failure",
        "run_attempt": 2,
        "created_at": "2026-11-20T09:58:00Z",
        "run_started_at": "2026-11-20T09:59:00Z",
        "updated_at": "2026-11-20T11:00:05Z",
    }
    return {**known, **fields}


def job(base: str, number: int = 71, **fields: object) -> dict[str, object]:
    known = {
        "id": number,
        "run_id": 7,
        "name": "test (3.11)",
        "url": f"{base}/actions/jobs/{number}",
        "html_url": f"https://example.org/shop/checkout/actions/runs/7/job/{number}",
        "status": "completed",
        "conclusion": "failure",
        "started_at": "2026-11-20T09:59:30Z",
        "completed_at": "2026-11-20T11:00:01Z",
        "steps": [
            {
                "name": "Run pytest", "number": 2, "status": "completed", "conclusion": "failure",
                "started_at": "2026-11-20T10:00:00Z", "completed_at": "2026-11-20T10:30:01Z",
            }
        ],
    }  # fmt: skip
    return {**known, **fields}


def actions(asked: Asked) -> Reply:
    base = f"http://{asked.headers['host']}{REPO}"
    below = asked.path.removeprefix(f"{REPO}/actions")
    if asked.path == "/blob/71":
        return Reply(LOG.encode())
    if below == "/runs":
        failed = asked.query["status"] == ["failure"]
        return Reply(json.dumps({"total_count": 1, "workflow_runs": [run(base)] if failed else []}))
    if below in {"/runs/7", "/runs/7/attempts/2"}:
        return Reply(json.dumps(run(base)))
    if below in {"/runs/7/attempts/2/jobs", "/runs/7/jobs"}:
        passed = job(base, 70, conclusion="success", steps=[])
        return Reply(json.dumps({"total_count": 2, "jobs": [passed, job(base)]}))
    if below == "/jobs/71/logs":
        target = f"http://{asked.headers['host']}/blob/71?sig=signed"
        return Reply("", 302, {"Location": target})
    return Reply("{}", 404)


def configured(url: str) -> Config:
    return {"url": f"{url}/api/v3", "token": SECRET, "repo": "shop/checkout"}


CASE = Case(
    group="log_sources",
    type="github-actions",
    script=actions,
    configure=configured,
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(
        (
            "Step 2 “Run pytest” of job “test (3.11)”: failure",
            at("2026-11-20T10:30:01"),
            "error",
            "checkout",
        ),
        ("Run pytest -q", at("2026-11-20T10:00"), None, "checkout"),
        ("pytest -q", at("2026-11-20T10:00:00.500"), None, "checkout"),
        (TRACE, at("2026-11-20T10:30:00.100"), "error", "checkout"),
        ("Process completed with exit code 1.", at("2026-11-20T10:30:00.200"), "error", "checkout"),
    ),
    empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
    secret=SECRET,
    link="https://example.org/shop/checkout/actions/runs/7/job/71",
)
