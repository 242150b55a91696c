"""Alerts of tools without a file of their own, and the bots that are no alerts at all."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.recognise import recognised
from tests.adapters.slack_posts import attached, bot, fields, section

FIRING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "statuscake": (bot("StatusCake", text="Your site Shop (https://shop.example) is down. Status code 503"), {}),
    "healthchecks": (attached("Healthchecks.io", text="The check \"db-backup\" is DOWN.", color="danger", fields=fields(Last_Ping="1 day ago")), {}),
    "checkly": (bot("Checkly", text=":rotating_light: Checkout flow has failed", blocks=[section("*Check* Checkout flow has *failed*\nLocation: eu-west-1")]), {}),
    "honeycomb": (attached("Honeycomb", title="Triggered: Checkout latency high", title_link="https://ui.honeycomb.io/acme/triggers/1", color="danger"), {"title": "Checkout latency high"}),
    "clickstack": (bot(bot_profile={"name": "ClickStack"}, text="🚨 Alert for \"test\" - 1 line found"), {"title": 'Alert for "test" - 1 line found'}),
    "prometheus custom": (bot("monitoring", text=":fire: *[CRITICAL]* checkout-api error rate is above 5% on web-03"), {"severity": "critical"}),
    "rollbar": (bot("Rollbar", text="[shop] production - New Error: #123 TypeError: x is undefined"), {}),
    "bugsnag": (attached("Bugsnag", text="New error in production from shop", title="NoMethodError", body="undefined method pay", color="#E45959"), {}),
    "circleci": (attached("CircleCI", text="Failed: jane's workflow (build) in acme/checkout (main)", color="danger"), {}),
    "jenkins": (attached("jenkins", body="checkout » main - #512 Failure after 3 min 2 sec (<https://ci.example.com/job/1/|Open>)", color="danger"), {}),
    "better stack": (bot("Better Stack", text=":red_circle: *New incident* started\nCause: Status 500\nMonitor: shop.example"), {}),
    "uptime kuma": (bot("Uptime Kuma", text="[Shop API] [🔴 Down] connect ECONNREFUSED 10.0.0.8:443"), {}),
    "severity field": (attached("watchdog", title="Checkout queue backlog", color="#a30200", fields=fields(Severity="critical", Service="checkout", Host="web-3")), {"severity": "critical", "service": "checkout"}),
    "status field": (attached("monitor", title="checkout p99 latency", fields=fields(Status="FIRING", Priority="P1")), {"severity": "critical"}),
    "plain phrase": (bot("infra-bot", text="Alert: disk usage on db-2 is above threshold (91 %)"), {"title": "disk usage on db-2 is above threshold (91 %)"}),
    "incident": (bot("incident.io", text=":fire: Incident declared: SEV-1 Checkout is down"), {}),
    "k8s watcher": (bot("kubewatch", text="Pod checkout-7f9c4d-x2k1p in namespace shop: CrashLoopBackOff"), {}),
    "backup": (bot("cron", text=":x: Nightly backup of orders-db failed: no space left on device"), {}),
    "error budget": (bot("slo-bot", text="SLO burn: error budget exceeded for checkout (14.4x)"), {}),
    "certificate": (bot("certbot", text=":warning: TLS certificate for shop.example expires in 3 days"), {}),
    "anomaly": (attached("Dynatrace", title="Problem P-2311: High failure rate on checkout", color="#dc172a", fields=fields(Status="OPEN", Severity="ERROR")), {"severity": "error"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRING)
def test_an_unknown_tools_alert_is_recognised(name: str) -> None:
    event, expected = FIRING[name]
    shown = recognised(event).as_json()
    assert shown["is_alert"]
    assert (shown["source"], shown["state"]) == ("generic", "firing")
    assert {key: shown[key] for key in expected} == expected
    assert shown["starts_investigation"]


OVER: dict[str, dict[str, Any]] = {
    "statuscake": bot("StatusCake", text="Your site Shop (https://shop.example) is back up after 5 minutes"),
    "healthchecks": attached("Healthchecks.io", text='The check "db-backup" is now UP.', color="good"),
    "honeycomb": attached("Honeycomb", title="Resolved: Checkout latency high", color="good"),
    "clickstack": bot(bot_profile={"name": "ClickStack"}, text=':white_check_mark: Alert for "test" - 0 lines found'),
    "check mark": bot("monitoring", text="✅ Alert: error rate is above its threshold"),
    "issue": bot(bot_profile={"name": "Slack"}, text="DEMO-7 was resolved by jane@example.com\nDEMO-7 had its status changed to resolved."),
    "recap": bot("incident.io", text="Incident resolved: SEV-1 Checkout is down. It lasted 42 minutes."),
    "uptime kuma": bot("Uptime Kuma", text="[Shop API] [✅ Up] 200 - OK"),
    "recovered": bot("infra-bot", text="RECOVERED: disk usage on db-2 is back to normal"),
}  # fmt: skip


@pytest.mark.parametrize("name", OVER)
def test_a_recovery_never_starts_an_investigation(name: str) -> None:
    found = recognised(OVER[name])
    assert found.state in {"resolved", None}
    assert not found.starts_investigation


CHATTER: dict[str, dict[str, Any]] = {
    "weekly report": bot("metrics", text=":bar_chart: Weekly report: 3 incidents, error rate 0.2 %, 2 alerts fired"),
    "daily digest": bot("Datadog", text="Daily digest: 12 monitors triggered, 11 recovered"),
    "error recap": bot("bot", text="Error recap · last 24h\n78 events, critical: 3"),
    "stand-up": bot("Geekbot", text=":wave: Time for stand-up! What did you do yesterday? Any blockers or failures?"),
    "reminder": bot("Slackbot", text="Reminder: rotate the on-call phone, last week it was down"),
    "on-call": bot("oncall", text="@jane is now on call for checkout (critical alerts)"),
    "maintenance": bot("status", text=":warning: Scheduled maintenance tonight 22:00 UTC, checkout will be unavailable"),
    "pull request": bot("github", text="PR #512: fix error handling when the payment gateway is down"),
    "issue": bot("Jira", text="jane created SHOP-12: checkout fails with error 500"),
    "deploy": bot("deploybot", text="Deployed checkout v1.4.2 to production"),
    "release notes": bot("releases", text="Release notes 4.2: fixes a critical error in checkout"),
    "success": bot("CircleCI", text=":white_check_mark: Workflow build in acme/checkout succeeded"),
    "build passed": attached("jenkins", body="checkout » main - #513 Success after 3 min", color="good"),
    "welcome": bot("greeter", text="Welcome @joe! Ask in #help when something is broken"),
    "lunch": bot("lunchbot", text=":fire: Hot lunch deal today, do not miss it"),
    "kudos": bot("kudos", text="Jane fixed a critical bug, kudos!"),
    "poll": bot("polly", text="Poll: what is the biggest problem of our alerts?"),
    "silence": bot("ops", text="Jane silenced alert DiskFull for 2h"),
    "greeting": bot("github", text="Pushing is the answer"),
    "handover": bot("ops", text="On-call handover: two alerts fired, one incident open"),
    "sales": bot("crm", text="New lead: ACME, high priority"),
    "empty": bot("x"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHATTER)
def test_bots_that_tell_no_alert_are_left_alone(name: str) -> None:
    found = recognised(CHATTER[name])
    assert not found.is_alert, found
    assert not found.starts_investigation


PEOPLE = (
    "[FIRING:1] InstanceDown",
    "is checkout down for anybody else? I see 500 errors, critical!",
    "🚨 Alert: everything is on fire",
    "ALARM: the coffee machine is broken",
    "Resolved: restarted the pods",
)


@pytest.mark.parametrize("text", PEOPLE)
def test_people_are_left_alone_whatever_they_write(text: str) -> None:
    event = {"type": "message", "user": "U1", "text": text, "ts": "1.2", "client_msg_id": "x"}
    assert not recognised(event).is_alert


def test_an_alert_that_a_person_forwards_is_theirs() -> None:
    shared = {"from_url": "https://acme.slack.com/archives/C1/p1", "is_msg_unfurl": True, "title": "[FIRING:1] InstanceDown"}  # fmt: skip
    event = {"type": "message", "user": "U1", "text": "look", "ts": "1.2", "attachments": [shared]}
    assert not recognised(event).is_alert
