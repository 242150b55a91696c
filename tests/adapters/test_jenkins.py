from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from adapters.jenkins import Adapter, BuildSettings, Settings
from adapters.kit.capabilities import EventQuery, LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Window
from tests.adapters.cases import jenkins as case
from tests.adapters.conformance import at
from tests.adapters.loopback import Asked, Loopback, Reply, serving


def reading(server: Loopback, **some: object) -> Adapter:
    return Adapter("ci", BuildSettings.model_validate({**case.configured(server.url), **some}))


def test_a_deploy_says_what_it_brought_and_from_where():
    with serving(case.jenkins) as server:
        (page,) = reading(server).deploys(EventQuery(window=case.WINDOW))
    newest = page.items[0]
    assert (newest.sha, newest.repo, newest.status) == ("b" * 40, "shop/checkout", "success")


def test_a_long_list_of_builds_is_read_in_ranges():
    builds = [case.build(300 - n, f"10:{59 - n // 4:02}:00") for n in range(230)]

    def script(asked: Asked) -> Reply:
        begin, end = (int(n) for n in asked.query["tree"][0].rpartition("{")[2][:-1].split(","))
        return Reply(json.dumps({"allBuilds": builds[begin:end]}))

    with serving(script) as server:
        (page,) = reading(server).deploys(EventQuery(window=case.WINDOW, limit=500))
    assert len(page.items) == len({d.version for d in page.items}) == 230
    assert len(server.asked) == 3


def test_a_build_is_named_by_its_address():
    with serving(case.jenkins) as server:
        run = f"{server.url}/ci/job/My%20Shop/job/checkout/6/console"
        adapter = reading(server, run_url=run, jobs=[])
        span = adapter.span()
        assert span == Window(since=at("2026-11-20T09:59"), until=at("2026-11-20T11:00:01"))
        texts = [t for b in adapter.logs(LogQuery(window=span)) for t in b.frame["text"]]
    assert texts[0] == "Build My Shop/checkout #6: failure"
    assert "+ pytest -q" in texts


def test_a_log_without_times_is_read_whole():
    def script(asked: Asked) -> Reply:
        plain = asked.path.endswith("/consoleText")
        return Reply("Started\nERROR: no\n") if plain else case.jenkins(asked)

    with serving(script) as server:
        batches = list(reading(server).logs(LogQuery(window=case.WINDOW)))
    assert [t for b in batches for t in b.frame["text"]] == ["Started", "no"]


@pytest.mark.parametrize(
    "run",
    [
        "https://evil.example/ci/job/a/1",
        "https://ci.example.org/job/..%2f/1",
        "https://ci.example.org/job/../1",
        "https://ci.example.org/job/a",
    ],
)
def test_an_address_that_is_no_build_is_refused(run):
    with pytest.raises(ValidationError, match="run_url must look like"):
        BuildSettings(url="https://ci.example.org", jobs=("a",), run_url=run)


@pytest.mark.parametrize("job", ["", "../x", "a//b", "a/./b"])
def test_a_job_that_is_no_name_is_refused(job):
    with pytest.raises(ValidationError):
        Settings(url="https://ci.example.org", jobs=(job,))


def test_the_name_of_a_job_cannot_leave_its_segments():
    seen = []

    def script(asked: Asked) -> Reply:
        seen.append(asked.path)
        return Reply('{"allBuilds": []}')

    with serving(script) as server:
        config = EventQuery(window=case.WINDOW)
        list(reading(server, jobs=["a?b#c/feature%2Fx/script;x"]).deploys(config))
    assert seen == ["/ci/job/a%3Fb%23c/job/feature%252Fx/job/script%3Bx/api/json"]


def test_the_check_tells_jenkins_from_anything_else():
    with serving(case.jenkins) as server:
        assert reading(server).check().version == "2.528.1"
    with serving(lambda _asked: Reply("{}")) as server, pytest.raises(AdapterError) as caught:
        reading(server).check()
    assert caught.value.reason is Reason.BAD_RESPONSE
