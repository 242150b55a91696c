"""Further shapes of real posts, as people's templates and integrations vary them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.recognise import recognised
from tests.adapters.slack_posts import attached, bot, fields, section

# name: (message, (state, source, a beginning of the title, service, severity))
ALERTS: dict[str, tuple[dict[str, Any], tuple[str, str, str, str, str]]] = {
    'nr classic': (bot('New Relic',attachments=[{'color':'#c6202e','pretext':'New Relic Alert: <https://alerts.newrelic.com/accounts/1/incidents/123456/violations|Incident #123456 opened>','title':'Apdex < 0.7 (checkout)','text':'Policy: Golden','fields':[{'title':'Severity','value':'CRITICAL'},{'title':'Target','value':'checkout'}]}]), ('firing', 'newrelic', 'Apdex < 0.7 (checkout)', 'checkout', 'critical')),
    'nr workflow': (bot('New Relic',attachments=[{'color':'#ca0d0d','blocks':[section(':red_circle: *Critical priority issue is active*\n*<https://radar-api.service.newrelic.com/accounts/1/issues/0ea2df1c-adab-45d2-aae0-042b609d2322?notifier=SLACK|checkout-api: Error percentage deviated from its baseline for at least 5 minutes>*'),{'type':'section','fields':[{'type':'mrkdwn','text':'*Impacted entities*\ncheckout-api'},{'type':'mrkdwn','text':'*Workflow*\nSlack'},{'type':'mrkdwn','text':'*Policy*\nGolden Signals'},{'type':'mrkdwn','text':'*Condition*\nHigh error'}]}]}]), ('firing', 'newrelic', 'checkout-api: Error percentage deviated from its baseline fo', 'checkout-api', 'critical')),
    'nr ack': (bot('New Relic',text='[Acknowledged] checkout-api error percentage > 5%',attachments=[{'title_link':'https://onenr.io/0abc','title':'Issue','fields':fields(State='ACKNOWLEDGED',Priority='CRITICAL')}]), ('acknowledged', 'newrelic', 'checkout-api error percentage > 5%', '', 'critical')),
    'zbx numeric': (bot('zabbix',attachments=[{'color':'#E45959','title':'PROBLEM: Zabbix agent is not available (for 3m)','fields':[{'title':'Host','value':'db-2'},{'title':'Severity','value':'Disaster'},{'title':'Event time','value':'2026.11.21 09:59:10'}]}]), ('firing', 'zabbix', 'Zabbix agent is not available (for 3m)', '', 'critical')),
    'zbx script old': (bot('Zabbix',text='*PROBLEM*: Free disk space is less than 20% on volume /',attachments=[{'color':'danger','text':'Host: db-2\nSeverity: Warning\nItem: vfs.fs = 12 %'}]), ('firing', 'zabbix', 'Free disk space is less than 20% on volume /', '', 'warning')),
    'zbx OK old': (bot('Zabbix',text='*OK*: Free disk space is less than 20% on volume /',attachments=[{'color':'good','text':'Host: db-2\nSeverity: Warning'}]), ('resolved', 'zabbix', 'Free disk space is less than 20% on volume /', '', 'warning')),
    'nagios2slack': (attached('nagios',title='Host PROBLEM notification',body='Host:        web-9\nIP:             10.0.0.9\nState:        DOWN',color='danger',footer='Nagios notification: Sat Nov 21 09:58:00 UTC 2026'), ('firing', 'nagios', 'Host web-9', '', 'critical')),
    'nagios emoji': (bot('nagios',text=':fire: HOST: <https://nagios.example.com/nagios/cgi-bin/extinfo.cgi?type=2&host=web-9|web-9>   SERVICE: <https://n/nagios/cgi-bin/extinfo.cgi?x=1|Disk Space>   MESSAGE: DISK CRITICAL - free 2%  <https://n/nagios|See Nagios>'), ('firing', 'nagios', 'Disk Space on web-9', 'Disk Space', 'critical')),
    'icinga director': (attached('Icinga',title='PROBLEM - Service "load" on host "web-9" is CRITICAL!',body='CRITICAL - load average: 44'), ('firing', 'nagios', 'load on web-9', 'load', 'critical')),
    'icinga2 md': (bot('icinga2',text='*[PROBLEM]* web-9 - load is *CRITICAL*\n> load average: 44'), ('firing', 'nagios', 'load on web-9', 'load', 'critical')),
    'icinga ack': (attached('icinga2',fallback='ACKNOWLEDGEMENT CRITICAL: web-9 - disk',fields=[{'title':'ACKNOWLEDGEMENT','value':'on it - jane'},{'title':'Host','value':'web-9'},{'title':'Service','value':'disk'},{'title':'State','value':'CRITICAL'}]), ('acknowledged', 'nagios', 'disk on web-9', 'disk', 'critical')),
    'checkmk': (bot('Check_MK',text='Check_MK: web-9/CPU load OK -> CRIT\nHost: web-9\nService: CPU load\nState: CRIT'), ('firing', 'nagios', 'CPU load on web-9', 'CPU load', 'critical')),
    'uptimerobot attach': (attached('Uptime Robot',title='',text='',body=':x: Monitor is *DOWN*: <https://shop.example|Shop>\nReason: Connection Timeout',color='danger'), ('firing', 'uptimerobot', 'Shop', '', 'unknown')),
    'uptimerobot custom': (bot('uptime',text='*Shop API* is *Down*'), ('firing', 'generic', 'Shop API is Down', '', 'unknown')),
    'pingdom fields': (attached('Pingdom',text='',title='Uptime check',fields=fields(Check='Shop',State='DOWN',Host='shop.example')), ('firing', 'pingdom', 'Shop', '', 'unknown')),
    'pingdom alert': (bot('Pingdom',text='[Pingdom] *DOWN alert*: Shop (shop.example) is DOWN'), ('firing', 'pingdom', 'Shop', '', 'unknown')),
    'splunk action': (bot('splunk',text=':rotating_light: Splunk Alert: Payment errors > 50\nSeverity: critical\nhost=web-9\n<https://splunk.acme.com:8000/en-US/app/search/search?sid=rt_1|Results>'), ('firing', 'splunk', 'Payment errors > 50', '', 'critical')),
    'splunk oncall': (bot('VictorOps',text='[CRITICAL] Incident #123: checkout down\nRouting key: shop'), ('firing', 'splunk', '[CRITICAL] Incident #123: checkout down', '', 'critical')),
    'gh app': (bot('GitHub',app_id='A01BP7R4KNY',attachments=[{'color':'#cb2431','pretext':'*acme/checkout*','text':'*<https://github.com/acme/checkout/actions/runs/1|CI>* workflow run failed\n`main` by jane','footer':'acme/checkout'}]), ('firing', 'github', 'CI failed in acme/checkout', 'checkout', 'unknown')),
    'gh 8398a7': (attached('',text='',body='workflow failed :x:',author_name='8398a7@action-slack',color='danger',fields=[{'title':'repo','value':'<https://github.com/acme/checkout|acme/checkout>'},{'title':'action','value':'<https://github.com/acme/checkout/commit/abc/checks|CI>'},{'title':'ref','value':'refs/heads/main'},{'title':'job','value':'<https://github.com/acme/checkout/actions/runs/99/job/3|build>'}]), ('firing', 'github', 'CI failed in acme/checkout (main)', 'checkout', 'unknown')),
    'gh slackapi': (bot('github-actions',blocks=[section(':x: *Deploy to production* failed in <https://github.com/acme/checkout|acme/checkout>\n<https://github.com/acme/checkout/actions/runs/77|View run>')]), ('firing', 'github', 'Deploy to production failed in acme/checkout', 'checkout', 'unknown')),
    'argocd custom': (bot('Argo CD',text=':rotating_light: Application *checkout* is *Degraded* in cluster prod\n<https://argocd.acme.com/applications/checkout|Open>'), ('firing', 'argocd', 'Application checkout is Degraded in cluster prod', 'checkout', 'unknown')),
    'argocd sync fail fmt': (attached('argocd',text=':x: Failed to sync application argocd/checkout.',title='checkout'), ('firing', 'argocd', 'Failed to sync application argocd/checkout', 'checkout', 'unknown')),
    'argocd healthy': (bot('argocd',text=':white_check_mark: Application checkout is now Healthy'), ('resolved', 'argocd', 'Application checkout is now Healthy', 'checkout', 'unknown')),
    'argocd rollouts': (bot('argo-rollouts',text='Rollout checkout has been aborted.'), ('firing', 'argocd', 'Rollout checkout has been aborted', 'checkout', 'unknown')),
    'azure2': (attached('Azure Monitor',title='🔴 Sev1 alert fired: checkout-5xx',fields=fields(Severity='Sev1',Resource='/subscriptions/1/resourceGroups/rg/providers/Microsoft.Web/sites/checkout',Monitor_Condition='Fired',Fired_Time='2026-11-21T09:58:00Z')), ('firing', 'azure_monitor', 'checkout-5xx', '', 'error')),
    'azure3': (bot('LogicApp',text='*Alert:* checkout-5xx\n*Monitor Condition:* Resolved\n*Severity:* Sev1\n*Affected Resource:* checkout\n*Resolved time:* 2026-11-21T10:58:00Z'), ('resolved', 'azure_monitor', 'checkout-5xx', '', 'error')),
    'azure devops': (bot('Azure DevOps',text='Build 20261121.1 failed - checkout-ci'), ('firing', 'generic', 'Build 20261121.1 failed - checkout-ci', '', 'unknown')),
    'gcp old': (bot('Google Cloud Monitoring',attachments=[{'color':'d32f2f','title':'Incident #0.mabc is ongoing','title_link':'https://console.cloud.google.com/monitoring/alerting/incidents/0.mabc?project=shop','text':'CPU utilization for shop checkout-1 with metric labels {instance_name=checkout-1} is above the threshold of 0.8 with a value of 0.95.','fields':[{'title':'Policy','value':'High CPU'},{'title':'Violation Started','value':'Nov 21, 2026 at 9:55AM UTC'}]}]), ('firing', 'gcp_monitoring', 'High CPU', '', 'unknown')),
    'gcp ended': (bot('Google Cloud Monitoring',attachments=[{'color':'good','title':'Incident #0.mabc has ended','title_link':'https://console.cloud.google.com/monitoring/alerting/incidents/0.mabc?project=shop','text':'returned to normal','fields':[{'title':'Policy','value':'High CPU'}]}]), ('resolved', 'gcp_monitoring', 'High CPU', '', 'unknown')),
    'gcp subject': (bot('GCP alerts',text='[ALERT - Critical] High CPU on shop checkout-1\n<https://console.cloud.google.com/monitoring/alerting/incidents/0.mabc|View incident>'), ('firing', 'gcp_monitoring', 'High CPU on shop checkout-1', '', 'critical')),
    'here firing': (bot('alerts',text='<!here> :rotating_light: *[FIRING:1] CheckoutDown* severity=critical service=checkout'), ('firing', 'alertmanager', 'CheckoutDown severity=critical service=checkout', 'checkout', 'critical')),
    'prom text': (bot('prom-bot',text='Alert: HighLatency\nSeverity: critical\nInstance: web-1:9100\nDescription: p99 is 2.3s'), ('firing', 'generic', 'HighLatency', '', 'critical')),
    'am webhook bot': (bot('alert-bot',text='🔥 *FIRING* | HighLatency | checkout | critical'), ('firing', 'generic', 'HighLatency | checkout | critical', '', 'critical')),
    'kuma': (bot('Uptime Kuma',attachments=[{'title':'Uptime Kuma Alert','blocks':[{'type':'header','text':{'type':'plain_text','text':'Uptime Kuma Alert'}},{'type':'section','fields':[{'type':'mrkdwn','text':'*Message*\n[Shop] [🔴 Down] timeout of 48000ms exceeded'},{'type':'mrkdwn','text':'*Time (UTC)*\n2026-11-21 09:58:00'}]}]}]), ('firing', 'generic', '[Shop] [🔴 Down] timeout of 48000ms exceeded', '', 'unknown')),
    'betterstack': (bot('Better Stack',attachments=[{'color':'#e01e5a','blocks':[section('*New incident: shop.example*'),section('*Cause:* Status 503\n*Checked URL:* https://shop.example')]}]), ('firing', 'generic', 'New incident: shop.example', '', 'unknown')),
    'rollbar': (attached('Rollbar',title='[shop] production - 10th occurrence: #88 TypeError: undefined',color='#f2dede'), ('firing', 'generic', '[shop] production - 10th occurrence: #88 TypeError: undefine', '', 'unknown')),
    'rollbar new': (bot('Rollbar',text='*[New Error]* <https://rollbar.com/acme/shop/items/88|#88 TypeError: undefined> in production'), ('firing', 'generic', '[New Error] #88 TypeError: undefined in production', '', 'unknown')),
    'bugsnag': (bot('Bugsnag',attachments=[{'pretext':'*Error* in *production* from *shop* in *checkout#pay* (<https://app.bugsnag.com/acme/shop/errors/1|details>)','color':'#E45F58','fields':[{'title':'NoMethodError','value':'undefined method'}]}]), ('firing', 'generic', 'Error in production from shop in checkout#pay (details)', '', 'error')),
    'pagertree': (bot('Better Uptime',text='🔴 Incident started: shop.example is down'), ('firing', 'generic', 'Incident started: shop.example is down', '', 'unknown')),
    'jenkins fail': (bot('jenkins',text='FAILED: Job \'checkout-deploy [512]\' (https://ci.example.com/job/1/)'), ('firing', 'generic', "FAILED: Job 'checkout-deploy [512]' (https://ci.example.com/", '', 'unknown')),
    'gitlab': (attached('GitLab',text='<https://gitlab.com/a/b|a/b>: Pipeline <https://gitlab.com/a/b/-/pipelines/1|#1> of branch main by jane failed in 03:12',color='danger'), ('firing', 'generic', 'a/b: Pipeline #1 of branch main by jane failed in 03:12', '', 'unknown')),
    'circle': (bot('CircleCI',attachments=[{'blocks':[section('*Job Failed.* :red_circle:'),{'type':'section','fields':[{'type':'mrkdwn','text':'*Job*: build'},{'type':'mrkdwn','text':'*Project*: checkout'}]}]}]), ('firing', 'generic', 'Job Failed.', '', 'unknown')),
    'airflow': (bot('airflow',text=':red_circle: Task Failed.\n*Task*: load_orders\n*Dag*: orders_daily\n*Execution Time*: 2026-11-21'), ('firing', 'generic', 'Task Failed.', '', 'unknown')),
    'dynatrace': (bot('Dynatrace',text='OPEN Problem P-123: Response time degradation on checkout\nImpact: SERVICE'), ('firing', 'generic', 'OPEN Problem P-123: Response time degradation on checkout', '', 'unknown')),
    'elastic': (bot('Elastic',text='Alert "checkout errors" is active: 120 documents matched'), ('firing', 'generic', 'Alert "checkout errors" is active: 120 documents matched', '', 'unknown')),
    'opensearch': (bot('OpenSearch',text='Monitor checkout-errors just entered alert status. Please investigate the issue.\n- Trigger: errors > 10\n- Severity: 1'), ('firing', 'generic', 'Monitor checkout-errors just entered alert status. Please in', '', 'unknown')),
    'kibana rec': (bot('Elastic',text='Alert "checkout errors" is recovered'), ('resolved', 'generic', 'Alert "checkout errors" is recovered', '', 'unknown')),
    'cronitor': (bot('Cronitor',text=':x: Job *db-backup* has failed'), ('firing', 'generic', 'Job db-backup has failed', '', 'unknown')),
    'signoz': (attached('SigNoz',title='[FIRING:1] Checkout latency for  (alertname="Checkout latency", severity="critical")',body='Summary: above'), ('firing', 'alertmanager', 'Checkout latency for (alertname="Checkout latency", severity', '', 'critical')),
    'lightstep': (bot('Lightstep',text='🔴 Critical: checkout latency p99 > 1s'), ('firing', 'generic', 'checkout latency p99 > 1s', '', 'critical')),
    'raygun': (bot('Raygun',text='New error occurred in Shop: NullReferenceException'), ('firing', 'generic', 'New error occurred in Shop: NullReferenceException', '', 'unknown')),
    'victoria': (bot('vmalert',text='[CRITICAL] DiskRunsOutOfSpaceIn3Days (instance db-1)'), ('firing', 'generic', 'DiskRunsOutOfSpaceIn3Days (instance db-1)', '', 'critical')),
    'logicmonitor': (bot('LogicMonitor',text='LMD123 critical - web-1 CPU Busy percent 98'), ('firing', 'generic', 'LMD123 critical - web-1 CPU Busy percent 98', '', 'critical')),
    'prtg': (attached('PRTG',title='Down ESCALATION: Ping on web-1',body='Status: Down'), ('firing', 'generic', 'Down ESCALATION: Ping on web-1', '', 'unknown')),
    'catchpoint': (bot('ThousandEyes',text='Alert triggered: HTTP Server test checkout'), ('firing', 'generic', 'HTTP Server test checkout', '', 'unknown')),
    'k8s event': (bot('botkube',text=':exclamation: v1/pods error\nName: checkout-1\nReason: BackOff\nMessage: Back-off restarting failed container'), ('firing', 'generic', 'v1/pods error', '', 'unknown')),
    'status': (bot('Statuspage',text='Investigating - We are currently investigating elevated error rates. Partial outage of Checkout'), ('firing', 'generic', 'Investigating - We are currently investigating elevated erro', '', 'unknown')),
    'plain ERROR': (bot('app-logger',text='ERROR checkout: payment gateway timeout after 30s', attachments=[{'color':'danger','text':'java.net.SocketTimeoutException'}]), ('firing', 'generic', 'ERROR checkout: payment gateway timeout after 30s', '', 'error')),
    'honeycomb': (attached('Honeycomb.io',title='Triggered: p99 latency checkout',text='',body='Currently greater than threshold value (1000) for 5 minutes'), ('firing', 'generic', 'p99 latency checkout', '', 'unknown')),
    'stackstate': (bot('Site24x7',text='Checkout is Down since Nov 21, 2026 09:58 AM UTC'), ('firing', 'generic', 'Checkout is Down since Nov 21, 2026 09:58 AM UTC', '', 'unknown')),
    'lag': (bot('burrow',text='Kafka consumer lag alert: orders-consumer lag 120000 > 10000'), ('firing', 'generic', 'Kafka consumer lag alert: orders-consumer lag 120000 > 10000', '', 'unknown')),
    'fixed': (bot('Jenkins',text='checkout #513 Back to normal after 3 min'), ('resolved', 'generic', 'checkout #513 Back to normal after 3 min', '', 'unknown')),
}  # fmt: skip

QUIET: dict[str, dict[str, Any]] = {
    'nr digest': bot('New Relic',text='Weekly summary of your alerts: 12 issues opened'),
    'zbx discovery': attached('Zabbix',title='Discovery: UP 10.0.0.9'),
    'splunk report': bot('Splunk',text='Scheduled report "Daily logins" is ready',),
    'gh deploy ok': bot('GitHub Actions',text=':white_check_mark: Deploy to production succeeded for acme/checkout <https://github.com/acme/checkout/actions/runs/78|run>'),
    'gh comment': bot('GitHub',text='New comment on issue #4: tests fail on main'),
    'gh dependabot': bot('GitHub',text='[acme/checkout] 2 new Dependabot alerts, high severity'),
    'argocd rollouts2': bot('argo-rollouts',text='Rollout checkout has been completed.'),
    'gcp billing': bot('Google Cloud',text='Your monthly budget report is ready'),
    'weekly': bot('Datadog',text='*Your weekly Datadog summary*: 14 monitors triggered'),
    'release': bot('GitHub',text='Release v1.2.3 published by jane'),
    'ci ok': bot('CircleCI',text='Success: build #12 in acme/checkout passed'),
    'PR merged': bot('GitHub',attachments=[{'pretext':'Pull request merged by jane','title':'#5 Alert when checkout is down','color':'6f42c1'}]),
    'jira': bot('Jira Cloud',text='*Jane* created a *Bug*',attachments=[{'title':'SHOP-9 Checkout error 500 when cart is empty','title_link':'https://acme.atlassian.net/browse/SHOP-9','fields':fields(Status='To Do',Priority='High')}]),
    'zendesk': bot('Zendesk',text='Ticket #123: My checkout failed',attachments=[{'color':'danger','fields':fields(Priority='High',Status='Open')}]),
    'gcal': bot('Google Calendar',text='Incident review starts in 10 minutes'),
    'statuspage maint': bot('Statuspage',text='Scheduled - Database maintenance on Sunday, checkout unavailable'),
    'terraform': bot('Terraform Cloud',text='Run needs confirmation: production-network'),
    'rss': bot('RSS',text='AWS post-incident summary: what went down in us-east-1'),
    'twitter': bot('X',text='"Everything is on fire" - a talk about alert fatigue'),
    'ai bot': bot('Assistant',text='I looked at the logs: the checkout error rate is high since 10:00 because of deploy 1.2.3.'),
    'ai bot2': bot('Cursor',text='Summary: the alert was caused by a failing health check. I opened a PR.'),
    'workflow form': bot('Workflow Builder',text='New request from @jane: please increase disk quota'),
    'onboarding': bot('HR Bot',text='Fire drill on Friday at 12:00'),
    'standup': bot('Standuply',text='*Jane* posted an update\nYesterday: fixed critical alert\nBlockers: none'),
    'cost': bot('AWS Budgets',text='Daily cost report: $120 yesterday'),
    'kpi': bot('Metabase',text='Orders dashboard: error rate 0.1%, 12 failures'),
    'deploy start': bot('Spinnaker',text='Deploy of checkout started: pipeline prod'),
    'sales': bot('Stripe',text='Payment failed for customer cus_123'),
    'security news': bot('Feedly',text='Critical vulnerability in OpenSSL announced'),
    'silence exp': bot('alertmanager-bot',text='Silence created for alertname=DiskFull by jane'),
    'count': bot('Trello',text='Jane moved card "Fix failing deploy" to Done'),
    'linear': bot('Linear',text='Jane created issue SHO-12: Alerts firing too often', attachments=[{'color':'5e6ad2','fields':fields(Priority='Urgent',Status='Todo')}]),
    'pd oncall': bot('PagerDuty',text='Shift change: Jane is on call for Checkout (Primary) until Mon'),
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
