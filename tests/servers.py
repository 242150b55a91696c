"""Throw-away Redis and Postgres from the machine's own binaries, on free ports, killable at any moment."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from typing_extensions import override

USER = "postgres"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _binary(name: str) -> str | None:
    known = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(known[-1]) if known else shutil.which(name)


class Server:
    """A process that listens on a port, with data that outlives it."""

    def __init__(self, command: list[str], port: int, folder: Path, user: str | None) -> None:
        self.port = port
        self.folder = folder
        self._command = command
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_s: float = 30) -> None:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                with (self.folder / "log").open("ab") as log:
                    self._process = subprocess.Popen(
                        self._command, stdout=log, stderr=log, user=self._user, cwd=self.folder
                    )
            if self._ready():
                return
            time.sleep(0.05)
        pytest.fail(f"{self._command[0]} did not start; see {self.folder / 'log'}")

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def _ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False


@contextmanager
def redis() -> Iterator[Server]:
    """A Redis that keeps nothing; `url(server)` is its broker URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here")
    port = free_port()
    with _folder(None) as folder:
        options = f"--port {port} --bind 127.0.0.1 --save --appendonly no --dir {folder}".split()
        server = Server([program, *options[:5], "", *options[5:]], port, folder, None)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def redis_url(server: Server) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


class Postgres(Server):
    """Postgres, whose start is over when it answers queries."""

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    @override
    def _ready(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A Postgres of its own. A killed process loses nothing without fsync; only a power cut would."""
    initdb, program = _binary("initdb"), _binary("postgres")
    if initdb is None or program is None:
        pytest.skip("there is no Postgres server here")
    user = USER if os.getuid() == 0 else None
    port = free_port()
    with _folder(user) as folder:
        data = str(folder / "data")
        subprocess.run(
            [initdb, "-D", data, "-A", "trust", "-U", USER, "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        server = Postgres([program, "-D", data, *settings.split()], port, folder, user)
        server.start()
        try:
            yield server
        finally:
            server.kill()
            time.sleep(0.2)  # its children notice


@contextmanager
def _folder(user: str | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ir-server-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        yield folder
