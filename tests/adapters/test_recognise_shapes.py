"""Further shapes of real posts, as people's templates and integrations vary them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.recognise import recognised
from tests.adapters.slack_posts import attached, bot, context, edit, fields, section

# name: (message, (state, source, a beginning of the title, service, severity))
ALERTS: dict[str, tuple[dict[str, Any], tuple[str, str, str, str, str]]] = {
    'am text mrkdwn': (bot('alertmanager',text='*[FIRING:1]* HighErrorRate\n*Service:* checkout\n*Severity:* critical\n*Started:* 2026-11-21T09:55:00Z\n<http://am/#/alerts|View>'), ('firing', 'alertmanager', 'HighErrorRate', 'checkout', 'critical')),
    'am multi-alert body': (attached('Alertmanager',title='[FIRING:2] KubePodNotReady (prod)',title_link='http://am:9093/#/alerts',body='*Alert:* Pod not ready\n*Details:*\n • *pod:* `a-1`\n • *namespace:* `shop`\n\n*Alert:* Pod not ready\n*Details:*\n • *pod:* `a-2`\n • *namespace:* `shop`\n'), ('firing', 'alertmanager', 'KubePodNotReady (prod)', '', 'unknown')),
    'am Summary/Description': (attached('Alertmanager',pretext='',title='[FIRING:1] NodeFilesystemAlmostOutOfSpace (/dev/sda1 ext4 node-exporter 10.0.0.5:9100 node / critical)',title_link='http://am:9093',body='*Summary:* Filesystem has less than 3% space left.\n*Description:* Filesystem on /dev/sda1 at 10.0.0.5:9100 has only 2.41% available space left.'), ('firing', 'alertmanager', 'NodeFilesystemAlmostOutOfSpace (/dev/sda1 ext4 node-exporter', '', 'critical')),
    'am new json-ish': (bot('Prometheus',text='[RESOLVED] checkout latency > 1s',attachments=[{'color':'good','text':'service=checkout'}]), ('resolved', 'alertmanager', 'checkout latency > 1s', 'checkout', 'unknown')),
    'robusta': (bot('Robusta',text='🔴 *Alert firing:* Crashing pod checkout-1 in namespace shop',blocks=[section(':fire: *Prometheus Alert Firing* :red_circle: High *<http://r|KubePodCrashLooping>*'),section('*Source:* `prod/shop/pod/checkout-1`')]), ('firing', 'generic', 'Crashing pod checkout-1 in namespace shop', '', 'unknown')),
    'am watchdog': (attached('Alertmanager',title='[FIRING:1] Watchdog monitoring (prometheus none)',body='An alert that should always be firing to certify that Alertmanager is working properly.'), ('firing', 'alertmanager', 'Watchdog monitoring (prometheus none)', '', 'unknown')),
    'grafana mixed': (attached('Grafana',title='[FIRING:1, RESOLVED:1] HighCPU (infra)',body='**Firing**\n\nValue: B=95\nLabels:\n - alertname = HighCPU\n - instance = web-1\nAnnotations:\n\n**Resolved**\n\nValue: B=10\nLabels:\n - alertname = HighCPU\n - instance = web-2\n',footer='Grafana v11.0.0'), ('firing', 'grafana', 'HighCPU (infra)', '', 'unknown')),
    'grafana DatasourceError': (attached('Grafana',title='[FIRING:1] DatasourceError Infra (abc)',body='**Firing**\n\nValue: [no value]\nLabels:\n - alertname = DatasourceError\n - rulename = CPU\n',footer='Grafana v11'), ('firing', 'grafana', 'DatasourceError Infra (abc)', '', 'unknown')),
    'grafana oncall': (bot('Grafana OnCall',attachments=[{'blocks':[section('*<https://acme.grafana.net/a/grafana-oncall-app/alert-groups/IABC|#42 Checkout down>*  via Alertmanager (grafana)'),section('*Status*: firing'),context('*severity*: critical')]}]), ('firing', 'grafana', 'Checkout down via Alertmanager (grafana)', '', 'critical')),
    'grafana test': (attached('Grafana',title='[FIRING:1] TestAlert Grafana',body='**Firing**\n\nValue: [no value]\nLabels:\n - alertname = TestAlert\n - instance = Grafana\nAnnotations:\n - summary = Notification test\n',footer='Grafana v12'), ('firing', 'grafana', 'TestAlert Grafana', '', 'unknown')),
    'grafana irm text': (attached('Grafana',text='',title='🔴 Firing: Checkout 5xx',title_link='https://acme.grafana.net/alerting/list'), ('firing', 'grafana', 'Checkout 5xx', '', 'unknown')),
    'dd warn tags': (attached('Datadog',title='Warn: [Checkout] p95 latency on env:prod,service:checkout',title_link='https://app.datadoghq.com/monitors/555?group=env%3Aprod%2Cservice%3Acheckout&link_event_ts=1795255190',body='*p95* is 1.2\nMetric value: 1.2\nTags: env:prod, service:checkout, team:shop'), ('firing', 'datadog', '[Checkout] p95 latency on env:prod,service:checkout', 'checkout', 'warning')),
    'dd monitor alert': (bot(bot_profile={'name':'Datadog'},attachments=[{'title':'[P1] [Triggered] Kafka lag on consumer_group:orders','title_link':'https://app.datadoghq.com/monitors/556','text':'lag'}]), ('firing', 'datadog', 'Kafka lag on consumer_group:orders', '', 'critical')),
    'dd renotify': (attached('Datadog',title='[Renotify 2] Triggered: Kafka lag on consumer_group:orders',title_link='https://app.datadoghq.com/monitors/556'), ('firing', 'datadog', 'Kafka lag on consumer_group:orders', '', 'unknown')),
    'dd Re-Triggered No data': (attached('Datadog',title='Re-Triggered: No data: Kafka lag',title_link='https://app.datadoghq.com/monitors/556'), ('firing', 'datadog', 'Kafka lag', '', 'unknown')),
    'dd synthetics': (attached('Datadog',title='Triggered: [Synthetics] Checkout flow failing from 2 locations',title_link='https://app.datadoghq.com/synthetics/details/abc-def'), ('firing', 'datadog', '[Synthetics] Checkout flow failing from 2 locations', '', 'unknown')),
    'dd incident': (bot('Datadog',text=':fire: Incident #IR-12: Checkout is down was declared by Jane (SEV-2)\n<https://app.datadoghq.com/incidents/12|Open>'), ('firing', 'datadog', 'Incident #IR-12: Checkout is down was declared by Jane (SEV-', '', 'error')),
    'dd slo': (attached('Datadog',title='Triggered: SLO error budget burn on checkout',title_link='https://app.datadoghq.com/slo/1'), ('firing', 'datadog', 'SLO error budget burn on checkout', '', 'unknown')),
    'pd new style': (bot('PagerDuty',text='Triggered: <https://acme.pagerduty.com/incidents/PABC123|[#4321] Checkout 5xx>', blocks=[section(':red_circle: *Triggered* | <https://acme.pagerduty.com/incidents/PABC123|[#4321] Checkout 5xx>'),{'type':'section','fields':[{'type':'mrkdwn','text':'*Service*\n<https://acme.pagerduty.com/service-directory/P1|checkout-api>'},{'type':'mrkdwn','text':'*Urgency*\nHigh'},{'type':'mrkdwn','text':'*Priority*\nP1'},{'type':'mrkdwn','text':'*Assigned to*\n<@U1>'}]}]), ('firing', 'pagerduty', 'Checkout 5xx', 'checkout-api', 'critical')),
    'pd resolved edit': (edit(bot('PagerDuty',text=':red_circle: <https://acme.pagerduty.com/incidents/PABC123|Checkout 5xx>'),bot('PagerDuty',text=':large_green_circle: <https://acme.pagerduty.com/incidents/PABC123|Checkout 5xx>\nResolved by Jane')), ('resolved', 'pagerduty', 'Checkout 5xx', '', 'unknown')),
    'pd ack msg': (bot('PagerDuty',text='Acknowledged by Jane Doe: <https://acme.pagerduty.com/incidents/PABC123|#4321 Checkout 5xx>'), ('acknowledged', 'pagerduty', 'Checkout 5xx', '', 'unknown')),
    'pd v1 attach': (bot('PagerDuty',attachments=[{'color':'a30200','fallback':'Incident #4321 triggered: Checkout 5xx','text':'*<https://acme.pagerduty.com/incidents/PABC123|#4321 Checkout 5xx>*\nService: checkout-api\nAssigned: Jane'}]), ('firing', 'pagerduty', 'Checkout 5xx', 'checkout-api', 'unknown')),
    'og p2': (bot('Opsgenie',attachments=[{'color':'#F4511E','pretext':'New alert: <https://opsg.in/a/i/acme/1b2c3d4e-1111-2222-3333-444455556666-1795255100000|#99>','title':'[Prometheus] InstanceDown on web-1','text':'InstanceDown','fields':[{'title':'Priority','value':'P2'},{'title':'Tags','value':'critical, service:checkout'}]}]), ('firing', 'opsgenie', '[Prometheus] InstanceDown on web-1', 'checkout', 'error')),
    'jsm open': (bot('Jira Service Management',attachments=[{'fallback':'Alert #12: DB down','blocks':[section('*<https://j.opsg.in/a/acme/1b2c3d4e-1111-2222-3333-444455556666-1795255100000|Alert #12: DB down>*'),{'type':'section','fields':[{'type':'mrkdwn','text':':rotating_light: *Status*'},{'type':'mrkdwn','text':'Open'},{'type':'mrkdwn','text':'*Tags*'},{'type':'mrkdwn','text':'`severity:critical` `service:db`'}],'accessory':{'type':'image','image_url':'https://x','alt_text':'P1'}}]}]), ('firing', 'opsgenie', 'DB down', 'db', 'critical')),
    'jsm followup': (bot('Jira Service Management',attachments=[{'pretext':'Jane acknowledged the alert <https://j.opsg.in/a/acme/1b2c3d4e-1111-2222-3333-444455556666-1795255100000|#12: DB down>'}]), ('acknowledged', 'opsgenie', 'DB down', '', 'unknown')),
    'jsm closed followup': (bot('Jira Service Management',attachments=[{'color':'#36a64f','pretext':'Jane closed the alert <https://j.opsg.in/a/acme/1b2c3d4e-1111-2222-3333-444455556666-1795255100000|Alert #12: DB down>'}]), ('resolved', 'opsgenie', 'DB down', '', 'unknown')),
    'sentry regress': (bot('Sentry',text='<https://acme.sentry.io/issues/77/|SHOP-9> was marked as a regression',), ('firing', 'sentry', 'SHOP-9 was marked as a regression', '', 'unknown')),
    'sentry new': (bot('Sentry',app_id='A011MFBJEUU',text='[checkout] TimeoutError: payment gateway',blocks=[section(':exclamation: <https://acme.sentry.io/issues/77/?referrer=slack|*TimeoutError*>'),section('```payment gateway did not answer```'),context('State: *Ongoing*   First Seen: *10 days ago*'),context('Project: <https://acme.sentry.io/issues/?project=5|checkout>    Alert: <https://acme.sentry.io/alerts/1|rule>    Short ID: SHOP-9')]), ('firing', 'sentry', 'TimeoutError: payment gateway', 'checkout', 'error')),
    'sentry self-hosted': (attached('errors',title='KeyError: x',title_link='https://sentry.internal.acme.io/organizations/acme/issues/12/',text='',fields=fields(project='cart')), ('firing', 'sentry', 'KeyError: x', 'cart', 'unknown')),
    'aws chatbot card2': (bot('AWS Chatbot',attachments=[{'fallback':'🚨 CloudWatch Alarm | HighCPU | us-east-1 | Account: 111122223333','color':'d13212','text':':rotating_light: *<https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarmsV2:alarm/HighCPU|CloudWatch Alarm | HighCPU | us-east-1 | Account: 111122223333>*','fields':[]},{'text':'*Threshold Crossed*: 1 out of the last 1 datapoints [95.0 (21/11/26 09:55:00)] was greater than the threshold (80.0).'}]), ('firing', 'cloudwatch', 'HighCPU', '', 'unknown')),
    'amazon q blocks': (bot('Amazon Q',blocks=[{'type':'header','text':{'type':'plain_text','text':'🚨 CloudWatch Alarm | HighCPU | us-east-1 | Account: 111122223333'}},section('Alarm transitioned to ALARM state')]), ('firing', 'cloudwatch', 'HighCPU', '', 'unknown')),
    'aws lambda': (attached('AWS',text='',title=':rotating_light: HighCPU is in ALARM',body='Region: us-east-1\nAlarm Name: HighCPU\nNew State: ALARM\nOld State: OK\nReason: Threshold Crossed'), ('firing', 'cloudwatch', 'HighCPU', '', 'unknown')),
    'terraform-notify': (attached('sns',text='AWS CloudWatch notification - High CPU',color='danger',fallback='Alarm HighCPU triggered',fields=[{'title':'Alarm Name','value':'`HighCPU`'},{'title':'Alarm Description','value':'x'},{'title':'Alarm reason','value':'Threshold'},{'title':'Old State','value':'`OK`'},{'title':'Current State','value':'`ALARM`'},{'title':'Link to Alarm','value':'https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarm:alarmFilter=ANY;name=HighCPU'}]), ('firing', 'cloudwatch', 'HighCPU', '', 'unknown')),
    'eventbridge': (bot('x',text='```{"version":"0","detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch","account":"123456789012","time":"2026-11-21T09:58:00Z","region":"us-east-1","detail":{"alarmName":"HighCPU","state":{"value":"ALARM","reason":"x","timestamp":"2026-11-21T09:58:00.000+0000"}}}```'), ('firing', 'cloudwatch', 'HighCPU', '', 'unknown')),
    'aws ecs': (bot('Amazon Q',text='ECS deployment failed | checkout | us-east-1'), ('firing', 'cloudwatch', 'ECS deployment failed | checkout | us-east-1', '', 'unknown')),
    'aws 🚨 ALARM text': (bot('AWS Chatbot',text='ALARM: "checkout-latency-p99" in US East (N. Virginia)'), ('firing', 'cloudwatch', 'checkout-latency-p99', '', 'unknown')),
}  # fmt: skip

QUIET: dict[str, dict[str, Any]] = {
    'dd muted': attached('Datadog',title='Monitor muted: CPU high',title_link='https://app.datadoghq.com/monitors/1'),
    'sentry deploy': bot('Sentry',text='Release 1.2.3 was deployed to production for checkout <https://acme.sentry.io/releases/1.2.3/|View>'),
    'aws codepipeline ok': bot('AWS Chatbot',attachments=[{'fallback':'✅ AWS CodePipeline Notification | us-east-1 | Account: 1','text':'Pipeline succeeded'}]),
}  # fmt: skip


@pytest.mark.parametrize("name", ALERTS)
def test_a_post_of_another_shape_is_recognised(name: str) -> None:
    event, (state, source, title, service, severity) = ALERTS[name]
    found = recognised(event)
    assert (found.state, found.source, found.service, found.severity) == (
        state,
        source,
        service,
        severity,
    )
    assert found.title.startswith(title)


@pytest.mark.parametrize("name", QUIET)
def test_a_post_that_is_no_alert_is_left_alone(name: str) -> None:
    assert not recognised(QUIET[name]).is_alert
