from __future__ import annotations

from collections.abc import Callable

import pytest
from websockets.sync.client import connect

from bot.errors import ConfigError
from bot.web.settings import WebSettings, require_safe
from tests.web.conftest import TOKEN, Served, finished


def test_an_investigation_is_started_once_for_one_idempotency_key(site: Served) -> None:
    body = {"question": "checkout is down", "service": "checkout", "since": "2h"}
    with site.client() as http:
        first = http.post("/api/v1/investigations", json=body, headers={"Idempotency-Key": "a"})
        again = http.post("/api/v1/investigations", json=body, headers={"Idempotency-Key": "a"})
        other = http.post(
            "/api/v1/investigations", json={"question": "else"}, headers={"Idempotency-Key": "a"}
        )
    assert first.status_code == 202
    assert first.json()["created"] is True
    assert again.json() == {**first.json(), "created": False}
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert len(site.queue.hints) == 1


def test_a_list_is_filtered_and_paged_to_its_end(site: Served) -> None:
    numbers = [finished(site, f"case {n}") for n in range(5)]
    seen: list[int] = []
    with site.client() as http:
        cursor = ""
        while True:
            page = http.get("/api/v1/investigations", params={"limit": 2, "cursor": cursor}).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        found = http.get("/api/v1/search", params={"q": "CASE 3"}).json()["items"]
        none = http.get("/api/v1/investigations", params={"state": "queued"}).json()
        percent = http.get("/api/v1/search", params={"q": "%"}).json()["items"]
        bad = http.get("/api/v1/investigations", params={"cursor": "zzz"})
    assert seen == numbers[::-1]
    assert [item["id"] for item in found] == [numbers[3]]
    assert none["items"] == percent == []
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")


def test_a_report_comes_in_every_form(site: Served) -> None:
    number = finished(site)
    at = f"/api/v1/investigations/{number}/report"
    with site.client() as http:
        forms = {
            form: http.get(at, params={"form": form})
            for form in ("json", "md", "html", "suspects.csv", "patterns.csv")
        }
        missing = http.get("/api/v1/investigations/99/report")
    assert all(answer.status_code == 200 for answer in forms.values())
    assert forms["json"].json()["conclusion"] == "likely"
    assert "attachment" in forms["html"].headers["content-disposition"]
    assert "L1" in forms["patterns.csv"].text
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_question_is_queued_and_stands_in_the_conversation(site: Served) -> None:
    number = finished(site)
    at = f"/api/v1/investigations/{number}"
    with site.client() as http:
        asked = http.post(
            f"{at}/questions", json={"text": "why?"}, headers={"Idempotency-Key": "q"}
        )
        http.post(f"{at}/questions", json={"text": "why?"}, headers={"Idempotency-Key": "q"})
        talk = http.get(f"{at}/messages").json()
    assert asked.status_code == 202
    assert [one["text"] for one in talk] == ["why?"]


def test_stop_rerun_feedback_and_evidence(site: Served) -> None:
    number = finished(site)
    at = f"/api/v1/investigations/{number}"
    with site.client() as http:
        again = http.post(f"{at}/rerun")
        new = again.json()["id"]
        early = http.post(f"/api/v1/investigations/{new}/rerun")
        stopped = http.post(f"/api/v1/investigations/{new}/stop")
        over = http.post(f"/api/v1/investigations/{new}/stop")
        said = http.put(f"{at}/feedback", json={"verdict": "wrong", "cause": "DNS"})
        opinions = http.get(f"{at}/feedback").json()
        keys = [one["key"] for one in http.get(f"{at}/evidence").json()]
        one = http.get(f"{at}/evidence/C1").json()
        audit = [line["action"] for line in http.get("/api/v1/audit").json()]
    assert (again.status_code, early.status_code) == (202, 409)
    assert (stopped.status_code, over.status_code) == (202, 409)
    assert said.status_code == 204
    assert opinions[0]["cause"] == "DNS"
    assert sorted(keys) == ["C1", "L1"]
    assert one["payload"]["sha"] == "0123456789abcdef"
    assert {"rerun", "stop", "feedback"} <= set(audit)


