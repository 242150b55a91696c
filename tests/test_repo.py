"""The repository keeps its promises."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from bot.config import Settings
from bot.web.settings import WebSettings
from tests import adapters_page

ROOT = Path(__file__).resolve().parents[1]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_source_file_is_crowded():
    code = [
        p for p in tracked("*.py") if p.parts[len(ROOT.parts)] in {"bot", "adapters", "storage"}
    ]
    long = {
        str(p.relative_to(ROOT)): n for p in code if (n := len(p.read_text().splitlines())) > 430
    }
    assert not long


GENERAL = {
    "files",
    "local_git",
    "runbooks",
    "slack_history",
    "generic_alert",
    "generic_deploy",
    "kubernetes",
}
EXEMPT = (
    "bot/redact/",  # knows the shapes of vendors' secrets
    "bot/demo/",  # plays one vendor's alert
    "bot/sandbox/",  # plays the posts of other apps
    "bot/bench/",  # names the origin of its data
    "bot/web/metrics.py",  # writes a vendor's format, which others read too
)


def test_no_vendor_is_named_in_bot_or_storage():
    """Adding a vendor touches its own file and its test case only."""
    vendors = {path.stem for path in (ROOT / "adapters").glob("*.py")} - GENERAL - {"__init__"}
    pattern = re.compile(
        rf"(?<![\w/|])(?:{'|'.join(sorted(vendors))})(?!\w|\\?\.com)", re.IGNORECASE
    )
    named = [
        f"{name}: {found.group()}"
        for path in tracked("bot/**.py", "bot/**.md", "storage/**.py")
        if not (name := str(path.relative_to(ROOT))).startswith(EXEMPT)
        and (found := pattern.search(path.read_text()))
    ]
    assert not named


def test_every_variable_of_the_settings_is_in_the_example():
    example = (ROOT / ".env.example").read_text()
    for name in WebSettings.model_fields:
        assert re.search(rf"^#?BOT_WEB_{name.upper()}=", example, re.MULTILINE), name
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = (
            alias.choices[0]
            if alias is not None and hasattr(alias, "choices")
            else f"BOT_{name.upper()}"
        )
        assert re.search(rf"^#?{variable}=", example, re.MULTILINE), (
            f"{variable} is missing in .env.example"
        )


def test_the_locks_hold_hashes_and_no_addresses():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "http://" not in text
        assert "https://" not in text
        assert "--index-url" not in text
        pins = re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)
        assert len(pins) > 100
        assert text.count("--hash=sha256:") >= len(pins)


def test_the_wheel_holds_the_three_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["build-backend"]["module-name"] == ["bot", "adapters", "storage"]
    assert project["project"]["scripts"] == {"incident-responder": "bot.cli:main"}


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"], ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_table_of_adapters_says_what_the_adapters_say():
    now = adapters_page.PAGE.read_text()
    assert now == adapters_page.page(now), "run: python -m tests.adapters_page"
