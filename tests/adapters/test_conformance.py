"""Every configured kind of source is held to the same rules; one without a case fails the build."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from datetime import datetime

import pytest

from adapters.kit import registry
from adapters.kit.errors import AdapterError
from adapters.kit.records import Window
from tests.adapters import cases
from tests.adapters.conformance import Case, ask

CASES: list[Case] = [
    case
    for info in pkgutil.iter_modules(cases.__path__)
    for case in [importlib.import_module(f"tests.adapters.cases.{info.name}").CASE]
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case.group}-{case.type}")
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


def build(case: Case, config: dict[str, object]) -> object:
    return registry.kinds()[case.group, case.type].build("under-test", config)


def test_every_adapter_has_a_case():
    covered = {registry.kinds()[case.group, case.type].module for case in CASES}
    assert covered == {kind.module for kind in registry.kinds().values()}


@pytest.mark.parametrize("kind", registry.kinds().values(), ids=lambda k: f"{k.group}-{k.type}")
def test_every_kind_serves_its_group_and_says_what_it_reads(kind):
    module = importlib.import_module(f"adapters.{kind.module}")
    assert re.search(r"https?://|docs/", module.__doc__ or ""), (
        "the docstring links the vendor's documentation"
    )
    members = {name for name, _ in inspect.getmembers(kind.adapter, inspect.isfunction)}
    wanted = {
        n
        for n, m in inspect.getmembers(registry.GROUPS[kind.group], inspect.isfunction)
        if n[0] != "_"
    }
    assert wanted <= members
    for name, field in kind.settings.model_fields.items():
        assert field.description, f"the setting {name} has no description"


def test_construction_does_no_io(case, tmp_path):
    config = case.prepare(tmp_path)
    for name in ("path", "url"):
        if name in config:
            config[name] = (
                str(tmp_path / "does-not-exist-yet") if name == "path" else "http://127.0.0.1:9"
            )
    build(case, config)


def test_a_window_gives_exactly_what_lies_in_it_in_order(case, tmp_path):
    adapter = build(case, case.prepare(tmp_path))
    assert tuple(ask(case.group, adapter, case.window)) == case.expect


def test_the_same_question_has_the_same_answer(case, tmp_path):
    adapter = build(case, case.prepare(tmp_path))
    assert ask(case.group, adapter, case.window) == ask(case.group, adapter, case.window)


def test_the_end_of_a_window_is_open(case, tmp_path):
    adapter = build(case, case.prepare(tmp_path))
    last = max(value for row in case.expect for value in row if isinstance(value, datetime))
    cut = Window(since=case.window.since, until=last)
    assert len(ask(case.group, adapter, cut)) < len(case.expect)


def test_no_data_is_an_empty_answer(case, tmp_path):
    adapter = build(case, case.prepare(tmp_path))
    assert ask(case.group, adapter, case.empty) == []


def test_a_broken_world_is_an_adapter_error_with_its_reason(case, tmp_path):
    for number, (reason, prepare) in enumerate(case.broken):
        folder = tmp_path / str(number)
        folder.mkdir()
        adapter = build(case, prepare(folder))
        with pytest.raises(AdapterError) as caught:
            ask(case.group, adapter, case.window)
        assert caught.value.reason is reason
        assert caught.value.system == "under-test"
        assert len(caught.value.detail) > 10


def test_no_secret_is_shown(case, tmp_path):
    config = case.prepare(tmp_path)
    if not case.secret:
        assert not [
            n for n in registry.kinds()[case.group, case.type].settings.model_fields if "token" in n
        ]
        return
    settings = registry.kinds()[case.group, case.type].settings.model_validate(config)
    assert case.secret not in repr(settings)
