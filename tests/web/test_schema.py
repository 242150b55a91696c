"""Schemathesis throws what the OpenAPI description allows, and what it does not, at the running server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.conftest import TOKEN, Served, finished

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"


@pytest.mark.timeout(240)
def test_no_answer_is_undocumented_or_a_server_error(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    site = serve(rate_per_minute=1_000_000)
    finished(site)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{site.url}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {TOKEN}"),
        *("--checks", CHECKS, "--max-examples", "8", "--phases", "examples,coverage,fuzzing"),
        *("--exclude-path-regex", "/stream$|/webhooks", "--seed", "7", "--no-color"),
        *("--request-timeout", "10"),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=220, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6_000:]
