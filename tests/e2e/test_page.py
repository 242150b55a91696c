"""The whole bot, seen by a person: the local Slack's page in a real browser.

SCREENSHOTS=docs/images saves what is seen; the pictures of the documentation are made that way.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect
from pydantic import SecretStr

from bot.config import Settings
from bot.demo import shop
from bot.sandbox import LocalSlack
from bot.sources import load
from bot.wiring import SlackBot
from tests.e2e import world

STOPPED_OR_DONE = re.compile(r"was stopped|Suspect changes")
CHROMIUM = Path("/usr/bin/chromium")
SAVED = os.getenv("SCREENSHOTS", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.timeout(180),
]


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[LocalSlack]:
    """The local Slack with the bot in it, which sees the demo's shop."""
    _, sources = world.build(tmp_path)
    async with LocalSlack() as running:
        settings = Settings(
            data_dir=tmp_path / "data",
            slack_bot_token=SecretStr(running.bot_token),
            slack_app_token=SecretStr(running.app_token),
            slack_api_url=running.base_url,
            log_level="error",
        )
        async with SlackBot(settings, load(sources, {})):
            yield running


@pytest.fixture
async def page(slack: LocalSlack) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1360, "height": 1240})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await page.goto(slack.page_url)
        await expect(page.locator("#head h1")).to_have_text("#alerts")
        yield page
        await browser.close()
        assert broken == []


async def picture(what: Page | Locator, name: str) -> None:
    if SAVED:
        seen = Image.open(BytesIO(await what.screenshot(animations="disabled")))
        few = seen.convert("RGB").quantize(128)  # a fifth of the size; nobody sees the difference
        few.save(Path(SAVED) / f"{name}.png", optimize=True)


async def at_the_top(page: Page, words: str) -> None:
    """Scroll the thread so that these words stand at its top."""
    found = page.locator("#thread").get_by_text(words).first
    await found.evaluate("element => element.scrollIntoView({block: 'start'})")


async def reported(slack: LocalSlack, page: Page) -> str:
    """An alert, and its thread open with the report in it; the thread's ts."""
    ts = await slack.post_as_bot(world.CHANNEL, shop.alert(datetime.now(UTC)), name="Alertmanager")
    await page.locator("#main").get_by_role("button", name="repl").first.click()
    await slack.wait_for(lambda s: world.has_report(s, ts), 60)
    return ts


async def test_an_alert_becomes_a_report_before_ones_eyes(slack: LocalSlack, page: Page) -> None:
    await reported(slack, page)
    thread = page.locator("#thread")
    await expect(thread).to_contain_text("Suspect changes")
    await expect(thread).to_contain_text("Send the buyer's country")
    await expect(thread).to_contain_text("Log patterns")
    await expect(thread).to_contain_text("Investigation #1: done", timeout=15_000)
    await page.mouse.move(700, 900)
    await at_the_top(page, "Alertmanager")
    await picture(page, "thread")


async def test_work_is_seen_stopped_and_taken_up_again(slack: LocalSlack, page: Page) -> None:
    field = page.locator("#write textarea")
    await field.fill("/investigate checkout fails service:checkout since:1h")
    await field.press("Enter")
    await expect(page.locator("#main .whisper")).to_contain_text("On it (#1)")
    await page.locator("#main").get_by_role("button", name="repl").first.click()
    thread = page.locator("#thread")
    await expect(thread).to_contain_text("Read logs and changes")
    await picture(page, "progress")
    stop = thread.get_by_role("button", name="Stop")
    if await stop.count():
        await stop.first.click()
    await expect(thread).to_contain_text(STOPPED_OR_DONE, timeout=30_000)


async def test_a_question_in_the_thread_is_answered(slack: LocalSlack, page: Page) -> None:
    await reported(slack, page)
    thread = page.locator("#thread")
    await page.locator("#reply textarea").fill("which change did it, and why?")
    await page.locator("#reply textarea").press("Enter")
    await expect(thread).to_contain_text("Say “show C5” for its diff", timeout=30_000)
    await at_the_top(page, "which change did it, and why?")
    await picture(page, "follow-up")


async def test_a_wrong_report_asks_what_it_really_was(slack: LocalSlack, page: Page) -> None:
    await reported(slack, page)
    await page.locator("#thread").get_by_role("button", name="Wrong").first.click()
    sheet = page.locator(".sheet")
    await expect(sheet).to_contain_text("What was it really?")
    await sheet.locator("textarea").fill("The cache was full, not the change.")
    await picture(page, "feedback")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#modal")).to_be_hidden()


async def test_the_picture_of_the_incident_stands_in_the_thread(
    slack: LocalSlack, page: Page
) -> None:
    await reported(slack, page)
    shown = page.locator("#thread img").last
    await expect(shown).to_be_visible(timeout=30_000)
    await shown.evaluate("element => element.scrollIntoView({block: 'end'})")
    await picture(page, "picture")


async def test_home_and_the_form_for_a_new_investigation(slack: LocalSlack, page: Page) -> None:
    await page.set_viewport_size({"width": 1360, "height": 640})
    await page.get_by_text("Home", exact=True).click()
    await expect(page.locator("#main")).to_contain_text("Watched channels")
    await expect(page.locator("#main")).to_contain_text("Checked", timeout=15_000)
    await picture(page, "home")
    await page.locator("#main").get_by_role("button", name="New investigation").click()
    await expect(page.locator(".sheet")).to_contain_text("What is wrong?")
    await page.locator(".sheet textarea").first.fill("checkout returns 500s")
    await picture(page, "form")
