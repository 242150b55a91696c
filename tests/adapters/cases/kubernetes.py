from __future__ import annotations

import json
from collections.abc import Sequence

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "k8s-s3cr3t"
LABELS = {"app": "checkout"}
POD = {
    "metadata": {"name": "checkout-1", "labels": LABELS},
    "status": {
        "containerStatuses": [
            {
                "name": "app",
                "restartCount": 2,
                "lastState": {"terminated": {"finishedAt": "2026-11-20T10:20:00Z", "reason": "OOMKilled", "exitCode": 137}},
            }
        ]
    },
}  # fmt: skip
EVENTS = [
    ("2026-11-20T10:10:00Z", "Warning", "BackOff", "Back-off restarting", "checkout-1"),
    ("2026-11-20T10:11:00Z", "Normal", "Pulled", "of another service", "payments-1"),
    ("2026-11-20T11:00:00Z", "Warning", "BackOff", "on the border", "checkout-1"),
]
LOG = """2026-11-20T10:00:00.000000001Z INFO first
2026-11-20T10:30:00.123456789Z ERROR broken
2026-11-20T10:30:00.123456790Z   at Pay.charge(Pay.java:12)
2026-11-20T11:00:00.000000000Z INFO on the border
"""
BEFORE = "2026-11-20T10:19:59.5Z FATAL out of memory\n"


def revision(number: int, made: str) -> dict[str, object]:
    return {
        "metadata": {
            "name": f"checkout-{number}",
            "namespace": "prod",
            "creationTimestamp": made,
            "labels": LABELS,
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"kind": "Deployment", "name": "checkout"}],
        },
        "spec": {"template": {"spec": {"containers": [{"image": f"shop/checkout:{number}"}]}}},
    }


ROLLOUTS = [
    revision(1, "2026-11-20T10:00:00Z"),
    revision(2, "2026-11-20T10:15:00Z"),
    revision(3, "2026-11-20T11:00:00Z"),
]


def paged(asked: Asked, items: Sequence[object], size: int = 2) -> Reply:
    start = int(asked.query.get("continue", ["0"])[0])
    following = {"continue": str(start + size)} if start + size < len(items) else {}
    return Reply(json.dumps({"items": items[start : start + size], "metadata": following}))


def api(asked: Asked) -> Reply:
    match asked.path.rsplit("/", 1)[-1]:
        case "pods":
            return paged(
                asked, [POD] if asked.query.get("labelSelector") == ["app=checkout"] else []
            )
        case "events":
            keys = ("lastTimestamp", "type", "reason", "message")
            events = [
                {
                    **dict(zip(keys, one, strict=False)),
                    "involvedObject": {"kind": "Pod", "name": one[4]},
                }
                for one in EVENTS
            ]
            return paged(asked, events)
        case "log":
            return Reply(BEFORE if asked.query["previous"] == ["true"] else LOG)
        case "replicasets":
            return paged(asked, ROLLOUTS)
        case _:
            return Reply('{"gitVersion": "v1.36.0"}')


def configured(url: str) -> Config:
    return {"url": url, "token": SECRET, "namespaces": ["prod"]}


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00"))
CASES = (
    Case(
        group="log_sources",
        type="kubernetes",
        script=api,
        configure=configured,
        service="checkout",
        window=WINDOW,
        expect=(
            (
                "Pod checkout-1 BackOff: Back-off restarting",
                at("2026-11-20T10:10"),
                "warn",
                "checkout",
            ),
            (
                "container app of pod checkout-1 terminated: OOMKilled (exit code 137, 2 restarts)",
                at("2026-11-20T10:20"),
                "error",
                "checkout",
            ),
            (
                "out of memory",
                at("2026-11-20T10:19:59").replace(microsecond=500_000),
                "fatal",
                "checkout",
            ),
            ("first", at("2026-11-20T10:00"), "info", "checkout"),
            (
                "broken\n  at Pay.charge(Pay.java:12)",
                at("2026-11-20T10:30").replace(microsecond=123_456),
                "error",
                "checkout",
            ),
        ),
        empty=EMPTY,
        secret=SECRET,
    ),
    Case(
        group="deploy_sources",
        type="kubernetes",
        script=api,
        configure=configured,
        service="checkout",
        window=WINDOW,
        expect=(
            ("checkout revision 2: shop/checkout:2", "checkout", "2", at("2026-11-20T10:15")),
            ("checkout revision 1: shop/checkout:1", "checkout", "1", at("2026-11-20T10:00")),
        ),
        empty=EMPTY,
        secret=SECRET,
    ),
)
