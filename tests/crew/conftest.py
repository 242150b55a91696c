"""The real crewai is imported once, with everything off, into a folder of the test session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.crew import framework

CREWAI_WARNS = [
    pytest.mark.filterwarnings("ignore:function_calling_llm is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
]
"""crewai's own deprecations, raised whenever an agent is built."""


@pytest.fixture(scope="session")
def crew_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crew")
    framework.load(folder)
    return folder


@pytest.fixture(autouse=True)
def _breakers_are_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "crew_folder" in request.fixturenames:
        from bot.crew.llm import forget_breakers

        forget_breakers()
