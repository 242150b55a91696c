from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.kit.capabilities import EventQuery, MetricQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.quote import fill
from adapters.kit.records import Window
from adapters.prometheus import DEFAULTS, Adapter, Settings
from tests.adapters.cases import prometheus as case
from tests.adapters.languages import go_literals
from tests.adapters.loopback import Reply, in_turn, serving
from tests.adapters.servers import free_port, running, until

HOUR = case.WINDOW


def asked(script, query: MetricQuery | None = None, **settings):
    with serving(script) as server:
        adapter = Adapter("prom", Settings.model_validate({"url": server.url, **settings}))
        pages = list(adapter.metrics(query or MetricQuery(window=HOUR, service="checkout")))
        return pages, server.asked


def matrix(result, **more) -> Reply:
    data = {"resultType": "matrix", "result": result}
    return Reply(json.dumps({"status": "success", "data": data, **more}))


@given(st.text(max_size=40))
def test_a_service_cannot_leave_its_literal(service):
    template = 'rate(x{job="api",service="$service"}[5m]) / rate(y{pod=~"$service-.*"}[5m])'
    skeleton, (_, plain, regex) = go_literals(fill(template, service, "service"))
    assert skeleton == "rate(x{job=S,service=S}[5m]) / rate(y{pod=~S}[5m])"
    said = service.encode("utf-8", "replace").decode()
    assert plain == said
    assert re.fullmatch(regex, f"{said}-pod", re.DOTALL)


@pytest.mark.parametrize(
    "query",
    ["sum(x{service=$service})", "x{service='$service'}", "$service", "x{service=`$service`}"],
)
def test_a_query_with_the_service_outside_of_double_quotes_is_refused(query):
    with pytest.raises(ValidationError, match="within double quotes"):
        Settings(url="http://p", queries={"q": query})


def test_the_default_queries_are_of_the_service_label():
    (pages, asked_) = asked(in_turn(matrix([])), service_label="app")
    assert len(pages) == len(DEFAULTS)
    bodies = [one.body.decode() for one in asked_]
    assert all("app%3D%22checkout%22" in body and "%24" not in body for body in bodies)


def test_queries_that_need_a_service_are_left_out_and_named_when_there_is_none():
    queries = {"errors": 'x{service="$service"}', "load": "node_load1"}
    pages, asked_ = asked(in_turn(matrix([])), MetricQuery(window=HOUR), queries=queries)
    assert len(asked_) == 1
    assert "1 queries need a service" in pages[-1].truncated


def test_an_unknown_query_name_is_told_with_the_known_ones():
    with pytest.raises(AdapterError) as caught:
        asked(in_turn(matrix([])), MetricQuery(window=HOUR, names=("nope",)))
    assert caught.value.reason is Reason.BAD_REQUEST
    assert "error_rate" in caught.value.detail


def test_what_is_not_a_number_is_a_gap():
    begin = HOUR.since.timestamp()
    values = [
        [begin, "NaN"],
        [begin + 60, "+Inf"],
        [begin + 120, "2.5"],
        ["x"],
        [begin + 180, None],
    ]
    pages, _ = asked(in_turn(matrix([{"metric": {}, "values": values}])), queries={"q": "x"})
    (series,) = pages[0].items
    assert [point.value for point in series.points] == [2.5]
    assert series.service == "checkout"


def test_a_long_window_is_asked_for_with_fewer_points_than_the_server_refuses():
    year = Window(since=HOUR.since - timedelta(days=365), until=HOUR.until)
    _, (request,) = asked(
        in_turn(matrix([])), MetricQuery(window=year, service="c", step_s=15), queries={"q": "x"}
    )
    step = int(parse_qs(request.body.decode())["step"][0])
    assert (year.until - year.since).total_seconds() / step <= 10_000


def test_a_query_with_too_many_series_is_cut_and_says_so():
    values = [[HOUR.since.timestamp(), "1"]]
    many = [{"metric": {"pod": f"p{n:03}"}, "values": values} for n in range(50)]
    pages, _ = asked(in_turn(matrix(many)), queries={"q": "x"})
    assert len(pages[0].items) == 20
    assert "50 series" in pages[0].truncated


def test_a_partial_answer_with_200_is_said():
    pages, _ = asked(in_turn(matrix([], warnings=["store unreachable"])), queries={"q": "x"})
    assert "may not be complete" in pages[0].truncated


@pytest.mark.parametrize("name", ["query_range", "query_range_toomany", "query_nan"])
def test_recorded_answers_are_read(shared_data, name):
    head, _, body = (
        (shared_data / f"contracts/prometheus/{name}.http").read_text().partition("\n\n")
    )
    status = int(head.split()[1])
    window = Window(
        since=datetime.fromtimestamp(1795224197, UTC), until=datetime.fromtimestamp(1795224205, UTC)
    )
    script = in_turn(Reply(body, status))
    query = MetricQuery(window=window, service="checkout")
    if name == "query_range":
        pages, _ = asked(script, query, queries={"up": "up"})
        assert {one.service: len(one.points) for one in pages[0].items} == {
            "checkout": 4,
            "payments": 3,
        }
        return
    with pytest.raises(AdapterError) as caught:
        asked(script, query, queries={"up": "up"})
    assert caught.value.reason is (Reason.BAD_REQUEST if status == 400 else Reason.BAD_RESPONSE)


RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - alert: QueueFull
        expr: queue_length > 10
        labels: {severity: critical}
"""
CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: app
    static_configs: [{targets: ["TARGET"], labels: {service: 'che"ck\\out'}}]
"""


def test_a_real_server_is_read(tmp_path):
    service = 'che"ck\\out'
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(
        in_turn(Reply("queue_length 17\n", headers={"Content-Type": "text/plain"}))
    ) as app:
        (tmp_path / "rules.yml").write_text(RULES)
        config = CONFIG.replace("TARGET", app.url.removeprefix("http://"))
        (tmp_path / "prometheus.yml").write_text(config)
        arguments = [
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with running("prometheus", arguments, tmp_path, f"{url}/-/ready"):
            queries = {"queue": 'queue_length{service="$service"}', "up": 'up{service=~"$service"}'}
            adapter = Adapter("prom", Settings(url=url, queries=queries))
            assert adapter.check().version
            begin = datetime.now(UTC) - timedelta(minutes=2)

            def window() -> Window:
                return Window(since=begin, until=datetime.now(UTC) + timedelta(seconds=1))

            def alerts():
                query = EventQuery(window=window(), service=service)
                return [one for page in adapter.alerts(query) for one in page.items]

            def metrics():
                query = MetricQuery(window=window(), service=service, step_s=1)
                pages = list(adapter.metrics(query))
                return [one for page in pages for one in page.items]

            until(lambda: bool(alerts()) and len(metrics()) == 2)
            (alert,) = alerts()
            assert (alert.title, alert.severity, alert.state) == ("QueueFull", "critical", "firing")
            assert alert.started_at is not None
            assert alert.started_at in window()
            assert {point.value for point in metrics()[0].points} == {17.0}
            broken = Adapter("prom", Settings(url=url, queries={"q": "sum("}))
            with pytest.raises(AdapterError) as caught:
                list(broken.metrics(MetricQuery(window=window(), service=service)))
            assert caught.value.reason is Reason.BAD_REQUEST
