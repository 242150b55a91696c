"""Real servers of the monitoring world on free ports of this machine; tests are skipped where they are not installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], bool], seconds: float = 60) -> None:
    """Look again and again, because a server says nothing when it is ready."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if ready():
            return
        pause.wait(0.1)
    pytest.fail(f"not ready after {seconds:.0f} s")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def running(program: str, arguments: list[str], folder: Path, ready: str) -> Iterator[None]:
    """Run a server until the block ends; `ready` is a URL that answers once it serves."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([path, *arguments], cwd=folder, stdout=log, stderr=log)
        try:
            until(lambda: answers(ready))
            yield
        finally:
            process.terminate()
            process.wait(20)
