from __future__ import annotations

import json

from adapters.kit.entries import micros
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "aws-s3cr3t"


def ms(text: str) -> int:
    return micros(at(text)) // 1000


EVENTS = [
    (ms("2026-11-20T10:00"), "2026-11-20T10:00:00Z INFO first"),
    (ms("2026-11-20T10:30"), "ERROR broken\nTraceback (most recent call last):\nValueError: no"),
    (ms("2026-11-20T10:30"), "its twin"),
    (ms("2026-11-20T11:00"), "on the border"),
]


def filtered(asked: Asked, events: list[tuple[int, str]], size: int = 1) -> Reply:
    """Both ends inclusive, a token a page, and an empty page before the first that has events."""
    body = json.loads(asked.body)
    wanted = [one for one in events if body["startTime"] <= one[0] <= body["endTime"]]
    start = int(body.get("nextToken", "-1"))
    page = wanted[start : start + size] if start >= 0 else []
    following = 0 if start < 0 else start + size
    token = {"nextToken": str(following)} if following < len(wanted) else {}
    found = [
        {
            "logStreamName": "s",
            "timestamp": t,
            "message": text,
            "ingestionTime": t,
            "eventId": str(n),
        }
        for n, (t, text) in enumerate(page)
    ]
    return Reply(json.dumps({"events": found, "searchedLogStreams": [], **token}))


def api(asked: Asked) -> Reply:
    if "GetMetricData" in asked.headers["x-amz-target"]:
        points = [
            (at("2026-11-20T10:00"), 1.0),
            (at("2026-11-20T10:01"), 7.0),
            (at("2026-11-20T11:00"), 9.0),
        ]
        result = {
            "Id": "m0",
            "StatusCode": "Complete",
            "Timestamps": [moment.timestamp() for moment, _ in points],
            "Values": [value for _, value in points],
        }
        return Reply(json.dumps({"MetricDataResults": [result]}))
    return filtered(asked, EVENTS)


def configured(url: str) -> Config:
    return {
        "url": url,
        "region": "eu-central-1",
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": SECRET,
        "log_groups": ["/ecs/{service}"],
        "metrics": {
            "errors": {"namespace": "Shop", "metric": "Errors", "dimensions": {"App": "$service"}}
        },
    }


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00"))
LOGS = Case(
    group="log_sources",
    type="cloudwatch",
    script=api,
    configure=configured,
    searches=("/",),
    service="checkout",
    window=WINDOW,
    expect=(
        ("first", at("2026-11-20T10:00"), "info", "checkout"),
        (
            "broken\nTraceback (most recent call last):\nValueError: no",
            at("2026-11-20T10:30"),
            "error",
            "checkout",
        ),
        ("its twin", at("2026-11-20T10:30"), None, "checkout"),
    ),
    empty=EMPTY,
    secret=SECRET,
    link="https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group/"
    "$252Fecs$252Fcheckout/log-events$3Fstart$3D1795168800000$26end$3D1795172400000",
)
METRICS = Case(
    group="metric_sources",
    type="cloudwatch",
    script=api,
    configure=configured,
    searches=("/",),
    service="checkout",
    window=WINDOW,
    expect=(
        ("errors", "checkout", at("2026-11-20T10:00"), 1.0),
        ("errors", "checkout", at("2026-11-20T10:01"), 7.0),
    ),
    empty=EMPTY,
    secret=SECRET,
)
CASES = (LOGS, METRICS)
