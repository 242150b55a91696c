from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from adapters.kit.recognise import recognised
from adapters.webhooks import cloudwatch, names, webhook
from storage import alerts, investigations
from tests.web.conftest import Served

SECRET = "s3cret-of-the-webhook"
ARN = "arn:aws:sns:eu-west-1:123456789012:alarms"
GROUP: dict[str, Any] = {
    "receiver": "hook",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighErrors", "service": "checkout", "severity": "critical"},
            "annotations": {"summary": "checkout fails"},
            "startsAt": "2026-11-21T01:23:57.632Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "2d250e799afb7507",
        }
    ],
    "groupLabels": {"alertname": "HighErrors", "service": "checkout"},
    "commonLabels": {"alertname": "HighErrors", "service": "checkout", "severity": "critical"},
    "commonAnnotations": {"summary": "checkout fails"},
    "externalURL": "http://alertmanager.example.com",
    "version": "4",
}
INCIDENT: dict[str, Any] = {
    "event": {
        "id": "01BW0T9",
        "event_type": "incident.triggered",
        "occurred_at": "2026-11-21T11:00:00Z",
        "data": {
            "id": "PGR0VU2",
            "type": "incident",
            "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
            "number": 2,
            "status": "triggered",
            "created_at": "2026-11-21T11:00:00Z",
            "title": "A little bump in the road",
            "service": {"summary": "checkout"},
        },
    }
}


@pytest.fixture
def site(serve: Callable[..., Served]) -> Served:
    secrets = {name: [SecretStr(SECRET), SecretStr("older")] for name in names()}
    secrets |= {"cloudwatch": [SecretStr(ARN)], "checks": [SecretStr(SECRET)]}
    mapping = {"checks": {"title": "what", "service": "where.name", "state": "state", "key": "id"}}
    return serve(webhook_secrets=secrets, webhook_mappings=mapping, webhook_channel="C1")


