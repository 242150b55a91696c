"""Retries, several sockets, signed HTTP, faults, rate limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock as SdkClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from typing_extensions import override
from yarl import URL

from bot.sandbox import DriverError, LocalSlack

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ALERTS = "C0ALERTS0"


@asynccontextmanager
async def dialled(
    slack: LocalSlack, number: int = 1
) -> AsyncIterator[list[aiohttp.ClientWebSocketResponse]]:
    """Bare sockets that acknowledge only what the test acknowledges."""
    client = AsyncWebClient(token=slack.app_token, base_url=slack.base_url)
    async with aiohttp.ClientSession() as app:
        sockets = []
        for _ in range(number):
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            sockets.append(await app.ws_connect(url))
            assert (await sockets[-1].receive_json())["type"] in ("hello", "disconnect")
        yield sockets


async def test_an_event_without_acknowledgement_comes_again(clock) -> None:
    async with LocalSlack(clock=clock) as slack, dialled(slack) as (socket,):
        await slack.post("#alerts", "x")
        seen = [await socket.receive_json(timeout=2)]
        for pause in (3, 3, 60, 3, 300):
            clock.forward(pause)
            await slack.tick()
            if pause != 3 or len(seen) == 1:
                seen.append(await socket.receive_json(timeout=2))
        assert [one["retry_attempt"] for one in seen] == [0, 1, 2, 3]
        assert [one["retry_reason"] for one in seen] == ["", "timeout", "timeout", "timeout"]
        assert len({one["payload"]["event_id"] for one in seen}) == 1
        assert len({one["envelope_id"] for one in seen}) == 4


async def test_an_event_for_a_killed_app_comes_again_when_it_is_back(clock) -> None:
    async with LocalSlack(clock=clock) as slack:
        async with dialled(slack) as (socket,):
            await slack.post("#alerts", "x")
            first = await socket.receive_json(timeout=2)
        await slack.wait_for(lambda s: s.connected == 0)
        async with dialled(slack) as (socket,):
            await slack.tick()
            clock.forward(60)
            await slack.tick()
            again = await socket.receive_json(timeout=2)
        assert again["payload"]["event_id"] == first["payload"]["event_id"]
        assert again["retry_reason"] == "connection_failed"


async def test_each_payload_goes_to_one_of_the_sockets(slack: LocalSlack) -> None:
    async with dialled(slack, 2) as sockets:
        for text in "abcd":
            await slack.post("#alerts", text)
        got = [
            [(await one.receive_json(timeout=2))["payload"]["event"]["text"] for _ in range(2)]
            for one in sockets
        ]
        assert got == [["a", "c"], ["b", "d"]]


async def test_an_eleventh_socket_is_turned_away_and_a_ticket_works_once(slack: LocalSlack) -> None:
    async with dialled(slack, 11):
        assert slack.connected == 10
        client = AsyncWebClient(token=slack.app_token, base_url=slack.base_url)
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        async with aiohttp.ClientSession() as app:
            await app.ws_connect(url)
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await app.ws_connect(url)


@asynccontextmanager
async def listening(handler: web.Application | Handler) -> AsyncIterator[str]:
    application = handler if isinstance(handler, web.Application) else web.Application()
    if not isinstance(handler, web.Application):
        application.router.add_post("/slack/events", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


async def test_bolt_is_served_over_signed_http(slack: LocalSlack) -> None:
    heard = []
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
    app = AsyncApp(client=client, signing_secret=slack.signing_secret)

    async def on_message(event, say) -> None:
        heard.append(event["text"])
        await say(text="seen", thread_ts=event["ts"])

    async def on_command(ack, command) -> None:
        await ack(f"On it: {command['text']}")

    async def on_click(ack, respond) -> None:
        await ack()
        await respond("clicked")

    app.event("message")(on_message)
    app.command("/investigate")(on_command)
    app.action("go")(on_click)
    async with listening(app.web_app("/slack/events")) as url:
        await slack.deliver_to(url)
        ts = await slack.post("#alerts", "checkout is down")
        await slack.wait_for(lambda s: s.messages("#alerts", ts)[1:])
        (answer,) = await slack.slash("#alerts", "/investigate", "x & y")
        assert answer["text"] == "On it: x &amp; y"
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        blocks = [{"type": "actions", "elements": [button]}]
        sent = await client.chat_postMessage(channel=ALERTS, text="x", blocks=blocks)
        assert await slack.click("#alerts", sent["ts"], "go") == ""
        await slack.wait_for(
            lambda s: [one for one in s.ephemerals("#alerts") if one["text"] == "clicked"]
        )
        await slack.deliver_to(None)
    assert heard[0] == "checkout is down"


async def test_http_deliveries_are_signed_and_repeated_with_their_reason(clock) -> None:
    seen: list[tuple[str | None, str | None, bool]] = []

    async def handler(request: web.Request) -> web.Response:
        body = await request.text()
        if "url_verification" in body:
            return web.json_response({"challenge": (await request.json())["challenge"]})
        verifier = SignatureVerifier(slack.signing_secret, clock=SignatureClock(clock))
        headers = request.headers
        valid = verifier.is_valid_request(body, dict(headers))
        seen.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason"), valid))
        slack.workspace.on_change()
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"} if len(seen) == 3 else {})

    async with LocalSlack(clock=clock) as slack, listening(handler) as url:
        await slack.deliver_to(url)
        await slack.post("#alerts", "x")
        await slack.wait_for(lambda _: len(seen) >= 1)
        await slack.wait_for(lambda s: len(s.deliveries()) == 2)
        while len(seen) < 3:
            clock.forward(60)
            await slack.tick()
        assert seen == [(None, None, True), ("1", "http_error", True), ("2", "http_error", True)]


class SignatureClock(SdkClock):
    def __init__(self, clock) -> None:
        self._clock = clock

    @override
    def now(self) -> float:
        return float(self._clock().timestamp())


async def test_requests_go_to_this_machine_and_to_whoever_answers_the_challenge(
    slack: LocalSlack,
) -> None:
    with pytest.raises(DriverError, match="this machine only"):
        await slack.deliver_to("https://example.com/slack/events")

    async def wrong(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with listening(wrong) as url:
        with pytest.raises(DriverError, match="did not answer the challenge"):
            await slack.deliver_to(url)


async def test_faults_strike_as_ordered(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.inject("chat.postMessage", error="internal_error", after=1, times=2)
    slack.inject("chat.postMessage", retry_after=7)
    slack.inject("chat.postMessage", status=503)
    outcomes = []
    for _ in range(5):
        try:
            await client.chat_postMessage(channel=ALERTS, text="x")
            outcomes.append("ok")
        except SlackApiError as refused:
            response = refused.response
            outcomes.append(f"{response.status_code} {response.headers.get('Retry-After')}")
    assert outcomes == ["ok", "200 None", "200 None", "429 7", "503 None"]
    assert len(slack.messages("#alerts")) == 1


async def test_a_call_can_take_effect_and_lose_its_answer(slack: LocalSlack) -> None:
    slack.inject("chat.postMessage", accept_then_drop=True)
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url, retry_handlers=[])
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=ALERTS, text="x")
    assert len(slack.messages("#alerts")) == 1


async def test_a_call_can_stay_without_answer(slack: LocalSlack) -> None:
    slack.inject("*", hang=True)
    client = AsyncWebClient(
        token=slack.bot_token, base_url=slack.base_url, timeout=1, retry_handlers=[]
    )
    with pytest.raises(TimeoutError):
        await client.auth_test()


async def test_a_revoked_token_is_refused_until_it_is_not(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    slack.revoke()
    with pytest.raises(SlackApiError, match="token_revoked"):
        await client.auth_test()
    slack.revoke("")
    assert (await client.auth_test())["ok"]


async def test_uninstalling_is_told_and_ends_the_token(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    await slack.uninstall()
    with pytest.raises(SlackApiError, match="account_inactive"):
        await client.auth_test()
    kinds = [one.payload["event"]["type"] for one in slack.deliveries() if one.attempt == 0]
    assert kinds == ["tokens_revoked", "app_uninstalled"]


async def test_rate_limits_follow_the_tiers(clock) -> None:
    async with LocalSlack(clock=clock, rate_limits=True) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
        ts = (await client.chat_postMessage(channel=ALERTS, text="x"))["ts"]
        for _ in range(50):
            await client.chat_update(channel=ALERTS, ts=ts, text="y")
        with pytest.raises(SlackApiError) as refused:
            await client.chat_update(channel=ALERTS, ts=ts, text="y")
        assert (refused.value.response.status_code, refused.value.response["error"]) == (
            429,
            "ratelimited",
        )
        clock.forward(int(refused.value.response.headers["Retry-After"]) + 1)
        await client.chat_update(channel=ALERTS, ts=ts, text="y")


async def test_a_channel_takes_one_message_a_second_after_a_short_burst(clock) -> None:
    async with LocalSlack(clock=clock, rate_limits=True) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)
        for _ in range(5):
            await client.chat_postMessage(channel=ALERTS, text="x")
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel=ALERTS, text="x")
        await client.chat_postMessage(channel="C0INCIDEN", text="x")


async def test_replicas_can_be_made_to_hear_everything_twice(slack: LocalSlack) -> None:
    slack.deliver_everywhere()
    async with dialled(slack, 2) as sockets:
        await slack.post("#alerts", "x")
        got = [(await one.receive_json(timeout=2))["payload"]["event_id"] for one in sockets]
        assert len(set(got)) == 1


async def test_an_event_can_be_sent_once_more(slack: LocalSlack) -> None:
    await slack.post("#alerts", "x")
    first = slack.deliveries()[0]
    await slack.redeliver(first.payload["event_id"])
    assert slack.deliveries()[-1].payload == first.payload
    with pytest.raises(DriverError, match="no event"):
        await slack.redeliver("Ev0")


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # the SDK uses it
async def test_a_second_team_is_installed_by_oauth(slack: LocalSlack) -> None:
    asked = {
        "client_id": slack.client_id,
        "redirect_uri": "http://127.0.0.1:9/back",
        "state": "s",
        "team": "T0OTHER00",
    }
    async with aiohttp.ClientSession() as browser:
        url = f"{slack.page_url}oauth/v2/authorize"
        async with browser.get(url, params=asked, allow_redirects=False) as answer:
            back = URL(answer.headers["Location"])
        async with browser.get(
            url, params=asked | {"redirect_uri": "https://example.com"}
        ) as answer:
            assert answer.status == 400
    anybody = AsyncWebClient(base_url=slack.base_url)
    secrets = {
        "client_id": slack.client_id,
        "client_secret": slack.client_secret,
        "code": back.query["code"],
    }
    granted = await anybody.oauth_v2_access(**secrets)
    assert (granted["team"]["id"], back.query["state"]) == ("T0OTHER00", "s")
    client = AsyncWebClient(token=granted["access_token"], base_url=slack.base_url)
    assert (await client.auth_test())["team_id"] == "T0OTHER00"
    assert slack.calls("auth.test")[0]["team"] == "T0OTHER00"
    for wrong, error in (({}, "code_already_used"), ({"client_secret": "x"}, "bad_client_secret")):
        with pytest.raises(SlackApiError, match=error):
            await anybody.oauth_v2_access(**(secrets | wrong))
    await client.auth_revoke()
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await client.auth_test()


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # the SDK uses it
async def test_rotated_tokens_expire_and_are_refreshed_once(clock) -> None:
    async with LocalSlack(clock=clock) as slack:
        slack.use_manifest({"settings": {"token_rotation_enabled": True}})
        anybody = AsyncWebClient(base_url=slack.base_url)
        secrets = {"client_id": slack.client_id, "client_secret": slack.client_secret}
        back = URL(slack._desk.installs.approve(slack.team_id, "http://127.0.0.1:9/back", ""))
        first = await anybody.oauth_v2_access(**secrets, code=back.query["code"])
        clock.forward(first["expires_in"])
        with pytest.raises(SlackApiError, match="token_expired"):
            await AsyncWebClient(token=first["access_token"], base_url=slack.base_url).auth_test()
        again = {**secrets, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = await anybody.oauth_v2_access(**again)
        assert (
            await AsyncWebClient(token=second["access_token"], base_url=slack.base_url).auth_test()
        )["ok"]
        with pytest.raises(SlackApiError, match="invalid_refresh_token"):
            await anybody.oauth_v2_access(**again)
