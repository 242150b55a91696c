"""What people read as one thing is one event: stack traces and wrapped messages, in whatever wraps them."""

from __future__ import annotations

import json

import pytest

from adapters.kit.lines.joining import MAX_LINES
from tests.adapters.lines.reading import events_of, frame_of, texts_of

TRACES: dict[str, str] = {
    "python": """Traceback (most recent call last):
  File "/app/pay.py", line 12, in charge
    gateway.post(order)
  File "/app/gateway.py", line 40, in post
    raise TimeoutError("no answer")
TimeoutError: no answer""",
    "python without source lines": """Traceback (most recent call last):
  File "/app/pay.py", line 12, in charge
  File "/app/gateway.py", line 40, in post
shop.errors.Declined: card 4""",
    "python, chained": """Traceback (most recent call last):
  File "/app/pay.py", line 12, in charge
    gateway.post(order)
KeyError: 'id'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/web.py", line 9, in view
    charge(order)
    ~~~~~~^^^^^^^
shop.Declined: no""",
    "java": """java.lang.IllegalStateException: pool exhausted
\tat com.shop.Pool.take(Pool.java:31)
\tat com.shop.Pay.charge(Pay.java:12)
Caused by: java.sql.SQLException: timeout
\tat org.h2.Driver.connect(Driver.java:59)
\t... 12 more
\tSuppressed: java.io.IOException: closed
\t\tat com.shop.Pool.close(Pool.java:77)""",
    "java thread": """Exception in thread "main" java.lang.NullPointerException: x
\tat com.shop.Main.main(Main.java:3)""",
    "go": """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47fcb1]

goroutine 1 [running]:
main.charge(0xc000012345, 0x1)
\t/src/pay/main.go:12 +0x1d
net/http.(*conn).serve(0xc0000a6000, {0x7f, 0xc0})
\t/usr/local/go/src/net/http/server.go:1995 +0x612
created by net/http.(*Server).Serve
\t/usr/local/go/src/net/http/server.go:3089 +0x5ed
exit status 2""",
    "node": """TypeError: Cannot read properties of undefined (reading 'id')
    at charge (/app/pay.js:12:9)
    at async /app/server.js:40:3 {
  code: 'E_PAY'
}""",
    "node, uncaught": """/app/pay.js:12
    throw new Error("boom");
    ^

Error: boom
    at Object.<anonymous> (/app/pay.js:12:9)
    at node:internal/main/run_main_module:23:47""",
    "dotnet": """Unhandled exception. System.InvalidOperationException: boom
 ---> System.TimeoutException: slow
   at Shop.Gateway.Post() in /src/Gateway.cs:line 40
   --- End of inner exception stack trace ---
   at Shop.Pay.Charge(Order order) in /src/Pay.cs:line 12""",
    "ruby": """/app/pay.rb:12:in `charge': no answer (TimeoutError)
\tfrom /app/web.rb:9:in `view'
\tfrom /app/web.rb:3:in `<main>'""",
    "php": """PHP Fatal error:  Uncaught Exception: boom in /app/pay.php:12
Stack trace:
#0 /app/web.php(9): charge()
#1 {main}
  thrown in /app/pay.php on line 12""",
    "rust": """thread 'main' panicked at src/main.rs:12:5:
called `Option::unwrap()` on a `None` value
stack backtrace:
   0: std::panicking::begin_panic
             at /rustc/1/library/std/src/panicking.rs:617:12
   1: pay::charge
             at ./src/main.rs:12:5
note: run with `RUST_BACKTRACE=full` for a verbose backtrace""",
    "address sanitizer": """==812==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010
READ of size 4 at 0x602000000010 thread T0
    #0 0x4f1a2b in charge /src/pay.c:12:9
    #1 0x4f1b2c in main /src/main.c:3:1

0x602000000010 is located 0 bytes inside of 4-byte region
freed by thread T0 here:
    #0 0x4a1a2b in free /src/asan.cc:3
    #1 0x4f1b2c in main /src/main.c:2:1

SUMMARY: AddressSanitizer: heap-use-after-free /src/pay.c:12:9 in charge""",
}


