from __future__ import annotations

import base64
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.jira import Adapter, Settings, document, jql_string, phrase
from adapters.kit.capabilities import EventQuery
from adapters.kit.records import Window
from tests.adapters.cases import jira as case
from tests.adapters.conformance import at
from tests.adapters.languages import backslashed
from tests.adapters.loopback import Reply, in_turn, serving

HOUR = EventQuery(window=case.CASE.window, service="checkout")


def read(script, query=HOUR, **some: object):
    with serving(script) as server:
        config = {**case.configured(server.url), **some}
        return list(Adapter("jira", Settings.model_validate(config)).tickets(query)), server.asked


@given(st.text(max_size=60), st.text(max_size=60))
def test_services_and_texts_cannot_leave_their_literals(service, text):
    adapter = Adapter("jira", Settings(url="http://jira", token="t", projects=("OPS",)))
    jql = adapter._jql(EventQuery(window=HOUR.window, service=service, text=text))
    skeleton, literals = backslashed(jql)
    asked = sum(bool(one.strip()) for one in (service, text))
    times = "((created >= S AND created <= S) OR (updated >= S AND updated <= S))"
    searched = " AND text ~ S" * asked
    assert skeleton == f"project in (S) AND {times}{searched} ORDER BY created ASC, key ASC"
    for literal in literals[5:]:
        inside, words = backslashed(literal)
        assert inside == "S"
        assert len(words) == 1


@given(st.text(max_size=60))
def test_a_phrase_is_the_text_itself(text):
    _, (lucene,) = backslashed(phrase(text))
    _, (meant,) = backslashed(lucene)
    assert len(meant) == len(text)
    assert backslashed(jql_string(text))[0] == "S"


@pytest.mark.parametrize("key", ['OPS") OR project = "X', "", "1A", "A B"])
def test_a_project_that_is_no_key_is_refused(key):
    with pytest.raises(ValidationError, match="no key of a project"):
        Settings(url="http://jira", token="t", projects=(key,))


def test_cloud_gets_the_user_and_data_center_the_bearer():
    _, cloud = read(case.api)
    assert cloud[0].headers["authorization"] == (
        "Basic " + base64.b64encode(b"bot@example.com:jira-s3cr3t").decode()
    )
    empty = in_turn(Reply('{"issues": [], "total": 0}'))
    _, center = read(empty, edition="data-center", email="")
    assert center[0].headers["authorization"] == "Bearer jira-s3cr3t"
    assert center[0].path == "/rest/api/2/search"


def test_data_center_is_paged_by_place():
    def script(asked):
        start = json.loads(asked.body).get("startAt", 0)
        return Reply(json.dumps({"issues": case.ISSUES[start : start + 2], "total": 3}))

    pages, asked = read(script, edition="data-center")
    assert [ticket.key for page in pages for ticket in page.items] == ["OPS-1", "OPS-2"]
    assert [json.loads(one.body).get("startAt") for one in asked] == [None, 2]


def test_tokens_that_never_end_end_after_some_pages():
    count = iter(range(1000))

    def endless(_asked):
        number = next(count)
        some = [case.issue(f"OPS-{number}", "2026-11-20T10:20:00.000+0000")]
        return Reply(json.dumps({"issues": some, "nextPageToken": f"t{number}"}))

    pages, asked = read(endless)
    assert len(asked) == 20
    assert "Only the first 20 issues" in pages[-1].truncated


def test_a_document_is_read_as_text_however_deep_it_is():
    assert document(case.ISSUES[0]["fields"]["description"]) == "It is slow"  # type: ignore[index]
    assert document("h1. wiki") == "h1. wiki"
    assert document(None) == ""
    deep: dict[str, object] = {"type": "text", "text": "bottom"}
    for _ in range(50_000):
        deep = {"type": "doc", "content": [deep]}
    assert isinstance(document(deep), str)


def test_a_recorded_issue_of_data_center_is_read(shared_data):
    path = "contracts/jira/atlassian-python-api/tests/responses/jira/rest/api/2/issue/FOO-123/GET"
    text = (shared_data / path).read_text().partition(" = ")[2].partition("\nresponses")[0]
    recorded = yaml.safe_load(text)  # the recording has commas that JSON does not allow
    reply = Reply(json.dumps({"issues": [recorded], "total": 1}))
    window = Window(since=at("2000-01-01T00:00"), until=at("2030-01-01T00:00"))
    pages, _ = read(in_turn(reply), EventQuery(window=window), edition="data-center")
    (ticket,) = pages[0].items
    assert ticket.key == "FOO-123"
    assert ticket.url.endswith("/browse/FOO-123")
