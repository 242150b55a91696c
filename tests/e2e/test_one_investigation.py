"""The main job from outside: real processes, real sockets, a real database; only Slack is a local one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.demo import shop
from bot.demo.play import play
from bot.sandbox import LocalSlack
from tests.e2e import world


def test_the_demo_names_the_guilty_commit_and_answers_a_question(capsys):
    assert play(keep=False, port=0) == 0
    shown = capsys.readouterr().out
    assert "The report names the guilty commit" in shown
    assert "On it (#1)" in shown
    assert "alice" in shown


@pytest.mark.timeout(180)
async def test_a_bot_that_is_killed_goes_on_where_it_was_and_says_nothing_twice(tmp_path):
    shop_, sources = world.build(tmp_path)
    async with LocalSlack() as slack:
        with world.process(tmp_path, sources, slack.environment()) as bot:
            await slack.wait_for(lambda s: s.connected > 0, 60)
            ts = await slack.post_as_bot(
                world.CHANNEL, shop.alert(datetime.now(UTC)), name="Alertmanager"
            )
            await slack.wait_for(lambda s: len(world.thread(s, ts)) > 0, 60)
            await world.kill(bot)
        with world.process(tmp_path, sources, slack.environment()):
            await slack.wait_for(lambda s: world.has_report(s, ts), 90)
            said = world.thread(slack, ts)
    keys = world.keys(said)
    assert len(keys) == len(set(keys))
    assert any(shop_.guilty_sha[:7] in str(m) for m in said)


@pytest.mark.timeout(120)
async def test_a_slash_command_opens_a_thread_of_its_own(tmp_path):
    _, sources = world.build(tmp_path)
    async with LocalSlack() as slack:
        with world.process(tmp_path, sources, slack.environment()):
            await slack.wait_for(lambda s: s.connected > 0, 60)
            refused = await slack.slash(world.CHANNEL, "/investigate", "checkout since:yesteryear")
            await slack.slash(
                world.CHANNEL, "/investigate", "checkout fails service:checkout since:1h"
            )
            root = await slack.wait_for(
                lambda s: next(
                    (m for m in s.messages(world.CHANNEL) if m.get("user") == s.bot_user_id), None
                ),
                60,
            )
            await slack.wait_for(lambda s: world.has_report(s, str(root["ts"])), 60)
    assert "30m" in str(refused)
