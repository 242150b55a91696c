"""Datadog: logs, metrics, events, and the messages of monitors and On-Call pages.

https://docs.datadoghq.com/api/latest/ and https://docs.datadoghq.com/monitors/notify/
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.datadog.api import Adapter, Settings
from adapters.datadog.posts import SIGNS, recognise

TYPES: Mapping[str, tuple[str, ...]] = {
    "log_sources": ("datadog",),
    "metric_sources": ("datadog",),
    "alert_sources": ("datadog",),
    "deploy_sources": ("datadog",),
}
SCOPES = (
    "An API key, and an application key scoped to logs_read_data, timeseries_query and events_read."
)
TESTED = "Recorded responses; requests held against the OpenAPI document (v1) and the vendor's client (v2); the conformance suite."


__all__ = ["SCOPES", "SIGNS", "TESTED", "TYPES", "Adapter", "Settings", "recognise"]
