"""What vendors post besides alerts: notes, schedules, digests, successes; and deploys, which are change evidence."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.recognise import recognised
from tests.adapters.slack_posts import attached, bot, fields, section
from tests.adapters.test_recognise_vendors import OG, PD, RUN

IGNORED: dict[str, dict[str, Any]] = {
    "pagerduty note": bot("PagerDuty", text=f"Jane added a note to <{PD}|#1234: Checkout error rate>: looking"),
    "pagerduty on-call": bot("PagerDuty", text="Jane Doe is now on-call for Checkout until Monday"),
    "pagerduty priority": bot("PagerDuty", text=f"Priority changed to P2 on <{PD}|#1234: Checkout error rate>"),
    "opsgenie note": bot("Opsgenie", text=f'Jane added a note to alert <{OG}|#42> "Checkout latency": hm'),
    "opsgenie assigned": bot("Opsgenie", text=f'Alert <{OG}|#42> "Checkout latency" was assigned to Jane'),
    "datadog hand-over": bot("Datadog", text=":arrows_counterclockwise: Handover Summary\n<https://app.datadoghq.com/on-call/schedules/c|Primary>: (Empty) :arrow_right: <@U1|Jane>"),
    "sentry assigned": bot("Sentry", text="Jane assigned <https://acme.sentry.io/issues/555/|SHOP-12> to Joe"),
    "sentry weekly report": bot("Sentry", text="Your weekly report for acme: 12,345 errors", blocks=[section("<https://acme.sentry.io/issues/|View issues>")]),
    "aws deploy done": bot("Amazon Q", text="AWS deployment completed successfully."),
    "github pull request": attached("GitHub", text="Pull request opened by jane", title="#12 Fix failing checkout", title_link="https://github.com/acme/checkout/pull/12"),
    "github success": attached("GitHub Actions", color="good", fields=fields(repo="acme/checkout", workflow=f"<{RUN}|CI>", status="success")),
    "nagios downtime": bot("nagios", text="DOWNTIMESTART - web-1 - HTTP is OK"),
    "uptimerobot paused": bot("UptimeRobot", text="Monitor is PAUSED: Shop API ( https://api.shop.example )"),
    "clickstack recap": bot(bot_profile={"name": "ClickStack"}, text="*:bar_chart: Error recap · last 24h*\n78 events · 17 distinct error(s) · 19 alert(s) posted\n×47 checkout.payment.prepare.failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", IGNORED)
def test_what_a_vendor_posts_besides_alerts_is_left_alone(name: str) -> None:
    found = recognised(IGNORED[name])
    assert not found.is_alert, found
    assert not found.starts_investigation


DEPLOYS: dict[str, tuple[dict[str, Any], str, str]] = {
    "argocd deployed": (attached("argocd", text=":white_check_mark: Application checkout is now running new version of deployments manifests.", title="checkout", fields=fields(Revision="0a1b2c3d4e")), "argocd", "checkout"),
    "argocd synced": (attached("argocd", text="Application checkout has been successfully synced at 2026-11-21T09:59:00Z."), "argocd", "checkout"),
    "argocd sync started": (attached("argocd", text="The sync operation of application checkout has started at 2026-11-21T09:59:00Z."), "argocd", "checkout"),
    "deploy bot": (bot("deploybot", text=":rocket: jane deployed checkout v1.4.2 to production"), "deploybot", "checkout"),
    "finished": (bot("spinnaker", text="Deployment of cart-api 2.0.1 to prod succeeded"), "spinnaker", "cart-api"),
    "rollback": (bot("deploybot", text="Rolled back checkout to v1.4.1"), "deploybot", "checkout"),
    "flag": (bot("LaunchDarkly", text="Jane turned on the flag new-checkout in Production"), "launchdarkly", "new-checkout"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEPLOYS)
def test_a_deploy_message_is_change_evidence_and_no_alert(name: str) -> None:
    event, source, service = DEPLOYS[name]
    found = recognised(event)
    assert not found.is_alert
    assert not found.starts_investigation
    assert found.deploy is not None
    assert (found.deploy.source, found.deploy.service) == (source, service)
