from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.bitbucket import Adapter, Settings
from adapters.kit.capabilities import CommitQuery, EventQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Commit, Window
from tests.adapters.cases import bitbucket as case
from tests.adapters.conformance import at
from tests.adapters.loopback import Asked, Reply, Script, serving
from tests.adapters.recorded import contract

EVER = Window(since=at("2000-01-01T00:00"), until=at("2026-01-01T00:00"))


def changes(
    script: Script, query: CommitQuery, *, cloud: bool = True, **some: object
) -> tuple[list[Commit], list[Asked]]:
    with serving(script) as server:
        config = (case.in_the_cloud if cloud else case.on_our_own)(server.url)
        adapter = Adapter("bb", Settings.model_validate({**config, **some}))
        return [c for page in adapter.commits(query) for c in page.items], server.asked


def recorded(folder: str, **by_path: str) -> Script:
    """Recorded answers by the last part of the path, without their further pages."""

    def script(asked: Asked) -> Reply:
        name = by_path.get(asked.path.rpartition("/")[2])
        if name is None:
            return Reply("{}", 404)
        known = json.loads(contract(f"bitbucket/go-scm/{folder}/testdata/{name}").read_bytes())
        known.pop("next", None)
        return Reply(json.dumps(known))

    return script


def test_a_change_in_the_cloud_has_its_hunks():
    (newest, _), _ = changes(case.cloud, CommitQuery(window=case.WINDOW, at_least=0))
    (file,) = newest.files
    assert (file.path, file.added, file.removed) == ("app.py", 1, 1)
    assert file.patch == "@@ -1 +1 @@ def charge\n-a = 1\n+a = 2"
    assert newest.author == "Ann"


def test_a_change_of_a_data_center_has_its_hunks():
    query = CommitQuery(window=case.WINDOW, at_least=0)
    (newest, _), _ = changes(case.data_center, query, cloud=False)
    assert newest.files[0].patch == "@@ -1,1 +1,1 @@\n-a = 1\n+a = 2"


def test_recorded_history_of_the_cloud_is_read():
    query = CommitQuery(window=EVER, at_least=0, patches=False)
    items, _ = changes(recorded("bitbucket", commits="commits.json"), query)
    assert items
    assert all(len(i.sha) == 40 and i.title and i.files_truncated for i in items)


def test_recorded_statistics_become_files():
    known = contract("bitbucket/go-scm/bitbucket/testdata/diffstat.json").read_bytes()

    def script(asked: Asked) -> Reply:
        return Reply(known) if "/diffstat/" in asked.path else case.cloud(asked)

    items, _ = changes(script, CommitQuery(window=case.WINDOW, at_least=0, patches=False))
    edited, renamed = items[0].files[:2]
    assert (edited.path, edited.added, edited.status) == ("CONTRIBUTING.md", 15, "modified")
    assert (renamed.old_path, renamed.status) == ("old-folder/CONTRIBUTING.md", "renamed")


def test_recorded_history_of_a_data_center_is_read():
    query = CommitQuery(window=EVER, at_least=0)
    items, _ = changes(recorded("stash", commits="commits.json"), query, cloud=False)
    assert items[0].title == "update files"
    assert items[0].committed_at == datetime(2018, 7, 4, 16, 1, 42, tzinfo=UTC)


def test_a_branch_with_a_slash_is_a_parameter():
    _, asked = changes(case.cloud, CommitQuery(window=case.WINDOW, at_least=0, head="feature/x"))
    assert asked[0].path == f"{case.REPO}/commits"
    assert asked[0].query["include"] == ["feature/x"]


def test_a_next_page_on_another_host_is_not_followed():
    def script(_asked: Asked) -> Reply:
        return Reply(json.dumps({"values": [], "next": "https://evil.example/2.0/x"}))

    with pytest.raises(AdapterError) as caught:
        changes(script, CommitQuery(window=case.WINDOW))
    assert caught.value.reason is Reason.BAD_RESPONSE


def test_pages_that_never_end_are_left():
    def script(_asked: Asked) -> Reply:
        return Reply(json.dumps({"values": [], "isLastPage": False, "nextPageStart": 0}))

    with pytest.raises(AdapterError) as caught:
        changes(script, CommitQuery(window=case.WINDOW), cloud=False)
    assert caught.value.reason is Reason.BAD_RESPONSE


def test_a_data_center_says_that_it_lists_no_deployments():
    adapter = Adapter("bb", Settings(url="https://git.example.org", repo=("SHOP/checkout",)))
    with pytest.raises(AdapterError, match="cannot list deployments"):
        list(adapter.deploys(EventQuery(window=case.WINDOW)))


def test_an_api_token_goes_with_the_accounts_address():
    _, asked = changes(
        case.cloud, CommitQuery(window=case.WINDOW, at_least=0), username="ann@example.org"
    )
    assert {a.headers["authorization"].partition(" ")[0] for a in asked} == {"Basic"}


@pytest.mark.parametrize("repo", ["a", "../b", "a/..", "a/b/c", "a/b?x", "a/%2e%2e"])
def test_a_repository_that_is_no_name_is_refused(repo):
    with pytest.raises(ValidationError):
        Settings(repo=(repo,))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seconds=st.lists(st.integers(-9, 9), min_size=1, max_size=12), size=st.integers(1, 4))
def test_ties_at_page_borders_are_neither_lost_nor_doubled(seconds, size):
    begin = datetime(2026, 11, 20, 10, tzinfo=UTC)
    times = sorted((begin + timedelta(seconds=second) for second in seconds), reverse=True)

    def script(asked: Asked) -> Reply:
        if asked.path.endswith("/diff"):
            return Reply('{"diffs": []}')
        start = int(asked.query.get("start", ["0"])[0])
        known = [
            {
                "id": f"{n:040x}",
                "message": "t",
                "committerTimestamp": int(t.timestamp() * 1000),
                "parents": [],
            }
            for n, t in enumerate(times)
        ]
        following = {"isLastPage": start + size >= len(known), "nextPageStart": start + size}
        return Reply(json.dumps({"values": known[start : start + size], **following}))

    window = Window(since=begin, until=begin + timedelta(seconds=6))
    items, _ = changes(script, CommitQuery(window=window, at_least=0), cloud=False)
    assert [i.sha for i in items] == [f"{n:040x}" for n, t in enumerate(times) if t in window]
