from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest
from pydantic import ValidationError

from adapters.github import ActionsSettings, Adapter, Settings
from adapters.github.connection import reset
from adapters.kit.capabilities import CommitQuery, EventQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import Commit, Window
from tests.adapters.cases import github as case
from tests.adapters.cases import github_actions
from tests.adapters.conformance import ask, at, made
from tests.adapters.loopback import Asked, Loopback, Reply, Script, in_turn, serving
from tests.adapters.recorded import loaded, pygithub

HOUR = Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00"))


def reading(server: Loopback, **some: object) -> Adapter:
    return Adapter("gh", Settings.model_validate({**case.configured(server.url), **some}))


def changes(
    script: Script, query: CommitQuery, **some: object
) -> tuple[list[Commit], str, list[Asked]]:
    with serving(script) as server:
        pages = list(reading(server, **some).commits(query))
        items = [commit for page in pages for commit in page.items]
        return items, "; ".join(p.truncated for p in pages if p.truncated), server.asked


def test_a_change_has_its_files_with_their_hunks():
    items, _, _ = changes(case.github, CommitQuery(window=HOUR, at_least=0))
    edited, renamed = items[0].files
    assert (edited.path, edited.added, edited.removed) == ("app.py", 1, 1)
    assert edited.patch == "@@ -1 +1 @@ def charge\n-a = 1\n+a = 2"
    assert (renamed.path, renamed.old_path, renamed.status) == ("new.py", "old.py", "renamed")


def test_the_newest_changes_come_whatever_their_age():
    quiet = Window(since=at("2026-11-21T10:00"), until=at("2026-11-21T11:00"))
    items, _, _ = changes(case.github, CommitQuery(window=quiet, at_least=3))
    assert [item.title for item in items] == ["On the border", "Change one", "Begin it all"]


def test_a_change_whose_files_cannot_be_read_is_shown_without_them():
    def script(asked: Asked) -> Reply:
        return Reply("{}", 404) if "/commits/" in asked.path else case.github(asked)

    items, cut, _ = changes(script, CommitQuery(window=HOUR, at_least=0))
    assert [item.files_truncated for item in items] == [True, True]
    assert "could not be read" in cut


@pytest.mark.parametrize(
    "head", ["../../../user", "a..b", "-x", "a b", "x?y", "a\nb", "@{1}", "/x"]
)
def test_a_head_that_is_no_name_is_not_asked_for(head):
    with serving(case.github) as server, pytest.raises(AdapterError) as caught:
        list(reading(server).commits(CommitQuery(window=HOUR, head=head)))
    assert caught.value.reason is Reason.BAD_REQUEST
    assert not server.asked


@pytest.mark.parametrize("repo", ["../..", "a/..", "a/b/c", "a", "a/b?x", "a/b#", "a/ b"])
def test_a_repository_that_is_no_name_is_refused(repo):
    with pytest.raises(ValidationError):
        Settings(repo=(repo,))


def test_without_configured_repositories_the_question_names_one():
    items, _, _ = changes(
        case.github, CommitQuery(window=HOUR, at_least=0, repo="shop/checkout"), repo=[]
    )
    assert len(items) == 2


def test_another_repository_than_the_configured_is_not_asked():
    items, _, asked = changes(case.github, CommitQuery(window=HOUR, repo="shop/other"))
    assert (items, asked) == ([], [])


def test_a_used_up_limit_is_no_refusal():
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
    with serving(in_turn(Reply("{}", 403, spent))) as server, pytest.raises(AdapterError) as caught:
        list(reading(server).commits(CommitQuery(window=HOUR)))
    assert caught.value.reason is Reason.RATE_LIMITED
    assert len(server.asked) == 3


