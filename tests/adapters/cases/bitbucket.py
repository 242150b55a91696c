from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "ATCTT3xs3cr3tTokenOfNobody"
REPO = "/2.0/repositories/shop/checkout"
DC = "/rest/api/1.0/projects/SHOP/repos/checkout"
COMMITS: tuple[tuple[str, str, str, list[str]], ...] = (
    ("c" * 40, "On the border", "2026-11-20T11:00:00+00:00", ["b" * 40]),
    ("b" * 40, "Change one", "2026-11-20T10:30:00+00:00", ["a" * 40]),
    ("d" * 40, "Merge it", "2026-11-20T10:20:00+00:00", ["a" * 40, "b" * 40]),
    ("a" * 40, "Begin it all", "2026-11-20T10:00:00+00:00", []),
    ("9" * 40, "Before", "2026-11-20T09:59:59+00:00", []),
)
DIFF = """diff --git a/app.py b/app.py
index 1..2 100644
--- a/app.py
+++ b/app.py
@@ -1 +1 @@ def charge
-a = 1
+a = 2
"""
JSON_DIFF = {
    "diffs": [
        {
            "source": {"toString": "app.py"},
            "destination": {"toString": "app.py"},
            "hunks": [
                {
                    "sourceLine": 1, "sourceSpan": 1, "destinationLine": 1, "destinationSpan": 1,
                    "segments": [
                        {"type": "REMOVED", "lines": [{"line": "a = 1"}]},
                        {"type": "ADDED", "lines": [{"line": "a = 2"}]},
                    ],
                }
            ],
        }
    ],
    "truncated": False,
}  # fmt: skip


def commit(sha: str, title: str, when: str, parents: list[str]) -> dict[str, object]:
    return {
        "hash": sha,
        "message": f"{title}\n",
        "date": when,
        "author": {"raw": "Ann <ann@example.org>"},
        "parents": [{"hash": parent} for parent in parents],
    }


def deployment(number: int, when: str) -> dict[str, object]:
    return {
        "uuid": f"{{{number}}}",
        "environment": {"uuid": "{prod}"},
        "release": {"name": f"#{number}", "commit": {"hash": "b" * 40}},
        "state": {"name": "COMPLETED", "status": {"name": "SUCCESSFUL"}, "started_on": when},
    }


def cloud(asked: Asked) -> Reply:
    base = f"http://{asked.headers['host']}{REPO}"
    found: object
    match asked.path.removeprefix(REPO).split("/")[1:]:
        case ["commits"]:
            listed = [commit(*one) for one in COMMITS]
            found = {"values": listed[:2], "next": f"{base}/commits?page=2"}
            if asked.query.get("page"):
                found = {"values": listed[2:]}
        case ["diff", _]:
            return Reply(DIFF, headers={"Content-Type": "text/plain"})
        case ["environments"]:
            found = {"values": [{"uuid": "{prod}", "name": "Production"}]}
        case ["deployments"]:
            times = ("11:00:00", "10:30:00", "10:00:00", "09:59:59")
            values = [deployment(9 - n, f"2026-11-20T{t}.000Z") for n, t in enumerate(times)]
            waiting = {"state": {"name": "UNDEPLOYED"}, "environment": {"uuid": "{prod}"}}
            found = {"values": [waiting, *values]}
        case _:
            return Reply("{}", 404)
    return Reply(json.dumps(found))


def data_center(asked: Asked) -> Reply:
    found: object
    match asked.path.removeprefix(DC).split("/")[1:]:
        case ["commits"]:
            listed = [
                {
                    "id": sha, "message": title, "author": {"displayName": "Ann"},
                    "committerTimestamp": int(at(when[:19]).timestamp() * 1000),
                    "parents": [{"id": parent} for parent in parents],
                }
                for sha, title, when, parents in COMMITS
            ]  # fmt: skip
            start = int(asked.query.get("start", ["0"])[0])
            page = {"values": listed[start : start + 2], "isLastPage": start + 2 >= len(listed)}
            found = {**page, "nextPageStart": start + 2}
        case ["commits", _, "diff"]:
            found = JSON_DIFF
        case _:
            return Reply("{}", 404)
    return Reply(json.dumps(found))


def in_the_cloud(url: str) -> Config:
    return {"url": f"{url}/2.0", "token": SECRET, "repo": "shop/checkout"}


def on_our_own(url: str) -> Config:
    return {"url": url, "token": SECRET, "repo": "SHOP/checkout"}


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T11:00:02"), until=at("2026-11-20T12:00"))
EXPECT = (
    ("Change one", at("2026-11-20T10:30")),
    ("Begin it all", at("2026-11-20T10:00")),
)

CASES = (
    Case(
        group="git_sources",
        type="bitbucket",
        script=cloud,
        configure=in_the_cloud,
        window=WINDOW,
        expect=EXPECT,
        empty=EMPTY,
        secret=SECRET,
        link=f"{{url}}/shop/checkout/commits/{'b' * 40}",
    ),
    Case(
        group="git_sources",
        type="bitbucket",
        script=data_center,
        configure=on_our_own,
        window=WINDOW,
        expect=EXPECT,
        empty=EMPTY,
        secret=SECRET,
        link=f"{{url}}/projects/SHOP/repos/checkout/commits/{'b' * 40}",
    ),
    Case(
        group="deploy_sources",
        type="bitbucket",
        script=cloud,
        configure=in_the_cloud,
        window=WINDOW,
        expect=(
            ("Deployment #8", "checkout", "#8", at("2026-11-20T10:30")),
            ("Deployment #7", "checkout", "#7", at("2026-11-20T10:00")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/shop/checkout/deployments",
    ),
)
