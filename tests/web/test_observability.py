from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.web.conftest import Served, finished

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
DASHBOARD = DEPLOY / "grafana" / "incident-responder.json"
PROMTOOL = Path("/usr/bin/promtool")


@pytest.mark.skipif(not PROMTOOL.exists(), reason="promtool is not installed")
def test_prometheus_accepts_the_rules_and_the_metrics(site: Served) -> None:
    finished(site)
    with site.client() as http:
        http.get("/api/v1/sources")
        metrics = http.get("/metrics").content
    rules = subprocess.run([PROMTOOL, "check", "rules", RULES], capture_output=True, check=False)
    assert rules.returncode == 0, rules.stderr.decode()
    lint = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=metrics, capture_output=True, check=False
    )
    assert b"error" not in lint.stderr.lower(), lint.stderr.decode()


def test_rules_and_dashboard_ask_only_for_metrics_that_exist(site: Served) -> None:
    with site.client() as http:
        http.get("/api/v1/sources")
        text = http.get("/metrics").text
    exist = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = RULES.read_text() + " ".join(t["expr"] for p in panels for t in p["targets"])
    for name in re.findall(r"\bincident_responder_\w+", asked):
        assert {name, name.removesuffix("_bucket")} & exist, name
