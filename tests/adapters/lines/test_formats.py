"""Each format on its own, as its software documents it: what becomes of one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.adapters.lines.reading import events_of, texts_of

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
MS = AT + timedelta(milliseconds=123)
US = AT + timedelta(microseconds=123456)

TEXT: dict[str, tuple[str, dict[str, Any]]] = {
    "iso host service": (
        "2026-11-21T03:04:05.123Z web-1 checkout[812]: ERROR payment failed",
        {"time": MS, "host": "web-1", "service": "checkout", "level": "error", "text": "payment failed"},
    ),
    "iso service": (
        "2026-11-21T03:04:05.123Z checkout WARN slow query",
        {"time": MS, "service": "checkout", "level": "warn", "text": "slow query"},
    ),
    "iso level service": (
        "2026-11-21T03:04:05.123Z ERROR [checkout] slow query",
        {"time": MS, "service": "checkout", "level": "error", "text": "slow query"},
    ),
    "a service around a clock": (
        "2026-11-21T03:04:05.123Z [ts-travel-service] 11:04:05.122 INFO  t.c.Travel#115 TraceID: 6f3cbf058c2765548a39ad724905d6a1 done",
        {
            "time": MS,
            "service": "ts-travel-service",
            "level": "info",
            "trace": "6f3cbf058c2765548a39ad724905d6a1",
            "text": "t.c.Travel#115 TraceID: 6f3cbf058c2765548a39ad724905d6a1 done",
        },
    ),
    "python with dashes": (
        "2026-11-21 03:04:05,123 - shop.pay - ERROR - boom",
        {"time": MS, "level": "error", "text": "shop.pay: boom"},
    ),
    "python with dashes and a process": (
        "2026-11-21 03:04:05,123 - 812 - shop.pay - MainThread - ERROR - boom",
        {"time": MS, "level": "error", "text": "shop.pay: boom"},
    ),
    "python": (
        "2026-11-21 03:04:05,123 ERROR shop.pay: boom",
        {"time": MS, "level": "error", "text": "shop.pay: boom"},
    ),
    "python basicConfig": ("ERROR:shop.pay:boom", {"time": None, "level": "error", "text": "shop.pay: boom"}),
    "loguru": (
        "2026-11-21 03:04:05.123 | ERROR    | shop.pay:charge:12 - boom",
        {"time": MS, "level": "error", "text": "shop.pay:charge:12 - boom"},
    ),
    "structlog console": (
        "2026-11-21 03:04:05 [error    ] boom                      order=3",
        {"time": AT, "level": "error", "text": "boom                      order=3"},
    ),
    "gunicorn": (
        "[2026-11-21 03:04:05 +0000] [12] [ERROR] Worker timeout",
        {"time": AT, "level": "error", "text": "Worker timeout"},
    ),
    "uvicorn": (
        'INFO:     10.0.0.7:5123 - "GET /health HTTP/1.1" 200 OK',
        {"level": "info", "status": 200, "text": '10.0.0.7:5123 - "GET /health HTTP/1.1" 200 OK'},
    ),
    "celery": (
        "[2026-11-21 03:04:05,123: ERROR/ForkPoolWorker-1] Task failed",
        {"time": MS, "level": "error", "text": "Task failed"},
    ),
    "django runserver": (
        '[21/Nov/2026 03:04:05] "GET /pay HTTP/1.1" 500 21',
        {"time": AT, "level": "error", "status": 500, "text": '"GET /pay HTTP/1.1" 500 21'},
    ),
    "logback": (
        "2026-11-21 03:04:05.123 [main] ERROR com.shop.Pay - boom",
        {"time": MS, "level": "error", "text": "com.shop.Pay - boom"},
    ),
    "logback with only a clock": (
        "03:04:05.123 [http-nio-8080-exec-1] WARN  com.shop.Pay - boom",
        {"time": MS, "level": "warn", "text": "com.shop.Pay - boom"},
    ),
    "log4j, level first": (
        "ERROR 2026-11-21 03:04:05,123 [main] com.shop.Pay - boom",
        {"time": MS, "level": "error"},
    ),
    "dropwizard": (
        "ERROR [2026-11-21 03:04:05,123] com.shop.Pay: boom",
        {"time": MS, "level": "error", "text": "com.shop.Pay: boom"},
    ),
    "spring boot 2": (
        "2026-11-21 03:04:05.123 ERROR 812 --- [nio-8080-exec-1] c.shop.Pay   : boom",
        {"time": MS, "level": "error", "text": "c.shop.Pay   : boom"},
    ),
    "spring boot 3": (
        "2026-11-21T03:04:05.123Z  INFO 812 --- [checkout] [           main] c.shop.Pay : up",
        {"time": MS, "level": "info", "service": "checkout", "text": "c.shop.Pay : up"},
    ),
    "spring sleuth": (
        "2026-11-21 03:04:05.123  WARN [checkout,5f1ab3c2d4e5f607,5f1ab3c2d4e5f607] 812 --- [main] c.shop.Pay : slow",
        {"time": MS, "service": "checkout", "trace": "5f1ab3c2d4e5f607", "text": "c.shop.Pay : slow"},
    ),
    "java.util.logging": ("Nov 21, 2026 3:04:05 AM com.shop.Pay charge", {"time": AT, "text": "com.shop.Pay charge"}),
    "kafka": (
        "[2026-11-21 03:04:05,123] ERROR Error while reading (kafka.server.Log)",
        {"time": MS, "level": "error", "text": "Error while reading (kafka.server.Log)"},
    ),
    "zookeeper": (
        "2026-11-21 03:04:05,123 - WARN  [SendWorker:188@679] - Interrupted",
        {"time": MS, "level": "warn", "text": "Interrupted"},
    ),
    "elasticsearch": (
        "[2026-11-21T03:04:05,123][WARN ][o.e.c.Allocation ] [node-1] no shard",
        {"time": MS, "level": "warn", "text": "o.e.c.Allocation: [node-1] no shard"},
    ),
    "tomcat": (
        "21-Nov-2026 03:04:05.123 SEVERE [main] org.apache.Foo.bar Failed",
        {"time": MS, "level": "error", "text": "org.apache.Foo.bar Failed"},
    ),
    "hadoop": (
        "081109 203615 148 INFO dfs.DataNode: PacketResponder 1",
        {"time": datetime(2008, 11, 9, 20, 36, 15, tzinfo=UTC), "level": "info"},
    ),
    "spark": (
        "17/06/09 20:10:40 INFO executor.Executor: Got task",
        {"time": datetime(2017, 6, 9, 20, 10, 40, tzinfo=UTC), "level": "info", "text": "executor.Executor: Got task"},
    ),
    "go log": ("2026/11/21 03:04:05 main.go:12: listening", {"time": AT, "text": "main.go:12: listening"}),
    "zap console": (
        "2026-11-21T03:04:05.123Z\tERROR\tpay/charge.go:12\tboom\t{\"order\": 3}",
        {"time": MS, "level": "error", "text": 'pay/charge.go:12: boom\t{"order": 3}'},
    ),
    "logrus": (
        'time="2026-11-21T03:04:05Z" level=error msg="charge failed" order=3',
        {"time": AT, "level": "error", "text": "charge failed"},
    ),
    "klog": (
        "E1121 03:04:05.123456       1 reflector.go:138] Failed to watch",
        {"time": US, "level": "error", "text": "reflector.go:138: Failed to watch"},
    ),
    "glog with a year": (
        "W20261121 03:04:05.123456   812 pay.cc:12] slow",
        {"time": US, "level": "warn", "text": "pay.cc:12: slow"},
    ),
    "winston": (
        "2026-11-21T03:04:05.123Z [error]: boom",
        {"time": MS, "level": "error", "text": "boom"},
    ),
    "winston without a time": ("error: boom", {"level": "error", "text": "error: boom"}),
    "ruby logger": (
        "E, [2026-11-21T03:04:05.123456 #812] ERROR -- : boom",
        {"time": US, "level": "error", "text": "boom"},
    ),
    "php": (
        "[21-Nov-2026 03:04:05 UTC] PHP Fatal error:  Uncaught Exception: boom in /a.php:3",
        {"time": AT, "level": "fatal", "text": "PHP Fatal error:  Uncaught Exception: boom in /a.php:3"},
    ),
    "monolog": (
        "[2026-11-21T03:04:05.123456+00:00] app.ERROR: boom {\"order\":3} []",
        {"time": US, "level": "error", "text": 'boom {"order":3} []'},
    ),
    "laravel": (
        "[2026-11-21 03:04:05] production.ERROR: boom",
        {"time": AT, "level": "error", "text": "boom"},
    ),
    "serilog": (
        "2026-11-21 03:04:05.123 +00:00 [ERR] boom",
        {"time": MS, "level": "error", "text": "boom"},
    ),
    "serilog console": ("[03:04:05 WRN] slow", {"time": AT, "level": "warn", "text": "slow"}),
    "nlog": (
        "2026-11-21 03:04:05.1234|ERROR|Shop.Pay|boom",
        {"time": AT + timedelta(microseconds=123400), "level": "error", "text": "Shop.Pay|boom"},
    ),
    "nginx error": (
        "2026/11/21 03:04:05 [error] 31#31: *1 connect() failed, upstream: \"http://10.0.0.1/\"",
        {"time": AT, "level": "error", "text": 'connect() failed, upstream: "http://10.0.0.1/"'},
    ),
    "apache error": (
        "[Sat Nov 21 03:04:05.123456 2026] [proxy:error] [pid 12:tid 34] [client 10.0.0.7:12] AH01114: failed",
        {"time": US, "level": "error", "text": "AH01114: failed"},
    ),
    "apache error, old": (
        "[Sat Nov 21 03:04:05 2026] [notice] workerEnv.init() ok",
        {"time": AT, "level": "info", "text": "workerEnv.init() ok"},
    ),
    "combined": (
        '10.0.0.7 - bob [21/Nov/2026:03:04:05 +0000] "GET /pay HTTP/1.1" 502 12 "-" "curl/8"',
        {"time": AT, "level": "error", "status": 502, "text": '"GET /pay HTTP/1.1" 502 12 "-" "curl/8"'},
    ),
    "common, behind a virtual host": (
        'shop.example:443 10.0.0.7 - - [21/Nov/2026:04:04:05 +0100] "POST /pay HTTP/2.0" 404 12',
        {"time": AT, "level": "warn", "status": 404},
    ),
    "haproxy": (
        "Nov 21 03:04:05 lb1 haproxy[14387]: 10.0.1.2:33317 [21/Nov/2026:03:04:05.123] fe be/srv 10/0/30/69/109 503 2750 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
        {"time": AT, "host": "lb1", "service": "haproxy", "status": 503, "level": "error"},
    ),
    "envoy access": (
        '[2026-11-21T03:04:05.123Z] "GET /pay HTTP/1.1" 503 UF 0 91 12 - "-" "curl"',
        {"time": MS, "status": 503, "level": "error"},
    ),
    "envoy": (
        "[2026-11-21 03:04:05.123][12][warning][config] [source/a.cc:12] gRPC stream closed",
        {"time": MS, "level": "warn", "text": "gRPC stream closed"},
    ),
    "syslog": (
        "Nov 21 03:04:05 web1 sshd[812]: Failed password",
        {"time": AT, "host": "web1", "service": "sshd", "text": "Failed password"},
    ),
    "syslog with a priority": (
        "<34>Nov 21 03:04:05 web1 su: 'su root' failed",
        {"time": AT, "host": "web1", "service": "su", "level": "fatal", "text": "'su root' failed"},
    ),
    "syslog around a level": (
        "Nov 21 03:04:05 web1 checkout[812]: ERROR boom",
        {"time": AT, "service": "checkout", "level": "error", "text": "boom"},
    ),
    "syslog 5424": (
        '<165>1 2026-11-21T03:04:05.123Z web1 checkout 812 ID47 [a@1 b="c"] boom',
        {"time": MS, "host": "web1", "service": "checkout", "level": "info", "text": "boom"},
    ),
    "syslog 5424 without data": (
        "<11>1 2026-11-21T03:04:05.123Z web1 checkout - - - boom",
        {"time": MS, "service": "checkout", "level": "error", "text": "boom"},
    ),
    "journal export": (
        "2026-11-21T03:04:05.123456+00:00 web1 checkout[812]: boom",
        {"time": US, "host": "web1", "service": "checkout", "text": "boom"},
    ),
    "postgres": (
        "2026-11-21 03:04:05.123 UTC [812] app@shop ERROR:  deadlock detected",
        {"time": MS, "level": "error", "text": "deadlock detected"},
    ),
    "mysql": (
        "2026-11-21T03:04:05.123456Z 12 [Warning] [MY-010055] [Server] slow",
        {"time": US, "level": "warn", "text": "[MY-010055] [Server] slow"},
    ),
    "mongodb before 4.4": (
        "2026-11-21T03:04:05.123+0000 E COMMAND  [conn1] boom",
        {"time": MS, "level": "error", "text": "COMMAND: boom"},
    ),
    "redis": ("12:M 21 Nov 2026 03:04:05.123 # Out of memory", {"time": MS, "level": "warn", "text": "Out of memory"}),
    "openstack": (
        "nova-api.log.1.2017-05-16 2026-11-21 03:04:05.123 25746 INFO nova.api [req-1] GET",
        {"time": MS, "level": "info", "text": "nova.api [req-1] GET"},
    ),
    "blue gene": (
        "1795230245 2026.11.21 R02-M1 2026-11-21-03.04.05.123456 R02-M1 RAS KERNEL FATAL parity error",
        {"time": AT, "host": "R02-M1", "level": "fatal", "text": "KERNEL: parity error"},
    ),
    "blue gene with its label": (
        "APPREAD 1795230245 2026.11.21 R02-M1 2026-11-21-03.04.05.123456 R02-M1 RAS APP FATAL ciod: Error",
        {"time": AT, "level": "fatal", "text": "APP: ciod: Error"},
    ),
    "thunderbird": (
        "- 1795230245 2026.11.21 tbird-1 Nov 21 03:04:05 local@tbird-1 /usr/sbin/gmetad[1682]: data_thread() got not answer",
        {"time": AT, "host": "tbird-1", "service": "gmetad", "text": "data_thread() got not answer"},
    ),
    "a phone's clock without leading zeros": ("20261121-3:4:5:123|Step_LSC|300|calculate", {"time": MS, "text": "Step_LSC|300|calculate"}),
    "zookeeper, nested brackets": (
        "2026-11-21 03:04:05,123 - WARN  [QuorumPeer[myid=1]/0:0:2181:Manager@368] - Cannot open channel",
        {"time": MS, "level": "warn", "text": "Cannot open channel"},
    ),
    "gitlab section": (
        "section_start:1795230245:build_script\r\x1b[0K$ make test",
        {"text": "$ make test"},
    ),
    "android": ("11-21 03:04:05.123  1702  2395 W Window: slow", {"time": MS, "level": "warn", "text": "Window: slow"}),
    "windows": ("2026-11-21 03:04:05, Error                 CBS    boom", {"time": AT, "level": "error", "text": "CBS    boom"}),
    "cri": (
        "2026-11-21T03:04:05.123456789Z stderr F boom",
        {"time": US, "text": "boom"},
    ),
    "cri around logback": (
        "2026-11-21T03:04:05.123456789Z stdout F 2026-11-21 04:04:05.123 [main] ERROR com.shop.Pay - boom",
        {"time": US, "level": "error", "text": "com.shop.Pay - boom"},
    ),
    "cri around json": (
        '2026-11-21T03:04:05.123456789Z stdout F {"level":"error","msg":"boom","service":"pay"}',
        {"time": US, "level": "error", "service": "pay", "text": "boom"},
    ),
    "docker compose": (
        "checkout-1  | 2026-11-21 03:04:05,123 ERROR shop: boom",
        {"time": MS, "service": "checkout", "level": "error", "text": "shop: boom"},
    ),
    "kubectl logs --prefix": (
        "[pod/checkout-7d9f/app] 2026-11-21T03:04:05.123Z ERROR boom",
        {"time": MS, "host": "checkout-7d9f", "service": "app", "level": "error", "text": "boom"},
    ),
    "stern": (
        "checkout-7d9f8b6c5-x2x4z app 2026-11-21T03:04:05.123Z ERROR boom",
        {"time": MS, "host": "checkout-7d9f8b6c5-x2x4z", "service": "app", "level": "error", "text": "boom"},
    ),
    "lambda in python": (
        "[ERROR]\t2026-11-21T03:04:05.123Z\t6bc28136-xxxx\tboom",
        {"time": MS, "level": "error"},
    ),
    "lambda in node": (
        "2026-11-21T03:04:05.123Z\t6bc28136-0000-4000-8000-000000000001\tERROR\tboom",
        {"time": MS, "level": "error", "trace": "6bc28136-0000-4000-8000-000000000001", "text": "boom"},
    ),
    "github actions": (
        "2026-11-21T03:04:05.1234567Z ##[error]Process completed with exit code 1.",
        {"time": US, "level": "error", "text": "##[error]Process completed with exit code 1."},
    ),
    "gitlab job": (
        "2026-11-21T03:04:05.123456Z 01E npm ERR! code 1",
        {"time": US, "text": "npm ERR! code 1"},
    ),
    "jenkins timestamper": ("[2026-11-21T03:04:05.123Z] + make test", {"time": MS, "text": "+ make test"}),
    "load balancer": (
        'https 2026-11-21T03:04:05.123456Z app/lb/50dc 10.0.0.7:2817 10.0.0.1:80 0.086 0.048 0.037 502 200 0 57 "GET https://x/ HTTP/1.1"',
        {"time": US, "status": 502, "level": "error"},
    ),
    "plain": ("something happened", {"time": None, "level": None, "text": "something happened"}),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXT)
def test_a_text_line_is_read_by_its_format(name: str) -> None:
    line, expected = TEXT[name]
    (event,) = events_of(line + "\n")
    assert {key: event[key] for key in expected} == expected
    assert event["line"] == 1
    assert event["origin"] == "app.log"


@pytest.mark.parametrize("name", TEXT)
def test_many_lines_of_a_format_are_read_alike(name: str) -> None:
    line, expected = TEXT[name]
    events = events_of("\n".join([line] * 300))
    assert len(events) == 300
    assert {key: events[200][key] for key in expected} == expected
    assert events[200]["line"] == 201


def test_logfmt_values_may_be_quoted() -> None:
    (event,) = events_of(
        'ts=2026-11-21T03:04:05Z lvl=warn service=pay msg="said \\"no\\" twice" err="time out" trace_id=5f1ab3c2d4 status=504'
    )
    assert event["text"] == 'said "no" twice: time out'
    assert (event["level"], event["service"], event["trace"], event["status"]) == (
        "warn",
        "pay",
        "5f1ab3c2d4",
        504,
    )


def test_logfmt_without_a_message_keeps_its_fields() -> None:
    (event,) = events_of("ts=2026-11-21T03:04:05Z caller=main.go:8 method=Get result=0 took=31us")
    assert event["text"] == "caller=main.go:8 method=Get result=0 took=31us"


def test_a_mixed_source_is_read_line_by_line_in_its_own_formats() -> None:
    lines = [
        "2026-11-21T03:04:05.123Z web-1 checkout[812]: ERROR payment failed",
        '{"ts":"2026-11-21T03:04:05.123Z","level":"warn","msg":"slow"}',
        'level=info msg="up" ts=2026-11-21T03:04:05.123Z',
        '10.0.0.7 - - [21/Nov/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 12',
        "Nov 21 03:04:05 web1 sshd[812]: Failed password",
    ]
    events = events_of("\n".join(lines * 100))
    assert len(events) == 500
    assert [event["line"] for event in events] == list(range(1, 501))
    assert [event["text"] for event in events[:5]] == [
        "payment failed",
        "slow",
        "up",
        '"GET / HTTP/1.1" 200 12',
        "Failed password",
    ]
    assert all(event["time"] is not None for event in events)


def test_a_message_is_not_taken_for_a_header() -> None:
    text = "2026-11-21T03:04:05Z error while reading\n2026-11-21T03:04:06Z Starting service: all good\n"
    assert texts_of(text) == ["error while reading", "Starting service: all good"]