def wrapped(trace: str, line: str) -> str:
    return "\n".join(line.replace("@", part) for part in trace.split("\n"))


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_in_plain_text_is_one_event(name: str) -> None:
    text = f"starting up\nready\n{TRACES[name]}\nlistening again\nbye\n"
    assert texts_of(text) == ["starting up", "ready", TRACES[name], "listening again", "bye"]
    assert [event["line"] for event in events_of(text)][:3] == [1, 2, 3]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_belongs_to_the_headed_line_above_it(name: str) -> None:
    before = "2026-11-21 03:04:04,000 INFO shop: up"
    head = "2026-11-21 03:04:05,000 ERROR shop: charge failed"
    text = f"{before}\n{head}\n{TRACES[name]}\n{before}\n" * 30
    events = events_of(text)
    assert len(events) == 90
    assert events[1]["text"] == f"shop: charge failed\n{TRACES[name]}"
    assert events[1]["level"] == "error"
    assert events[2]["line"] == 3 + TRACES[name].count("\n") + 1


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_joined_when_a_collector_stamped_each_of_its_lines(name: str) -> None:
    lines = f"starting\nready\n{TRACES[name]}\nlistening again\nbye"
    stamped = wrapped(lines, "2026-11-21T03:04:05.123456789Z stderr F @")
    assert texts_of(stamped) == ["starting", "ready", TRACES[name], "listening again", "bye"]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_joined_within_a_ci_log(name: str) -> None:
    lines = f"Run make test\nok pay 0.1s\n{TRACES[name]}\nFAIL\nbye"
    stamped = wrapped(lines, "2026-11-21T03:04:05.1234567Z @")
    assert texts_of(stamped) == ["Run make test", "ok pay 0.1s", TRACES[name], "FAIL", "bye"]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_joined_within_json_envelopes(name: str) -> None:
    lines = ["starting", "ready", *TRACES[name].split("\n"), "listening again"]
    text = "\n".join(
        json.dumps({"log": f"{line}\n", "stream": "stderr", "time": "2026-11-21T03:04:05Z"})
        for line in lines
    )
    assert texts_of(text) == ["starting", "ready", TRACES[name], "listening again"]


def test_two_writers_may_talk_at_once() -> None:
    trace = TRACES["java"].split("\n")
    lines = []
    for part in ["charge failed", *trace, "up"]:
        lines.append(f"pay-1  | {part}")
        lines.append(f"cart-1  | {part}")
    events = events_of("\n".join(lines))
    assert [(e["service"], e["text"]) for e in events] == [
        ("pay", "charge failed"),
        ("cart", "charge failed"),
        ("pay", TRACES["java"]),
        ("cart", TRACES["java"]),
        ("pay", "up"),
        ("cart", "up"),
    ]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_stays_with_its_service_in_a_log_of_many(name: str) -> None:
    lines = [
        f"2026-11-21T03:04:05.{n:03d}Z web-{n % 3} svc{n % 5}[7]: ERROR boom {n}\n{TRACES[name]}"
        for n in range(40)
    ]
    events = events_of("\n".join(lines))
    assert [event["text"] for event in events] == [f"boom {n}\n{TRACES[name]}" for n in range(40)]
    assert [event["service"] for event in events[:6]] == [
        "svc0",
        "svc1",
        "svc2",
        "svc3",
        "svc4",
        "svc0",
    ]


def test_a_trace_without_a_level_is_an_error() -> None:
    events = events_of(f"starting up\n{TRACES['python']}\n")
    assert [event["level"] for event in events] == [None, "error"]


def test_wrapped_lines_join_the_line_with_the_header() -> None:
    text = "2026-11-21 03:04:05,000 INFO shop: config\n{\n  a: 1\n}\n2026-11-21 03:04:06,000 INFO shop: up\n"
    assert texts_of(text) == ["shop: config\n{\n  a: 1\n}", "shop: up"]


