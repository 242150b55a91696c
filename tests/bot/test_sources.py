from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.sources import load


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    return path


GOOD = """
git_sources:
  - type: local
    enabled: true
    config: {path: /srv/checkout}
log_sources:
  - type: files
    enabled: true
    config: {path: "${LOGS:-/var/log/checkout}"}
  - type: local
    name: old
    enabled: false
    config: {path: "${NOT_SET}"}
services:
  - name: checkout
    aliases: [shop]
    git: [local]
    logs: [files]
"""


def test_a_good_file_gives_its_enabled_sources_and_services(tmp_path):
    sources = load(write(tmp_path, GOOD), {})
    assert [(s.group, s.name) for s in sources.sources] == [
        ("git_sources", "local"),
        ("log_sources", "files"),
    ]
    assert sources.service("SHOP") is sources.services[0]
    assert sources.service("unknown") is None


def problems_of(path: Path, env: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path, env or {})
    return caught.value.problems


def test_all_mistakes_are_reported_at_once_with_line_and_key(tmp_path):
    text = """git_sources:
  - type: lokal
    config: {path: /srv}
log_sources:
  - type: files
    config: {pth: /x, path: "${MISSING}"}
  - type: files
    config: {path: /y}
log_source: []
services:
  - name: checkout
    git: [github]
    colour: red
"""
    found = problems_of(write(tmp_path, text))
    assert any(
        p.startswith("sources.yaml:2: git_sources.0.type: 'lokal'") and "did you mean local?" in p
        for p in found
    )
    assert any("sources.yaml:6: log_sources.0.config.pth: is not a setting" in p for p in found)
    assert any("MISSING is not set" in p for p in found)
    assert any(
        "sources.yaml:9: log_source: unknown key; did you mean log_sources?" in p for p in found
    )
    assert any("sources.yaml:13: services.0.colour" in p for p in found)
    assert len(found) >= 5


def test_two_sources_of_one_name_are_refused(tmp_path):
    entry = "  - type: files\n    config: {path: /x}\n"
    found = problems_of(write(tmp_path, "log_sources:\n" + entry + entry))
    assert found == (
        "sources.yaml:4: log_sources.1: the name files is used twice; give one of them another `name:`",
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- a\n- b\n", "expected groups"),
        ("git_sources: 3\n", "must be a list"),
        ("git_sources: [x]\n", "must be a mapping"),
        ("a: [1, 2\n", "not valid YAML"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("[" * 5000, "YAML"),
        (
            "git_sources:\n  - type: local\n    enabled: maybe\n    config: {path: /x}\n",
            "true or false",
        ),
        ("git_sources:\n  - type: local\n    config: 3\n", "must be a mapping"),
        ("git_sources:\n  - config: {path: /x}\n", "is missing"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path, text, what):
    assert what in "\n".join(problems_of(write(tmp_path, text)))


def test_a_missing_file_names_the_variable_to_check(tmp_path):
    assert "check BOT_SOURCES" in problems_of(tmp_path / "nowhere.yaml")[0]


def test_an_empty_file_is_no_mistake(tmp_path):
    assert load(write(tmp_path, ""), {}).sources == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_configuration_or_a_configuration_error(tmp_path, raw):
    path = tmp_path / "sources.yaml"
    path.write_bytes(raw)
    problems: tuple[str, ...] = ("none",)
    try:
        load(path, {})
    except ConfigError as error:
        problems = error.problems
    assert problems
