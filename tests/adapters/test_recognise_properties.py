"""Whatever a message holds, reading it ends soon and raises nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.kit import recognise
from adapters.kit.alert_identity import identity
from adapters.kit.recognise import Recognition, lines
from adapters.kit.slack_message import extract
from adapters.kit.slack_text import MAX_TEXT, plain
from tests.adapters.slack_posts import attached, bot, edit, section
from tests.adapters.test_recognise_vendors import ALERTS

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
KEYS = st.sampled_from(
    [
        "type", "subtype", "text", "attachments", "blocks", "title", "fields", "value", "elements", "message", "previous_message",
        "bot_id", "bot_profile", "user", "ts", "thread_ts", "title_link", "fallback", "color", "footer", "url", "name", "event",
        "accessory", "alt_text", "rows", "actions", "style", "username", "app_id", "pretext",
    ]
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)
WORDS = st.lists(
    st.sampled_from(
        [
            "[FIRING:1]", "[RESOLVED]", "ALARM:", "<https://x.example/incidents/Q1|x>", "<!channel>", "*", "`", ":fire:", "&lt;", "Status:",
            "severity=critical", "host:web-1", "\n", "Triggered:", "[P1]", "#12", "{", "}", "is DOWN", "🚨", "on web-1", "2026-11-21 10:00", "\ud800", "\u200e",
        ]
    ),
    max_size=30,
).map(" ".join)  # fmt: skip


def recognised(event: Any) -> Recognition:
    """The decision, which must not have needed the guard around a vendor's function."""
    with capture_logs() as logs:
        found = recognise.recognised(event)
    assert not logs, logs
    return found


@given(st.dictionaries(KEYS, JSON, max_size=8))
@settings(max_examples=200, deadline=None)
def test_no_object_makes_it_raise(event: dict[str, Any]) -> None:
    found = recognised(event)
    json.dumps(found.as_json())
    assert found.is_alert or not found.starts_investigation


@given(WORDS, WORDS, st.sampled_from(["", "Alertmanager", "PagerDuty", "Datadog", "Sentry", "zabbix", "nagios", "Splunk", "New Relic", "AWS Chatbot", "Opsgenie", "GitHub", "Grafana"]))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_text_makes_a_recogniser_raise(title: str, text: str, name: str) -> None:
    for event in (
        attached(name, title=title, body=text),
        bot(name, text=text, blocks=[section(title)]),
    ):
        found = recognised(event)
        json.dumps(found.as_json(), ensure_ascii=False).encode("utf-8")
        assert bool(found.fingerprint) is found.is_alert
        assert recognised(event) == found
        assert not recognised(edit(event, event)).starts_investigation


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_line_gives_exactly_one_result(line: str) -> None:
    assert len(list(lines([line]))) == 1


@given(st.sampled_from(sorted(ALERTS)), st.text(max_size=30), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_wrongly_typed_parts_of_a_real_alert_do_no_harm(name: str, junk: str, depth: int) -> None:
    event = json.loads(json.dumps(ALERTS[name][0]))
    nested: Any = junk
    for _level in range(depth):
        nested = [nested, {"text": nested}]
    for key in list(event):
        recognised({**event, key: nested})
    for attachment in event.get("attachments", []):
        for key in list(attachment):
            recognised({**event, "attachments": [{**attachment, key: nested}]})


@given(st.text(alphabet="ab1-_.:/ %0\n*`<>|&;", max_size=300))
@settings(deadline=None)
def test_plain_text_keeps_no_more_than_it_was_given(text: str) -> None:
    assert len(plain(text)[0]) <= len(text) + 1


@given(st.floats(0, 99.9), st.integers(0, 500))
@settings(deadline=None)
def test_values_counts_and_times_are_not_part_of_an_identity(value: float, count: int) -> None:
    shown = identity(f"CPU of web-01 at {value:.1f}% for {count}m ({count} events) since 2026-11-21 10:{count % 60:02d}")  # fmt: skip
    assert shown == identity("CPU of web-01 at 1.0% for 1m (1 events) since 2026-11-21 10:01")
    assert "web-01" in shown


HOSTILE = (
    "a", "*", "<", ">", "`", ":", "[", "(", "{", "|", " ", "\n", "-", "=", "🚨", "a:", "a=b ", "*a*: ", "<a|", "[FIRING:1", "[FIRING:1] ",
    "alert ", "alarm \"", "on a ", "host:", "- a = ", "Labels:\n", ":a:", "1.", "1,", "10:00 ", "2026-", "Page #1", "Triggered: ", "marked ",
    "http://", "https://x.pagerduty.com/incidents/", "is ", "PROBLEM ", "HOST: a SERVICE: ", "Monitor is ", "workflow ", "failed ", "deploy ",
    "Azure Monitor Alert ", "Fired:", "application a ", "&amp;", "a-", "a.a", "é", "\t", "  ", "@a ", "CloudWatch Alarm | ",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_huge_message_costs_no_more_than_a_large_one(piece: str) -> None:
    """No pattern is worse than linear on what one message may hold (generous: the machine may be busy)."""
    text = piece * (3_000_000 // len(piece))
    begun = time.process_time()
    recognised(bot("x", text=text))
    recognised(attached("Datadog", title=text, body=text, fallback=text, fields=[{"title": text, "value": text}]))  # fmt: skip
    recognised(
        bot("nagios", blocks=[section(text, fields=[{"type": "mrkdwn", "text": text}] * 10)])
    )
    assert time.process_time() - begun < 5


def test_ten_thousand_levels_are_no_problem() -> None:
    nested: Any = {"type": "section", "text": {"type": "mrkdwn", "text": "deep"}}
    for _level in range(10_000):
        nested = {"type": "container", "blocks": [nested], "elements": [nested], "text": nested}
    event = bot(
        "Alertmanager", text="[FIRING:1] InstanceDown", blocks=[nested], attachments=[nested]
    )
    assert recognised(event).is_alert
    assert recognised({"event": {"event": {"event": event}}}).is_alert


def test_many_attachments_and_fields_stay_within_the_limits() -> None:
    fields = [{"title": f"f{n}", "value": "v" * 1000} for n in range(5_000)]
    message = extract(bot("x", attachments=[{"title": "t", "fields": fields, "text": "w" * 10_000}] * 200))  # fmt: skip
    assert len(message.body) <= MAX_TEXT + 5_000
    assert len(message.pairs) <= 200
