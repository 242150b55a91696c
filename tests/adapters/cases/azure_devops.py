from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "s3cr3tTokenOfNobody52"
BASE = "/fabrikam/My%20Shop/_apis"
COMMITS: tuple[tuple[str, str, str, list[str]], ...] = (
    ("c" * 40, "On the border", "2026-11-20T11:00:00Z", ["b" * 40]),
    ("b" * 40, "Change one", "2026-11-20T10:30:00Z", ["a" * 40]),
    ("d" * 40, "Merge it", "2026-11-20T10:20:00Z", ["a" * 40, "b" * 40]),
    ("a" * 40, "Begin it all", "2026-11-20T10:00:00Z", []),
    ("9" * 40, "Before", "2026-11-20T09:59:59Z", []),
)
LOG = (
    "2026-11-20T09:59:59.9999999Z ##[section]Starting: pytest\n"
    "2026-11-20T10:00:00.0000000Z ##[command]pytest -q\n"
    "2026-11-20T10:30:00.1000000Z ValueError: no\n"
    "2026-11-20T10:30:00.2000000Z ##[error]Bash exited with code '1'.\n"
    "2026-11-20T11:00:00.0000000Z ##[section]Finishing: pytest\n"
)


def commit(sha: str, title: str, when: str) -> dict[str, object]:
    person = {"name": "Ann", "email": "ann@example.org", "date": when}
    return {"commitId": sha, "author": person, "committer": person, "comment": title}


def build(number: int, pipeline: str, begin: str, result: str = "succeeded") -> dict[str, object]:
    return {
        "id": number,
        "buildNumber": f"20261120.{number}",
        "status": "completed",
        "result": result,
        "startTime": f"2026-11-20T{begin}.1234567Z",
        "finishTime": "2026-11-20T11:00:01.7654321Z",
        "sourceVersion": "b" * 40,
        "definition": {"id": 1, "name": pipeline},
        "repository": {"id": "1", "type": "TfsGit", "name": "checkout"},
    }


def azure(asked: Asked) -> Reply:
    assert asked.query["api-version"] == ["7.1"]
    found: object
    match asked.path.removeprefix(BASE).split("/")[1:]:
        case ["git", "repositories", "checkout", "commits"]:
            skip = int(asked.query["searchCriteria.$skip"][0])
            found = {"value": [commit(*one[:3]) for one in COMMITS][skip : skip + 100]}
        case ["git", "repositories", "checkout", "commits", sha]:
            one = next(c for c in COMMITS if c[0] == sha)
            change = {"item": {"path": "/app.py", "gitObjectType": "blob"}, "changeType": "edit"}
            found = {**commit(*one[:3]), "parents": one[3], "changes": [change]}
        case ["build", "builds"] if "resultFilter" in asked.query:
            failed = asked.query["resultFilter"] == ["failed"]
            found = {"value": [build(7, "CI", "09:59:00", "failed")] if failed else []}
        case ["build", "builds"] if "continuationToken" in asked.query:
            found = {"value": [build(4, "CI", "10:10:00"), build(3, "deploy", "09:59:59")]}
        case ["build", "builds"]:
            found = {"value": [build(6, "deploy", "11:00:00"), build(5, "Deploy it", "10:30:00")]}
            token = {"x-ms-continuationtoken": "next"}
            return Reply(json.dumps(found), headers=token)
        case ["build", "builds", "7"]:
            found = build(7, "CI", "09:59:00", "failed")
        case ["build", "builds", "7", "timeline"]:
            task = {
                "id": "t1", "parentId": "j1", "type": "Task", "name": "pytest", "result": "failed",
                "startTime": "2026-11-20T09:59:30Z", "finishTime": "2026-11-20T11:00:01Z",
                "log": {"id": 12}, "issues": [{"type": "error", "message": "Bash exited"}],
            }  # fmt: skip
            found = {"records": [task, {**task, "id": "t2", "result": "succeeded"}]}
        case ["build", "builds", "7", "logs", "12"]:
            assert asked.headers["accept"] == "text/plain"
            return Reply(LOG, headers={"Content-Type": "text/plain"})
        case _:
            return Reply("{}", 404)
    return Reply(json.dumps(found))


def configured(url: str) -> Config:
    return {
        "url": f"{url}/fabrikam",
        "project": "My Shop",
        "token": SECRET,
        "repo": "checkout",
    }


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T11:00:02"), until=at("2026-11-20T12:00"))

CASES = (
    Case(
        group="git_sources",
        type="azure_devops",
        script=azure,
        configure=configured,
        window=WINDOW,
        expect=(
            ("Change one", at("2026-11-20T10:30")),
            ("Begin it all", at("2026-11-20T10:00")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link=f"{{url}}/fabrikam/My%20Shop/_git/checkout/commit/{'b' * 40}",
    ),
    Case(
        group="deploy_sources",
        type="azure_devops",
        script=azure,
        configure=configured,
        window=Window(since=at("2026-11-20T09:59:59"), until=at("2026-11-20T11:00")),
        expect=(
            ("Deploy it", "checkout", "20261120.5", at("2026-11-20T10:30:00.123456")),
            ("deploy", "checkout", "20261120.3", at("2026-11-20T09:59:59.123456")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/fabrikam/My%20Shop/_build/results?buildId=5",
    ),
    Case(
        group="log_sources",
        type="azure_devops",
        script=azure,
        configure=configured,
        window=WINDOW,
        expect=(
            ("pytest -q", at("2026-11-20T10:00"), None, "checkout"),
            ("ValueError: no", at("2026-11-20T10:30:00.100"), None, "checkout"),
            (
                "Bash exited with code '1'.",
                at("2026-11-20T10:30:00.200"),
                "error",
                "checkout",
            ),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/fabrikam/My%20Shop/_build/results?buildId=7&view=logs&j=j1&t=t1",
    ),
)
