"""What people can have of a report: shared with the channel, as a file, a canvas, the draft of a post-mortem."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot.ask import parse_zone
from bot.redact import redact
from bot.report import Report
from bot.report.markdown import markdown
from bot.report.postmortem import Said, postmortem
from bot.slack import files
from bot.slack.blocks.report import EXTRAS, headline, shared
from bot.slack.delivery import Delivery, Outcome, Step
from storage import messages, outbox
from storage.models import Investigation
from storage.outbox import Draft

LAST = 900
REMEMBERED = 200


def step(known: Investigation, what: str, delivery: Delivery) -> Step:
    """Make it, once: asking for the same again changes nothing."""

    def made(session: Session, now: datetime) -> Outcome:
        if known.report is None:
            return Outcome("There is no report yet.")
        if what not in EXTRAS:
            return Outcome()
        report = Report.model_validate(known.report)
        outbox.put(session, known.id, [_draft(session, known, report, what, delivery)], now)
        return Outcome()

    return made


def _draft(
    session: Session, known: Investigation, report: Report, what: str, delivery: Delivery
) -> Draft:
    section = f"extra.{what}"
    match what:
        case "share":
            where = delivery.permalink(known.thread_ts or "")
            body = shared(report, known.id, where)
            return Draft(section, LAST, "message", known.channel, body, thread=False)
        case "canvas":
            text = redact(markdown(report, parse_zone(known.tz)))
            title = f"Investigation #{known.id}: {headline(report)}"
            canvas = {"title": title, "markdown": text, "home": delivery.home}
            return Draft(section, LAST, "canvas", known.channel, canvas, thread=False)
        case "html":
            file = files.html_file(report, known.id)
        case "postmortem":
            said = [
                Said(one.created_at, one.author if one.role == "person" else "", one.text)
                for one in messages.thread(session, known.id, REMEMBERED)
            ]
            text = postmortem(report, said, parse_zone(known.tz))
            name = f"post-mortem-{known.id}.md"
            file = files.text_file("postmortem", name, f"Post-mortem draft #{known.id}", text)
        case _:
            file = files.markdown_file(report, known.id)
    return Draft(section, LAST, "file", known.channel, dict(file))
