"""Slack messages as monitoring tools post them, by hand after the tools' documented templates.

Each is a `message` event. `bot()` and `attached()` write the envelope that all of them share.
"""

from __future__ import annotations

from typing import Any

TS = "1795255200.000100"  # 2026-11-21T10:00:00Z


def bot(name: str = "", /, **fields: Any) -> dict[str, Any]:
    """A message of a webhook or app of that name."""
    return {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B0ALERTS",
        "channel": "C0ALERTS",
        "ts": TS,
        "text": "",
        **({"username": name} if name else {}),
        **fields,
    }


def attached(name: str = "", /, *, text: str = "", **attachment: Any) -> dict[str, Any]:
    """The same with one attachment; `body` is the attachment's own text."""
    if "body" in attachment:
        attachment["text"] = attachment.pop("body")
    return bot(name, text=text, attachments=[attachment])


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def fields(**pairs: str) -> list[dict[str, Any]]:
    return [{"title": k.replace("_", " "), "value": v, "short": True} for k, v in pairs.items()]


def edit(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The `message_changed` event of an edited message."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": "C0ALERTS",
        "ts": "1795255300.000200",
        "message": after,
        "previous_message": before,
    }
