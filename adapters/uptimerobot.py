"""UptimeRobot: the messages of its Slack integration, "Monitor is DOWN: name ( url ) - Reason: ...".

https://uptimerobot.com/integrations/slack-integration/
"""

from __future__ import annotations

import re

from adapters.kit.alert_text import alert
from adapters.kit.records import Alert
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("uptimerobot", "uptime robot"),
    urls=re.compile(r"uptimerobot\.com/", re.IGNORECASE),
    footers=("uptimerobot", "uptime robot"),
)

_STATE = r"(?P<state>down|up|paused|started)"
_SENTENCES = (
    re.compile(rf"\bmonitor is {_STATE}\W{{1,4}}(?P<name>[^\n(]{{1,200}}?)\s?(?:\(\s?(?P<url>[^\s)]{{1,500}})\s?\)|-\sReason|\.?\s?It was|$)", re.IGNORECASE | re.MULTILINE),
    re.compile(rf"^(?:\W|:[\w+-]{{1,40}}:){{0,6}}(?:monitor\s)?(?P<name>[^\n(]{{1,200}}?)\s?(?:\(\s?(?P<url>[^\s)]{{1,500}})\s?\)\s)?(?:is|went|is currently|is back|was)\s{_STATE}\b", re.IGNORECASE | re.MULTILINE),
    re.compile(rf"^(?:\W|:[\w+-]{{1,40}}:){{0,6}}{_STATE}\W{{1,4}}(?P<name>[^\n(]{{1,200}}?)\s?(?:\(\s?(?P<url>[^\s)]{{1,500}})\s?\)|$)", re.IGNORECASE | re.MULTILINE),
)  # fmt: skip


def recognise(message: Message) -> Alert | None:
    """The monitor that went down or came back."""
    text = "\n".join((*(title.label for title in message.titles[:3]), *message.lines[:4]))[:2000]
    exact = _SENTENCES[0].search(text)
    if message.strength(SIGNS) < 3 and not (exact and exact.group("url")):
        return None
    found = exact or next((m for sentence in _SENTENCES[1:] if (m := sentence.search(text))), None)
    if found is None or found.group("state").casefold() in {"paused", "started"}:
        return None
    name = found.group("name").strip(" *:-")
    return alert(
        message,
        "uptimerobot",
        "resolved" if found.group("state").casefold() == "up" else "firing",
        name,
        key=(name.casefold(), (found.group("url") or "").casefold().rstrip("/")),
    )
