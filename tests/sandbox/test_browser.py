"""The page in a real browser, with a real Bolt app behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.sandbox import LocalSlack
from tests.sandbox.conftest import Answering
from tests.sandbox.test_socket_mode import ALERT

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
async def page(slack: LocalSlack) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda line: broken.append(line.text) if line.type == "error" else None)
        await page.goto(slack.page_url)
        await expect(page.locator("#head h1")).to_have_text("#alerts")
        yield page
        await browser.close()
        assert broken == []


async def test_an_alert_is_answered_before_ones_eyes(
    slack: LocalSlack, bolt: Answering, page: Page
) -> None:
    await slack.post_as_bot("#alerts", ALERT)
    await page.get_by_role("button", name="1 reply").click()
    await page.locator("#thread").get_by_role("button", name="Stop").click()
    await expect(page.locator("#thread")).to_contain_text("Stopped")
    await page.locator("#reply textarea").fill("thank you, *bot*")
    await page.locator("#reply textarea").press("Enter")
    await expect(page.locator("#thread b").last).to_have_text("bot")


async def test_commands_and_names_are_offered_and_sent(
    slack: LocalSlack, bolt: Answering, page: Page
) -> None:
    field = page.locator("#write textarea")
    await field.press_sequentially("/inv")
    await expect(page.locator("#write .menu")).to_contain_text("/investigate")
    await field.press("Enter")
    await field.press_sequentially("checkout <b>500s</b>")
    await field.press("Enter")
    await expect(page.locator("#main .whisper")).to_contain_text("On it: checkout <b>500s</b>")
    await field.press_sequentially("@inc")
    await field.press("Tab")
    await field.press_sequentially("hello")
    await field.press("Enter")
    await expect(page.get_by_role("button", name="1 reply")).to_be_visible()


async def test_a_modal_is_filled_in(slack: LocalSlack, bolt: Answering, page: Page) -> None:
    seen: list[dict[str, Any]] = []

    async def opened(ack, body, client) -> None:
        await ack()
        field = {"type": "plain_text_input", "action_id": "question"}
        label = {"type": "plain_text", "text": "What is wrong?"}
        view = {
            "type": "modal",
            "callback_id": "new",
            "title": label | {"text": "New investigation"},
            "submit": label | {"text": "Investigate"},
            "blocks": [{"type": "input", "block_id": "q", "label": label, "element": field}],
        }
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def submitted(ack, view) -> None:
        seen.append(view["state"]["values"])
        await ack()

    bolt.app.global_shortcut("investigate_new")(opened)
    bolt.app.view("new")(submitted)
    await page.get_by_role("button", name="New investigation").click()
    await page.get_by_role("button", name="Investigate", exact=True).click()
    await expect(page.locator(".sheet")).to_contain_text("Please complete this required field.")
    await page.locator(".sheet input").fill("it is down")
    await page.get_by_role("button", name="Investigate", exact=True).click()
    await expect(page.locator("#modal")).to_be_hidden()
    assert seen[0]["q"]["question"]["value"] == "it is down"


async def test_an_attack_stays_text(slack: LocalSlack, page: Page) -> None:
    attack = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    await slack.post_as_bot(
        "#alerts", {"text": attack, "attachments": [{"title": attack, "fallback": attack}]}
    )
    await slack.post("#alerts", f"```{attack}```")
    await expect(page.locator("#main pre")).to_contain_text("onerror")
    assert await page.title() == "Local Slack"
    assert await page.locator("#main img, #main script").count() == 0


async def test_a_permalink_opens_its_thread(slack: LocalSlack, page: Page) -> None:
    root = await slack.post("#incidents", "root")
    reply = await slack.post("#incidents", "the answer", thread_ts=root)
    where = slack.workspace.find_channel("#incidents")
    await page.goto(slack.workspace.permalink(slack.workspace.message(where, reply)))
    await expect(page.locator("#thread")).to_contain_text("the answer")
