from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.kit.breaker import Breaker, State
from adapters.kit.cache import investigation_cache
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Http
from adapters.kit.status import reason_of
from tests.adapters.loopback import Loopback, Reply, Script, in_turn, serving

SECRET = "s3cr3t-token"


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@contextmanager
def asking(script: Script, **options: object) -> Iterator[tuple[Http, Loopback, Clock]]:
    clock = Clock()
    with serving(script) as server:
        http = Http(
            "loki",
            f"{server.url}/api?token={SECRET}"
            if options.pop("secret_url", False)
            else f"{server.url}/api",
            headers={"Authorization": SecretStr(f"Bearer {SECRET}")},
            clock=clock,
            sleep=clock.sleep,
            **options,  # type: ignore[arg-type]
        )
        try:
            yield http, server, clock
        finally:
            http.close()


def failure(http: Http, path: str = "x") -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        http.get(path).json()
    return caught.value


def test_a_read_carries_parameters_and_credentials():
    with asking(in_turn(Reply('{"a": 1}'))) as (http, server, _):
        assert http.get("/things", {"q": "a b&c", "n": 2}).json() == {"a": 1}
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/api/things")
    assert asked.query == {"q": ["a b&c"], "n": ["2"]}
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, Reason.AUTH),
        (400, Reason.BAD_REQUEST),
        (401, Reason.AUTH),
        (403, Reason.AUTH),
        (404, Reason.NOT_FOUND),
        (408, Reason.TIMEOUT),
        (410, Reason.NOT_FOUND),
        (413, Reason.BAD_REQUEST),
        (422, Reason.BAD_REQUEST),
        (429, Reason.RATE_LIMITED),
        (500, Reason.UNAVAILABLE),
        (503, Reason.UNAVAILABLE),
    ],
)
def test_every_status_has_its_reason_and_shows_no_secret(status, reason):
    body = f"internal detail {SECRET}"
    with asking(in_turn(Reply(body, status)), advice="grant logs_read") as (http, _, __):
        error = failure(http)
    assert error.reason is reason
    assert SECRET not in str(error)
    assert "internal detail" not in str(error)
    assert ("grant logs_read" in error.detail) == (reason is Reason.AUTH or status == 404)


def test_an_overloaded_system_is_asked_again_after_the_time_it_names():
    script = in_turn(Reply("", 429, {"Retry-After": "7"}), Reply('{"ok": true}'))
    with asking(script) as (http, server, clock):
        assert http.get("x").json() == {"ok": True}
    assert clock.slept == [7.0]
    assert len(server.asked) == 2


def test_a_wait_that_is_longer_than_the_call_may_take_is_not_waited():
    with asking(in_turn(Reply("", 429, {"Retry-After": "3600"}))) as (http, server, clock):
        assert failure(http).reason is Reason.RATE_LIMITED
    assert clock.slept == []
    assert len(server.asked) == 1


def test_a_vendors_own_reset_header_is_honoured():
    def reset(headers, _now):
        return float(headers["x-ratelimit-reset"])

    script = in_turn(Reply("", 429, {"X-RateLimit-Reset": "3"}), Reply())
    with asking(script, reset=reset) as (http, _, clock):
        http.get("x")
    assert clock.slept == [3.0]


def test_errors_of_ours_are_never_repeated():
    with asking(in_turn(Reply("", 400))) as (http, server, _):
        failure(http)
    assert len(server.asked) == 1


def test_a_connection_that_breaks_in_the_body_is_tried_again_and_then_unavailable():
    with asking(in_turn(Reply('{"half":', drop=True))) as (http, server, _):
        assert failure(http).reason is Reason.UNAVAILABLE
    assert len(server.asked) == 3


def test_a_refused_connection_is_unavailable():
    with serving(in_turn(Reply())) as server:
        url = server.url
    clock = Clock()
    error = failure(Http("loki", url, clock=clock, sleep=clock.sleep))
    assert error.reason is Reason.UNAVAILABLE
    assert "check the URL" in error.detail


def test_a_sign_in_page_with_200_is_a_question_of_credentials():
    with asking(in_turn(Reply("<!DOCTYPE html><html>Sign in</html>"))) as (http, _, __):
        assert failure(http).reason is Reason.AUTH


def test_truncated_json_is_a_bad_response():
    with asking(in_turn(Reply('{"data": [1, 2'))) as (http, _, __):
        assert failure(http).reason is Reason.BAD_RESPONSE


