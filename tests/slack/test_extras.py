"""What stands beside a report: its picture, files on request, feedback with what it really was."""

from __future__ import annotations

from datetime import timedelta

from bot.analysis.findings import Series
from bot.report.postmortem import Said, postmortem
from bot.sandbox import LocalSlack
from storage import feedback
from tests.slack import reports
from tests.slack.conftest import Rig
from tests.slack.reports import ONSET


def drawn() -> Series:
    """Errors of an hour, a minute a bucket."""
    counts = tuple([0] * 55 + [9] * 5)
    return Series(
        service="checkout",
        start=ONSET - timedelta(minutes=55),
        bucket_s=60,
        total=counts,
        errors=counts,
    )


def files(slack: LocalSlack, ts: str) -> dict[str, str]:
    """Name and title of the files in a thread."""
    return {
        file["name"]: file["title"]
        for message in slack.messages("alerts", ts)
        for file in message.get("files", [])
    }


async def reported(rig: Rig, slack: LocalSlack) -> tuple[str, str]:
    """A thread with its report: ts of the root and of the verdict."""
    ts = await slack.mention("alerts", "checkout is down")
    await rig.until(lambda: any("Likely" in one["text"] for one in slack.messages("alerts", ts)))
    await rig.until(lambda: rig.investigations()[0].state == "done")
    verdict = next(one for one in slack.messages("alerts", ts) if "Likely" in one["text"])
    return ts, verdict["ts"]


async def test_the_picture_of_the_incident_comes_with_the_report(rig: Rig, slack: LocalSlack):
    rig.result = reports.report(series=(drawn(),))
    ts, _ = await reported(rig, slack)
    await rig.until(lambda: "incident-1.png" in files(slack, ts))
    assert "onset at" in files(slack, ts)["incident-1.png"]


async def test_an_upload_whose_answer_was_lost_is_not_repeated(rig: Rig, slack: LocalSlack):
    slack.inject("files.completeUploadExternal", accept_then_drop=True)
    rig.result = reports.report(series=(drawn(),))
    ts, _ = await reported(rig, slack)
    await rig.until(lambda: len(slack.calls("conversations.replies")) > 0)
    shown = [one for one in slack.messages("alerts", ts) if one.get("files")]
    assert len(shown) == 1


async def test_a_report_that_messages_cannot_hold_comes_as_a_file_too(rig: Rig, slack: LocalSlack):
    rig.result = reports.report(
        patterns=tuple(reports.pattern(f"L{n}", text="w" * 1_400) for n in range(30)),
        claims=(reports.report().claims[0].model_copy(update={"text": "z" * 400}),) * 20,
        ruled_out=("y" * 300,) * 20,
        timeline=(reports.report().timeline[0].model_copy(update={"text": "x" * 300}),) * 40,
    )
    ts, _ = await reported(rig, slack)
    await rig.until(lambda: "incident-1.md" in files(slack, ts))


async def test_markdown_html_and_a_post_mortem_come_as_files_on_request(
    rig: Rig, slack: LocalSlack
):
    ts, verdict = await reported(rig, slack)
    for wanted in ("markdown", "html", "postmortem", "markdown"):
        assert await slack.click("alerts", verdict, "report_more", value=f"1:{wanted}") == ""
    await rig.until(lambda: len(files(slack, ts)) == 3)
    assert set(files(slack, ts)) == {"incident-1.md", "incident-1.html", "post-mortem-1.md"}
    shown = [one for one in slack.messages("alerts", ts) if one.get("files")]
    assert len(shown) == 3


async def test_the_verdict_is_shared_with_the_channel(rig: Rig, slack: LocalSlack):
    ts, verdict = await reported(rig, slack)
    await slack.click("alerts", verdict, "report_more", value="1:share")
    await slack.wait_for(lambda s: len(s.messages("alerts")) == 2)
    shared = slack.messages("alerts")
    assert "Likely (82 % sure)" in shared[1]["text"]
    assert f"p{ts.replace('.', '')}" in str(shared[1])


async def test_a_report_becomes_a_canvas_on_request(rig: Rig, slack: LocalSlack):
    ts, verdict = await reported(rig, slack)
    await slack.click("alerts", verdict, "report_more", value="1:canvas")
    await rig.until(lambda: any("canvas" in one["text"] for one in slack.messages("alerts", ts)))
    [canvas] = slack.workspace.canvases.values()
    assert "checkout fails on carts" in canvas.markdown


async def test_wrong_asks_what_it_really_was_and_keeps_it(rig: Rig, slack: LocalSlack):
    _, verdict = await reported(rig, slack)
    await slack.click("alerts", verdict, "feedback", value="negative")
    await slack.wait_for(lambda s: s.views())
    assert "sha" in (await slack.submit_view({"cause": "the cache", "sha": "not one"}))["errors"]
    assert await slack.submit_view({"cause": "the cache", "sha": "ABC1234"}) == {}
    await slack.click("alerts", verdict, "feedback", value="positive", user="bob")
    await rig.until(lambda: len(rig.rows(lambda s: feedback.of(s, 1))) == 2)
    rows = rig.rows(lambda s: list(feedback.export(s)))
    assert [(one["verdict"], one["cause"], one["sha"]) for one in rows] == [
        ("wrong", "the cache", "abc1234"),
        ("right", "", ""),
    ]


def test_a_post_mortem_tells_what_is_known_and_leaves_the_rest_to_people():
    said = [Said(ONSET + timedelta(minutes=3), "U1", "rolled `back` <!channel>")]
    text = postmortem(reports.report(), said)
    for part in (
        "# Post-mortem (draft): checkout",
        "## Root cause",
        "abc1234def",
        "- [ ] Roll back abc1234.",
        "U1: rolled",
        "_To be written._",
    ):
        assert part in text
    assert "To be written" in postmortem(reports.report(suspects=(), next_steps=(), timeline=()))
