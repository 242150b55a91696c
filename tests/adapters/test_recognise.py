"""The decision about one message event, and the saved samples of real messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.kit import recognise
from adapters.kit.recognise import lines, recognised
from adapters.kit.slack_message import Message, Signs, extract
from tests.adapters.slack_posts import attached, bot, edit

FIRING = attached("Alertmanager", title="[FIRING:1] InstanceDown (web-1 critical)", color="danger")
RESOLVED = attached("Alertmanager", title="[RESOLVED] InstanceDown (web-1 critical)", color="good")

# name: (state, source, a part of the title, service, severity, started_at, starts)
TABLE: dict[str, tuple[str, str, str, str, str, str | None, bool]] = {
    "alertmanager-1": ("firing", "alertmanager", "FaultMavenSLAAtRisk", "faultmaven-api", "warning", None, True),
    "alertmanager-2": ("firing", "alertmanager", "SloBroken: SLO of coder.coder_session broken", "", "unknown", None, True),
    "alertmanager-template": ("firing", "alertmanager", "name (labels)", "", "unknown", None, True),
    "argocd-1": ("firing", "argocd", "has degraded", "{{.app.metadata.name}}", "unknown", None, True),
    "aws-1": ("firing", "cloudwatch", "responder-aws-alarm-e2e-lambda-errors", "", "unknown", None, True),
    "aws-2": ("resolved", "cloudwatch", "checkout-errors", "", "unknown", None, False),
    "clickstack-1": ("resolved", "generic", 'Alert for "test"', "", "unknown", None, False),
    "datadog-1": ("firing", "datadog", "CPU usage is high", "", "unknown", "2026-06-12T14:11:06+00:00", True),
    "datadog-oncall-1": ("resolved", "datadog", "LEAF1001TESP03 Interface Ethernet1/21", "", "error", "2026-08-28T04:32:36+00:00", False),
    "datadog-oncall-2": ("firing", "datadog", "CHECK_FLOATING 21712865", "", "info", None, True),
    "grafana-1": ("firing", "grafana", "alert1", "", "unknown", None, True),
    # StatusCake's own "send a test alert", handed on by Opsgenie
    "opsgenie-1": ("firing", "opsgenie", "https://www.test_notification.com", "", "unknown", None, False),
    "opsgenie-jsm-1": ("acknowledged", "opsgenie", "gerrit-multisite-branches-misaligned-between-nodes", "gerrit", "warning", "2026-09-30T10:33:10+00:00", False),
    "pagerduty-1": ("resolved", "pagerduty", "AlertName s-aw040 cds", "", "error", None, False),
    "sentry-1": ("firing", "sentry", "ValueError", "bar", "error", None, True),
    "sentry-2": ("resolved", "sentry", "APP-FRONTEND-94", "example-frontend", "unknown", None, False),
    "sentry-3": ("firing", "sentry", "APP-44 ingest dropped event", "", "unknown", None, True),
    "zabbix-1": ("firing", "zabbix", "ALERT.SUBJECT", "", "unknown", None, True),
}  # fmt: skip
NO_ALERTS = ("argocd-3", "slack-agent-session-stopped-1", "slack-bot-message-1")


@pytest.fixture(scope="session")
def samples(shared_data: Path) -> dict[str, dict[str, Any]]:
    folder = shared_data / "slack" / "samples"
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")
    }


@pytest.mark.parametrize("name", TABLE)
def test_a_real_message_is_recognised_as_the_table_says(
    name: str, samples: dict[str, dict[str, Any]]
) -> None:
    state, source, title, service, severity, started_at, starts = TABLE[name]
    shown = recognised(samples[name]).as_json()
    assert shown["is_alert"]
    assert (shown["state"], shown["source"]) == (state, source)
    assert title in str(shown["title"])
    assert (shown["service"], shown["severity"]) == (service, severity)
    assert (shown["started_at"], shown["starts_investigation"]) == (started_at, starts)


@pytest.mark.parametrize("name", NO_ALERTS)
def test_a_real_message_that_is_no_alert_is_none(
    name: str, samples: dict[str, dict[str, Any]]
) -> None:
    found = recognised(samples[name])
    assert not found.is_alert
    assert not found.starts_investigation


def test_every_real_message_is_in_the_table(samples: dict[str, dict[str, Any]]) -> None:
    assert set(samples) == {*TABLE, *NO_ALERTS}


def test_a_firing_alert_starts_an_investigation_and_its_recovery_does_not() -> None:
    assert recognised(FIRING).starts_investigation
    assert not recognised(RESOLVED).starts_investigation
    assert recognised(RESOLVED).state == "resolved"


def test_a_reply_in_a_thread_starts_nothing() -> None:
    reply = {**FIRING, "thread_ts": "1795250000.000000"}
    assert recognised(reply).is_alert
    assert not recognised(reply).starts_investigation


def test_a_reply_that_is_also_sent_to_the_channel_is_a_post() -> None:
    repeat = {**FIRING, "thread_ts": "1795250000.000000", "subtype": "thread_broadcast"}
    assert recognised(repeat).starts_investigation


def test_the_root_of_a_thread_is_no_reply() -> None:
    assert recognised({**FIRING, "thread_ts": FIRING["ts"]}).starts_investigation


@pytest.mark.parametrize("own", ["B0ALERTS", "A0SELF", "U0SELF"])
def test_our_own_posts_are_never_alerts(own: str) -> None:
    event = {**FIRING, "app_id": "A0SELF", "user": "U0SELF"}
    assert recognised(event).is_alert
    assert not recognised(event, {own}).is_alert


def test_an_edit_that_resolves_is_a_recovery_of_the_same_alert() -> None:
    found = recognised(edit(FIRING, RESOLVED))
    assert (found.is_alert, found.state, found.starts_investigation) == (True, "resolved", False)
    assert found.fingerprint == recognised(FIRING).fingerprint


def test_an_edit_of_a_firing_alert_starts_nothing_again() -> None:
    again = attached("Alertmanager", title="[FIRING:2] InstanceDown (web-1 critical)")
    assert recognised(edit(FIRING, again)).state == "firing"
    assert not recognised(edit(FIRING, again)).starts_investigation


def test_an_edit_from_resolved_back_to_firing_starts_one() -> None:
    assert recognised(edit(RESOLVED, FIRING)).starts_investigation


def test_an_edit_that_only_adds_an_unfurl_changes_nothing() -> None:
    unfurl = {"from_url": "https://x.example", "title": "[RESOLVED] something else"}
    after = {**FIRING, "attachments": [*FIRING["attachments"], unfurl]}
    found = recognised(edit(FIRING, after))
    assert (found.state, found.starts_investigation) == ("firing", False)


@pytest.mark.parametrize("subtype", ["message_deleted", "channel_join", "channel_topic", "pinned_item", 7])  # fmt: skip
def test_other_subtypes_are_no_alerts(subtype: object) -> None:
    assert not recognised({**FIRING, "subtype": subtype}).is_alert


def test_other_events_are_no_alerts() -> None:
    assert not recognised({**FIRING, "type": "app_mention"}).is_alert
    assert not recognised({"type": "reaction_added", "item": FIRING}).is_alert


@pytest.mark.parametrize("title", ["[TEST] [FIRING:1] InstanceDown", "[FIRING:1] TestAlert Grafana", "[FIRING:1] InstanceDown - this is a test"])  # fmt: skip
def test_a_test_notification_starts_nothing(title: str) -> None:
    found = recognised(attached("Alertmanager", title=title))
    assert found.is_alert
    assert not found.starts_investigation


def test_an_alert_about_tests_is_no_test_notification() -> None:
    assert recognised(bot("CI", text="🚨 Alert: integration tests are failing on main")).starts_investigation  # fmt: skip


@pytest.mark.parametrize("wrap", ["event", "message", "payload", "body"])
def test_the_event_may_be_held_by_an_envelope(wrap: str) -> None:
    assert recognised({wrap: FIRING}).is_alert
    assert recognised({wrap: {"type": "event_callback", "event": FIRING}}).is_alert


def test_lines_gives_one_result_for_each_line_whatever_it_holds() -> None:
    deep = '{"event": ' * 10_000 + "1" + "}" * 10_000
    given = [json.dumps(FIRING), "", "not json", "[1, 2]", "null", '{"event": 5}', deep, '{"text": "\\ud800"}', json.dumps({"event": FIRING}) + "\n"]  # fmt: skip
    found = list(lines(iter(given)))
    assert len(found) == len(given)
    assert [one["is_alert"] for one in found] == [True, *[False] * 7, True]
    assert [bool(one.get("error")) for one in found] == [False, True, True, True, True, False, True, False, False]  # fmt: skip
    assert all(json.loads(json.dumps(one)) == one for one in found)


def test_lines_reads_no_further_than_it_is_asked() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield json.dumps(FIRING)

    assert next(lines(endless(), ["B0ALERTS"]))["is_alert"] is False


def test_every_result_has_the_same_keys() -> None:
    expected = {"is_alert", "state", "source", "title", "service", "severity", "fingerprint", "started_at", "starts_investigation", "labels", "links", "deploy"}  # fmt: skip
    assert set(recognised(FIRING).as_json()) == set(recognised({}).as_json()) == expected


def test_links_are_named_by_what_they_lead_to() -> None:
    body = "<https://runbooks.example.com/x|Runbook> <https://g.example.com/d/1|Dashboard> <https://am/#/silences/new|Silence>"
    found = recognised(attached("Alertmanager", title="[FIRING:1] X", title_link="https://am/#/alerts", body=body))  # fmt: skip
    assert found.links == {
        "alert": "https://am/#/alerts",
        "runbook": "https://runbooks.example.com/x",
        "dashboard": "https://g.example.com/d/1",
        "silence": "https://am/#/silences/new",
    }


def test_the_generic_recognisers_are_asked_last() -> None:
    names = {one.module for one in recognise.recognisers()}
    assert set(recognise.LAST) <= names
    assert len(names) > 15


def test_markdown_alert_blocks_and_forwarded_mail_are_read() -> None:
    markdown = bot("ops", blocks=[{"type": "markdown", "text": "## 🚨 Alert: checkout is down\n- **Severity:** critical\n- **Service:** checkout"}])  # fmt: skip
    block = bot("ops", blocks=[{"type": "alert", "level": "error", "text": {"type": "mrkdwn", "text": "Checkout is down"}}])  # fmt: skip
    mail = bot("email", subtype="file_share", files=[{"filetype": "email", "subject": "[FIRING:1] DiskFull", "plain_text": "on db-1"}])  # fmt: skip
    found = [recognised(event) for event in (markdown, block, mail)]
    assert [one.title for one in found] == ["checkout is down", "Checkout is down", "DiskFull"]
    assert (found[0].severity, found[0].service) == ("critical", "checkout")


def test_slacks_date_marks_give_the_exact_start() -> None:
    text = "🚨 Alert: checkout check is failing\n*Started:* <!date^1795254900^{date_num} {time_secs}|some day>"
    assert recognised(bot("Checkly", text=text)).as_json()["started_at"] == "2026-11-21T09:55:00+00:00"  # fmt: skip


def test_a_local_time_that_lies_ahead_of_the_message_is_no_start() -> None:
    ahead = bot("ops", text="🚨 Alert: checkout is down\nStarted: 2026-11-21 12:00:00")
    behind = bot("ops", text="🚨 Alert: checkout is down\nStarted: 2026-11-21 09:50:00")
    assert recognised(ahead).started_at is None
    assert recognised(behind).as_json()["started_at"] == "2026-11-21T09:50:00+00:00"


def test_a_generic_reading_keeps_the_vendor_who_posted_it() -> None:
    event = bot("Datadog", text=":fire: Incident declared: SEV-2 Checkout is down")
    assert recognised(event).source == "datadog"


def test_one_broken_recogniser_loses_no_alert() -> None:
    def broken(message: Message) -> None:
        raise RuntimeError(message.title)

    first = recognise.Recogniser("aaa", Signs(names=("alertmanager",)), broken)
    with capture_logs() as logs:
        found = recognise.read(extract(FIRING), (first, *recognise.recognisers()))
    assert found is not None
    assert [(entry["event"], entry["module"]) for entry in logs] == [("recogniser_failed", "aaa")]
