from __future__ import annotations

import json

from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "jira-s3cr3t"


def issue(key: str, created: str, updated: str | None = None) -> dict[str, object]:
    text = {"type": "text", "text": "It is slow"}
    document = {"type": "doc", "content": [{"type": "paragraph", "content": [text]}]}
    fields = {
        "summary": f"Checkout broke ({key})",
        "status": {"name": "Open"},
        "created": created,
        "updated": updated or created,
        "description": document,
    }
    return {"id": key, "key": key, "fields": fields}


ISSUES = [
    issue("OPS-1", "2026-11-19T10:00:00.000+0000", "2026-11-20T12:10:00.000+0200"),
    issue("OPS-2", "2026-11-20T10:20:00.000+0000"),
    issue("OPS-3", "2026-11-20T11:00:00.000+0000"),
]


def api(asked: Asked) -> Reply:
    """One issue a page, whatever the dates in the query: the adapter must filter again."""
    body = json.loads(asked.body)
    start = int(body.get("nextPageToken", "0"))
    token = {"nextPageToken": str(start + 1)} if start + 1 < len(ISSUES) else {"isLast": True}
    return Reply(json.dumps({"issues": ISSUES[start : start + 1], **token}))


def configured(url: str) -> Config:
    return {"url": url, "email": "bot@example.com", "token": SECRET, "projects": ["OPS"]}


CASE = Case(
    group="ticket_sources",
    type="jira",
    script=api,
    configure=configured,
    searches=("/rest/api/3/search/jql",),
    service="checkout",
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(
        ("OPS-1", "Checkout broke (OPS-1)", at("2026-11-19T10:00")),
        ("OPS-2", "Checkout broke (OPS-2)", at("2026-11-20T10:20")),
    ),
    empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
    secret=SECRET,
    link="{url}/browse/OPS-1",
)
