from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.capabilities import EventQuery
from adapters.kit.records import Window
from adapters.runbooks import Adapter, Settings, parse
from tests.adapters.conformance import at

QUERY = EventQuery(window=Window(since=at("2026-11-20T10:00"), until=at("2026-11-20T11:00")))


def found(folder, service: str = "") -> list[str]:
    adapter = Adapter("books", Settings(path=folder))
    pages = adapter.runbooks(QUERY.model_copy(update={"service": service}))
    return [one.title for page in pages for one in page.items]


def test_without_a_service_all_are_listed(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.md").write_text(f"# {name}")
    assert found(tmp_path) == ["a", "b"]


@pytest.mark.parametrize(
    ("service", "titles"),
    [("pay", []), ("Payments API", ["Payments-API"]), ("payments_api", ["Payments-API"])],
)
def test_names_are_compared_by_whole_words_without_case_and_separators(tmp_path, service, titles):
    (tmp_path / "x.md").write_text("# Payments-API")
    assert found(tmp_path, service) == titles


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.md").write_text("# Secret")
    books = tmp_path / "books"
    books.mkdir()
    (books / "way-out.md").symlink_to(tmp_path / "secret.md")
    assert found(books) == []


def test_a_long_runbook_is_cut(tmp_path):
    (tmp_path / "long.md").write_text("# Long\n" + "x" * 1_000_000)
    (page,) = Adapter("books", Settings(path=tmp_path)).runbooks(QUERY)
    assert len(page.items[0].text) <= 256 * 1024


def test_front_matter_that_is_a_bomb_or_broken_is_left_aside():
    bomb = "---\na: &a [x, x]\nb: &b [*a, *a]\ntitle: T\n---\n# Heading\n"
    assert parse("books", bomb, "stem", "").title == "Heading"
    assert parse("books", "---\n: [\n---\n# Heading\n", "stem", "").title == "Heading"
    assert parse("books", "no heading", "stem", "").title == "stem"


@given(st.text(max_size=300))
def test_any_text_is_a_runbook(text):
    assert parse("books", f"---\n{text}\n---\n{text}", "stem", "").title
