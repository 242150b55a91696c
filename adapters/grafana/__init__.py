"""Grafana: annotations, alerts, queries of its data sources, and the messages of its alerting.

https://grafana.com/docs/grafana/latest/developers/http_api/ and
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/template-notifications/reference/
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.grafana.api import Adapter, Settings
from adapters.grafana.posts import SIGNS, recognise

TYPES: Mapping[str, tuple[str, ...]] = {
    "metric_sources": ("grafana",),
    "alert_sources": ("grafana",),
    "deploy_sources": ("grafana",),
}
SCOPES = "A service account's token with the role Viewer: annotations:read, datasources:query on the data sources."
TESTED = "A server that answers as Grafana documents; the conformance suite; no real server."


__all__ = ["SCOPES", "SIGNS", "TESTED", "TYPES", "Adapter", "Settings", "recognise"]