def test_the_reset_counts_only_when_nothing_remains():
    import httpx

    gone = httpx.Headers({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1100"})
    assert reset(gone, 1000.0) == 100
    assert reset(httpx.Headers({"x-ratelimit-remaining": "9"}), 1000.0) is None


def test_a_refusal_says_what_to_grant():
    with serving(in_turn(Reply("{}", 403))) as server, pytest.raises(AdapterError) as caught:
        list(reading(server).commits(CommitQuery(window=HOUR)))
    assert "Contents" in caught.value.detail


def test_pages_that_lead_to_another_host_are_not_followed():
    def script(asked: Asked) -> Reply:
        page = json.dumps([case.commit("", "a" * 40, "x", "2026-11-20T10:00:00Z", [])])
        return Reply(page, headers={"Link": '<https://evil.example/x>; rel="next"'})

    with serving(script) as server, pytest.raises(AdapterError) as caught:
        list(reading(server).commits(CommitQuery(window=HOUR)))
    assert caught.value.reason is Reason.BAD_RESPONSE


def test_pages_that_never_end_end():
    def script(asked: Asked) -> Reply:
        base = f"http://{asked.headers['host']}{asked.path}"
        number = int(asked.query.get("page", ["1"])[0]) + 1
        page = json.dumps([case.commit("", "a" * 40, "x", "2020-11-20T10:00:00Z", [])] * 100)
        return Reply(page, headers={"Link": f'<{base}?page={number}>; rel="next"'})

    items, cut, asked = changes(script, CommitQuery(window=HOUR, at_least=0))
    assert (items, cut) == ([], "only 5,000 changes were looked at")
    assert len(asked) == 51


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seconds=st.lists(st.integers(-2, 62), min_size=1, max_size=12),
    size=st.integers(1, 4),
    at_least=st.integers(0, 5),
)
def test_ties_at_page_borders_are_neither_lost_nor_doubled(seconds, size, at_least):
    """A generated history, with equal times on both sides of page borders."""
    begin = datetime(2026, 11, 20, 10, tzinfo=UTC)
    times = sorted((begin + timedelta(seconds=second) for second in seconds), reverse=True)
    shas = [f"{number:040x}" for number in range(len(times))]

    def script(asked: Asked) -> Reply:
        base = f"http://{asked.headers['host']}{case.REPO}"
        stamped = [t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in times]
        known = [case.commit(base, s, s, t, []) for s, t in zip(shas, stamped, strict=True)]
        last = asked.path.rpartition("/")[2]
        if last != "commits":
            return Reply(json.dumps({**known[shas.index(last)], "files": []}))
        since, until = (asked.query.get(name, [""])[0] for name in ("since", "until"))
        listed = [
            one
            for one, t in zip(known, stamped, strict=True)
            if (not since or t >= since) and (not until or t <= until)
        ]
        start = int(asked.query.get("from", ["0"])[0])
        query = f"since={since}&until={until}&from={start + size}"
        more = {"Link": f'<{base}/commits?{query}>; rel="next"'}
        part = listed[start : start + size]
        return Reply(json.dumps(part), headers=more if start + size < len(listed) else {})

    window = Window(since=begin, until=begin + timedelta(seconds=60))
    items, _, _ = changes(script, CommitQuery(window=window, at_least=at_least))
    wanted = [
        sha
        for number, (sha, t) in enumerate(zip(shas, times, strict=True))
        if t in window or number < at_least
    ]
    assert [item.sha for item in items] == wanted


def test_comparisons_list_what_the_base_does_not_have():
    with serving(pygithub(["Repository.testCompare"])) as server:
        reader = reading(server, repo="PyGithub/PyGithub")
        items = [c for page in reader.compare("", "v0.6", "v0.7") for c in page.items]
    assert len(items) > 1
    assert items[0].committed_at >= items[-1].committed_at
    assert server.asked[0].path.endswith("/compare/v0.6...v0.7")


def test_recorded_history_is_read_over_its_page_border():
    march = Window(since=at("2013-03-01T00:00"), until=at("2013-03-31T00:00"))
    script = pygithub(["Repository.testGetCommitsWithSinceUntil"])
    query = CommitQuery(window=march, at_least=0)
    items, cut, asked = changes(script, query, repo="PyGithub/PyGithub")
    paths = [one.path.removeprefix("/api/v3") for one in asked]
    assert "/repositories/3544490/commits" in paths
    assert len(items) == len({item.sha for item in items}) > 30
    assert all(item.committed_at in march and len(item.parents) < 2 for item in items)
    assert "could not be read" in cut  # the recording holds no single commits


def test_recorded_deployments_become_deploys():
    script = pygithub(["Repository.testGetDeployments"])
    ever = Window(since=at("2010-01-01T00:00"), until=at("2026-01-01T00:00"))
    with serving(script) as server:
        reader = reading(server, repo="PyGithub/PyGithub", releases=False)
        (page,) = reader.deploys(EventQuery(window=ever))
    assert page.items
    assert {d.service for d in page.items} == {"PyGithub"}
    assert all(len(d.sha) == 40 and d.environment for d in page.items)


def test_recorded_pull_requests_of_a_commit():
    sha = "e44d11d565c022496544dd6ed1f19a8d718c2b0c"
    with serving(pygithub(["Commit.testGetPulls"])) as server:
        found = reading(server, repo="mawkee/PyGithub").requests_of("", sha)
    assert found
    assert found[0].key.startswith("#")
    assert found[0].url.startswith("http")


def test_an_app_signs_in_with_a_token_that_it_asks_for_once():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    def script(asked: Asked) -> Reply:
        if asked.method == "POST":
            until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return Reply(json.dumps({"token": "ghs_fresh", "expires_at": until}), 201)
        return case.github(asked)

    app = {"token": None, "app_id": "12", "installation_id": 34, "private_key": key.decode()}
    items, _, asked = changes(script, CommitQuery(window=HOUR, at_least=0), **app)
    assert len(items) == 2
    exchanged = [one for one in asked if one.method == "POST"]
    assert [one.path for one in exchanged] == ["/api/v3/app/installations/34/access_tokens"]
    assert {one.headers["authorization"] for one in asked if one.method == "GET"} == {
        "Bearer ghs_fresh"
    }


def test_requests_are_those_of_the_published_description(tmp_path):
    """But for `created`: it is a range, as the documentation says, which the description calls a moment."""
    openapi = OpenAPI.from_dict(
        loaded("github/openapi-trimmed.json"),
        config=Config(spec_validator_cls=None),  # type: ignore[arg-type]
    )
    asked: list[Asked] = []
    for one in (*case.CASES, github_actions.CASE):
        with made(one, tmp_path) as world:
            from tests.adapters.test_conformance import build

            ask(one, build(world), one.window)
            assert world.server is not None
            asked += [a for a in world.server.asked if a.path.startswith("/api/v3")]
    assert len(asked) > 10
    for a in asked:
        args = {name: values[0] for name, values in a.query.items() if name != "created"}
        path = a.path.removeprefix("/api/v3")
        if path.endswith("/logs"):  # not part of the trimmed description for single jobs
            continue
        openapi.validate_request(MockRequest("https://api.github.com", "get", path, args=args))


@pytest.mark.parametrize(
    ("given_url", "url", "web"),
    [
        ("https://github.com", "https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://api.github.com", "https://github.com"),
        ("https://ghe.example.org", "https://ghe.example.org/api/v3", "https://ghe.example.org"),
        ("https://api.shop.ghe.com", "https://api.shop.ghe.com", "https://shop.ghe.com"),
    ],
)
def test_addresses_of_people_and_of_programs_are_told_apart(given_url, url, web):
    made_of = ActionsSettings(url=given_url)
    assert (made_of.url, made_of.web) == (url, web)


def test_the_check_names_the_missing_permission():
    def script(asked: Asked) -> Reply:
        return Reply("{}", 403) if asked.path.endswith("/pulls") else case.github(asked)

    with serving(script) as server:
        check = reading(server).check()
    assert check.ok
    assert check.missing == ("Pull requests: read",)
    assert check.clock_skew_s is not None
