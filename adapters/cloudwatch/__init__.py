"""Amazon CloudWatch: log groups, metrics, and the messages of its alarms.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.cloudwatch.api import Adapter, Settings
from adapters.cloudwatch.posts import SIGNS, recognise

TYPES: Mapping[str, tuple[str, ...]] = {
    "log_sources": ("cloudwatch",),
    "metric_sources": ("cloudwatch",),
}
SCOPES = "logs:FilterLogEvents on the log groups, logs:DescribeLogGroups, cloudwatch:GetMetricData; sts:AssumeRole where role_arn is set."
TESTED = "The moto server (paging, errors; not its filters), a server that answers in AWS's protocols, the conformance suite."

__all__ = ["SCOPES", "SIGNS", "TESTED", "TYPES", "Adapter", "Settings", "recognise"]
