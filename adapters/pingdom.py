"""Pingdom: the messages of its Slack integration about uptime and transaction checks.

https://www.pingdom.com/tutorial/slack-integration/
"""

from __future__ import annotations

import re

from adapters.kit.alert_text import alert
from adapters.kit.records import Alert
from adapters.kit.slack_message import Message, Signs

SIGNS = Signs(
    names=("pingdom",), urls=re.compile(r"pingdom\.com/", re.IGNORECASE), footers=("pingdom",)
)

_STATE = r"(?P<state>down|up|failing|successful|unconfirmed down|ok|critical)"
_SENTENCES = (
    re.compile(rf"^(?:\W|:[\w+-]{{1,40}}:){{0,6}}(?:pingdom\W{{1,3}})?(?:alert\W{{1,3}})?{_STATE}(?: alert)?\s?[:|–-]\s?(?P<name>[^\n(]{{1,200}}?)\s?(?:\((?P<host>[^\s)]{{1,300}})\)|$|\sis\b|\shas\b)", re.IGNORECASE | re.MULTILINE),
    re.compile(rf"^(?:\W|:[\w+-]{{1,40}}:){{0,6}}(?:pingdom\s)?(?:alert:?\s)?(?:check\s|transaction\s)?(?P<name>[^\n(]{{1,200}}?)\s?(?:\((?P<host>[^\s)]{{1,300}})\)\s)?(?:is|has gone|went|is back)\s(?:now\s)?{_STATE}\b", re.IGNORECASE | re.MULTILINE),
)  # fmt: skip


def recognise(message: Message) -> Alert | None:
    """The check that went down or came back."""
    if message.strength(SIGNS) < 1:
        return None
    text = "\n".join((*(title.label for title in message.titles[:3]), *message.lines[:4]))[:2000]
    found = next((m for sentence in _SENTENCES if (m := sentence.search(text))), None)
    named = message.value("check", "check name", "name")
    state = found.group("state") if found else message.value("current state", "state", "status")
    if not state or not (found or named):
        return None
    name = (found.group("name") if found else named).strip(" *:-")
    host = (found.group("host") if found else "") or message.value("host", "hostname", "url")
    return alert(
        message,
        "pingdom",
        "resolved" if state.casefold() in {"up", "successful", "ok"} else "firing",
        name,
        key=(name.casefold(), host.casefold()),
    )
