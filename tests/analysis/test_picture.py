from __future__ import annotations

import struct
import subprocess
import sys
from datetime import timedelta

from adapters.kit.records import Deploy, Window
from bot.analysis.engine import analyse
from bot.analysis.findings import Findings, Series, Suspect
from bot.analysis.picture import description, timeline
from tests.analysis.streams import at, batches, case
from tests.analysis.test_onset import BREAK, TRAFFIC


def findings() -> Findings:
    found = analyse(case(batches([*TRAFFIC, BREAK])))
    suspect = Suspect(
        id="C1",
        sha="a" * 40,
        repo="shop",
        title="x",
        committed_at=at("08:00:00"),
        probability=0.8,
        score=2,
    )
    return found.model_copy(update={"suspects": (suspect,)})


def test_the_picture_is_a_png_of_readable_size() -> None:
    deploy = Deploy(source="ci", service="pay", at=at("10:39:00"))
    picture = timeline(findings(), [deploy])
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (1600, 720)
    assert len(picture) < 300_000


def test_the_same_findings_give_the_same_picture() -> None:
    assert timeline(findings()) == timeline(findings())


def test_without_a_time_line_there_is_no_picture() -> None:
    assert timeline(Findings(window=Window(since=at("10:00:00"), until=at("11:00:00")))) is None


def test_hostile_service_names_and_a_single_bucket_are_drawn() -> None:
    names = ["$x^2$", "支付", "a" * 300, "\x00\n", "", "emoji 🔥", "seven"]
    series = tuple(
        Series(service=name, start=at("10:00:00"), bucket_s=1, total=(2,), errors=(n % 2,))
        for n, name in enumerate(names)
    )
    found = findings().model_copy(update={"series": series, "onset": None})
    assert timeline(found) is not None


def test_many_deploys_at_once_do_not_break_the_picture() -> None:
    moment = at("10:30:00")
    deploys = [
        Deploy(source="ci", service=f"s{n}", at=moment + timedelta(seconds=n)) for n in range(50)
    ]
    assert timeline(findings(), deploys) is not None


def test_the_description_says_what_the_picture_shows() -> None:
    text = description(findings())
    assert text.startswith("Errors per minute over time for pay; onset at 10:40:0")
    assert text.endswith("first suspect C1")


def test_the_plotting_library_is_only_imported_for_a_picture() -> None:
    probe = "import sys, bot.analysis.picture, bot.analysis.engine; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
