"""What every test may use: a fixed clock, the shared data pack if it is there, and no silent skips in CI."""

from __future__ import annotations

import os
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure: limits on time are for hangs (pytest's own), never for examples.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """The present moment of a test."""
    return NOON


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded vendor data, kept outside the repository; skips where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.getenv("SHARED_DATA", str(default)))
    if not folder.is_dir():
        pytest.skip("no shared data pack here (SHARED_DATA)")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under REQUIRE_EVERYTHING a test that wants a browser or a server fails instead of being skipped."""
    report = yield
    if report.skipped and os.getenv("REQUIRE_EVERYTHING") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if "SHARED_DATA" not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped although everything is required here: {reason}"
    return report
