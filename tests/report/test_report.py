"""The report and its forms: complete, in order, and harmless whatever stands in the logs."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from typing_extensions import override

from bot.analysis.engine import NO_LINES
from bot.analysis.findings import Findings, LogStats
from bot.crew.offline import OfflineNarrator
from bot.redact import WITHHELD
from bot.report import Gap, Report, Seen, outline, texts
from bot.report.build import build
from bot.report.markdown import code, escaped, fenced, link, markdown
from bot.report.page import page
from bot.report.tables import patterns_csv, suspects_csv
from bot.report.text import text
from bot.report.words import one_line, percent, plain, quoted, span
from bot.verify import verify
from tests.report.cases import ONSET, SHA, findings, random_findings, random_seen, report, seen

FIELDS = (
    "id question service window onset conclusion confidence summary patterns suspects none_of_these claims "
    "removed_claims gaps timeline next_steps usage timings"
)


def made(found: Findings, records: Seen) -> Report:
    told = OfflineNarrator().narrate("why?", found, records)
    return build("7", "why?", found, verify(told, texts(found, records)), records, timings={})


def test_the_json_form_holds_the_promised_fields_and_matches_its_schema() -> None:
    body = json.loads(report().model_dump_json())
    assert set(FIELDS.split()) <= set(body)
    assert {
        "id",
        "template",
        "service",
        "level",
        "count",
        "baseline_count",
        "kind",
        "first_seen",
        "score",
    } <= set(body["patterns"][0])
    assert {"source", "line", "text"} <= set(body["patterns"][0]["examples"][0])
    assert {"id", "sha", "repo", "title", "committed_at", "probability", "terms"} <= set(
        body["suspects"][0]
    )
    assert {"llm_calls", "tokens", "cost"} <= set(body["usage"])
    assert body["onset"]["at"] == "2026-11-21T14:02:10Z"
    Draft202012Validator(Report.model_json_schema()).validate(body)
    assert Report.model_validate_json(report().model_dump_json()) == report()


def test_the_timeline_is_in_order_and_names_what_matters() -> None:
    told = [moment.text for moment in report().timeline]
    times = [moment.at for moment in report().timeline]
    assert times == sorted(times)
    wanted = (
        "committed",
        "Deploy of checkout 1.4.2",
        "Onset",
        "First sign in web",
        "CheckoutErrors",
    )
    assert [part for part in wanted if not any(part in line for line in told)] == []


def test_a_long_timeline_keeps_what_is_near_the_onset() -> None:
    deploy = seen().deploys[0]
    many = tuple(
        deploy.model_copy(update={"at": ONSET - timedelta(minutes=10 * n), "version": str(n)})
        for n in range(100)
    )
    told = made(findings(), Seen(deploys=many)).timeline
    assert len(told) == 40
    assert any("checkout 1 " in f"{moment.text} " for moment in told)
    assert not any("checkout 90" in moment.text for moment in told)


def test_every_gap_is_named_once() -> None:
    found = findings().model_copy(
        update={"notes": ("There is no baseline.", "There is no baseline.")}
    )
    gaps = [(gap.system, gap.reason) for gap in made(found, seen()).gaps]
    assert gaps == [
        ("metrics", "did not answer within 90 seconds"),
        ("logs", "There is no baseline."),
    ]


def test_a_log_without_lines_is_named_once() -> None:
    empty = findings().model_copy(
        update={"patterns": (), "notes": (NO_LINES,), "stats": LogStats(), "propagation": ()}
    )
    records = Seen(gaps=(Gap(system="files", reason="no log file is there"),))
    told = made(empty, records)
    assert [gap.system for gap in told.gaps] == ["files"]
    assert not any("no log file is there" in step for step in told.next_steps)
    assert NO_LINES in [gap.reason for gap in made(empty, Seen()).gaps]


def test_what_cannot_be_compared_is_not_counted_against_before() -> None:
    once = findings().patterns[0].model_copy(update={"kind": "seen", "count": 1})
    assert outline.pattern_line(once) == "seen · 1 time · error · checkout"


def test_secrets_leave_the_report_in_no_field() -> None:
    found = findings()
    leak = "db password=hunter2 of bob@shop.example.com"
    pattern = found.patterns[0].model_copy(
        update={
            "template": leak,
            "examples": (found.patterns[0].examples[0].model_copy(update={"text": leak}),),
        }
    )
    suspect = found.suspects[0].model_copy(
        update={"title": leak, "url": "https://u:hunter2@git.example.com/x"}
    )
    told = made(found.model_copy(update={"patterns": (pattern,), "suspects": (suspect,)}), seen())
    for form in (
        told.model_dump_json(),
        text(told),
        markdown(told),
        page(told),
        suspects_csv(told),
        patterns_csv(told),
    ):
        assert "hunter2" not in form
        assert "bob@" not in form
    assert WITHHELD not in told.model_dump_json()


def test_each_secret_has_one_placeholder_in_every_form() -> None:
    found = findings()
    leak = "`password: hunter2hunter2` “token=[secret:token#1]” \u202ereversed\x9b31m"
    pattern = found.patterns[0].model_copy(
        update={"template": leak, "examples": (), "service": leak, "terms": ()}
    )
    told = made(found.model_copy(update={"patterns": (pattern,)}), seen())
    for form in (told.model_dump_json(), text(told), markdown(told), page(told)):
        bare = form.replace("\\", "").replace("&#x27;", "'")
        assert "[secret:[" not in bare
        assert set(re.findall(r"secret:password#\d+", bare)) == {"secret:password#1"}
        assert "secret:token#1]”" in bare or "secret:token#1]'" in bare
        assert "\u202e" not in form
        assert "\x9b" not in form
    assert "``` `password: [secret:password#1]` " in markdown(told) or (
        "`` `password: [secret:password#1]` " in markdown(told)
    )


def test_the_json_form_drives_no_terminal() -> None:
    found = findings()
    said = found.patterns[0].model_copy(update={"template": "a\x9b31m\u202eb\x1b[2Jc"})
    told = made(found.model_copy(update={"patterns": (said,)}), seen())
    assert told.patterns[0].template == "a31mbc"
    for sign in ("\x9b", "\u202e", "\\u001b"):
        assert sign not in told.model_dump_json()


def test_the_text_says_everything_in_the_order_of_importance() -> None:
    lines = text(report())
    parts = (
        "#42  Likely", "1,520 times", "Suspect changes", SHA[:10], "None of these", "What was found", "Log patterns",
        "checkout.log:4711", "Timeline", "Ruled out", "What I could not see", "did not answer within 90 seconds",
        "Next steps", "git revert", "no model was used",
    )  # fmt: skip
    places = [lines.find(part) for part in parts]
    assert -1 not in places
    headings = [
        place
        for part, place in zip(parts, places, strict=True)
        if part[0].isupper() and " " in part
    ]
    assert headings == sorted(headings)


def test_times_are_shown_in_the_readers_zone() -> None:
    assert "15:02:10 CET" in text(report(), ZoneInfo("Europe/Amsterdam"))
    assert "14:02:10 UTC" in markdown(report())


def test_an_empty_report_is_still_a_report() -> None:
    empty = made(Findings(window=findings().window), Seen())
    for form in (text(empty), markdown(empty), page(empty)):
        assert "No changes were seen" in form
    assert len(list(csv.reader(io.StringIO(suspects_csv(empty))))) == 2


def hostile(words: str) -> Report:
    found = findings()
    pattern = found.patterns[0].model_copy(
        update={
            "template": words,
            "service": words,
            "examples": (
                found.patterns[0].examples[0].model_copy(update={"text": words, "origin": words}),
            ),
        }
    )
    suspect = found.suspects[0].model_copy(update={"title": words, "url": words, "repo": words})
    return made(found.model_copy(update={"patterns": (pattern,), "suspects": (suspect,)}), seen())


def test_a_terminal_is_not_driven_by_log_lines() -> None:
    told = text(hostile("\x1b[2J\x1b]0;owned\x07 \x9b31m bell\x07 \u202egnp.exe\r over"))
    assert not {
        c for c in told if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c in "\u202e\u2066"
    }


def test_a_page_runs_and_loads_nothing() -> None:
    told = page(
        hostile("<script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) \"'")
    )

    class Tags(HTMLParser):
        seen: set[str] = set()  # noqa: RUF012 - one parser, one test
        links: list[str] = []  # noqa: RUF012

        @override
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.add(tag)
            self.links += [
                value or ""
                for name, value in attrs
                if name in {"href", "src"} or name.startswith("on")
            ]

    tags = Tags()
    tags.feed(told)
    assert not tags.seen & {"script", "img", "iframe", "object", "link"}
    assert all(
        value.startswith(("#", "https://git.example.com", "https://wiki.example.com"))
        for value in tags.links
    )
    assert "default-src 'none'" in told


def test_a_page_carries_its_picture_inside() -> None:
    assert 'src="data:image/png;base64,iVBORw0K' in page(report(), picture=b"\x89PNG\r\n\x1a\n0000")


def test_markdown_cannot_be_written_from_a_log() -> None:
    told = markdown(
        hostile("```\n# owned\n[click](https://evil.example) <!channel> <@U1> | a | *b* ![x](y)")
    )
    outside = []
    inside = False
    for line in told.split("\n"):
        inside ^= line.startswith("````")
        outside += [] if inside else [line]
    rest = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(outside))
    assert "\n# owned" not in rest
    assert not re.search(r"(?<!\\)\]\(https://evil", rest)
    assert not re.search(r"(?<!\\)<[!@]", rest)


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_runs_no_log_line(start: str) -> None:
    rows = list(csv.reader(io.StringIO(patterns_csv(hostile(f"{start} cmd")))))
    assert all(not cell.startswith(("=", "+", "@", "\t")) for row in rows for cell in row)
    assert rows[1][10].startswith("'")


def test_the_tables_hold_every_suspect_and_pattern() -> None:
    suspects = list(csv.DictReader(io.StringIO(suspects_csv(report()))))
    assert [row["id"] for row in suspects] == ["C1", "C2", ""]
    assert suspects[-1]["title"] == "none of these"
    patterns = list(csv.DictReader(io.StringIO(patterns_csv(report()))))
    assert [row["count"] for row in patterns] == ["1520", "900", "40"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_findings(), random_seen)
def test_no_finding_breaks_a_form(found: Findings, records: Seen) -> None:
    told = made(found, records)
    assert Report.model_validate_json(told.model_dump_json()) == told
    for form in (text(told), markdown(told), page(told), suspects_csv(told), patterns_csv(told)):
        assert "hunter2" not in form


def test_words_are_written_for_people() -> None:
    assert [percent(share) for share in (0, 0.001, 0.5, 0.998, 1)] == [
        "0 %",
        "under 1 %",
        "50 %",
        "over 99 %",
        "100 %",
    ]
    assert [span(timedelta(seconds=s)) for s in (0, 45, 7_500, 90_000)] == [
        "0 s",
        "45 s",
        "2 h 5 min",
        "1 d 1 h",
    ]
    assert quoted('say "no" to `it`') == "“say 'no' to 'it'”"
    assert one_line("a\n\tb  c") == "a b c"
    assert plain("\x1b[31mred\x1b[0m") == "red"
    assert escaped("[a](b) <!here>") == r"\[a\](b) \<\!here\>"
    assert code("a`b") == "``a`b``"
    assert fenced(["```", "x"]).startswith("````text\n```\nx\n````")
    assert link("a", "javascript:alert(1)") == "a"