@pytest.mark.parametrize(
    "carrier",
    [
        "2026-11-21T03:04:05.123456789Z stdout F @",
        '{"log":"@\\n","stream":"stdout","time":"2026-11-21T03:04:05Z"}',
        "shop-1  | @",
        "[pod/shop-7d9f/app] @",
    ],
)
def test_wrapped_lines_are_joined_within_what_a_container_runtime_puts_around_them(
    carrier: str,
) -> None:
    text = "2026-11-21 03:04:05,000 INFO shop: config\nwith\n  a: 1\n2026-11-21 03:04:06,000 INFO shop: up"
    assert texts_of(wrapped(text, carrier)) == ["shop: config\nwith\n  a: 1", "shop: up"]


def test_a_line_without_a_time_goes_on_with_the_one_that_has_one() -> None:
    assert texts_of("2026/11/21 03:04:05 cannot start:\nno disk\n2026/11/21 03:04:06 bye\n") == [
        "cannot start:\nno disk",
        "bye",
    ]


def test_text_between_json_records_stands_alone() -> None:
    text = '{"ts":1795230245,"msg":"up"}\nListening on 80\n{"ts":1795230246,"msg":"bye"}\n'
    assert texts_of(text) == ["up", "Listening on 80", "bye"]


def test_the_console_of_dotnet_writes_its_message_on_the_next_line() -> None:
    text = "info: Shop.Pay[0]\n      charging\nfail: Shop.Pay[1]\n      boom\n"
    events = events_of(text * 3)
    assert [event["text"] for event in events[:2]] == [
        "info: Shop.Pay[0]\n      charging",
        "fail: Shop.Pay[1]\n      boom",
    ]
    assert [event["level"] for event in events[:2]] == ["info", "error"]


def test_the_message_of_an_exception_may_have_several_lines() -> None:
    trace = "org.opentest4j.AssertionFailedError: \nMissing: a\nUnexpected: b\n\n\tat a.B.c(B.java:1)\nCaused by: x.Y: one\ntwo\n\tat d.E.f(E.java:2)"
    assert texts_of(f"ok\n{trace}\nbye\n") == ["ok", trace, "bye"]


def test_another_kind_of_log_in_the_same_file_is_not_swallowed() -> None:
    headed = "2026-11-21 03:04:05,000 INFO shop: up\n"
    other = "".join(f"worker {number} did a thing\n" for number in range(200))
    assert len(events_of(headed * 5 + other + headed * 5)) == 210


def test_indented_lines_of_a_ci_log_stay_apart() -> None:
    text = "2026-11-21T03:04:05.1234567Z Installing\n2026-11-21T03:04:05.1234567Z   Downloading a\n2026-11-21T03:04:05.1234567Z   Downloading b\n2026-11-21T03:04:05.1234567Z #12 [2/3] RUN make\n"
    assert len(events_of(text)) == 4


def test_parts_of_a_line_that_the_runtime_split_are_put_together() -> None:
    cri = "2026-11-21T03:04:05.1Z stdout P one \n2026-11-21T03:04:05.2Z stdout P two \n2026-11-21T03:04:05.3Z stdout F three\n2026-11-21T03:04:05.4Z stdout F next\n"
    assert texts_of(cri) == ["one two three", "next"]
    docker = "".join(
        json.dumps({"log": part, "stream": "stdout", "time": "2026-11-21T03:04:05Z"}) + "\n"
        for part in ("one ", "two ", "three\n", "next\n")
    )
    assert texts_of(docker) == ["one two three", "next"]


def test_an_event_ends_after_a_thousand_lines() -> None:
    text = "2026-11-21 03:04:05,000 ERROR shop: boom\n" + "  at a.b.C(D.java:1)\n" * 2500
    events = events_of(text)
    assert [event["text"].count("\n") + 1 for event in events] == [MAX_LINES, MAX_LINES, 501]
    assert [event["line"] for event in events] == [1, 1001, 2001]


def test_an_event_may_lie_across_two_blocks() -> None:
    head = "2026-11-21 03:04:05,000 ERROR shop: boom\n"
    event = head + TRACES["java"] + "\n"
    height = event.count("\n")
    count = 200_000 // height
    frame = frame_of(event * count)
    assert frame.height == count
    assert frame.get_column("text").n_unique() == 1
    assert frame.get_column("line").to_list() == list(range(1, count * height + 1, height))
