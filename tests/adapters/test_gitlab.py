from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.gitlab import Adapter, JobAdapter, JobSettings, Settings
from adapters.kit.capabilities import CommitQuery, LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Commit, Window
from tests.adapters.cases import gitlab as case
from tests.adapters.conformance import at
from tests.adapters.loopback import Asked, Reply, Script, in_turn, serving
from tests.adapters.recorded import contract

HOUR = case.WINDOW
DATA = "gitlab/go-scm/gitlab/testdata"


def changes(script: Script, query: CommitQuery) -> tuple[list[Commit], list[Asked]]:
    with serving(script) as server:
        adapter = Adapter("gl", Settings.model_validate(case.configured(server.url)))
        return [c for page in adapter.commits(query) for c in page.items], server.asked


def recorded(**by_path: str) -> Script:
    """Recorded answers by the last part of the path."""

    def script(asked: Asked) -> Reply:
        name = by_path.get(asked.path.rpartition("/")[2])
        return Reply(contract(f"{DATA}/{name}").read_bytes()) if name else Reply("{}", 404)

    return script


def test_recorded_changes_have_their_files():
    year = Window(since=at("2012-01-01T00:00"), until=at("2013-01-01T00:00"))
    script = recorded(commits="commits.json", diff="commit_diff.json")
    (found,), _ = changes(script, CommitQuery(window=year, at_least=0))
    assert (found.title, found.author) == ("Sanitize for network graph", "randx")
    assert found.committed_at == at("2012-06-28T10:44:20")
    (file,) = found.files
    assert (file.path, file.status, file.added, file.removed) == (
        "doc/update/5.4-to-6.0.md",
        "added",
        2,
        0,
    )
    assert file.patch.startswith("@@ -71,6 +71,8 @@")


def test_recorded_comparisons_and_requests():
    with serving(recorded(compare="compare.json", merge_requests="merges.json")) as server:
        adapter = Adapter("gl", Settings.model_validate(case.configured(server.url)))
        compared = [c for page in adapter.compare("", "v1", "v2") for c in page.items]
        (request,) = adapter.requests_of("", "6104942438c14ec7bd21c6cd5bd995272b3faff6")
    assert [c.title for c in compared] == ["Sanitize for network graph"]
    assert (request.key, request.title, request.state) == ("!1", "JS fix", "closed")


def test_a_project_is_one_segment_quoted_once():
    _, asked = changes(case.gitlab, CommitQuery(window=HOUR, at_least=0))
    assert asked[0].path == "/api/v4/projects/shop%2Fback%2Fcheckout/repository/commits"


@settings(max_examples=30, deadline=None)
@given(head=st.text(min_size=1, max_size=30))
def test_a_head_stays_in_its_parameter(head):
    seen: list[Asked] = []

    def script(asked: Asked) -> Reply:
        seen.append(asked)
        return Reply("[]")

    with suppress(AdapterError):  # it is no name: then nothing was asked
        changes(script, CommitQuery(window=HOUR, at_least=0, head=head))
    assert {a.path for a in seen} <= {f"{case.PROJECT}/repository/commits"}
    for asked in seen:
        assert set(asked.query) <= {"ref_name", "since", "until", "per_page"}
        assert asked.query.get("ref_name", [""]) == [head.strip()]


@pytest.mark.parametrize("repo", ["shop", "a/../b", "a//b", "a/b?x", "a/b c#"])
def test_a_project_that_is_no_name_is_refused(repo):
    with pytest.raises(ValidationError):
        Settings(repo=(repo,))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seconds=st.lists(st.integers(-2, 62), min_size=1, max_size=12), size=st.integers(1, 4))
def test_ties_at_page_borders_are_neither_lost_nor_doubled(seconds, size):
    begin = datetime(2026, 11, 20, 10, tzinfo=UTC)
    times = sorted((begin + timedelta(seconds=second) for second in seconds), reverse=True)

    def script(asked: Asked) -> Reply:
        if asked.path.endswith("/diff"):
            return Reply("[]")
        known = [case.commit(f"{n:040x}", "t", t.isoformat(), []) for n, t in enumerate(times)]
        start = int(asked.query.get("from", ["0"])[0])
        base = f"http://{asked.headers['host']}{asked.path}"
        more = {"Link": f'<{base}?from={start + size}>; rel="next"'}
        last = start + size >= len(known)
        return Reply(json.dumps(known[start : start + size]), headers={} if last else more)

    window = Window(since=begin, until=begin + timedelta(seconds=60))
    items, _ = changes(script, CommitQuery(window=window, at_least=0))
    assert [i.sha for i in items] == [f"{n:040x}" for n, t in enumerate(times) if t in window]


def test_pages_that_never_end_are_left():
    def script(asked: Asked) -> Reply:
        base = f"http://{asked.headers['host']}{asked.path}"
        number = int(asked.query.get("page", ["1"])[0]) + 1
        return Reply("[]", headers={"Link": f'<{base}?page={number}>; rel="next"'})

    with pytest.raises(AdapterError) as caught:
        changes(script, CommitQuery(window=HOUR, at_least=0))
    assert caught.value.reason is Reason.BAD_RESPONSE


def test_a_used_up_limit_waits_for_its_reset_and_is_told():
    limit = {"RateLimit-Remaining": "0", "RateLimit-Reset": "1"}
    with pytest.raises(AdapterError) as caught:
        changes(in_turn(Reply("{}", 429, limit)), CommitQuery(window=HOUR))
    assert caught.value.reason is Reason.RATE_LIMITED


def test_a_job_is_named_by_its_address_and_says_when_it_ran():
    with serving(case.gitlab) as server:
        config = {**case.configured(server.url), "repo": []}
        run = f"{server.url}/shop/back/checkout/-/jobs/71"
        adapter = JobAdapter("gl", JobSettings.model_validate({**config, "run_url": run}))
        span = adapter.span()
        assert span == Window(since=at("2026-11-20T09:59"), until=at("2026-11-20T11:00:02"))
        texts = [t for b in adapter.logs(LogQuery(window=span)) for t in b.frame["text"]]
    assert texts[0] == "Job “pytest” of stage “test”: script failure"
    assert "Job failed: exit code 1" in texts


@pytest.mark.parametrize("run", ["https://evil.example/a/b/-/jobs/1", "https://gitlab.com/a/b"])
def test_an_address_that_is_no_job_is_refused(run):
    with pytest.raises(ValidationError, match="run_url must look like"):
        JobSettings(run_url=run)


def test_the_check_names_what_it_may_not_read():
    def script(asked: Asked) -> Reply:
        if asked.path == "/api/v4/version":
            return Reply('{"version": "18.5.0"}')
        return Reply("{}", 403) if asked.path.endswith("/jobs") else case.gitlab(asked)

    with serving(script) as server:
        check = Adapter("gl", Settings.model_validate(case.configured(server.url))).check()
    assert (check.version, check.missing) == ("18.5.0", ("jobs of shop/back/checkout",))
