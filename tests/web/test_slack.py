"""Slack over signed HTTP, and installations by OAuth, against the local Slack."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from slack_bolt.app.async_app import AsyncApp

from bot.errors import ConfigError
from bot.sandbox import LocalSlack
from bot.slack.app import build_app, build_client
from bot.slack.deps import SlackDeps
from bot.slack.installs import Workspaces, keys_of
from bot.slack.oauth import Installer
from bot.slack.rules import Rules
from bot.slack.serving import ByHttp
from bot.web.slack import LARGEST, slack_web
from storage import installations, investigations
from storage.db import Database
from storage.jobs import Limits

RULES = Rules(Limits(total=4, per_workspace=4), watched=frozenset({"alerts"}))


def utcnow() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def db(tmp_path: Path):
    made = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    made.migrate()
    yield made
    made.close()


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as running:
        yield running


def the_app(slack: LocalSlack, db: Database, workspaces: Workspaces | None = None) -> AsyncApp:
    return build_app(
        SlackDeps(
            db=db,
            notify=lambda _job: None,
            client=build_client(slack.bot_token, slack.base_url),
            clock=utcnow,
            rules=RULES,
            signing_secret=slack.signing_secret,
            workspaces=workspaces,
        )
    )


@pytest.fixture
async def door(slack: LocalSlack, db: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The route over a real port, with the local Slack delivering to it."""
    serving = ByHttp(slack_web(the_app(slack, db)), "127.0.0.1", 0)
    await serving.start()
    await slack.deliver_to(f"http://127.0.0.1:{serving.port}/slack/events")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{serving.port}") as client:
        yield client
    await slack.deliver_to(None)
    await serving.stop()


def signed(slack: LocalSlack, body: bytes, *, age_s: int = 0) -> dict[str, str]:
    at = str(int(time.time()) - age_s)
    base = b"v0:" + at.encode() + b":" + body
    mark = hmac.new(slack.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={mark}",
        "Content-Type": "application/json",
    }


async def test_commands_and_events_come_in_signed_and_are_stored(
    door: httpx.AsyncClient, slack: LocalSlack, db: Database
):
    shown = await slack.slash("alerts", "/investigate", "checkout fails")
    assert shown[0]["text"] == "On it (#1)."
    await slack.mention("alerts", "payments fail")
    await until(slack, lambda: len(rows(db)) == 2)
    assert (await door.get("/healthz")).text == "ok"


async def until(slack: LocalSlack, true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await slack.change_within(0.02)


def rows(db: Database) -> list[object]:
    with db.read() as session:
        return list(investigations.recent(session, None, 10))


async def test_what_is_unsigned_forged_or_old_is_refused(
    door: httpx.AsyncClient, slack: LocalSlack, db: Database
):
    body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    fine = await door.post("/slack/events", content=body, headers=signed(slack, body))
    assert (fine.status_code, fine.json()["challenge"]) == (200, "abc")
    for headers in (
        {"Content-Type": "application/json"},
        signed(slack, body) | {"X-Slack-Signature": "v0=0"},
        signed(slack, body, age_s=301),
        signed(slack, body + b" "),
    ):
        assert (await door.post("/slack/events", content=body, headers=headers)).status_code == 401
    huge = await door.post("/slack/events", content=b"x" * (LARGEST + 1))
    assert huge.status_code == 413


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # inside the SDK
async def test_an_app_is_installed_by_oauth_works_there_and_leaves_nothing_behind(
    slack: LocalSlack, db: Database
):
    key = Fernet.generate_key().decode()

    def client(token: str | None):
        return build_client(token, slack.base_url)

    workspaces = Workspaces(
        db, keys_of([key]), slack.client_id, slack.client_secret, client, utcnow
    )
    authorize = f"{slack.page_url.split('/?')[0].rstrip('/')}/oauth/v2/authorize"
    scopes = ("commands", "chat:write")
    app = the_app(slack, db, workspaces)
    port_taken = ByHttp(slack_web(app), "127.0.0.1", 0)
    await port_taken.start()
    base = f"http://127.0.0.1:{port_taken.port}"
    await port_taken.stop()
    installer = Installer(
        workspaces,
        client,
        slack.client_id,
        slack.client_secret,
        scopes,
        authorize_url=authorize,
        redirect_url=f"{base}/slack/oauth_redirect",
    )
    serving = ByHttp(slack_web(app, installer), "127.0.0.1", port_taken.port)
    await serving.start()
    try:
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            done = await browser.get(f"{base}/slack/install")
            assert "Installed" in done.text
            again = await browser.get(str(done.url))
            assert again.status_code == 400
        with db.read() as session:
            sealed = installations.find(session, "", slack.team_id)
        assert sealed
        assert "xoxb" not in sealed
        assert (await workspaces.client_of(slack.team_id)).token
        assert (await workspaces.client_of("T0NOBODY")).token is None
        await slack.deliver_to(f"{base}/slack/events")
        assert (await slack.slash("alerts", "/investigate", "x"))[0]["text"] == "On it (#1)."
        await slack.send_event({"type": "app_uninstalled"})
        await until(slack, lambda: sealed_of(db, slack.team_id) is None)
        await slack.deliver_to(None)
    finally:
        await serving.stop()


def sealed_of(db: Database, team: str) -> str | None:
    with db.read() as session:
        return installations.find(session, "", team)


def test_keys_that_are_none_are_refused_with_a_way_to_make_one():
    for wrong in ([], [""], ["secret"]):
        with pytest.raises(ConfigError, match="generate_key"):
            keys_of(wrong)


async def test_an_old_key_still_opens_and_a_lost_one_counts_as_not_installed(
    slack: LocalSlack, db: Database
):
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def made(*keys: str) -> Workspaces:
        return Workspaces(
            db,
            keys_of(keys),
            "id",
            "secret",
            lambda token: build_client(token, slack.base_url),
            utcnow,
        )

    from slack_sdk.oauth.installation_store.models.installation import Installation

    await made(old).save(Installation(user_id="U1", team_id="T9", bot_token=slack.bot_token))
    assert (await made(new, old).client_of("T9")).token == slack.bot_token
    assert (await made(new).client_of("T9")).token is None
    known = await made(old).authorize(None, "T9", "U1")
    assert known is not None
    assert known.bot_user_id == slack.bot_user_id
