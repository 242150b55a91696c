from __future__ import annotations

import json

from adapters.kit.entries import micros
from adapters.kit.records import Window
from tests.adapters.conformance import Case, Config, at
from tests.adapters.loopback import Asked, Reply

SECRET = "xoxb-s3cr3t"
CHANNEL = "C0123456789"


def message(moment: str, text: str, **more: object) -> dict[str, object]:
    seconds, rest = divmod(micros(at(moment)), 1_000_000)
    return {"type": "message", "ts": f"{seconds}.{rest:06d}", "user": "U1", "text": text, **more}


MESSAGES = [
    message("2026-11-20T11:00:00", "on the border"),
    message("2026-11-20T10:40:00", "bot says", bot_id="B1"),
    message("2026-11-20T10:30:00.000001", "I rolled it back"),
    message("2026-11-20T10:00:00", "Checkout is down!\nAnyone?", reply_count=1),
]
THREAD = [MESSAGES[3], message("2026-11-20T10:05:00", "looking")]


def paged(asked: Asked, found: list[dict[str, object]], size: int = 1) -> Reply:
    """Newest first, both ends inclusive as asked for, and a cursor a page."""
    oldest, latest = (float(asked.query[name][0]) for name in ("oldest", "latest"))
    wanted = [one for one in found if oldest <= float(str(one["ts"])) <= latest]
    start = int(asked.query.get("cursor", ["0"])[0])
    following = str(start + size) if start + size < len(wanted) else ""
    page = {"ok": True, "messages": wanted[start : start + size]}
    return Reply(json.dumps({**page, "response_metadata": {"next_cursor": following}}))


def api(asked: Asked) -> Reply:
    if asked.path.endswith("conversations.replies"):
        return paged(asked, THREAD, 2)
    return paged(asked, MESSAGES)


def configured(url: str) -> Config:
    return {
        "url": url,
        "token": SECRET,
        "channels": [CHANNEL],
        "workspace_url": "https://acme.slack.com",
    }


CASE = Case(
    group="ticket_sources",
    type="slack_history",
    script=api,
    configure=configured,
    window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")),
    expect=(
        (f"{CHANNEL}/1795168800.000000", "Checkout is down!", at("2026-11-20T10:00")),
        (
            f"{CHANNEL}/1795170600.000001",
            "I rolled it back",
            at("2026-11-20T10:30").replace(microsecond=1),
        ),
    ),
    empty=Window(since=at("2026-11-20T12:00"), until=at("2026-11-20T13:00")),
    secret=SECRET,
    link=f"https://acme.slack.com/archives/{CHANNEL}/p1795168800000000",
)
