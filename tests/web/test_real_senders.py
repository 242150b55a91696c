"""Debian's Alertmanager fires and resolves into the webhook."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from tests.adapters.servers import free_port, running, until
from tests.web.conftest import Served

SECRET = "a-token-of-alertmanager"


def test_a_real_alertmanager_fires_and_resolves(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    site = serve(webhook_secrets={"alertmanager": [SecretStr(SECRET)]})
    hook = {
        "url": f"{site.url}/webhooks/alertmanager",
        "http_config": {"authorization": {"credentials": SECRET}},
    }
    config = {
        "route": {
            "receiver": "bot",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
        },
        "receivers": [{"name": "bot", "webhook_configs": [hook]}],
    }
    (tmp_path / "am.yml").write_text(json.dumps(config))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [
        f"--config.file={tmp_path}/am.yml",
        f"--storage.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    began = datetime.now(UTC) - timedelta(minutes=1)
    alert = {
        "labels": {"alertname": "QueueFull", "service": "checkout", "severity": "critical"},
        "annotations": {"summary": "Queue is full"},
        "startsAt": began.isoformat(),
    }
    with (
        running("prometheus-alertmanager", arguments, tmp_path, f"{url}/-/ready"),
        site.client() as http,
    ):

        def seen() -> list[dict[str, object]]:
            found: list[dict[str, object]] = http.get("/api/v1/alerts").json()
            return found

        httpx.post(f"{url}/api/v2/alerts", json=[alert]).raise_for_status()
        until(lambda: len(seen()) == 1)
        over = {**alert, "endsAt": datetime.now(UTC).isoformat()}
        httpx.post(f"{url}/api/v2/alerts", json=[over]).raise_for_status()
        until(lambda: seen()[0]["resolved"] is True)
    (row,) = seen_rows(site)
    assert row == ("checkout", "critical", True)
    assert len(site.queue.hints) == 1


def seen_rows(site: Served) -> list[tuple[object, object, bool]]:
    with site.client() as http:
        rows = http.get("/api/v1/alerts").json()
    return [(row["service"], row["severity"], row["investigation_id"] is not None) for row in rows]
