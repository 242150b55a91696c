from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "ghp_s3cr3tTokenOfNobody"
REPO = "/api/v3/repos/shop/checkout"
COMMITS: tuple[tuple[str, str, str, list[str]], ...] = (
    ("c" * 40, "On the border", "2026-11-20T11:00:00Z", ["b" * 40]),
    ("b" * 40, "Change one\n\nwith a body", "2026-11-20T10:30:00Z", ["a" * 40]),
    ("d" * 40, "Merge it", "2026-11-20T10:20:00Z", ["a" * 40, "b" * 40]),
    ("a" * 40, "Begin it all", "2026-11-20T10:00:00Z", []),
    ("9" * 40, "Before", "2026-11-20T09:59:59Z", []),
)
FILES = [
    {
        "sha": "1", "filename": "app.py", "status": "modified", "additions": 1, "deletions": 1,
        "changes": 2, "patch": "@@ -1 +1 @@ def charge\n-a = 1\n+a = 2",
    },
    {
        "sha": "2", "filename": "new.py", "previous_filename": "old.py", "status": "renamed",
        "additions": 0, "deletions": 0, "changes": 0,
    },
]  # fmt: skip


def commit(base: str, sha: str, message: str, when: str, parents: list[str]) -> dict[str, object]:
    person = {"name": "Ann", "email": "ann@example.org", "date": when}
    return {
        "url": f"{base}/commits/{sha}",
        "sha": sha,
        "html_url": f"https://example.org/commit/{sha}",
        "commit": {"message": message, "author": person, "committer": person},
        "parents": [{"sha": parent, "url": f"{base}/commits/{parent}"} for parent in parents],
    }


def deployment(number: int, when: str, base: str) -> dict[str, object]:
    return {
        "url": f"{base}/deployments/{number}",
        "id": number,
        "sha": "b" * 40,
        "ref": f"v{number}",
        "task": "deploy",
        "environment": "production",
        "description": None,
        "created_at": when,
        "updated_at": when,
        "statuses_url": f"{base}/deployments/{number}/statuses",
    }


def github(asked: Asked) -> Reply:
    base = f"http://{asked.headers['host']}{REPO}"
    last = asked.path.rpartition("/")[2]
    found: object
    match asked.path.removeprefix(REPO).split("/")[1:]:
        case ["commits"]:
            listed = [commit(base, *one) for one in COMMITS]
            page = int(asked.query.get("page", ["1"])[0])
            link = {"Link": f'<{base}/commits?per_page=100&page=2>; rel="next"'}
            part = listed[:3] if page == 1 else listed[3:]
            return Reply(json.dumps(part), headers=link if page == 1 else {})
        case ["commits", _]:
            one = next(c for c in COMMITS if c[0] == last)
            found = {**commit(base, *one), "files": FILES}
        case ["deployments"]:
            times = ("11:00:00", "10:30:00", "10:00:00", "09:59:59")
            found = [deployment(9 - n, f"2026-11-20T{time}Z", base) for n, time in enumerate(times)]
        case ["deployments", number, "statuses"]:
            found = [
                {"id": 1, "state": "success", "url": f"{base}/deployments/{number}/statuses/1"}
            ]
        case ["releases"]:
            found = [
                {
                    "id": 1, "url": f"{base}/releases/1", "html_url": "https://example.org/r/1",
                    "tag_name": "v1.2", "name": "One two", "draft": False, "prerelease": False,
                    "created_at": "2026-11-20T09:00:00Z", "published_at": "2026-11-20T10:15:00Z",
                }
            ]  # fmt: skip
        case _:
            return Reply("{}", 404)
    return Reply(json.dumps(found))


def configured(url: str) -> Config:
    return {"url": f"{url}/api/v3", "token": SECRET, "repo": "shop/checkout"}


CASES = (
    Case(
        group="git_sources",
        type="github",
        script=github,
        configure=configured,
        window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
        expect=(
            ("Change one", at("2026-11-20T10:30")),
            ("Begin it all", at("2026-11-20T10:00")),
        ),
        empty=Window(since=at("2026-11-20T11:00:01"), until=at("2026-11-20T12:00")),
        secret=SECRET,
        link=f"{{url}}/shop/checkout/commit/{'b' * 40}",
    ),
    Case(
        group="deploy_sources",
        type="github",
        script=github,
        configure=configured,
        window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
        expect=(
            ("deploy", "checkout", "v8", at("2026-11-20T10:30")),
            ("Release One two", "checkout", "v1.2", at("2026-11-20T10:15")),
            ("deploy", "checkout", "v7", at("2026-11-20T10:00")),
        ),
        empty=Window(since=at("2026-11-20T11:00:01"), until=at("2026-11-20T12:00")),
        secret=SECRET,
        link="{url}/shop/checkout/deployments/production",
    ),
)
