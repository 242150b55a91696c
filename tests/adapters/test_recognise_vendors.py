"""What each vendor's posts are recognised as. The table is written by hand after the vendors' templates."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.recognise import recognised
from tests.adapters.slack_posts import attached, bot, context, fields, section

AM = "http://alertmanager.monitoring:9093/#/alerts?receiver=slack"
KUBE = """*Alert:* Pod is crash looping - `critical`
*Description:* Pod checkout/checkout-7f9c4d-x2k1p is restarting 1.2 times / 10 minutes.
*Runbook:* <https://runbooks.example.com/KubePodCrashLooping|:spiral_note_pad:>
*Details:*
 • *alertname:* `KubePodCrashLooping`
 • *namespace:* `checkout`
 • *pod:* `checkout-7f9c4d-x2k1p`
 • *service:* `checkout`
 • *severity:* `critical`"""
GRAFANA = """**Firing**

Value: A=97.3, C=1
Labels:
 - alertname = High error rate
 - grafana_folder = Shop
 - service = checkout
 - severity = critical
Annotations:
 - summary = 97.3 % of requests fail
Source: https://grafana.example.com/alerting/grafana/abc/view?orgId=1
Silence: https://grafana.example.com/alerting/silence/new?alertmanager=grafana&matcher=alertname%3DHigh+error+rate
Dashboard: https://grafana.example.com/d/shop?orgId=1"""
DD = "https://app.datadoghq.com/monitors/123?group=host%3Aweb-1&from_ts=1795254300000&to_ts=1795255500000&event_id=77"
PD = "https://acme.pagerduty.com/incidents/Q1ABCDEF"
OG = "https://opsg.in/a/i/acme/0a1b2c3d-0000-4000-8000-000000000001-1795255100000"
AWS = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/checkout-5xx"
SNS = (
    '{"AlarmName":"checkout-5xx","AlarmDescription":null,"AWSAccountId":"123456789012","NewStateValue":"ALARM",'
    '"NewStateReason":"Threshold Crossed: 1 datapoint [12.0 (21/11/26 09:55:00)] was greater than the threshold (5.0).",'
    '"StateChangeTime":"2026-11-21T09:58:30.123+0000","Region":"EU (Ireland)","AlarmArn":"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx",'
    '"OldStateValue":"OK","Trigger":{"MetricName":"5XX","Dimensions":[{"value":"app/checkout/1","name":"LoadBalancer"}]}}'
)
AZURE = (
    '{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertRule":"High CPU","severity":"Sev1","monitorCondition":"Fired",'
    '"alertTargetIDs":["/subscriptions/1/resourceGroups/rg/providers/microsoft.compute/virtualmachines/vm-01"],"configurationItems":["vm-01"],'
    '"firedDateTime":"2026-11-21T09:57:00.1234567Z"}}}'
)
GCP = "https://console.cloud.google.com/monitoring/alerting/incidents/0.abc123def?project=shop"
NR = "https://radar-api.service.newrelic.com/accounts/1/issues/1f2e3d4c-aaaa-bbbb-cccc-1234567890ab?notifier=SLACK"
RUN = "https://github.com/acme/checkout/actions/runs/987654321"
ZBX = "https://zabbix.example.com/tr_events.php?triggerid=13491&eventid=2001"

ALERTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # --- Alertmanager
    "alertmanager default": (
        attached("Alertmanager", title="[FIRING:1] InstanceDown payments (web-01:9100 node critical)", title_link=AM, color="a30200", fallback="x"),
        {"source": "alertmanager", "state": "firing", "title": "InstanceDown payments (web-01:9100 node critical)", "severity": "critical"},
    ),
    "alertmanager resolved": (
        attached("Alertmanager", title="[RESOLVED] InstanceDown payments (web-01:9100 node critical)", title_link=AM, color="2eb886"),
        {"source": "alertmanager", "state": "resolved"},
    ),
    "kube-prometheus template": (
        attached("Prometheus", title="[FIRING:1] KubePodCrashLooping", title_link=AM, body=KUBE, color="danger"),
        {"source": "alertmanager", "state": "firing", "service": "checkout", "severity": "critical", "title": "KubePodCrashLooping"},
    ),
    "status token in the middle": (
        attached("prod-alerts", title=":fire: acme - prod-eu [FIRING:3] HighLatency", body="*service:* `cart`\n*severity:* `warning`"),
        {"source": "alertmanager", "state": "firing", "service": "cart", "severity": "warning"},
    ),
    "blocks instead of attachments": (
        bot("Alertmanager", blocks=[{"type": "header", "text": {"type": "plain_text", "text": "[FIRING:1] DiskFull"}}, section("*Instance:* db-1\n*Severity:* warning")]),
        {"source": "alertmanager", "state": "firing", "severity": "warning", "title": "DiskFull"},
    ),
    "plain status word": (
        bot("Alertmanager", text=":fire: FIRING: HighErrorRate - checkout is failing\nseverity: critical\nservice: checkout"),
        {"source": "alertmanager", "state": "firing", "service": "checkout", "severity": "critical"},
    ),
    "labels only": (
        attached("prometheus", title="Watch out", body="*alertname*: `LagHigh`\n*status*: `resolved`\n*severity*: `warning`", color="2eb886"),
        {"source": "alertmanager", "state": "resolved", "severity": "warning"},
    ),
    # --- Grafana
    "grafana unified": (
        attached("Grafana", title="[FIRING:1] High error rate Shop (checkout critical)", body=GRAFANA, footer="Grafana v12.1.0", color="#D63232"),
        {"source": "grafana", "state": "firing", "service": "checkout", "severity": "critical"},
    ),
    "grafana resolved": (
        attached("alerts", title="[RESOLVED] High error rate Shop (checkout critical)", body=GRAFANA.replace("Firing", "Resolved"), footer="Grafana v12.1.0"),
        {"source": "grafana", "state": "resolved", "service": "checkout"},
    ),
    "grafana legacy": (
        attached("grafana", title="[Alerting] Checkout latency alert", title_link="https://g.example.com/d/abc?viewPanel=2", fields=fields(p99="1.8"), footer="Grafana v7.5.2"),
        {"source": "grafana", "state": "firing", "title": "Checkout latency alert"},
    ),
    "grafana legacy ok": (
        attached("grafana", title="[OK] Checkout latency alert", title_link="https://g.example.com/d/abc?viewPanel=2", footer="Grafana v7.5.2"),
        {"source": "grafana", "state": "resolved"},
    ),
    "grafana no data": (
        attached("grafana", title="[No Data] Checkout latency alert", footer="Grafana v7.5.2"),
        {"source": "grafana", "state": "firing"},
    ),
    # --- Datadog
    "datadog triggered": (
        attached("Datadog", title="Triggered: [P2] CPU is high on host:web-1", title_link=DD, body="CPU > 90 %\n@slack-alerts service:checkout env:prod"),
        {"source": "datadog", "state": "firing", "title": "CPU is high on host:web-1", "service": "checkout", "severity": "error", "started_at": "2026-11-21T10:00:00+00:00"},
    ),
    "datadog warn": (
        attached("Datadog", title="Warn: CPU is high on host:web-1", title_link=DD),
        {"source": "datadog", "state": "firing", "severity": "warning"},
    ),
    "datadog no data": (
        attached("Datadog", title="No data: CPU is high on host:web-1", title_link=DD),
        {"source": "datadog", "state": "firing"},
    ),
    "datadog renotify": (
        attached("Datadog", title="Re-Triggered: CPU is high on host:web-1", title_link=DD),
        {"source": "datadog", "state": "firing", "started_at": None},
    ),
    "datadog recovered": (
        attached("Datadog", title="Recovered: CPU is high on host:web-1", title_link=DD, color="2eb886"),
        {"source": "datadog", "state": "resolved", "starts_investigation": False},
    ),
    "datadog event title": (
        attached("Datadog", title="[Triggered on {host:web-1,service:cart}] Disk is full", title_link="https://app.datadoghq.eu/monitors/9"),
        {"source": "datadog", "state": "firing", "service": "cart"},
    ),
    "datadog test": (
        attached("Datadog", title="[TEST] Triggered: CPU is high on host:web-1", title_link=DD),
        {"source": "datadog", "state": "firing", "starts_investigation": False},
    ),
    "datadog on-call in blocks": (
        bot(
            attachments=[
                {
                    "blocks": [
                        section("<https://app.datadoghq.com/on-call/pages/52486|Page #52486: edge CPU on cluster:1>"),
                        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Status:*\n:white_check_mark: Resolved"}, {"type": "mrkdwn", "text": "*Urgency:*\nHigh"}]},
                    ]
                }
            ]
        ),
        {"source": "datadog", "state": "resolved", "severity": "error", "title": "edge CPU on cluster:1"},
    ),
    "datadog on-call acknowledged": (
        attached(title="Page #7: Checkout is slow", title_link="https://app.datadoghq.com/on-call/pages/7", body="*Status:*\nAcknowledged\n*Urgency:*\nHigh\n*Team:*\nShop"),
        {"source": "datadog", "state": "acknowledged"},
    ),
    # --- PagerDuty
    "pagerduty triggered": (
        bot(bot_profile={"name": "PagerDuty", "app_id": "A1FKYAUUX"}, blocks=[section(f":red_circle: *<{PD}|Checkout error rate>*\n:tornado: *Urgency:* High\n*Service:* <https://acme.pagerduty.com/services/P1|checkout>")]),
        {"source": "pagerduty", "state": "firing", "title": "Checkout error rate", "service": "checkout", "severity": "error"},
    ),
    "pagerduty acknowledged": (
        bot("PagerDuty", blocks=[section(f":large_yellow_circle: *<{PD}|Checkout error rate>*\n*Urgency:* High")]),
        {"source": "pagerduty", "state": "acknowledged"},
    ),
    "pagerduty older": (
        attached("PagerDuty", text="Triggered #1234: <" + PD + "|Checkout error rate>", color="a30200", fields=fields(Service="checkout", Urgency="low")),
        {"source": "pagerduty", "state": "firing", "title": "Checkout error rate", "service": "checkout"},
    ),
    "pagerduty older resolved": (
        bot("PagerDuty", text=f"Resolved <{PD}|#1234: Checkout error rate> by Jane"),
        {"source": "pagerduty", "state": "resolved", "title": "Checkout error rate"},
    ),
    # --- Opsgenie, Jira Service Management
    "opsgenie new": (
        attached("Opsgenie", text=f'New alert: <{OG}|#42> "Checkout latency"', fields=fields(Priority="P1", Tags="service:checkout, env:prod", Routed_Teams="SRE")),
        {"source": "opsgenie", "state": "firing", "title": "Checkout latency", "severity": "critical", "service": "checkout", "started_at": "2026-11-21T09:58:20+00:00"},
    ),
    "opsgenie acknowledged": (
        bot("Opsgenie", text=f'Jane Doe acknowledged alert <{OG}|#42> "Checkout latency"'),
        {"source": "opsgenie", "state": "acknowledged", "title": "Checkout latency"},
    ),
    "opsgenie closed": (
        bot("Opsgenie", text=f'Jane Doe closed alert <{OG}|#42> "Checkout latency"'),
        {"source": "opsgenie", "state": "resolved"},
    ),
    # --- Sentry
    "sentry metric alert": (
        attached("Sentry", title="Critical: Checkout p95", title_link="https://acme.sentry.io/alerts/rules/details/77/", body="1200 events in the last 10 minutes", color="e03e2f"),
        {"source": "sentry", "state": "firing", "title": "Checkout p95", "severity": "critical"},
    ),
    "sentry metric resolved": (
        attached("Sentry", title="Resolved: Checkout p95", title_link="https://acme.sentry.io/alerts/rules/details/77/"),
        {"source": "sentry", "state": "resolved"},
    ),
    "sentry older issue": (
        attached("Sentry", title="TypeError: x is undefined", title_link="https://sentry.io/organizations/acme/issues/555/?referrer=slack", body="checkout in pay", footer="SHOP-12", fields=fields(environment="prod")),
        {"source": "sentry", "state": "firing", "title": "TypeError: x is undefined"},
    ),
    # --- CloudWatch
    "aws chatbot card": (
        bot("AWS Chatbot", attachments=[{"fallback": "🚨 CloudWatch Alarm | checkout-5xx | eu-west-1 | Account: 123456789012", "title": ":rotating_light: CloudWatch Alarm | checkout-5xx | eu-west-1 | Account: 123456789012", "title_link": AWS, "text": "Threshold Crossed: 1 datapoint was greater than the threshold (5.0).\n*State changed to* ALARM"}]),
        {"source": "cloudwatch", "state": "firing", "title": "checkout-5xx"},
    ),
    "aws chatbot fallback only": (
        bot(app_id="A6L22LZNH", attachments=[{"fallback": "✅ CloudWatch Alarm | checkout-5xx | eu-west-1 | Account: 123456789012 (OK)"}]),
        {"source": "cloudwatch", "state": "resolved", "title": "checkout-5xx"},
    ),
    "sns json": (
        bot("sns-relay", text=SNS),
        {"source": "cloudwatch", "state": "firing", "title": "checkout-5xx", "started_at": "2026-11-21T09:58:30.123000+00:00"},
    ),
    "lambda fields": (
        attached("incoming-webhook", text="*CloudWatch alarm notification*", title="checkout-5xx", color="danger", fields=fields(Alarm_Name="checkout-5xx", Old_State="OK", Current_State="ALARM", Region="eu-west-1")),
        {"source": "cloudwatch", "state": "firing", "title": "checkout-5xx"},
    ),
    "mail subject": (
        bot("alerts", text='ALARM: "checkout-5xx" in EU (Ireland)\nYou are receiving this email because your Amazon CloudWatch Alarm'),
        {"source": "cloudwatch", "state": "firing", "title": "checkout-5xx"},
    ),
    "insufficient data": (
        bot("AWS Alarm notification", text=f"The alarm checkout-5xx changed state to INSUFFICIENT_DATA: Unchecked.\n{AWS}"),
        {"source": "cloudwatch", "state": "firing"},
    ),
    # --- Azure, Google Cloud
    "azure json": (
        bot("logic-app", text=AZURE),
        {"source": "azure_monitor", "state": "firing", "title": "High CPU", "severity": "error", "started_at": "2026-11-21T09:57:00.123456+00:00"},
    ),
    "azure subject": (
        bot("Azure Monitor", text="Fired:Sev2 Azure Monitor Alert High CPU on vm-01 ( microsoft.compute/virtualmachines ) at 11/21/2026 9:57:00 AM"),
        {"source": "azure_monitor", "state": "firing", "severity": "warning", "title": "High CPU on vm-01"},
    ),
    "azure logic app fields": (
        attached("Azure Alerts", title="Azure Monitor alert: High CPU", fields=fields(Alert_rule="High CPU", Severity="Sev0", Monitor_condition="Resolved", Affected_resource="vm-01")),
        {"source": "azure_monitor", "state": "resolved", "severity": "critical", "title": "High CPU"},
    ),
    "gcp opened": (
        attached("Google Cloud Monitoring", title="Alert firing: Checkout latency policy", title_link=GCP, body="Condition: p99 > 1s\n*Policy:* Checkout latency policy\n*Severity:* Critical\n*Started:* 2026-11-21 09:55:00 UTC"),
        {"source": "gcp_monitoring", "state": "firing", "severity": "critical", "title": "Checkout latency policy", "started_at": "2026-11-21T09:55:00+00:00"},
    ),
    "gcp closed": (
        attached("Google Cloud Monitoring", title="Alert recovered: Checkout latency policy", title_link=GCP),
        {"source": "gcp_monitoring", "state": "resolved"},
    ),
    # --- New Relic
    "newrelic issue": (
        attached("New Relic", title="Checkout error rate above 5 %", title_link=NR, body="*Critical priority issue was activated*\n*Impacted entities:* checkout-api\n*Policy:* Golden signals\n*Condition:* Error rate"),
        {"source": "newrelic", "state": "firing", "severity": "critical", "title": "Checkout error rate above 5 %", "service": "checkout-api"},
    ),
    "newrelic closed": (
        attached("New Relic", title="Checkout error rate above 5 %", title_link=NR, body="*Critical priority issue was closed*\n*Impacted entities:* checkout-api\n*Condition:* Error rate"),
        {"source": "newrelic", "state": "resolved"},
    ),
    # --- Zabbix
    "zabbix problem": (
        attached("zabbix", title="Problem: High CPU utilization", title_link=ZBX, color="#E97659", fields=fields(Host="web-01 [10.0.0.1]", Event_time="2026.11.21 12:00:00", Severity="High", Opdata="Current: 97 %")),
        {"source": "zabbix", "state": "firing", "title": "High CPU utilization", "severity": "error", "started_at": "2026-11-21T10:00:00+00:00"},
    ),
    "zabbix resolved": (
        attached("zabbix", title="Resolved in 5m 3s: High CPU utilization", title_link=ZBX.replace("2001", "2001"), color="#009900", fields=fields(Host="web-01 [10.0.0.1]", Event_time="2026.11.21 12:00:00", Severity="High")),
        {"source": "zabbix", "state": "resolved", "title": "High CPU utilization"},
    ),
    "zabbix script": (
        bot("Zabbix", text="PROBLEM: Disk space is low\nProblem started at 09:58:00 on 2026.11.21\nProblem name: Disk space is low\nHost: db-2\nSeverity: Average\nOriginal problem ID: 777"),
        {"source": "zabbix", "state": "firing", "severity": "warning", "title": "Disk space is low", "started_at": "2026-11-21T09:58:00+00:00"},
    ),
    # --- Nagios, Icinga
    "nagios sentence": (
        bot("nagios", text="** PROBLEM Service Alert: web-1/HTTP is CRITICAL **\nConnection refused"),
        {"source": "nagios", "state": "firing", "title": "HTTP on web-1", "severity": "critical"},
    ),
    "nagios classic script": (
        attached("nagios", text=":white_check_mark: HOST: web-1   SERVICE: HTTP   MESSAGE: HTTP OK"),
        {"source": "nagios", "state": "resolved", "title": "HTTP on web-1"},
    ),
    "icinga fields": (
        attached("icinga2", fallback="CRITICAL: web-1 - disk", color="danger", fields=fields(Info="DISK CRITICAL - free space: / 1 GB", Host="<https://icinga.example.com/icingaweb2/monitoring/host/show?host=web-1|web-1>", Service="disk", State="CRITICAL")),
        {"source": "nagios", "state": "firing", "title": "disk on web-1", "severity": "critical"},
    ),
    "nagios host": (
        bot("nagios", text="PROBLEM - db-1 is DOWN"),
        {"source": "nagios", "state": "firing", "title": "Host db-1", "severity": "critical"},
    ),
    # --- UptimeRobot, Pingdom
    "uptimerobot down": (
        bot("UptimeRobot", text="Monitor is DOWN: Shop API ( https://api.shop.example ) - Reason: HTTP 503 - Service Unavailable"),
        {"source": "uptimerobot", "state": "firing", "title": "Shop API"},
    ),
    "uptimerobot up": (
        bot("UptimeRobot", text="Monitor is UP: Shop API ( https://api.shop.example ). It was down for 5 minutes and 3 seconds."),
        {"source": "uptimerobot", "state": "resolved", "title": "Shop API"},
    ),
    "pingdom down": (
        attached("Pingdom", title="DOWN: Shop checkout (shop.example)", color="danger", body="Reason: Timeout (> 30s)"),
        {"source": "pingdom", "state": "firing", "title": "Shop checkout"},
    ),
    "pingdom up": (
        bot("Pingdom", text="Shop checkout (shop.example) is UP again"),
        {"source": "pingdom", "state": "resolved", "title": "Shop checkout"},
    ),
    # --- Splunk
    "splunk condition": (
        bot("Splunk", text="The alert condition for 'Checkout 5xx' was triggered.\n<https://splunk.example.com/en-US/app/search/@go?sid=1|View results>\nSeverity: high"),
        {"source": "splunk", "state": "firing", "title": "Checkout 5xx", "severity": "error"},
    ),
    "splunk observability": (
        attached("Splunk Observability", title="Critical Alert: CPU utilization high (detector A)", body="Rule: CPU > 90"),
        {"source": "splunk", "state": "firing", "severity": "critical"},
    ),
    # --- Argo CD
    "argocd sync failed": (
        attached("argocd", text=":exclamation:  The sync operation of application checkout has failed at 2026-11-21T09:59:00Z with the following error: one or more objects failed", title="checkout", title_link="https://argocd.example.com/applications/checkout", color="#E96D76"),
        {"source": "argocd", "state": "firing", "service": "checkout", "started_at": "2026-11-21T09:59:00+00:00"},
    ),
    "argocd unknown": (
        attached("argocd", text=":exclamation: Application checkout sync is 'Unknown'.", title="checkout"),
        {"source": "argocd", "state": "firing", "service": "checkout"},
    ),
    # --- GitHub Actions
    "github action": (
        attached("GitHub Actions", title="", text="", fallback="8398a7@action-slack", color="danger", fields=fields(repo="<https://github.com/acme/checkout|acme/checkout>", workflow="<" + RUN + "|CI>", ref="refs/heads/main", status="failure")),
        {"source": "github", "state": "firing", "service": "checkout"},
    ),
    "github app": (
        attached("GitHub", text=f":x: <{RUN}|CI #512: Pushed by jane> failed in acme/checkout on main"),
        {"source": "github", "state": "firing", "service": "checkout"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALERTS)
def test_a_vendors_alert_is_recognised(name: str) -> None:
    event, expected = ALERTS[name]
    shown = recognised(event).as_json()
    assert shown["is_alert"], shown
    assert {key: shown[key] for key in expected} == expected
    firing = shown["state"] == "firing"
    assert shown["starts_investigation"] is expected.get("starts_investigation", firing)


def _sentry(emoji: str) -> dict[str, Any]:
    url = "https://acme.sentry.io/issues/555/?referrer=slack&alert_type=issue"
    return bot(
        "Sentry",
        app_id="A011MFBJEUU",
        text="[shop] ValueError: bad card",
        blocks=[section(f"{emoji} <{url}|*ValueError*>", block_id='{"issue":555}'), context("State: *New*   First Seen: *1 minute ago*"), context("Project: <https://acme.sentry.io/issues/?project=1|shop>    Short ID: SHOP-12")],
    )  # fmt: skip


def test_a_sentry_issue_and_its_resolution_have_one_fingerprint() -> None:
    first, resolved = recognised(_sentry(":red_circle:")), recognised(_sentry(":white_check_mark:"))
    told = recognised(
        bot("Sentry", text="Jane marked <https://acme.sentry.io/issues/555/|SHOP-12> as resolved")
    )
    assert first.state == "firing"
    assert first.service == "shop"
    assert first.labels["short_id"] == "SHOP-12"
    assert {resolved.state, told.state} == {"resolved"}
    assert len({first.fingerprint, resolved.fingerprint, told.fingerprint}) == 1
