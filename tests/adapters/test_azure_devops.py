from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.azure_devops import Adapter, BuildSettings, Settings
from adapters.kit.capabilities import CommitQuery, LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Commit, Window
from tests.adapters.cases import azure_devops as case
from tests.adapters.conformance import ask, at, made
from tests.adapters.loopback import Asked, Reply, Script, in_turn, serving
from tests.adapters.recorded import loaded

EXAMPLES = "azuredevops/vsts-examples/git/7.1/httpExamples/commits"


def changes(script: Script, query: CommitQuery) -> tuple[list[Commit], list[Asked]]:
    with serving(script) as server:
        adapter = Adapter("ado", Settings.model_validate(case.configured(server.url)))
        return [c for page in adapter.commits(query) for c in page.items], server.asked


def test_the_vendors_own_examples_are_read():
    listed = loaded(
        f"{EXAMPLES}/GET__git_repositories__repositoryId__commits_fromDate-_fromDate__toDate-_toDate_.json"
    )["responses"]["200"]["body"]
    whole = loaded(
        f"{EXAMPLES}/GET__git_repositories__repositoryId__commits__commitId__changeCount-10.json"
    )["responses"]["200"]["body"]

    def script(asked: Asked) -> Reply:
        return Reply(json.dumps(listed if asked.path.endswith("/commits") else whole))

    june = Window(since=at("2018-06-14T00:00"), until=at("2018-06-16T00:00"))
    items, _ = changes(script, CommitQuery(window=june, at_least=0))
    assert len(items) == listed["count"]
    assert all(item.committed_at in june and item.author for item in items)
    assert [file.path for file in items[0].files[:2]] == [".gitattributes", ".gitignore"]
    assert "MyWebSite" not in {file.path for file in items[0].files}  # a folder


def test_requests_are_those_of_the_published_description(tmp_path):
    """Swagger 2, which openapi-core does not read: paths and parameters are compared by hand."""
    known: dict[str, set[str]] = {}
    for name in ("git", "build"):
        spec = loaded(f"azuredevops/{name}-7.1-trimmed.json")
        for path, verbs in spec["paths"].items():
            named = (p.get("name", "") for p in verbs.get("get", {}).get("parameters", []))
            known[re.sub(r"\{[^}]+\}", "[^/]+", path)] = {*named, "api-version"}
    for one in case.CASES:
        with made(one, tmp_path) as world:
            from tests.adapters.test_conformance import build

            ask(one, build(world), one.window)
            assert world.server is not None
            for asked in world.server.asked:
                path = asked.path.removesuffix("/timeline") + (
                    "/timeline/x" if asked.path.endswith("/timeline") else ""
                )
                (names,) = [n for p, n in known.items() if re.fullmatch(p, path)]
                searched = {n for n in asked.query if n.startswith("searchCriteria.")}
                assert set(asked.query) - searched <= names  # the trimmed file lacks the criteria


@pytest.mark.parametrize(
    "reply",
    [
        Reply("<html><title>Azure DevOps Services | Sign In</title>", 203),
        Reply("", 302, {"Location": "https://spsprodweu1.vssps.visualstudio.com/_signin"}),
        Reply("{}", 401),
    ],
)
def test_a_token_that_has_expired_is_told_from_data(reply):
    """https://learn.microsoft.com/en-us/azure/devops/integrate/get-started/authentication: 203 or a redirect."""
    with pytest.raises(AdapterError) as caught:
        changes(in_turn(reply), CommitQuery(window=case.WINDOW))
    assert caught.value.reason is Reason.AUTH


def test_the_token_is_the_password_of_nobody():
    _, asked = changes(case.azure, CommitQuery(window=case.WINDOW, at_least=0))
    assert {a.headers["authorization"].partition(" ")[0] for a in asked} == {"Basic"}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seconds=st.lists(st.integers(-60, 60), min_size=95, max_size=205))
def test_ties_at_page_borders_are_neither_lost_nor_doubled(seconds):
    begin = datetime(2026, 11, 20, 10, tzinfo=UTC)
    times = sorted((begin + timedelta(seconds=second) for second in seconds), reverse=True)
    known = [case.commit(f"{n:040x}", "t", t.isoformat()) for n, t in enumerate(times)]

    def script(asked: Asked) -> Reply:
        last = asked.path.rpartition("/")[2]
        if last != "commits":
            return Reply(json.dumps({**known[int(last, 16)], "parents": [], "changes": []}))
        skip = int(asked.query["searchCriteria.$skip"][0])
        return Reply(json.dumps({"value": known[skip : skip + 100]}))

    window = Window(since=begin, until=begin + timedelta(seconds=6))
    items, _ = changes(script, CommitQuery(window=window, at_least=0))
    assert [i.sha for i in items] == [f"{n:040x}" for n, t in enumerate(times) if t in window]


def test_builds_whose_pages_never_end_are_left():
    with serving(in_turn(Reply('{"value": []}', headers={"x-ms-continuationtoken": "again"}))) as s:
        adapter = Adapter("ado", Settings.model_validate(case.configured(s.url)))
        with pytest.raises(AdapterError) as caught:
            list(adapter.logs(LogQuery(window=case.WINDOW)))
    assert caught.value.reason is Reason.BAD_RESPONSE


def test_a_build_is_named_by_its_address():
    with serving(case.azure) as server:
        run = f"{server.url}/fabrikam/My%20Shop/_build/results?buildId=7&view=logs"
        adapter = Adapter(
            "ado", BuildSettings.model_validate({**case.configured(server.url), "run_url": run})
        )
        span = adapter.span()
        assert span is not None
        texts = [t for b in adapter.logs(LogQuery(window=span)) for t in b.frame["text"]]
    assert texts[:2] == ["Bash exited", "Starting: pytest"]


def test_an_address_that_is_no_build_is_refused():
    with pytest.raises(ValidationError, match="run_url must look like"):
        BuildSettings(project="shop", run_url="https://evil.example/x/_build/results?buildId=7")


def test_names_cannot_leave_their_segment():
    seen = []

    def script(asked: Asked) -> Reply:
        seen.append(asked.path)
        return Reply('{"value": []}')

    with serving(script) as server:
        config = {**case.configured(server.url), "project": "a/../b?c", "repo": ["x/../y#z"]}
        list(
            Adapter("ado", Settings.model_validate(config)).commits(CommitQuery(window=case.WINDOW))
        )
    assert set(seen) == {"/fabrikam/a%2F..%2Fb%3Fc/_apis/git/repositories/x%2F..%2Fy%23z/commits"}
