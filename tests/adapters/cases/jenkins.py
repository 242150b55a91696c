from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "11s3cr3tTokenOfNobody"
JOB = "/ci/job/My%20Shop/job/checkout"
LOG = (
    "[2026-11-20T09:59:59.999Z] Started by user Ann\n"
    "[2026-11-20T10:00:00.000Z] + pytest -q\n"
    "[2026-11-20T10:30:00.100Z] ERROR: script returned exit code 1\n"
    "[2026-11-20T11:00:00.000Z] Finished: FAILURE\n"
)


def build(number: int, when: str, result: str = "SUCCESS") -> dict[str, object]:
    return {
        "number": number,
        "result": result,
        "timestamp": int(at(f"2026-11-20T{when}").timestamp() * 1000),
        "duration": 3_660_000,
        "building": False,
        "actions": [
            {},
            {
                "lastBuiltRevision": {"SHA1": "b" * 40},
                "remoteUrls": ["git@github.com:shop/checkout.git"],
            },
        ],
        "changeSets": [{"items": [{"commitId": "b" * 40, "msg": "Change one"}]}],
    }


BUILDS = [
    build(9, "11:00:00"),
    build(8, "10:30:00"),
    build(7, "10:00:00"),
    build(6, "09:59:00", "FAILURE"),
]


def jenkins(asked: Asked) -> Reply:
    version = {"X-Jenkins": "2.528.1"}
    if asked.path == f"{JOB}/api/json" and "allBuilds" in asked.query["tree"][0]:
        return Reply(json.dumps({"allBuilds": BUILDS}), headers=version)
    if asked.path == f"{JOB}/6/api/json":
        return Reply(json.dumps(BUILDS[3]), headers=version)
    if asked.path == f"{JOB}/api/json":
        return Reply(json.dumps({"displayName": "checkout"}), headers=version)
    if asked.path == f"{JOB}/6/consoleText":
        return Reply(LOG, headers={"Content-Type": "text/plain;charset=utf-8"})
    return Reply("{}", 404)


def configured(url: str) -> Config:
    return {"url": f"{url}/ci", "username": "bot", "token": SECRET, "jobs": "My Shop/checkout"}


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00"))

CASES = (
    Case(
        group="deploy_sources",
        type="jenkins",
        script=jenkins,
        configure=configured,
        window=WINDOW,
        expect=(
            ("My Shop/checkout: Change one", "checkout", "#8", at("2026-11-20T10:30")),
            ("My Shop/checkout: Change one", "checkout", "#7", at("2026-11-20T10:00")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/ci/job/My%20Shop/job/checkout/8/",
    ),
    Case(
        group="log_sources",
        type="jenkins",
        script=jenkins,
        configure=configured,
        window=WINDOW,
        expect=(
            ("+ pytest -q", at("2026-11-20T10:00"), None, "checkout"),
            (
                "script returned exit code 1",
                at("2026-11-20T10:30:00.100"),
                "error",
                "checkout",
            ),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="{url}/ci/job/My%20Shop/job/checkout/6/console",
    ),
)
