from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event

from tests.web.conftest import NASTY, TOKEN, Served, finished

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def browser(site: Served) -> Iterator[httpx.Client]:
    """Somebody who has signed in by the form."""
    with site.client("", follow_redirects=True) as http:
        assert "Investigations" in http.post("/login", data={"token": TOKEN}).text
        yield http


def csrf(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    assert found is not None
    return found[1]


def test_pages_send_strangers_to_the_sign_in(site: Served) -> None:
    with site.client("") as http:
        for path in ("/", "/alerts", "/sources", "/settings", "/investigations/1"):
            assert http.get(path).headers["location"] == "/login"
        assert http.post("/login", data={"token": "wrong"}).status_code == 401
        assert http.get("/static/../settings.py").status_code == 404
        assert http.get("/static/%2e%2e%2frender.py").status_code == 404


def test_signing_in_makes_a_new_session_and_signing_out_ends_it(site: Served) -> None:
    with site.client("") as http:
        http.cookies.set("ir_session", "chosen-by-an-attacker")
        answer = http.post("/login", data={"token": TOKEN})
        cookie = answer.headers["set-cookie"]
        assert "chosen" not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        stolen = answer.cookies["ir_session"]
    with site.client("", cookies={"ir_session": stolen}) as http:
        token = csrf(http.get("/").text)
        assert http.post("/logout", data={"csrf": token}).status_code == 303
        assert http.get("/").headers["location"] == "/login"


def test_guesses_at_the_token_are_limited(site: Served) -> None:
    with site.client("") as http:
        codes = [http.post("/login", data={"token": "x"}).status_code for _ in range(12)]
    assert codes[-1] == 429


def test_a_form_of_another_site_changes_nothing(site: Served, browser: httpx.Client) -> None:
    token = csrf(browser.get("/").text)
    body = {"question": "checkout is down"}
    assert browser.post("/investigations", data=body).status_code == 403
    cross = {"Origin": "https://evil.example"}
    assert (
        browser.post("/investigations", data={**body, "csrf": token}, headers=cross).status_code
        == 403
    )
    assert site.queue.hints == []
    made = browser.post("/investigations", data={**body, "csrf": token})
    assert "checkout is down" in made.text
    assert len(site.queue.hints) == 1


def test_forms_do_what_they_say(site: Served, browser: httpx.Client) -> None:
    number = finished(site)
    at = f"/investigations/{number}"
    token = csrf(browser.get(at).text)
    said = browser.post(f"{at}/feedback", data={"csrf": token, "verdict": "right"})
    asked = browser.post(f"{at}/ask", data={"csrf": token, "text": "which one failed first?"})
    again = browser.post(f"{at}/rerun", data={"csrf": token})
    stopped = browser.post(f"{again.url.path}/stop", data={"csrf": token})
    made = browser.post("/settings/keys", data={"csrf": token, "name": "ci", "scope": "read"})
    assert "Right (1)" in said.text
    assert "which one failed first?" in asked.text
    assert "Cancelled" in stopped.text
    assert re.search(r"<code>ir_[\w-]{40,}</code>", made.text)
    assert browser.post(f"{at}/nothing", data={"csrf": token}).status_code == 422
    gone = browser.post("/settings/keys/1/revoke", data={"csrf": token})
    assert "revoked" in gone.text


def test_no_text_of_strangers_becomes_markup(site: Served, browser: httpx.Client) -> None:
    number = finished(site, NASTY)
    pages = [
        browser.get(f"/investigations/{number}").text,
        browser.get("/").text,
        browser.get("/", params={"q": NASTY}).text,
        browser.get("/", params={"service": NASTY}).text,
        browser.get(f"/api/v1/investigations/{number}/report", params={"form": "html"}).text,
    ]
    for text in pages:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert 'href="javascript:' not in text


def test_pages_need_as_many_statements_for_many_as_for_few(
    site: Served, browser: httpx.Client
) -> None:
    def statements() -> int:
        seen: list[str] = []

        def count(_c, _cursor, statement, *_rest) -> None:
            seen.append(statement)

        engine = site.deps.db._reader
        event.listen(engine, "before_cursor_execute", count)
        browser.get("/")
        event.remove(engine, "before_cursor_execute", count)
        return len(seen)

    finished(site)
    few = statements()
    for n in range(25):
        finished(site, f"case {n}")
    assert statements() == few


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")
def test_a_browser_runs_the_pages_without_a_violation(
    site: Served, tmp_path: Path, serve: Callable[..., Served]
) -> None:
    from playwright.sync_api import sync_playwright

    number = finished(site)
    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = chrome.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
        wrong: list[str] = []
        tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda e: wrong.append(str(e)))
        tab.goto(f"{site.url}/")
        tab.get_by_label("Admin token or API key").fill(TOKEN)
        tab.get_by_role("button", name="Sign in").click()
        tab.get_by_label("Search").fill("pool")
        tab.get_by_role("button", name="Show").click()
        tab.get_by_role("link", name="Checkout fails").click()
        tab.locator("#chart").hover()
        assert "UTC: checkout" in tab.locator("#reading").inner_text()
        wide = tab.evaluate("document.documentElement.scrollWidth > innerWidth")
        tab.screenshot(path=tmp_path / "phone.png", full_page=True)
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.get_by_role("button", name="Change between light and dark").click()
        assert tab.locator("html").get_attribute("data-theme") == "light"
        tab.screenshot(path=tmp_path / "laptop.png", full_page=True)
        chrome.close()
    assert wrong == []
    assert not wide
    assert number
