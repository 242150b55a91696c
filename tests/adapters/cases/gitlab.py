from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "glpat-s3cr3tTokenOfNobody"
PROJECT = "/api/v4/projects/shop%2Fback%2Fcheckout"
COMMITS: tuple[tuple[str, str, str, list[str]], ...] = (
    ("c" * 40, "On the border", "2026-11-20T12:00:00.000+01:00", ["b" * 40]),
    ("b" * 40, "Change one", "2026-11-20T11:30:00.000+01:00", ["a" * 40]),
    ("d" * 40, "Merge it", "2026-11-20T11:20:00.000+01:00", ["a" * 40, "b" * 40]),
    ("a" * 40, "Begin it all", "2026-11-20T11:00:00.000+01:00", []),
    ("9" * 40, "Before", "2026-11-20T10:59:59.000+01:00", []),
)
LOG = (
    b"2026-11-20T09:59:59.900000Z 00O Running with gitlab-runner 18.5.0\n"
    b"2026-11-20T10:00:00.000000Z 00O section_start:1763632800:step_script\r\x1b[0K\x1b[0KExecuting\n"
    b"2026-11-20T10:00:00.500000Z 01O \x1b[32;1m$ pytest -q\x1b[0;m\n"
    b"2026-11-20T10:30:00.100000Z 01E ValueError: no\n"
    b"2026-11-20T10:30:00.200000Z 00O ERROR: Job failed: exit code 1\n"
    b"2026-11-20T11:00:00.000000Z 00O on the border\n"
)


def commit(sha: str, title: str, when: str, parents: list[str]) -> dict[str, object]:
    return {
        "id": sha,
        "title": title,
        "message": f"{title}\n\nwith a body",
        "author_name": "Ann",
        "committed_date": when,
        "parent_ids": parents,
    }


def job(number: int, **fields: object) -> dict[str, object]:
    known = {
        "id": number,
        "name": "pytest",
        "stage": "test",
        "status": "failed",
        "failure_reason": "script_failure",
        "created_at": "2026-11-20T09:58:00.000Z",
        "started_at": "2026-11-20T09:59:00.000Z",
        "finished_at": "2026-11-20T11:00:01.000Z",
    }
    return {**known, **fields}


def gitlab(asked: Asked) -> Reply:
    base = f"http://{asked.headers['host']}{PROJECT}"
    found: object
    match asked.path.removeprefix(PROJECT).split("/")[1:]:
        case ["repository", "commits"]:
            listed = [commit(*one) for one in COMMITS]
            if asked.query.get("page"):
                return Reply(json.dumps(listed[2:]))
            link = {
                "Link": f'<{base}/repository/commits?page=2>; rel="next", <{base}>; rel="first"'
            }
            return Reply(json.dumps(listed[:2]), headers=link)
        case ["repository", "commits", _, "diff"]:
            found = [
                {
                    "diff": "@@ -1 +1 @@\n-a = 1\n+a = 2\n", "new_path": "app.py", "old_path": "app.py",
                    "new_file": False, "renamed_file": False, "deleted_file": False,
                }
            ]  # fmt: skip
        case ["deployments"]:
            times = ("11:00:00", "10:30:00", "10:00:00", "09:59:59")
            found = [
                {
                    "id": 9 - n, "iid": n, "ref": "main", "sha": "b" * 40, "status": "success",
                    "created_at": f"2026-11-20T{time}.000Z", "updated_at": f"2026-11-20T{time}.500Z",
                    "environment": {"id": 1, "name": "production"},
                    "deployable": {"id": 90 - n, "name": f"deploy {9 - n}"},
                }
                for n, time in enumerate(times)
            ]  # fmt: skip
        case ["jobs"]:
            found = [job(71), job(60, created_at="2026-11-18T10:00:00.000Z")]
        case ["jobs", "71"]:
            found = job(71)
        case ["jobs", "71", "trace"]:
            return Reply(LOG, headers={"Content-Type": "text/plain"})
        case _:
            return Reply("{}", 404)
    return Reply(json.dumps(found))


def configured(url: str) -> Config:
    return {"url": url, "token": SECRET, "repo": "shop/back/checkout"}


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T11:00:02"), until=at("2026-11-20T12:00"))

CASES = (
    Case(
        group="git_sources",
        type="gitlab",
        script=gitlab,
        configure=configured,
        window=WINDOW,
        expect=(
            ("Change one", at("2026-11-20T10:30")),
            ("Begin it all", at("2026-11-20T10:00")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link=f"{{url}}/shop/back/checkout/-/commit/{'b' * 40}",
    ),
    Case(
        group="deploy_sources",
        type="gitlab",
        script=gitlab,
        configure=configured,
        window=WINDOW,
        expect=(
            ("deploy 8", "checkout", "main", at("2026-11-20T10:30")),
            ("deploy 7", "checkout", "main", at("2026-11-20T10:00")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/shop/back/checkout/-/jobs/89",
    ),
    Case(
        group="log_sources",
        type="gitlab",
        script=gitlab,
        configure=configured,
        window=WINDOW,
        expect=(
            ("Executing", at("2026-11-20T10:00"), None, "checkout"),
            ("$ pytest -q", at("2026-11-20T10:00:00.500"), None, "checkout"),
            ("ValueError: no", at("2026-11-20T10:30:00.100"), None, "checkout"),
            ("Job failed: exit code 1", at("2026-11-20T10:30:00.200"), "error", "checkout"),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/shop/back/checkout/-/jobs/71",
    ),
)
