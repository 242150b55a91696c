"""Replays what vendors once answered, from the shared data pack. Tests are skipped where it is absent."""

from __future__ import annotations

import ast
import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.adapters.loopback import Asked, Reply, Script


def contract(name: str) -> Path:
    """A file of the data pack's `contracts`, or a skip."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    path = Path(os.getenv("SHARED_DATA", str(default))) / "contracts" / name
    if not path.exists():
        pytest.skip(f"no {name} here (SHARED_DATA)")
    return path


def loaded(name: str) -> Any:
    return json.loads(contract(name).read_bytes())


def pygithub(names: Sequence[str], prefix: str = "/api/v3") -> Script:
    """What GitHub answered to PyGithub's own tests, by path and in its order; anything else is 404.

    A recording has eleven lines a request: scheme, verb, host, port, path, headers, body, status, headers, body, blank.
    """
    replies: dict[str, list[tuple[int, dict[str, str], str]]] = defaultdict(list)
    for name in names:
        path = contract(f"github/pygithub-replay/{name}.txt")
        lines = path.read_text(encoding="utf-8").split("\n")
        for at in range(0, len(lines) - 9, 11):
            headers = {key.lower(): value for key, value in ast.literal_eval(lines[at + 8])}
            answer = (int(lines[at + 7]), headers, lines[at + 9])
            replies[urlsplit(lines[at + 4]).path].append(answer)

    def script(asked: Asked) -> Reply:
        known = replies.get(asked.path.removeprefix(prefix))
        if not known:
            return Reply("{}", 404)
        status, headers, body = known.pop(0) if len(known) > 1 else known[0]
        home = f"http://{asked.headers['host']}{prefix}"
        link = headers.get("link", "").replace("https://api.github.com", home)
        content = body.replace("https://api.github.com", home)
        return Reply(content, status, {"Link": link} if link else {})

    return script
