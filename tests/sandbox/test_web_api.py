"""Calls that Slack takes and calls that it refuses, through the unmodified SDK."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import DriverError, LocalSlack
from bot.sandbox.methods import METHODS

ALERTS, GENERAL, ARCHIVED, PRIVATE = "C0ALERTS0", "C0GENERAL", "C0ARCHIVE", "G0PRIVATE"


async def refusal(client: AsyncWebClient, method: str, **arguments) -> str:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=arguments)
    return str(refused.value.response["error"])


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": PRIVATE, "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": GENERAL, "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": ARCHIVED, "text": "x"}, "is_archived"),
        ("chat.postMessage", {"channel": ALERTS}, "no_text"),
        ("chat.postMessage", {"channel": ALERTS, "text": "  "}, "no_text"),
        ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
        (
            "chat.postMessage",
            {"channel": ALERTS, "markdown_text": "x", "text": "y"},
            "markdown_text_conflict",
        ),
        ("chat.postMessage", {"channel": ALERTS, "markdown_text": "x" * 12_001}, "msg_too_long"),
        (
            "chat.postMessage",
            {"channel": ALERTS, "text": "x", "blocks": "{"},
            "invalid_blocks_format",
        ),
        (
            "chat.postMessage",
            {"channel": ALERTS, "attachments": [{}] * 101},
            "too_many_attachments",
        ),
        (
            "chat.postMessage",
            {"channel": ALERTS, "text": "x", "metadata": "no"},
            "invalid_metadata_format",
        ),
        ("chat.update", {"channel": ALERTS, "ts": "1.000000", "text": "x"}, "message_not_found"),
        (
            "chat.postEphemeral",
            {"channel": ALERTS, "user": "U0NOBODY", "text": "x"},
            "user_not_in_channel",
        ),
        ("chat.getPermalink", {"channel": ALERTS, "message_ts": "1.000000"}, "message_not_found"),
        ("conversations.history", {"channel": GENERAL}, "not_in_channel"),
        ("conversations.history", {"channel": ALERTS, "oldest": "yesterday"}, "invalid_ts_oldest"),
        ("conversations.replies", {"channel": ALERTS, "ts": "1.000000"}, "thread_not_found"),
        ("conversations.join", {"channel": ARCHIVED}, "is_archived"),
        ("conversations.list", {"types": "all"}, "invalid_types"),
        ("conversations.list", {"cursor": "!"}, "invalid_cursor"),
        ("conversations.open", {}, "users_list_not_supplied"),
        (
            "reactions.add",
            {"channel": ALERTS, "timestamp": "1.0", "name": "eyes"},
            "message_not_found",
        ),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("users.lookupByEmail", {"email": "a@example.com"}, "missing_scope"),
        ("views.open", {"trigger_id": "1.2.3", "view": {"type": "modal"}}, "invalid_trigger_id"),
        (
            "views.publish",
            {"user_id": "U0NOBODY", "view": {"type": "home", "blocks": []}},
            "user_not_found",
        ),
        ("files.getUploadURLExternal", {"filename": "x", "length": "0"}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": [{"id": "F0"}]}, "file_not_found"),
        ("files.info", {"file": "F0"}, "file_not_found"),
        (
            "agents.sessions.setStatus",
            {"channel_id": ALERTS, "status": "processing"},
            "thread_ts_required",
        ),
        (
            "agents.sessions.setStatus",
            {"channel_id": ALERTS, "thread_ts": "1.0", "status": "?"},
            "invalid_status",
        ),
        ("agents.sessions.rename", {"channel_id": ALERTS, "title": "x"}, "session_not_found"),
        (
            "functions.completeError",
            {"function_execution_id": "Fx", "error": "x"},
            "function_execution_not_found",
        ),
        ("apps.connections.open", {}, "not_allowed_token_type"),
        ("rtm.start", {}, "unknown_method"),
    ],
)
async def test_a_call_that_slack_refuses_is_refused(client, method, arguments, error) -> None:
    assert await refusal(client, method, **arguments) == error


async def test_tokens_are_told_apart(slack: LocalSlack) -> None:
    for token, error in (
        ("", "not_authed"),
        ("xoxb-other", "invalid_auth"),
        (slack.app_token, "not_allowed_token_type"),
    ):
        stranger = AsyncWebClient(token=token, base_url=slack.base_url)
        assert await refusal(stranger, "auth.test") == error


async def test_a_message_is_posted_edited_and_deleted(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postMessage(channel="#alerts", text="a & <b>"))["ts"]
    assert slack.messages("#alerts")[0]["text"] == "a &amp; &lt;b&gt;"
    await client.chat_update(channel=ALERTS, ts=ts, text="changed")
    (message,) = slack.messages("#alerts")
    assert (message["text"], message["edited"]["user"]) == ("changed", slack.bot_user_id)
    await client.chat_delete(channel=ALERTS, ts=ts)
    assert slack.messages("#alerts") == []


async def test_a_deleted_root_with_replies_leaves_a_tombstone(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postMessage(channel=ALERTS, text="root"))["ts"]
    await slack.post("#alerts", "reply", thread_ts=ts)
    await client.chat_delete(channel=ALERTS, ts=ts)
    assert [one.get("subtype") for one in slack.messages("#alerts", ts)] == ["tombstone", None]


async def test_only_ones_own_messages_can_be_changed(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    ts = await slack.post("#alerts", "mine")
    assert (
        await refusal(client, "chat.update", channel=ALERTS, ts=ts, text="x")
        == "cant_update_message"
    )
    assert await refusal(client, "chat.delete", channel=ALERTS, ts=ts) == "cant_delete_message"


async def test_an_update_is_shorter_than_a_post(slack: LocalSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=ALERTS, text="x" * 50_000)
    assert posted["warning"] == "message_truncated"
    assert len(slack.messages("#alerts")[0]["text"]) == 40_000
    assert (
        await refusal(client, "chat.update", channel=ALERTS, ts=posted["ts"], text="x" * 4_001)
        == "msg_too_long"
    )


async def test_a_reply_to_a_reply_joins_the_thread_of_the_root(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    root = await slack.post("#alerts", "root")
    reply = await slack.post("#alerts", "reply", thread_ts=root)
    await client.chat_postMessage(channel=ALERTS, text="deeper", thread_ts=reply)
    answer = await client.conversations_replies(channel=ALERTS, ts=root)
    assert [one["text"] for one in answer["messages"]] == ["root", "reply", "deeper"]
    assert answer["messages"][0]["reply_count"] == 2


async def test_history_comes_newest_first_and_in_pages(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    for number in range(5):
        await slack.post("#alerts", str(number))
    seen = []
    async for page in await client.conversations_history(channel=ALERTS, limit=2):
        seen.append([one["text"] for one in page["messages"]])  # noqa: PERF401 - each page is the same object
    assert seen == [["4", "3"], ["2", "1"], ["0"]]


async def test_metadata_is_shown_only_when_it_is_asked_for(client: AsyncWebClient) -> None:
    mark = {"event_type": "investigation", "event_payload": {"id": 7}}
    await client.chat_postMessage(channel=ALERTS, text="x", metadata=mark)
    plain = await client.conversations_history(channel=ALERTS)
    whole = await client.conversations_history(channel=ALERTS, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert whole["messages"][0]["metadata"] == mark


async def test_reactions_are_counted_once_a_person(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    ts = await slack.post("#alerts", "x")
    await client.reactions_add(channel=ALERTS, timestamp=ts, name="eyes")
    await slack.react("#alerts", ts, "eyes")
    assert slack.reactions("#alerts", ts) == {"eyes": [slack.bot_user_id, "U0ALICE00"]}
    assert (
        await refusal(client, "reactions.add", channel=ALERTS, timestamp=ts, name="eyes")
        == "already_reacted"
    )
    await client.reactions_remove(channel=ALERTS, timestamp=ts, name="eyes")
    assert (
        await refusal(client, "reactions.remove", channel=ALERTS, timestamp=ts, name="eyes")
        == "no_reaction"
    )


async def test_the_bot_joins_a_public_channel(slack: LocalSlack, client: AsyncWebClient) -> None:
    await client.conversations_join(channel=GENERAL)
    assert (await client.conversations_info(channel=GENERAL))["channel"]["is_member"]
    assert (await client.conversations_join(channel=GENERAL))["warning"] == "already_in_channel"


async def test_a_file_goes_through_the_three_steps(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    root = await slack.post("#alerts", "root")
    shared = await client.files_upload_v2(
        channel=ALERTS,
        thread_ts=root,
        filename="report.md",
        content="# Report",
        title="Report",
        initial_comment="Here",
    )
    message = slack.messages("#alerts", root)[1]
    assert (message["text"], message["files"][0]["id"]) == ("Here", shared["file"]["id"])
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(message["files"][0]["url_private"]) as answer,
    ):
        assert await answer.text() == "# Report"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_uploaded_page_is_never_served_as_a_page(slack: LocalSlack) -> None:
    await slack.upload("#alerts", "x.html", "<script>alert(1)</script>")
    file = slack.messages("#alerts")[0]["files"][0]
    slack.workspace.files[file["id"]].mimetype = "text/html"
    async with aiohttp.ClientSession() as browser, browser.get(file["url_private"]) as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_canvas_is_written_and_extended(slack: LocalSlack, client: AsyncWebClient) -> None:
    made = await client.canvases_create(
        title="Report", document_content={"type": "markdown", "markdown": "# One"}
    )
    change = {
        "operation": "insert_at_end",
        "document_content": {"type": "markdown", "markdown": "two"},
    }
    await client.canvases_edit(canvas_id=made["canvas_id"], changes=[change])
    assert slack.workspace.canvases[made["canvas_id"]].markdown == "# One\ntwo"
    content = {"type": "markdown", "markdown": "x"}
    await client.conversations_canvases_create(channel_id=ALERTS, document_content=content)
    again = await refusal(
        client, "conversations.canvases.create", channel_id=ALERTS, document_content=content
    )
    assert again == "channel_canvas_already_exists"


async def test_a_manifest_without_a_scope_is_told_which(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    slack.use_manifest({"oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    with pytest.raises(SlackApiError) as refused:
        await client.reactions_add(channel=ALERTS, timestamp="1.0", name="eyes")
    assert refused.value.response.data == {
        "ok": False,
        "error": "missing_scope",
        "needed": "reactions:write",
        "provided": "chat:write",
    }


async def test_a_status_lasts_two_minutes_or_until_the_next_message(clock) -> None:
    async with LocalSlack(clock=clock) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
        root = await slack.post("#alerts", "root")
        for end in ("time", "message"):
            await client.assistant_threads_setStatus(
                channel_id=ALERTS, thread_ts=root, status="is thinking…"
            )
            assert slack.status("#alerts", root) == "is thinking…"
            if end == "time":
                clock.forward(121)
            else:
                await client.chat_postMessage(channel=ALERTS, thread_ts=root, text="done")
            assert slack.status("#alerts", root) == ""


async def test_every_call_is_recorded(slack: LocalSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=ALERTS, text="x")
    (call,) = slack.calls("chat.postMessage")
    assert call["args"] == {"channel": ALERTS, "text": "x"}
    assert call["answer"]["ok"]


async def test_get_form_and_json_are_read_alike(slack: LocalSlack) -> None:
    url = f"{slack.base_url}users.info"
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as browser:
        for request in (
            browser.get(url, params={"user": "U0ALICE00"}),
            browser.post(url, data={"user": "U0ALICE00"}),
            browser.post(url, json={"user": "U0ALICE00"}),
            browser.post(
                url, data=b'{"user": "U0ALICE00"}', headers={"Content-Type": "text/plain"}
            ),
        ):
            async with request as answer:
                assert (await answer.json())["user"]["name"] == "alice"
        async with browser.post(url, data=b"{broken") as answer:
            assert (await answer.json())["error"] == "invalid_json"


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.168.1.7", "example.com"])  # noqa: S104 - to be refused
def test_it_listens_on_loopback_only(host) -> None:
    with pytest.raises(DriverError, match="loopback only"):
        LocalSlack(host=host)


def test_every_method_has_a_documented_tier() -> None:
    assert {method.per_minute for method in METHODS.values()} <= {0, 1, 20, 50, 100}
