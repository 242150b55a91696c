"""Every configured kind of source is held to the same rules; one without a case fails the build."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from adapters.kit import registry
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LogBatch, Page, Window
from tests.adapters import cases
from tests.adapters.conformance import Case, World, ask, made, pages
from tests.adapters.loopback import Reply, in_turn

AGAIN = {"Retry-After": "0"}  # without it the kit waits a little before it asks again
FAILURES: tuple[tuple[str, Reply, set[Reason]], ...] = (
    ("400", Reply("{}", 400), {Reason.BAD_REQUEST}),
    ("401", Reply("{}", 401), {Reason.AUTH}),
    ("403", Reply("{}", 403), {Reason.AUTH}),
    ("404", Reply("{}", 404), {Reason.NOT_FOUND}),
    ("410", Reply("{}", 410), {Reason.NOT_FOUND}),
    ("413", Reply("{}", 413), {Reason.BAD_REQUEST}),
    ("429", Reply("{}", 429, AGAIN), {Reason.RATE_LIMITED}),
    ("500", Reply("{}", 500, AGAIN), {Reason.UNAVAILABLE}),
    ("503", Reply("<html>down</html>", 503, AGAIN), {Reason.UNAVAILABLE}),
    ("moved", Reply("", 302, {"Location": "http://127.0.0.1:9/login"}), {Reason.AUTH, Reason.BAD_RESPONSE}),
    ("sign-in page", Reply("<!DOCTYPE html><title>Sign in</title>"), {Reason.AUTH}),
    ("cut JSON", Reply('{"data": [{"id":'), {Reason.BAD_RESPONSE}),
    ("other JSON", Reply('"surprise"'), {Reason.BAD_RESPONSE}),
)  # fmt: skip


def _cases() -> Iterator[Case]:
    """`CASE` or `CASES` of every module below `cases`."""
    for info in pkgutil.iter_modules(cases.__path__):
        module = importlib.import_module(f"tests.adapters.cases.{info.name}")
        yield from getattr(module, "CASES", None) or (module.CASE,)


CASES = tuple(_cases())
OVER_HTTP = tuple(case for case in CASES if case.script is not None)
LINKED = [case for case in CASES if case.link]
LIMITED = [case for case in CASES if case.group != "metric_sources" and len(case.expect) > 1]


def _name(case: Case) -> str:
    return f"{case.group}-{case.type}"


@pytest.fixture(params=CASES, ids=_name)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
def world(case: Case, tmp_path) -> Iterator[World]:
    with made(case, tmp_path) as world:
        yield world


def build(world: World) -> object:
    kind = registry.kinds()[world.case.group, world.case.type]
    return kind.build("under-test", world.config)


def test_every_adapter_has_a_case_for_each_of_its_groups():
    kinds = registry.kinds()
    covered = {(case.group, kinds[case.group, case.type].module) for case in CASES}
    assert covered == {(kind.group, kind.module) for kind in kinds.values()}


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
    assert wanted | {"check"} <= members
    for name, field in kind.settings.model_fields.items():
        assert field.description, f"the setting {name} has no description"


def test_construction_does_no_io(world, tmp_path):
    for name in ("path", "url"):
        if name in world.config:
            world.config[name] = (
                str(tmp_path / "does-not-exist-yet") if name == "path" else "http://127.0.0.1:9"
            )
    build(world)
    assert world.server is None or not world.server.asked


def test_a_window_gives_exactly_what_lies_in_it_in_order(case, world):
    assert tuple(ask(case, build(world), case.window)) == case.expect


def test_the_same_question_has_the_same_answer(case, world):
    adapter = build(world)
    assert ask(case, adapter, case.window) == ask(case, adapter, case.window)


def test_the_end_of_a_window_is_open(case, world):
    if case.empty is None:
        assert case.group == "runbook_sources"
        return
    last = max(value for row in case.expect for value in row if isinstance(value, datetime))
    cut = Window(since=case.window.since, until=last)
    assert len(ask(case, build(world), cut)) < len(case.expect)


def test_no_data_is_an_empty_answer(case, world):
    if case.empty is not None:
        assert ask(case, build(world), case.empty) == []


@pytest.mark.parametrize("case", LIMITED, ids=_name)
def test_what_a_limit_leaves_out_is_said(case, world):
    found = pages(case, build(world), case.window, limit=1)
    items = [len(p) for p in found if isinstance(p, LogBatch)]
    items += [len(p.items) for p in found if isinstance(p, Page)]
    assert sum(items) == 1
    assert any(page.truncated for page in found if isinstance(page, LogBatch | Page))


def test_a_broken_world_is_an_adapter_error_with_its_reason(case, tmp_path):
    for number, (reason, prepare) in enumerate(case.broken):
        folder = tmp_path / str(number)
        folder.mkdir()
        adapter = build(World(case, prepare(folder)))
        with pytest.raises(AdapterError) as caught:
            ask(case, adapter, case.window)
        assert caught.value.reason is reason
        assert caught.value.system == "under-test"
        assert len(caught.value.detail) > 10


@pytest.mark.parametrize(("name", "reply", "reasons"), FAILURES, ids=[f[0] for f in FAILURES])
@pytest.mark.parametrize("case", OVER_HTTP, ids=_name)
def test_what_a_system_answers_instead_becomes_the_right_reason(  # noqa: PLR0917
    case, name, reply, reasons, tmp_path, caplog, capsys
):
    with made(case, tmp_path, in_turn(reply)) as world, pytest.raises(AdapterError) as caught:
        ask(case, build(world), case.window)
    assert caught.value.reason in reasons
    assert caught.value.system == "under-test"
    assert len(caught.value.detail) > 10
    written = capsys.readouterr()
    shown = f"{caught.value} {caught.value.detail} {caplog.text} {written.out} {written.err}"
    assert not case.secret or case.secret not in shown


@pytest.mark.parametrize("case", OVER_HTTP, ids=_name)
def test_only_reads_are_sent_and_carry_the_secret_in_no_address(case, world):
    ask(case, build(world), case.window)
    for asked in world.server.asked:
        searched = any(re.fullmatch(path, asked.path) for path in case.searches)
        assert asked.method == "GET" or (asked.method == "POST" and searched)
        assert not case.secret or case.secret not in f"{asked.path}{asked.query}"


@pytest.mark.parametrize("case", LINKED, ids=_name)
def test_what_is_found_can_be_opened_by_a_person(case, world):
    wanted = case.link.replace("{url}", world.server.url if world.server else "")
    found = pages(case, build(world), case.window)
    urls = [p.url for p in found if isinstance(p, LogBatch)]
    urls += [item.url for p in found if isinstance(p, Page) for item in p.items]
    assert wanted in urls


def test_no_secret_is_shown(case, world):
    settings = registry.kinds()[case.group, case.type].settings
    if not case.secret:
        assert not [n for n in settings.model_fields if "token" in n]
        return
    assert case.secret not in repr(settings.model_validate(world.config))
    assert case.secret not in repr(vars(build(world)))
