from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "pd-s3cr3t"
INCIDENTS = [
    ("P1", "The checkout is on fire", "2026-11-20T10:00:00Z"),
    ("P2", "Payments are slow", "2026-11-20T10:30:00Z"),
    ("P3", "On the border", "2026-11-20T11:00:00Z"),
]
CHANGES = [
    ("C2", "Deploy checkout 2", "2026-11-20T10:20:00Z"),
    ("C1", "Deploy checkout 1", "2026-11-20T10:10:00Z"),
    ("C0", "On the border", "2026-11-20T11:00:00Z"),
]


def _incident(key: str, title: str, began: str) -> dict[str, object]:
    return {
        "id": key,
        "type": "incident",
        "title": title,
        "created_at": began,
        "status": "resolved",
        "resolved_at": "2026-11-20T12:00:00Z",
        "urgency": "high",
        "priority": {"summary": "P1"},
        "service": {"id": "PS1", "summary": "Checkout API"},
        "escalation_policy": {"id": "PE1", "summary": "Payments"},
        "html_url": f"https://acme.pagerduty.com/incidents/{key}",
    }


def _change(key: str, summary: str, moment: str) -> dict[str, object]:
    return {
        "id": key,
        "summary": summary,
        "timestamp": moment,
        "services": [{"id": "PS1", "summary": "checkout"}],
        "custom_details": {"version": "1.2.3"},
        "links": [{"href": f"https://ci.example.com/{key}", "text": "Build"}],
    }


def _window(asked: Asked, moment: str) -> bool:
    return asked.query["since"][0][:16] <= moment[:16] <= asked.query["until"][0][:16]


def _paged(asked: Asked, key: str, found: list[dict[str, object]]) -> Reply:
    """One item a page, whatever is asked for: the adapter must believe `more`."""
    offset = int(asked.query.get("offset", ["0"])[0]) // 100
    more = offset + 1 < len(found)
    return Reply(json.dumps({key: found[offset : offset + 1], "more": more, "offset": offset}))


def api(asked: Asked) -> Reply:
    match asked.path.strip("/").split("/"):
        case ["services"]:
            services = [{"id": "PS1", "name": "Checkout API"}, {"id": "PS9", "name": "Other"}]
            return Reply(json.dumps({"services": services, "more": False}))
        case ["incidents"]:
            found = [_incident(*one) for one in INCIDENTS if _window(asked, one[2])]
            return _paged(asked, "incidents", found)
        case ["services", "PS1", "change_events"]:
            return _paged(
                asked, "change_events", [_change(*c) for c in CHANGES if _window(asked, c[2])]
            )
        case ["incidents", _, "notes"]:
            note = {
                "content": "Rolled back",
                "created_at": "2026-11-20T10:15:00Z",
                "user": {"summary": "Ann"},
            }
            return Reply(json.dumps({"notes": [note]}))
        case ["incidents", _, "past_incidents"]:
            return Reply('{"error": {"message": "Not on your plan"}}', 402)
        case ["oncalls"]:
            oncall = {"user": {"summary": "Bob"}, "escalation_level": 1}
            return Reply(json.dumps({"oncalls": [oncall]}))
        case _:
            return Reply("{}")


def configured(url: str) -> Config:
    return {"url": url, "token": SECRET}


WINDOW = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))
EMPTY = Window(since=at("2026-11-20T05:00"), until=at("2026-11-20T06:00"))
CASES = (
    Case(
        group="incident_sources",
        type="pagerduty",
        script=api,
        configure=configured,
        service="checkout",
        window=WINDOW,
        expect=(
            ("P1", "The checkout is on fire", "Checkout API", at("2026-11-20T10:00")),
            ("P2", "Payments are slow", "Checkout API", at("2026-11-20T10:30")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="https://acme.pagerduty.com/incidents/P1",
    ),
    Case(
        group="deploy_sources",
        type="pagerduty",
        script=api,
        configure=configured,
        service="checkout",
        window=WINDOW,
        expect=(
            ("Deploy checkout 2", "checkout", "1.2.3", at("2026-11-20T10:20")),
            ("Deploy checkout 1", "checkout", "1.2.3", at("2026-11-20T10:10")),
        ),
        empty=EMPTY,
        secret=SECRET,
        link="https://ci.example.com/C1",
    ),
)