def bearer(_: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def signed(header: str, prefix: str = "") -> Callable[..., dict[str, str]]:
    def headers(body: bytes, secret: str = SECRET) -> dict[str, str]:
        value = prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {header: value}

    return headers


PROOFS = {
    "alertmanager": bearer,
    "datadog": bearer,
    "github": signed("X-Hub-Signature-256", "sha256="),
    "grafana": signed("X-Grafana-Alerting-Signature"),
    "newrelic": bearer,
    "opsgenie": bearer,
    "pagerduty": signed("X-PagerDuty-Signature", "v1="),
    "sentry": signed("Sentry-Hook-Signature"),
}
BODIES: dict[str, dict[str, object]] = {
    "alertmanager": GROUP,
    "datadog": {
        "id": "77",
        "title": "[Triggered] High CPU on checkout",
        "alert_transition": "Triggered",
        "tags": "env:prod,service:checkout",
        "monitor_id": "123",
    },
    "github": {
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
        "workflow_run": {"conclusion": "failure", "head_branch": "main", "name": "deploy"},
    },
    "grafana": {**GROUP, "title": "[FIRING:1] HighErrors (checkout)"},
    "newrelic": {
        "id": "f9a1",
        "title": "Checkout is slow",
        "state": "ACTIVATED",
        "priority": "HIGH",
    },
    "opsgenie": {
        "action": "Create",
        "alert": {
            "alertId": "052652ac-5d1c-464a-812a-7dd18bbfba8c-1413616382513",
            "tinyId": "23",
            "message": "Checkout is down",
            "priority": "P1",
        },
    },
    "pagerduty": INCIDENT,
    "sentry": {
        "action": "created",
        "data": {
            "issue": {
                "title": "TypeError: pool is None",
                "web_url": "https://acme.sentry.io/issues/4616132097/",
                "project": {"slug": "checkout"},
            }
        },
    },
}


def test_every_webhook_has_a_case() -> None:
    assert set(names()) == {*PROOFS, "cloudwatch"} == {*BODIES, "cloudwatch"}


@pytest.mark.parametrize("source", sorted(PROOFS))
def test_a_proven_delivery_starts_one_investigation_and_others_are_refused(
    site: Served, source: str
) -> None:
    raw = json.dumps(BODIES[source]).encode()
    prove, at = PROOFS[source], f"/webhooks/{source}"
    with site.client("") as http:
        assert http.post(at, content=raw).status_code == 401
        assert http.post(at, content=raw, headers=prove(raw, "wrong")).status_code == 401
        if prove is not bearer:
            assert http.post(at, content=raw + b" ", headers=prove(raw)).status_code == 401
        first = http.post(at, content=raw, headers=prove(raw))
        again = http.post(at, content=raw, headers=prove(raw, "older"))
    assert first.status_code == 202, first.text
    assert len(first.json()["investigations"]) == 1, first.text
    assert again.json()["status"] == "duplicate"
    assert len(site.queue.hints) == 1


def test_an_alert_that_was_posted_to_slack_too_is_one_investigation(site: Served) -> None:
    post = {
        "type": "message",
        "subtype": "bot_message",
        "username": "Alertmanager",
        "attachments": [
            {
                "title": "[FIRING:1] HighErrors checkout (critical)",
                "title_link": "http://alertmanager.example.com/#/alerts?receiver=slack",
                "color": "a30200",
            }
        ],
    }
    seen = recognised(post)
    assert seen.alert is not None
    raw = json.dumps(GROUP).encode()
    with site.client("") as http:
        number = http.post("/webhooks/alertmanager", content=raw, headers=bearer(raw)).json()[
            "investigations"
        ][0]
    with site.deps.db.write() as session:
        case = investigations.get(session, number)
        assert case is not None
        assert (case.channel, case.door) == ("C9", "webhook")
        new = alerts.NewAlert(fingerprint=seen.alert.fingerprint)
        now = site.deps.db.now(session)
        row, is_new = alerts.record(session, "T1", "C9", "1.2", new, now)
    assert (is_new, row.investigation_id) == (False, number)


def test_a_resolved_alert_closes_its_episode_and_alerts_of_a_service_share_one(
    site: Served,
) -> None:
    other = copy.deepcopy(GROUP)
    for labels in (other["groupLabels"], other["commonLabels"]):
        labels["alertname"] = "SlowQueries"
    over = {**GROUP, "status": "resolved"}
    answers = []
    with site.client("") as http:
        for body in (GROUP, other, over):
            raw = json.dumps(body).encode()
            answers.append(http.post("/webhooks/alertmanager", content=raw, headers=bearer(raw)))
        with site.client() as api:
            listed = api.get("/api/v1/alerts").json()
    first, second, third = (answer.json()["investigations"] for answer in answers)
    assert first == second
    assert third == []
    assert [one["resolved"] for one in listed] == [False, True]


def test_the_generic_webhook_maps_fields_and_refuses_old_signatures(site: Served) -> None:
    raw = json.dumps({"what": "Probe fails", "where": {"name": "checkout"}, "id": 7}).encode()

    def headers(at: datetime) -> dict[str, str]:
        stamp = str(int(at.timestamp()))
        mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
        return {"X-Timestamp": stamp, "X-Signature-256": f"sha256={mac}"}

    now = datetime.now(UTC)
    with site.client("") as http:
        old = http.post("/webhooks/checks", content=raw, headers=headers(now - timedelta(hours=1)))
        good = http.post("/webhooks/checks", content=raw, headers=headers(now))
        unknown = http.post("/webhooks/nobody", content=raw, headers=headers(now))
        with site.client() as api:
            alert = api.get("/api/v1/alerts").json()[0]
    assert (old.status_code, good.status_code, unknown.status_code) == (401, 202, 404)
    assert (alert["title"], alert["service"]) == ("Probe fails", "checkout")


def test_a_topic_is_confirmed_and_its_alarms_are_verified(serve: Callable[..., Served]) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    pem = (
        made.not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return pem

    site = serve(webhook_secrets={"cloudwatch": [SecretStr(ARN)]}, fetch=fetch)
    alarm = {
        "AlarmName": "checkout-5xx",
        "NewStateValue": "ALARM",
        "OldStateValue": "OK",
        "NewStateReason": "Threshold Crossed",
        "Region": "EU (Ireland)",
        "AWSAccountId": "123456789012",
        "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx",
        "StateChangeTime": now.isoformat(),
        "Trigger": {"MetricName": "5xx", "Namespace": "AWS/ApiGateway", "Dimensions": []},
    }
    host = "https://sns.eu-west-1.amazonaws.com"

    def message(kind: str, **changes: str) -> bytes:
        body = {
            "Type": kind,
            "MessageId": f"m-{kind}",
            "TopicArn": ARN,
            "Message": json.dumps(alarm),
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": f"{host}/SimpleNotificationService-1.pem",
            **changes,
        }
        raw = key.sign(cloudwatch.signed(body), padding.PKCS1v15(), hashes.SHA256())
        return json.dumps({**body, "Signature": base64.b64encode(raw).decode()}).encode()

    confirm = {"SubscribeURL": f"{host}/?Action=ConfirmSubscription", "Token": "t"}
    bad = {
        "host": message(
            "Notification", SigningCertURL="https://sns.eu-west-1.amazonaws.com.evil.example/x"
        ),
        "topic": message("Notification", TopicArn="arn:aws:sns:eu-west-1:1:other"),
        "old": message("Notification", Timestamp="2020-01-01T00:00:00.000Z"),
        "changed": message("Notification").replace(b"checkout-5xx", b"checkout-4xx"),
        "elsewhere": message(
            "SubscriptionConfirmation", SubscribeURL="http://169.254.169.254/", Token="t"
        ),
    }
    with site.client("") as http:
        for why, raw in bad.items():
            assert http.post("/webhooks/cloudwatch", content=raw).status_code == 401, why
        yes = http.post(
            "/webhooks/cloudwatch", content=message("SubscriptionConfirmation", **confirm)
        )
        told = http.post("/webhooks/cloudwatch", content=message("Notification"))
    assert yes.json()["status"] == "confirmed"
    assert asked[-2] == f"{host}/?Action=ConfirmSubscription" or confirm["SubscribeURL"] in asked
    assert len(told.json()["investigations"]) == 1
    assert all(one.startswith(host) for one in asked)


def test_recorded_payloads_of_vendors_are_read(shared_data: Path) -> None:
    folder = shared_data / "contracts"
    recorded = json.loads((folder / "alertmanager/webhook_firing.json").read_text())["body"]
    over = json.loads((folder / "alertmanager/webhook_resolved.json").read_text())["body"]
    module = webhook("alertmanager")
    assert module is not None
    (firing,), (resolved,) = list(module.read(recorded)), list(module.read(over))
    assert (firing.service, firing.state, resolved.state) == ("payments", "firing", "resolved")
    assert firing.fingerprint == resolved.fingerprint
    pager = webhook("pagerduty")
    assert pager is not None
    for path in sorted(folder.glob("pagerduty/webhook_v3_*.json")):
        data = json.loads(path.read_text())
        event = {"id": "x", "event_type": "incident.triggered", "data": data}
        for alert in pager.read({"event": event}):
            assert alert.source == "pagerduty"
    for entry in json.loads((folder / "github/webhooks-examples.json").read_text()):
        for example in entry["examples"]:
            list(webhook("github").read(example))  # type: ignore[union-attr]
