from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest
from pydantic import ValidationError

from adapters.github import ActionsAdapter, ActionsSettings
from adapters.kit.archive import Archive
from adapters.kit.capabilities import LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LogBatch, Window
from tests.adapters.cases import github_actions as case
from tests.adapters.conformance import at
from tests.adapters.loopback import Asked, Loopback, Reply, Script, serving
from tests.adapters.recorded import pygithub

HOUR = LogQuery(window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")))
DAY = LogQuery(window=Window(since=at("2026-11-20T00:00"), until=at("2026-11-21T00:00")))


def reading(server: Loopback, **some: object) -> ActionsAdapter:
    config = {**case.configured(server.url), **some}
    return ActionsAdapter("ci", ActionsSettings.model_validate(config))


def lines(
    script: Script, query: LogQuery = HOUR, **some: object
) -> tuple[list[str], list[LogBatch]]:
    with serving(script) as server:
        made = {name: str(value).replace("{url}", server.url) for name, value in some.items()}
        batches = list(reading(server, **made).logs(query))
    return [text for b in batches for text in b.frame.get_column("text")], batches


def answering(path: str, reply: Callable[[Asked], Reply]) -> Script:
    """As the case, but for one path below the repository."""

    def script(asked: Asked) -> Reply:
        if asked.path == f"{case.REPO}/{path}":
            return reply(asked)
        return case.actions(asked)

    return script


def zipped(entries: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize(
    "run",
    [
        "{url}/shop/checkout/actions/runs/7",
        "{url}/shop/checkout/actions/runs/7/attempts/2",
        "{url}/shop/checkout/actions/runs/7/job/71#step:4:12",
        "{url}/shop/checkout/actions/runs/7/attempts/2/jobs/71?pr=1",
    ],
)
def test_a_run_is_named_by_any_address_of_it(run):
    texts, batches = lines(case.actions, run_url=run)
    assert "Process completed with exit code 1." in texts
    assert batches[-1].url.endswith("/job/71")


@pytest.mark.parametrize(
    "run",
    [
        "https://evil.example/shop/checkout/actions/runs/7",
        "https://github.com/shop/checkout",
        "https://github.com/shop/../actions/runs/7",
        "https://github.com/a/b/c/actions/runs/7",
        "https://github.com/shop/checkout/actions/runs/x",
    ],
)
def test_an_address_that_is_no_run_is_refused_before_anything_is_asked(run):
    with pytest.raises(ValidationError, match="run_url must look like"):
        ActionsSettings(run_url=run)


def test_a_run_is_named_by_its_id():
    texts, _ = lines(case.actions, run_id=7)
    assert texts[-1] == "Process completed with exit code 1."


def test_a_named_run_says_when_it_ran():
    with serving(case.actions) as server:
        span = reading(server, run_id=7).span()
    assert span == Window(since=at("2026-11-20T09:59"), until=at("2026-11-20T11:00:06"))


def test_a_log_on_a_host_that_is_not_the_vendors_is_not_fetched():
    def elsewhere(_asked: Asked) -> Reply:
        return Reply("", 302, {"Location": "http://127.0.0.1:9/blob?sig=x"})

    with pytest.raises(AdapterError) as caught:
        lines(answering("actions/jobs/71/logs", elsewhere))
    assert caught.value.reason is Reason.BAD_RESPONSE
    assert "another host" in caught.value.detail


def test_the_credentials_of_the_interface_do_not_go_to_where_logs_are_kept():
    """Over a transport of our own: the host of logs has to be an https one."""
    seen: dict[str, str | None] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = request.headers.get("authorization")
        path = request.url.path
        if request.url.host != "api.github.com":
            return httpx.Response(200, content=case.LOG.encode())
        if path.endswith("/logs"):
            kept = "https://results.blob.core.windows.net/x?sig=signed"
            return httpx.Response(302, headers={"Location": kept})
        host = {"host": "api.github.com"}
        query = {name: [value] for name, value in request.url.params.items()}
        reply = case.actions(Asked("GET", f"/api/v3{path}", query, host, b""))
        return httpx.Response(reply.status, content=reply.body)

    settings = ActionsSettings.model_validate({"token": case.SECRET, "repo": "shop/checkout"})
    reader = ActionsAdapter("ci", settings)
    reader._http._client = httpx.Client(transport=httpx.MockTransport(answer))
    texts = [text for b in reader.logs(HOUR) for text in b.frame.get_column("text")]
    assert "Process completed with exit code 1." in texts
    assert seen["api.github.com"] == f"Bearer {case.SECRET}"
    assert seen["results.blob.core.windows.net"] is None


def test_a_log_that_is_gone_is_replaced_by_what_the_checks_say():
    def gone(_asked: Asked) -> Reply:
        return Reply("{}", 410)

    def noted(asked: Asked) -> Reply:
        if asked.path == f"{case.REPO}/check-runs/71/annotations":
            note = {
                "path": "app.py",
                "start_line": 3,
                "message": "no",
                "annotation_level": "failure",
            }
            return Reply(json.dumps([note]))
        return answering("actions/jobs/71/logs", gone)(asked)

    texts, batches = lines(noted, DAY)
    assert "app.py:3: no" in texts
    assert "has no logs" in batches[-1].notes[0]


def test_a_download_that_breaks_off_costs_only_its_job():
    def two(asked: Asked) -> Reply:
        base = f"http://{asked.headers['host']}{case.REPO}"
        jobs = [case.job(base, 72, name="lint"), case.job(base)]
        return Reply(json.dumps({"total_count": 2, "jobs": jobs}))

    def script(asked: Asked) -> Reply:
        if asked.path == f"{case.REPO}/actions/jobs/72/logs":
            return Reply("", 302, {"Location": f"http://{asked.headers['host']}/blob/72"})
        if asked.path == "/blob/72":
            return Reply("{}", 403)
        return answering("actions/runs/7/attempts/2/jobs", two)(asked)

    texts, batches = lines(script)
    assert "Process completed with exit code 1." in texts
    assert any("HTTP 403" in note for note in batches[-1].notes)


def test_all_jobs_come_from_the_archive_of_the_run():
    packed = zipped(
        {
            "0_test (3.11).txt": case.LOG,
            "test (3.11)/1_Set up job.txt": case.LOG,  # the same lines again, step by step
            "../../etc/passwd": "root",
        }
    )

    def script(asked: Asked) -> Reply:
        if asked.path == f"{case.REPO}/actions/runs/7/attempts/2/logs":
            return Reply("", 302, {"Location": f"http://{asked.headers['host']}/zip"})
        return Reply(packed) if asked.path == "/zip" else case.actions(asked)

    texts, batches = lines(script, run_id=7, jobs="all")
    assert texts.count("Process completed with exit code 1.") == 1
    assert batches[-1].url.endswith("/job/71")
    assert "root" not in texts


def test_what_is_no_archive_is_a_bad_response():
    def script(asked: Asked) -> Reply:
        if asked.path == f"{case.REPO}/actions/runs/7/attempts/2/logs":
            return Reply("", 302, {"Location": f"http://{asked.headers['host']}/zip"})
        return Reply("PK no") if asked.path == "/zip" else case.actions(asked)

    with pytest.raises(AdapterError) as caught:
        lines(script, run_id=7, jobs="all")
    assert caught.value.reason is Reason.BAD_RESPONSE


def test_an_archive_that_swells_is_left():
    with closing(Archive.of([zipped({"0_a.txt": "0" * (80 << 20)})])) as archive:
        size = sum(len(piece) for _, content in archive.entries() for piece in content)
    assert size < 80 << 20
    assert "unpacks to far more" in archive.notes[0]


def test_many_failed_runs_are_cut_and_it_is_said():
    def many(asked: Asked) -> Reply:
        base = f"http://{asked.headers['host']}{case.REPO}"
        runs = [case.run(base, number) for number in range(100, 140)]
        return Reply(json.dumps({"total_count": 40, "workflow_runs": runs}))

    def script(asked: Asked) -> Reply:
        if asked.path.endswith("/jobs"):
            return Reply(json.dumps({"total_count": 0, "jobs": []}))
        return answering("actions/runs", many)(asked)

    _, batches = lines(script)
    assert "only the newest 30 failed runs" in batches[-1].truncated


def test_recorded_jobs_of_a_run_are_read():
    script = pygithub(["WorkflowRun.test_jobs", "WorkflowRun.setUp"])

    def of_any_attempt(asked: Asked) -> Reply:
        plain = asked.path.replace("/attempts/1/", "/")
        return script(Asked(asked.method, plain, asked.query, asked.headers, asked.body))

    with serving(of_any_attempt) as server:
        reader = reading(server, repo="PyGithub/PyGithub", run_id=3881497935)
        span = reader.span()
        assert span is not None
        batches = list(reader.logs(LogQuery(window=span)))
    logs = [a.path for a in server.asked if a.path.endswith("/logs")]
    assert logs  # each job's log was asked for; the recording holds none of them
    assert "has no logs" in batches[-1].notes[0]
