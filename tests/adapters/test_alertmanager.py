from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta

from adapters.alertmanager import Adapter, Settings
from adapters.kit.capabilities import EventQuery
from adapters.kit.records import Window
from tests.adapters.loopback import Reply, in_turn, serving
from tests.adapters.servers import free_port, running, until

CONFIG = """
route: {receiver: nobody}
receivers: [{name: nobody}]
"""
LABELS = {"alertname": "QueueFull", "app": "checkout", "severity": "critical"}


def test_alerts_of_other_services_are_left_out_and_those_of_none_are_not():
    began = "2026-11-20T10:00:00Z"
    some = [
        {
            "labels": labels,
            "fingerprint": str(number),
            "startsAt": began,
            "status": {"state": "active"},
        }
        for number, labels in enumerate(
            ({"app": "checkout"}, {"app": "other"}, {"job": "node-exporter"})
        )
    ]
    window = Window(
        since=datetime(2026, 11, 20, tzinfo=UTC), until=datetime(2026, 11, 21, tzinfo=UTC)
    )
    with serving(in_turn(Reply(json.dumps(some)))) as server:
        adapter = Adapter("am", Settings(url=server.url))
        (page,) = adapter.alerts(EventQuery(window=window, service="checkout"))
    assert [alert.fingerprint for alert in page.items] == ["0", "2"]


def test_a_recorded_status_is_read(shared_data):
    recorded = (shared_data / "contracts/alertmanager/v2_status.http").read_text()
    with serving(in_turn(Reply(recorded.partition("\n\n")[2]))) as server:
        assert Adapter("am", Settings(url=server.url)).check().version == "0.25.0"


def test_a_real_server_is_read(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "am.yml").write_text(CONFIG)
    arguments = [
        f"--config.file={tmp_path}/am.yml",
        f"--storage.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    now = datetime.now(UTC)
    with running("prometheus-alertmanager", arguments, tmp_path, f"{url}/-/ready"):
        body = [
            {
                "labels": LABELS,
                "annotations": {"summary": "Queue is full"},
                "startsAt": now.isoformat(),
            }
        ]
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{url}/api/v2/alerts",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - loopback
        adapter = Adapter("am", Settings(url=url))
        window = Window(since=now - timedelta(hours=1), until=now + timedelta(minutes=1))
        query = EventQuery(window=window, service="checkout")
        until(lambda: bool(next(adapter.alerts(query)).items))
        (alert,) = next(adapter.alerts(query)).items
        assert (alert.title, alert.service, alert.severity) == (
            "Queue is full",
            "checkout",
            "critical",
        )
        assert alert.started_at is not None
        assert abs(alert.started_at - now) < timedelta(milliseconds=1)
        assert adapter.check().version
        before = Window(since=now - timedelta(hours=1), until=now - timedelta(milliseconds=1))
        assert next(adapter.alerts(EventQuery(window=before))).items == ()
