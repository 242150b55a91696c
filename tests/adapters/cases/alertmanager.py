from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "am-s3cr3t"


def _alert(name: str, began: str, state: str = "active") -> dict[str, object]:
    return {
        "labels": {"alertname": name, "service": "checkout", "severity": "critical"},
        "annotations": {"runbook_url": f"https://runbooks.example.com/{name}"},
        "startsAt": began,
        "endsAt": "2026-11-21T10:00:00.000Z",
        "updatedAt": began,
        "fingerprint": f"00000000{len(name):08x}",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
        "receivers": [{"name": "team"}],
        "status": {"state": state, "silencedBy": [], "inhibitedBy": []},
    }


def api(_asked: Asked) -> Reply:
    """Alertmanager knows no windows: it tells all that fires, in no particular order."""
    return Reply(
        json.dumps([
            _alert("PoolExhausted", "2026-11-20T10:30:00.000Z", "suppressed"),
            _alert("OnTheBorder", "2026-11-20T11:00:00.000Z"),
            _alert("Slow", "2026-11-20T12:00:00.000+02:00"),
        ])
    )  # fmt: skip


def configured(url: str) -> Config:
    return {"url": url, "username": "bot", "password": SECRET}


CASE = Case(
    group="alert_sources",
    type="alertmanager",
    script=api,
    configure=configured,
    service="checkout",
    window=Window(since=at("2026-11-20T09:00"), until=at("2026-11-20T11:00")),
    expect=(
        ("Slow", "checkout", at("2026-11-20T10:00")),
        ("PoolExhausted", "checkout", at("2026-11-20T10:30")),
    ),
    empty=Window(since=at("2026-11-20T08:00"), until=at("2026-11-20T09:00")),
    secret=SECRET,
    link="{url}/#/alerts?filter=%7Balertname%3D%22Slow%22%2Cservice%3D%22checkout%22%2Cseverity%3D%22critical%22%7D",
)
