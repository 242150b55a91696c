"""The command line as a user meets it: words in, a report and an exit code out."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from bot.cli import main
from bot.demo import shop

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> shop.Shop:
    return shop.build(tmp_path_factory.mktemp("shop"), NOON)


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("BOT_SOURCES", raising=False)


def asked(world: shop.Shop, *more: str) -> list[str]:
    return [
        "investigate",
        "checkout returns 500",
        "--git=local",
        f"--git-path={world.repository}",
        "--logs=files",
        f"--log-path={world.logs}",
        "--since=2026-11-20T11:00",
        "--until=2026-11-20T12:00",
        *more,
    ]


def test_the_report_names_the_guilty_commit_and_the_beginning(world, capsys):
    assert main(asked(world, "--format=json")) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["suspects"][0]["sha"] == world.guilty_sha
    onset = datetime.fromisoformat(report["onset"]["at"])
    assert abs((onset - world.broke_at).total_seconds()) < 30
    assert report["conclusion"] in {"confirmed", "likely"}
    assert report["removed_claims"] == 0


def test_the_json_report_is_valid_against_the_published_schema(world, capsys):
    main(["schema", "report"])
    schema = json.loads(capsys.readouterr().out)
    main(asked(world, "--format=json"))
    report = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema).validate(report)
    wanted = {
        "id", "question", "service", "window", "onset", "conclusion", "confidence", "summary", "patterns", "suspects",
        "none_of_these", "claims", "removed_claims", "gaps", "timeline", "next_steps", "usage", "timings",
    }  # fmt: skip
    assert wanted <= report.keys()
    assert {"source", "line", "text"} <= report["patterns"][0]["examples"][0].keys()
    assert {"name", "weight", "evidence"} <= report["suspects"][0]["terms"][0].keys()
    assert {"llm_calls", "tokens", "cost"} <= report["usage"].keys()


def test_the_same_question_has_the_same_report(world, capsys):
    reports = []
    for _ in range(2):
        main(asked(world, "--format=json", "--quiet"))
        reports.append(json.loads(capsys.readouterr().out))
        reports[-1].pop("timings")
    assert reports[0] == reports[1]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_people_read_the_cause_and_the_next_step(world, capsys, form):
    assert main(asked(world, f"--format={form}")) == 0
    out = capsys.readouterr()
    assert "buyer's country" in out.out.replace("\\", "").replace("’", "'")
    assert world.guilty_sha[:10] in out.out
    assert "Read logs and changes" in out.err


def test_progress_can_be_silenced(world, capsys):
    main(asked(world, "--quiet"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (["--since=2026-11-20T12:00", "--until=2026-11-20T11:00"], "is not before"),
        (["--since=yesteryear"], "30m"),
        (["--tz=Mars/Olympus"], "time zone"),
        (["--git=svn"], "not a type of git_sources"),
        (["--git-colour=red"], "No such option"),
        (["--log-timezone=Nowhere/X"], "no time zone"),
    ],
)
def test_bad_words_say_what_to_type_instead(world, capsys, more, what):
    assert main(asked(world, *more)) == 2
    assert what in capsys.readouterr().err


def test_a_setting_without_its_source_is_named(capsys):
    assert main(["investigate", "x", "--log-path=/var/log"]) == 2
    assert "--log-path needs --logs TYPE" in capsys.readouterr().err


def test_without_any_source_both_ways_to_give_one_are_named(capsys):
    assert main(["investigate", "x"]) == 2
    err = capsys.readouterr().err
    assert "--logs files" in err
    assert "BOT_SOURCES" in err


def test_when_every_source_fails_the_exit_code_is_three(capsys):
    code = main(["investigate", "x", "--logs=files", "--log-path=/does/not/exist", "--format=json"])
    assert code == 3
    report = json.loads(capsys.readouterr().out)
    assert report["conclusion"] == "inconclusive"
    assert any(gap["system"] == "files" for gap in report["gaps"])


def test_the_sources_file_serves_when_no_flag_is_given(world, capsys, monkeypatch, tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(f"git_sources:\n  - type: local\n    config: {{path: '{world.repository}'}}\n")
    monkeypatch.setenv("BOT_SOURCES", str(path))
    assert main(["investigate", "x", "--format=json", "--until=2026-11-20T12:00"]) == 0
    assert json.loads(capsys.readouterr().out)["suspects"]
    path.write_text("git_sources: [{type: lokal}]\n")
    assert main(["investigate", "x"]) == 2
    assert "did you mean local?" in capsys.readouterr().err


def test_changes_are_looked_for_before_the_deployed_revision(world, capsys):
    older = subprocess.run(
        ["git", "-C", str(world.repository), "rev-parse", "main~10"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    main(asked(world, "--format=json", f"--head={older}"))
    report = json.loads(capsys.readouterr().out)
    assert world.guilty_sha not in {s["sha"] for s in report["suspects"]}


def test_a_revision_that_looks_like_an_option_is_refused(world, capsys, tmp_path):
    main(asked(world, "--format=json", f"--head=--output={tmp_path}/x"))
    report = json.loads(capsys.readouterr().out)
    assert any(gap["system"] == "local" for gap in report["gaps"])
    assert not (tmp_path / "x").exists()


def test_secrets_in_logs_do_not_reach_the_terminal(tmp_path, capsys):
    secret = "AKIA" + "QWERTYUIOPASDFGH"
    (tmp_path / "app.log").write_text(
        "".join(
            f"2026-11-20T11:{m:02d}:00Z ERROR upload failed key={secret} password=hunter22x\n"
            for m in range(50)
        )
    )
    window = ["--since=2026-11-20T11:00", "--until=2026-11-20T12:00"]
    for form in ("text", "markdown", "json"):
        main(
            [
                "investigate",
                f"upload with {secret}",
                "--logs=files",
                f"--log-path={tmp_path}",
                f"--format={form}",
                *window,
            ]
        )
        out = capsys.readouterr()
        assert secret not in out.out + out.err
        assert "hunter22x" not in out.out


def test_escape_sequences_of_a_log_do_not_reach_the_terminal(tmp_path, capsys):
    (tmp_path / "app.log").write_text(
        "2026-11-20T11:00:00Z ERROR \x1b]0;owned\x07\x1b[2J boom\n" * 20
    )
    main(
        [
            "investigate",
            "x",
            "--logs=files",
            f"--log-path={tmp_path}",
            "--since=2026-11-20T10:00",
            "--until=2026-11-20T12:00",
        ]
    )
    assert "\x1b" not in capsys.readouterr().out


def test_help_is_instant_and_imports_nothing_heavy():
    code = "import sys; from bot.cli import main; main(['--help']); print([m for m in ('crewai','polars','sqlmodel','slack_bolt') if m in sys.modules])"
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.monotonic() - begun < 10  # generous: a hang, not a benchmark
    assert done.stdout.rstrip().endswith("[]")


def test_an_interrupt_ends_with_130(world):
    import signal

    command = [
        sys.executable,
        "-m",
        "bot",
        "investigate",
        "x",
        "--logs",
        "files",
        "--log-path",
        str(world.logs),
    ]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stderr is not None
    process.stderr.readline()  # the first line of progress: it is at work
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode in {0, 130}  # 0 when it was faster than the interrupt