def test_events_stream_and_resume_by_number(site: Served) -> None:
    number = finished(site)
    at = f"/api/v1/investigations/{number}"
    with site.client() as http:
        past = http.get(f"{at}/events", params={"after": 1}).json()
        with http.stream("GET", f"{at}/stream") as stream:
            text = "".join(stream.iter_text())
        with http.stream("GET", f"{at}/stream", headers={"Last-Event-ID": "1"}) as stream:
            rest = "".join(stream.iter_text())
    assert [one["number"] for one in past] == [2]
    assert text.count("event: progress") == 2
    assert text.index("id: 1") < text.index("id: 2") < text.index("event: end")
    assert "id: 1" not in rest
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(
        f"{site.url.replace('http', 'ws')}{at}/ws?after=1", additional_headers=headers
    ) as ws:
        assert list(ws)[-1] == '{"event":"end","state":"done"}'


def test_a_key_is_shown_once_and_has_only_its_scopes(site: Served) -> None:
    with site.client() as admin:
        made = admin.post("/api/v1/keys", json={"name": "ci", "scopes": ["read"]}).json()
        shown = admin.get("/api/v1/keys").json()[0]
        with site.client(made["key"]) as http:
            assert http.get("/api/v1/investigations").status_code == 200
            assert http.post("/api/v1/investigations", json={"question": "x"}).status_code == 403
            assert http.get("/api/v1/keys").status_code == 403
        assert admin.delete(f"/api/v1/keys/{made['id']}").status_code == 204
        with site.client(made["key"]) as http:
            assert http.get("/api/v1/investigations").status_code == 401
        refused = [line for line in admin.get("/api/v1/audit").json() if not line["allowed"]]
    assert "key" not in shown
    assert made["key"] not in str(shown)
    assert len(refused) == 2


def test_every_route_of_the_api_refuses_strangers(site: Served) -> None:
    with site.client() as http:
        paths = http.get("/api/v1/openapi.json").json()["paths"]
    open_to_all = {"/healthz", "/readyz"}
    with site.client("") as http:
        for path, methods in paths.items():
            if path in open_to_all or path.startswith("/webhooks"):
                continue
            real = path.replace("{number}", "1").replace("{key}", "L1")
            for method in methods:
                answer = http.request(method, real, json={}, params={"q": "x"})
                assert answer.status_code in {401, 422}, (method, path)
                if answer.status_code == 422:
                    assert method in {"post", "put"}
        assert http.get("/metrics").status_code == 401
    with site.client("wrong") as http:
        assert http.get("/api/v1/alerts").status_code == 401


def test_health_metrics_and_headers(site: Served) -> None:
    finished(site)
    with site.client() as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        ready = http.get("/readyz")
        metrics = http.get("/metrics").text
        limited = http.get("/api/v1/sources")
    assert ready.status_code == 200
    assert "default-src 'none'" in ready.headers["content-security-policy"]
    assert "access-control-allow-origin" not in limited.headers
    assert 'incident_responder_verdicts{conclusion="likely"} 1.0' in metrics
    assert limited.headers["ratelimit"].startswith('"caller";r=')


def test_too_many_too_large_and_too_slow_are_refused(serve: Callable[..., Served]) -> None:
    site = serve(rate_per_minute=3, max_body_bytes=2_000, body_seconds=0.3)
    with site.client() as http:
        large = http.post("/api/v1/investigations", content=b"x" * 3_000)

        def chunks():
            yield from (b"y" * 900 for _ in range(4))

        chunked = http.post("/api/v1/investigations", content=chunks())
        answers = [http.get("/api/v1/sources") for _ in range(5)]
    assert (large.status_code, chunked.status_code) == (413, 413)
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    import socket

    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        head = f"POST /api/v1/investigations HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n"
        slow.sendall(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n{{".encode())
        assert b" 408 " in slow.recv(4_000)


def test_without_sign_in_only_this_machine_and_its_own_pages_get_in(
    serve: Callable[..., Served],
) -> None:
    from pydantic import SecretStr

    site = serve(admin_token=SecretStr(""))
    body = {"question": "x"}
    with site.client("") as http:
        assert http.get("/api/v1/investigations").status_code == 200
        evil = {"Host": "evil.example"}
        assert http.get("/api/v1/investigations", headers=evil).status_code == 400
        cross = {"Origin": "https://evil.example"}
        refused = http.post("/api/v1/investigations", json=body, headers=cross)
        assert refused.json()["code"] == "cross_site"


@pytest.mark.parametrize("host", ["::", "192.168.1.5", "bot.example.com"])
def test_it_never_serves_strangers(host: str) -> None:
    with pytest.raises(ConfigError, match="BOT_WEB_HOST"):
        require_safe(WebSettings(_env_file=None, host=host))
    require_safe(WebSettings(_env_file=None, host="127.0.0.1"))