def test_an_answer_beyond_the_size_limit_is_refused():
    with (
        asking(in_turn(Reply(b"x" * 3_000_000))) as (http, _, __),
        pytest.raises(AdapterError) as caught,
    ):
        http.get("x", max_bytes=1_000_000)
    assert caught.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    "cursor",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/x",
        "//evil.example/x",
        "file:///etc/passwd",
    ],
)
def test_a_cursor_that_leaves_the_system_is_not_followed(cursor):
    with asking(in_turn(Reply())) as (http, server, _), pytest.raises(AdapterError) as caught:
        http.follow(cursor)
    assert caught.value.reason is Reason.BAD_RESPONSE
    assert server.asked == []


def test_a_cursor_of_the_system_is_followed():
    with asking(in_turn(Reply("[]"))) as (http, server, _):
        http.follow(f"{server.url}/api/things?page=2")
    assert server.asked[0].query == {"page": ["2"]}


def test_an_allowed_host_gets_no_credentials():
    with asking(in_turn(Reply()), hosts=("*.blob.example",)) as (http, _, __):
        assert http._check_origin("https://logs.blob.example/x") is False
        for url in (
            "http://logs.blob.example/x",
            "https://blob.example.evil.com/x",
            "https://u@logs.blob.example/",
        ):
            with pytest.raises(AdapterError):
                http._check_origin(url)


def test_a_redirect_to_an_allowed_host_is_named_and_others_are_refused():
    there = {"Location": "https://logs.blob.example/zip?sig=1"}
    with asking(in_turn(Reply("", 302, there)), hosts=("*.blob.example",)) as (http, _, __):
        assert http.redirected("runs/1/logs") == there["Location"]
    with (
        asking(in_turn(Reply("", 302, {"Location": "http://10.0.0.1/"}))) as (http, _, __),
        pytest.raises(AdapterError),
    ):
        http.redirected("runs/1/logs")


@given(st.text(max_size=60))
def test_a_path_never_leaves_the_base_url(path):
    http = Http("loki", "http://127.0.0.1:9/api")
    assert http._url(path).startswith("http://127.0.0.1:9/api/")


def test_within_an_investigation_the_same_question_is_asked_once():
    with asking(in_turn(Reply('{"n": 1}'), Reply('{"n": 2}'))) as (http, server, _):
        with investigation_cache():
            assert http.get("x").json() == http.get("x").json() == {"n": 1}
            assert http.get("x", {"page": 2}).json() == {"n": 2}
        http.get("x")
    assert len(server.asked) == 3


def test_an_answer_about_the_past_is_remembered_across_investigations():
    with asking(in_turn(Reply('{"n": 1}'), Reply('{"n": 2}'))) as (http, server, _):
        assert http.get("closed", closed=True).json() == http.get("closed", closed=True).json()
    assert len(server.asked) == 1


def test_a_system_that_keeps_failing_is_left_alone_and_tried_again_later():
    clock = Clock()
    breaker = Breaker(threshold=3, rest_s=30, clock=clock)
    states = [breaker.state]
    with asking(in_turn(*[Reply("", 503)] * 3, Reply()), breaker=breaker) as (http, server, _):
        failure(http)
        states.append(breaker.state)
        assert "left alone" in failure(http).detail
        assert len(server.asked) == 3
        clock.now += 31
        states.append(breaker.state)
        http.get("x")
        states.append(breaker.state)
    assert states == [State.CLOSED, State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_refusal_does_not_open_the_breaker():
    breaker = Breaker(threshold=1)
    with asking(in_turn(Reply("", 403)), breaker=breaker) as (http, _, __):
        failure(http)
    assert breaker.state is State.CLOSED


def test_of_many_waiting_callers_one_tries_a_resting_system():
    clock = Clock()
    breaker = Breaker(threshold=1, rest_s=1, clock=clock)
    breaker.failed()
    clock.now += 2
    allowed = []
    threads = [threading.Thread(target=lambda: allowed.append(breaker.allows())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(True) == 1
    breaker.given_back()
    assert breaker.allows()


@given(st.integers(min_value=100, max_value=999).filter(lambda s: not 200 <= s < 300))
def test_every_status_means_something(status):
    reason, text = reason_of(status)
    assert isinstance(reason, Reason)
    assert text
