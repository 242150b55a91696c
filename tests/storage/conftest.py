from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.db import Database
from tests.storage.databases import BOTH, Clock, fresh, migrated


@pytest.fixture(scope="session", params=BOTH)
def template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with migrated(request.param, tmp_path_factory.mktemp("template")) as url:
        yield url


@pytest.fixture
def url(template: str, tmp_path: Path) -> str:
    return fresh(template, tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(url: str, clock: Clock) -> Iterator[Database]:
    database = Database(url, clock=clock)
    yield database
    database.close()
