"""The unmodified Bolt over Socket Mode."""

from __future__ import annotations

from bot.sandbox import LocalSlack
from tests.sandbox.conftest import Answering

ALERT = {
    "attachments": [
        {
            "color": "danger",
            "title": "[FIRING:1] HighErrorRate (checkout critical)",
            "text": "5xx > 5%",
        }
    ]
}


async def test_an_alert_is_answered_in_its_thread(slack: LocalSlack, bolt: Answering) -> None:
    ts = await slack.post_as_bot("#alerts", ALERT)
    reply = await slack.wait_for(lambda s: s.messages("#alerts", ts)[1:])
    assert reply[0]["text"] == "Looking into it"
    assert bolt.heard[0]["subtype"] == "bot_message"
    assert bolt.heard[0]["attachments"][0]["color"] == "a30200"


async def test_a_command_is_acknowledged_to_the_person_alone(
    slack: LocalSlack, bolt: Answering
) -> None:
    answers = await slack.slash("#incidents", "/investigate", "checkout 500s", user="bob")
    assert [one["text"] for one in answers] == ["On it: checkout 500s"]
    assert slack.ephemerals("#incidents", "bob") == answers
    assert slack.ephemerals("#incidents", "alice") == []


async def test_a_mention_arrives_as_a_mention_and_as_a_message(
    slack: LocalSlack, bolt: Answering
) -> None:
    ts = await slack.mention("#incidents", "what is going on?")
    await slack.wait_for(lambda s: s.messages("#incidents", ts)[1:])
    heard = [one["type"] for one in bolt.heard if one.get("ts") == ts]
    assert sorted(heard) == ["app_mention", "message"]


async def test_a_click_reaches_the_app_and_its_answer_replaces_the_message(
    slack: LocalSlack, bolt: Answering
) -> None:
    ts = await slack.post_as_bot("#alerts", ALERT)
    reply = (await slack.wait_for(lambda s: s.messages("#alerts", ts)[1:]))[0]
    assert await slack.click("#alerts", reply["ts"], "stop") == ""
    stopped = await slack.wait_for(
        lambda s: [m for m in s.messages("#alerts", ts) if m["text"] == "Stopped"]
    )
    assert stopped[0]["ts"] == reply["ts"]
    assert bolt.heard[-1]["actions"][0]["value"] == "1"


async def test_the_transcript_reads_like_the_channel(slack: LocalSlack, bolt: Answering) -> None:
    ts = await slack.post_as_bot("#alerts", ALERT)
    await slack.wait_for(lambda s: s.messages("#alerts", ts)[1:])
    await slack.react("#alerts", ts, "eyes")
    assert slack.transcript("#alerts") == (
        "Alertmanager: | [FIRING:1] HighErrorRate (checkout critical)\n"
        "  | 5xx > 5%\n"
        "  [:eyes: 1]\n"
        "    incident-responder: *Looking into it*\n"
        "      [Stop]\n"
    )


async def test_an_app_that_is_not_connected_fails_the_command(slack: LocalSlack) -> None:
    (complaint,) = await slack.slash("#incidents", "/investigate", "x")
    assert complaint["error"] == "dispatch_failed"


async def test_the_app_dials_again_when_slack_asks_it_to(
    slack: LocalSlack, bolt: Answering
) -> None:
    await slack.disconnect("warning")
    await slack.wait_for(lambda s: len(s.calls("apps.connections.open")) == 2)
