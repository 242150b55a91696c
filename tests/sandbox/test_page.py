"""The page: whatever is said in the channel is text there, never markup; and it can be used."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from bot.sandbox import LocalSlack
from bot.sandbox.page.blocks import attachment, blocks
from bot.sandbox.page.words import Names, markdown, mrkdwn
from tests.sandbox.test_limits import GOOD, PARTS

NAMES = Names({"U1": "alice"}, {"C1": "alerts"})
TAGS = frozenset(
    "a b blockquote button code details div h3 h4 h5 h6 hr i img input label li ol option p path pre s select span"  # noqa: SIM905
    " summary svg table td textarea th time tr ul".split()
)


class Seen(HTMLParser):
    """Collects what a browser would make of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @override
    def handle_data(self, data: str) -> None:
        self.words += data


def check(html: str) -> Seen:
    seen = Seen(html)
    for tag, attributes in seen.tags:
        assert tag in TAGS
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert re.match(r"(https?:|mailto:|/)", attributes.get("href") or "/")
        assert (attributes.get("src") or "/files/").startswith("/files/")
    return seen


NASTY = st.text(alphabet="<>&\"'`*_~|:#-[]()!@\n ajhtps/.1", max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "<javascript:alert(1)|click>",
        "[click](javascript:alert(1))",
        '<https://x.example/" onmouseover="alert(1)|x>',
        "`</code><script>`",
        "```</pre><script>```",
        "<!channel|<b>>",
        "<@U1|<img src=x>>",
        "| a | <b> |\n|---|---|\n| <i> | 1 |",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ]
)


@settings(deadline=None)
@given(NASTY)
def test_no_text_becomes_markup(text) -> None:
    check(mrkdwn(text, NAMES))
    check(markdown(text, NAMES))


@settings(deadline=None)
@given(st.lists(PARTS.filter(lambda one: isinstance(one, dict)), max_size=3), NASTY)
def test_no_block_becomes_markup(parts, text) -> None:
    check(blocks(_filled(parts, text), NAMES))


def _filled(part: Any, text: str) -> Any:
    if isinstance(part, list):
        return [_filled(one, text) for one in part]
    if isinstance(part, dict):
        return {
            key: value if key == "type" else _filled(value, text) for key, value in part.items()
        }
    return text if isinstance(part, str) else part


@settings(deadline=None)
@given(NASTY)
def test_no_attachment_becomes_markup(text) -> None:
    members = (
        "text",
        "title",
        "title_link",
        "pretext",
        "fallback",
        "color",
        "footer",
        "author_name",
    )
    fields = [{"title": text, "value": text}]
    check(attachment({**dict.fromkeys(members, text), "fields": fields}, NAMES))


def test_every_block_is_drawn() -> None:
    html = blocks(GOOD, NAMES)
    assert "unknown" not in html
    words = check(html).words
    for expected in ("Go", "Working", "1 of 1", "Read logs", "Right", "Wrong"):
        assert expected in words


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~no~ `a*b*`", "<b>bold</b> <i>it</i> <s>no</s> <code>a*b*</code>"),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("&gt; quoted\nafter", "<blockquote>quoted</blockquote>after"),
        (
            "<@U1> in <#C1> :tada: :nope:",
            '<span class="mention">@alice</span> in <span class="mention">#alerts</span> 🎉 :nope:',
        ),
        ("<javascript:alert(1)|x>", "x"),
    ],
)
def test_mrkdwn_reads_as_in_slack(text, html) -> None:
    assert mrkdwn(text, NAMES) == html


def test_an_emoji_in_a_placeholder_stays_inside_the_attribute() -> None:
    said = {"type": "plain_text", "text": 'find :mag: ">'}
    menu = {
        "type": "static_select",
        "action_id": "a",
        "placeholder": said,
        "options": [{"text": said, "value": "v"}],
    }
    field = {"type": "plain_text_input", "action_id": "b", "placeholder": said}
    seen = check(blocks([{"type": "actions", "elements": [menu, field]}], NAMES))
    assert [tag for tag, _ in seen.tags] == ["div", "div", "select", "option", "option", "input"]
    assert seen.tags[-1][1]["placeholder"] == 'find 🔍 ">'


def test_markdown_reads_as_in_slack() -> None:
    html = markdown(
        "# A\ntext **b**\n\n- one\n  - two\n\n1. x\n\n```\n<c>\n```\n> q\n\n---\n", NAMES
    )
    assert html == (
        '<h3>A</h3><p>text <b>b</b></p><ul><li class="deep0">one</li><li class="deep1">two</li></ul>'
        '<ol><li class="deep0" value="1">x</li></ol><pre>&lt;c&gt;</pre><blockquote>q</blockquote><hr>'
    )


async def test_the_page_may_load_nothing_from_elsewhere(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as browser, browser.get(slack.page_url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"(?!/static/|data:,)", page)


async def test_a_name_that_only_pretends_to_be_local_is_refused(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as browser:
        async with browser.get(slack.page_url, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with browser.post(f"{slack.page_url}_fake/post", data="{}") as answer:
            assert answer.status == 415


async def test_the_page_is_told_of_changes(slack: LocalSlack) -> None:
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{slack.page_url}page/events") as stream,
    ):
        assert (await stream.content.readline()).startswith(b"data: ")
        await stream.content.readline()
        await slack.post("#alerts", "x")
        assert (await stream.content.readline()).startswith(b"data: ")


async def test_people_see_their_own_screen(slack: LocalSlack) -> None:
    ts = await slack.post("#alerts", "root")
    await slack.slash("#alerts", "/investigate", "x", user="bob")

    async def screen(**query: str) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(f"{slack.page_url}page/state", params=query) as answer,
        ):
            result: dict[str, Any] = await answer.json()
            return result

    bob, alice = await screen(**{"as": "bob"}), await screen(channel="alerts", thread=ts)
    assert "Only visible to you" in str(bob["main"])
    assert "Only visible to you" not in str(alice["main"])
    assert "private-ops" not in (await screen(**{"as": "carol"}))["sidebar"]
    assert "root" in str(alice["thread"])
    assert (await screen(channel="nowhere"))["error"].startswith("no channel")


async def test_a_canvas_can_be_read(slack: LocalSlack) -> None:
    slack._api.call(
        "canvases.create",
        {"title": "R", "document_content": {"type": "markdown", "markdown": "# <One>"}},
    )
    (canvas,) = slack.workspace.canvases
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{slack.page_url}canvas/{canvas}") as answer,
    ):
        assert "<h3>&lt;One&gt;</h3>" in await answer.text()
