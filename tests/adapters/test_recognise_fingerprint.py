"""Repeats, edits and the recovery of one alert are one; two hosts, monitors or services are two."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.recognise import recognised
from tests.adapters.slack_posts import attached, bot, fields, section
from tests.adapters.test_recognise_vendors import (
    AM,
    AWS,
    DD,
    GCP,
    GRAFANA,
    KUBE,
    NR,
    OG,
    PD,
    SNS,
    ZBX,
)

Post = dict[str, Any]


def _am(title: str, **more: Any) -> Post:
    return attached("Alertmanager", title=title, title_link=AM, **more)


def _dd(title: str, link: str = DD, **more: Any) -> Post:
    return attached("Datadog", title=title, title_link=link, **more)


def _zbx(title: str, host: str = "web-01 [10.0.0.1]", link: str = ZBX, **more: Any) -> Post:
    return attached("zabbix", title=title, title_link=link, fields=fields(Host=host, Event_time="2026.11.21 12:00:00", Severity="High", **more))  # fmt: skip


def _icinga(state: str, host: str = "web-1") -> Post:
    return attached("icinga2", fallback=f"{state}: {host} - disk", fields=fields(Info=f"DISK {state} 93.1% used", Host=host, Service="disk", State=state))  # fmt: skip


def _nr(state: str, entity: str = "checkout-api", link: str = NR) -> Post:
    return attached("New Relic", title="Error rate above 5 %", title_link=link, body=f"*Critical priority issue was {state}*\n*Impacted entities:* {entity}\n*Condition:* Error rate")  # fmt: skip


SAME: dict[str, list[Post]] = {
    "alertmanager": [
        _am("[FIRING:1] InstanceDown payments (web-01:9100 critical)", color="a30200"),
        _am("[FIRING:2] InstanceDown payments (web-01:9100 critical)"),
        _am("[RESOLVED] InstanceDown payments (web-01:9100 critical)", color="2eb886"),
    ],
    "alertmanager with values": [
        _am("[FIRING:1] KubePodCrashLooping", body=KUBE),
        _am("[FIRING:1] KubePodCrashLooping", body=KUBE.replace("1.2 times", "7.8 times")),
        _am("[RESOLVED] KubePodCrashLooping", body=KUBE),
    ],
    "grafana": [
        attached("Grafana", title="[FIRING:1] High error rate", body=GRAFANA, footer="Grafana v12"),
        attached("Grafana", title="[FIRING:1] High error rate", body=GRAFANA.replace("97.3", "55"), footer="Grafana v12"),
        attached("Grafana", title="[RESOLVED] High error rate", body=GRAFANA.replace("**Firing**", "**Resolved**"), footer="Grafana v12"),
    ],
    "datadog": [
        _dd("Triggered: [P2] CPU is high on host:web-1"),
        _dd("Warn: [P2] CPU is high on host:web-1"),
        _dd("Re-Triggered: [P2] CPU is high on host:web-1", DD.replace("event_id=77", "event_id=99")),
        _dd("Renotify: [P2] CPU is high on host:web-1"),
        _dd("No data: [P2] CPU is high on host:web-1"),
        _dd("Recovered: [P2] CPU is high on host:web-1", DD.replace("1795254300000", "1795259300000")),
    ],
    "datadog page": [
        attached(title="Page #7: Slow", title_link="https://app.datadoghq.com/on-call/pages/7", body=f"*Status:*\n{status}")
        for status in ("Triggered", "Acknowledged", ":white_check_mark: Resolved")
    ],
    "pagerduty": [
        bot("PagerDuty", blocks=[section(f":{circle}: *<{PD}|Checkout error rate>*")])
        for circle in ("red_circle", "large_yellow_circle", "large_green_circle")
    ],
    "opsgenie": [
        attached("Opsgenie", text=f'New alert: <{OG}|#42> "Checkout latency"', fields=fields(Priority="P1")),
        bot("Opsgenie", text=f'Jane Doe acknowledged alert <{OG}|#42> "Checkout latency"'),
        bot("Opsgenie", text=f'Alert <{OG}|#42> "Checkout latency" closed by Jane'),
    ],
    "cloudwatch": [
        bot("AWS Alarm notification", text=f"The alarm checkout-5xx changed state to {state}: Threshold Crossed.\n{AWS}")
        for state in ("ALARM", "OK", "INSUFFICIENT_DATA")
    ],
    "cloudwatch json": [
        bot("relay", text=SNS),
        bot("relay", text=SNS.replace("12.0 (21", "3.0 (22").replace('NewStateValue":"ALARM', 'NewStateValue":"OK').replace("09:58:30", "10:08:30")),
    ],
    "gcp": [
        attached("Google Cloud Monitoring", title="Alert firing: Checkout latency", title_link=GCP),
        attached("Google Cloud Monitoring", title="Alert recovered: Checkout latency", title_link=GCP),
    ],
    "newrelic": [_nr("activated"), _nr("acknowledged"), _nr("closed")],
    "zabbix": [
        _zbx("Problem: High CPU utilization", Opdata="97 %"),
        _zbx("Updated problem in 2m: High CPU utilization", Opdata="98 %"),
        _zbx("Resolved in 5m 3s: High CPU utilization", Opdata="3 %"),
    ],
    "zabbix text": [
        bot("Zabbix", text="Problem: Disk is full\nHost: db-2\nSeverity: High"),
        bot("Zabbix", text="Resolved in 10m: Disk is full\nHost: db-2\nSeverity: High"),
    ],
    "icinga": [_icinga("CRITICAL"), _icinga("WARNING"), _icinga("OK")],
    "nagios": [
        bot("nagios", text="** PROBLEM Service Alert: web-1/HTTP is CRITICAL **\nConnection refused"),
        bot("nagios", text="** ACKNOWLEDGEMENT Service Alert: web-1/HTTP is CRITICAL **\non it"),
        bot("nagios", text="** RECOVERY Service Alert: web-1/HTTP is OK **\nHTTP OK 0.012 second response time"),
    ],
    "uptimerobot": [
        bot("UptimeRobot", text="Monitor is DOWN: Shop API ( https://api.shop.example ) - Reason: HTTP 503"),
        bot("UptimeRobot", text="Monitor is UP: Shop API ( https://api.shop.example ). It was down for 5 minutes."),
    ],
    "pingdom": [
        bot("Pingdom", text="Shop checkout (shop.example) is DOWN since 2026-11-21 09:59:00"),
        bot("Pingdom", text="Shop checkout (shop.example) is UP again"),
    ],
    "argocd": [
        bot("argocd", text=":exclamation: Application checkout has degraded."),
        bot("argocd", text="Application checkout is healthy"),
    ],
    "clickstack": [
        bot("ClickStack", text='🚨 Alert for "test" - 1 line found'),
        bot("ClickStack", text='🚨 Alert for "test" - 12 lines found'),
        bot("ClickStack", text=':white_check_mark: Alert for "test" - 0 lines found'),
    ],
    "statuscake": [
        bot("StatusCake", text="Your site Shop (https://shop.example) is down"),
        bot("StatusCake", text="Your site Shop (https://shop.example) is back up after 5 minutes"),
    ],
    "healthchecks": [
        bot("Healthchecks.io", text='The check "db-backup" is DOWN.'),
        bot("Healthchecks.io", text='The check "db-backup" is now UP.'),
    ],
    "honeycomb": [
        attached("Honeycomb", title="Triggered: Checkout latency"),
        attached("Honeycomb", title="Resolved: Checkout latency"),
    ],
    "generic with values": [
        bot("infra", text="[CRITICAL] CPU on web-3 is at 93.2% since 10:02:11"),
        bot("infra", text="[CRITICAL] CPU on web-3 is at 97% since 10:02:11"),
        bot("infra", text="[OK] CPU on web-3 is at 12% since 10:15:00"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_an_alert_keeps_its_fingerprint_while_it_moves_on(name: str) -> None:
    found = [recognised(post) for post in SAME[name]]
    assert all(one.is_alert for one in found), found
    assert len({one.fingerprint for one in found}) == 1, [(one.title, one.labels) for one in found]


DIFFERENT: dict[str, list[Post]] = {
    "alertmanager title": [_am("[FIRING:1] HighCPU (web-1 critical)"), _am("[FIRING:1] HighCPU (web-2 critical)")],
    "alertmanager labels": [_am("[FIRING:1] HighCPU", body=f"*instance:* `{host}:9100`\n*severity:* `critical`") for host in ("web-1", "web-2")],
    "alertmanager summary": [_am("[FIRING:1] InstanceDown", body=f"{host}:9100 has been down for more than 5 minutes") for host in ("web-1", "web-2")],
    "grafana labels": [
        attached("Grafana", title="[FIRING:1] High error rate", body=GRAFANA.replace("service = checkout", f"service = {service}"), footer="Grafana v12")
        for service in ("checkout", "cart")
    ],
    "datadog group": [_dd("Triggered: CPU is high", DD.replace("web-1", host)) for host in ("web-1", "web-2")],
    "datadog title": [_dd(f"Triggered: CPU is high on host:{host}", "https://app.datadoghq.com/monitors/123") for host in ("web-1", "web-2")],
    "datadog monitor": [_dd("Triggered: CPU is high on host:web-1", DD.replace("monitors/123", f"monitors/{number}")) for number in (1, 2)],
    "pagerduty": [bot("PagerDuty", blocks=[section(f":red_circle: *<{PD}{end}|Checkout error rate>*")]) for end in ("1", "2")],
    "cloudwatch region": [bot("AWS Alarm", text=f"The alarm a changed state to ALARM: x\n{AWS.replace('eu-west-1', region)}") for region in ("eu-west-1", "us-east-1")],
    "cloudwatch dimension": [bot("relay", text=SNS.replace("app/checkout/1", name)) for name in ("app/checkout/1", "app/checkout/2")],
    "azure resource": [
        bot("Azure Monitor", text=f"Fired:Sev2 Azure Monitor Alert High CPU on {vm} ( microsoft.compute/virtualmachines ) at 11/21/2026 9:57:00 AM")
        for vm in ("vm-01", "vm-02")
    ],
    "newrelic entity": [_nr("activated", entity, "https://one.newrelic.com/") for entity in ("checkout-api", "cart-api")],
    "zabbix host": [_zbx("Problem: High CPU", host) for host in ("web-01", "web-02")],
    "zabbix text": [bot("Zabbix", text=f"Problem: Disk is full\nHost: {host}\nSeverity: High") for host in ("db-1", "db-2")],
    "icinga host": [_icinga("CRITICAL", host) for host in ("web-1", "web-2")],
    "nagios service": [bot("nagios", text=f"** PROBLEM Service Alert: web-1/{check} is CRITICAL **") for check in ("HTTP", "SSH")],
    "uptimerobot": [bot("UptimeRobot", text=f"Monitor is DOWN: API ( https://{host}.shop.example ) - Reason: HTTP 503") for host in ("eu", "us")],
    "splunk host": [bot("Splunk", text=f"The alert condition for 'Errors' was triggered.\nHost: {host}") for host in ("web-1", "web-2")],
    "argocd app": [bot("argocd", text=f":exclamation: Application {app} has degraded.") for app in ("checkout", "cart")],
    "generic host": [bot("infra", text=f"[CRITICAL] CPU on {host} is at 93.2%") for host in ("web-1", "web-2")],
    "generic host in the text": [bot("infra", text=f"[CRITICAL] CPU is high\nHost {host} is at 93 %") for host in ("10.0.0.1", "10.0.0.2")],
    "generic host in a field": [attached("infra", title="[CRITICAL] CPU is high", fields=fields(Host=host)) for host in ("a", "b")],
    "generic status code": [bot("infra", text=f"🚨 Alert: HTTP {code} rate is high on checkout") for code in (500, 404)],
    "generic service": [bot("infra", text=f"🚨 Alert: {service} is down") for service in ("checkout", "cart")],
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_equal_titles_on_two_targets_are_two_alerts(name: str) -> None:
    found = [recognised(post) for post in DIFFERENT[name]]
    assert all(one.is_alert for one in found), found
    assert len({one.fingerprint for one in found}) == len(found), [
        (o.title, o.labels) for o in found
    ]
