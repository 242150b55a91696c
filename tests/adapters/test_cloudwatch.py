from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cloudwatch import Adapter, Settings
from adapters.cloudwatch.api import filter_pattern
from adapters.kit.capabilities import LogQuery, MetricQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Window
from tests.adapters.cases import cloudwatch as case
from tests.adapters.languages import backslashed
from tests.adapters.loopback import Reply, in_turn, serving


def read(script, query: LogQuery | None = None, **some: object):
    with serving(script) as server:
        adapter = Adapter("aws", Settings.model_validate({**case.configured(server.url), **some}))
        asked = query or LogQuery(window=case.WINDOW, service="checkout")
        return list(adapter.logs(asked)), server.asked


def texts(batches) -> list[str]:
    return [text for batch in batches for text in batch.frame.get_column("text")]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5))
def test_events_of_one_millisecond_are_neither_lost_nor_doubled_at_a_page_border(times, size):
    events = sorted((case.ms("2026-11-20T10:00") + t, f"line {n}") for n, t in enumerate(times))
    batches, _ = read(lambda asked: case.filtered(asked, events, size))
    assert sorted(texts(batches)) == sorted(f"line {n}" for n in range(len(times)))


@given(st.lists(st.text(max_size=300), max_size=6))
def test_texts_cannot_leave_their_quoted_terms(some):
    pattern = filter_pattern(tuple(some))
    skeleton, literals = backslashed(pattern)
    assert set(skeleton.split()) <= {"S"}
    assert len(pattern) <= 1_024
    assert all(any(literal in text for text in some) for literal in literals)


def test_a_text_with_quotes_is_asked_for_in_pieces_and_looked_for_whole():
    _, asked = read(
        case.api, LogQuery(window=case.WINDOW, service="checkout", contains=('a "b" c',))
    )
    assert json.loads(asked[0].body)["filterPattern"] == '"a" "b" "c"'


@pytest.mark.parametrize("service", ["../x", "a b", "a*", "x/../../y"])
def test_a_service_that_cannot_name_a_group_is_refused(service):
    with pytest.raises(AdapterError) as caught:
        read(case.api, LogQuery(window=case.WINDOW, service=service))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_without_a_service_groups_that_are_named_after_one_are_not_guessed():
    batches, asked = read(case.api, LogQuery(window=case.WINDOW))
    assert asked == []
    assert "names none" in batches[0].truncated


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("ThrottlingException", 400, Reason.RATE_LIMITED),
        ("AccessDeniedException", 400, Reason.AUTH),
        ("UnrecognizedClientException", 400, Reason.AUTH),
        ("ExpiredTokenException", 400, Reason.AUTH),
        ("ResourceNotFoundException", 400, Reason.NOT_FOUND),
        ("InvalidParameterException", 400, Reason.BAD_REQUEST),
        ("ServiceUnavailableException", 500, Reason.UNAVAILABLE),
    ],
)
def test_what_aws_calls_its_errors_has_a_reason_and_says_nothing_of_the_account(
    code, status, reason
):
    body = json.dumps({"__type": code, "message": "User: arn:aws:iam::123456789012:user/x"})
    with pytest.raises(AdapterError) as caught:
        read(in_turn(Reply(body, status)))
    assert caught.value.reason is reason
    assert "123456789012" not in str(caught.value)


def test_tokens_that_never_end_end_after_the_configured_pages():
    count = iter(range(1000))
    batches, asked = read(
        lambda _: Reply(json.dumps({"events": [], "nextToken": str(next(count))})), max_pages=4
    )
    assert len(asked) == 4
    assert "only the first 4 pages" in batches[-1].truncated


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_emulated_region_is_paged_through(moto):
    import boto3  # type: ignore[import-untyped]

    adapter = Adapter(
        "aws", Settings.model_validate({**case.configured(moto), "log_groups": ["/ecs/{service}"]})
    )
    keys = {"region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    logs = boto3.client("logs", endpoint_url=moto, **keys)
    now = datetime.now(UTC).replace(microsecond=0)
    logs.create_log_group(logGroupName="/ecs/checkout")
    logs.create_log_stream(logGroupName="/ecs/checkout", logStreamName="one")
    begin = int((now - timedelta(minutes=10)).timestamp() * 1000)
    events = [{"timestamp": begin + n, "message": f"ERROR line {n}"} for n in range(250)]
    logs.put_log_events(logGroupName="/ecs/checkout", logStreamName="one", logEvents=events)
    window = Window(since=now - timedelta(minutes=10), until=now)
    batches = list(adapter.logs(LogQuery(window=window, service="checkout")))
    assert texts(batches) == [f"line {n}" for n in range(250)]
    with pytest.raises(AdapterError) as caught:
        list(adapter.logs(LogQuery(window=window, service="unknown")))
    assert caught.value.reason is Reason.NOT_FOUND
    metrics = boto3.client("cloudwatch", endpoint_url=moto, **keys)
    datum = {"MetricName": "Errors", "Value": 3.0, "Timestamp": now - timedelta(minutes=5)}
    datum["Dimensions"] = [{"Name": "App", "Value": "checkout"}]
    metrics.put_metric_data(Namespace="Shop", MetricData=[datum])
    (page,) = adapter.metrics(MetricQuery(window=window, service="checkout"))
    assert [point.value for point in page.items[0].points] == [3.0]
    assert adapter.check().ok
    for client in (logs, metrics):
        client.close()
