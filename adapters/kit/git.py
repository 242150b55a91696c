"""The git command line, run on a repository whose content and configuration other people wrote.

https://git-scm.com/docs/git. No shell, no hooks, no pager, no external diff, no signature program, no lazy
fetch; the repository's owner may be another user. Output is read as a stream, in bounded memory.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from adapters.kit.errors import AdapterError, Reason

TIMEOUT_S = 60.0
ANSWER_BYTES = 2 << 20

_SAFE = (
    "--no-optional-locks", "--no-pager", "--literal-pathspecs", "--no-replace-objects",
    "-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "-c", "core.sshCommand=false",
    "-c", "protocol.allow=never", "-c", "log.showSignature=false", "-c", "log.showRoot=true",
    "-c", "core.quotePath=true", "-c", "diff.algorithm=myers", "-c", "diff.suppressBlankEmpty=false",
    "-c", "diff.renameLimit=400", "-c", "i18n.logOutputEncoding=UTF-8",
)  # fmt: skip
_ENV = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
    "HOME": "/nonexistent",
}
# Git knows where functions begin in these languages, but only when an attribute says which language it is;
# the function's name in a hunk header is one of the best links between a stack frame and a change.
_LANGUAGES = (
    "python:py,pyi java:java kotlin:kt,kts golang:go ruby:rb,rake rust:rs php:php,inc csharp:cs "
    "cpp:c,h,cc,cpp,cxx,hh,hpp,hxx perl:pl,pm elixir:ex,exs bash:sh,bash objc:m,mm"
)
_ATTRIBUTES = "".join(
    f"*.{ending} diff={driver}\n"
    for driver, _, endings in (language.partition(":") for language in _LANGUAGES.split())
    for ending in endings.split(",")
)


@dataclass(frozen=True, slots=True)
class Git:
    """One repository, read only. `system` is the configured source, for errors.

    Raises (every method):
        AdapterError: no such folder, not a repository, git is missing, too slow or can't read its objects.
    """

    system: str
    path: Path

    def run(self, args: Sequence[str], *, may_fail: bool = False) -> bytes:
        """What git prints, at most 2 MiB of it."""
        with self.stream(args, may_fail=may_fail) as out:
            return out.read(ANSWER_BYTES)

    @contextmanager
    def stream(
        self, args: Sequence[str], stdin: Sequence[str] = (), *, may_fail: bool = False
    ) -> Iterator[IO[bytes]]:
        """Run git and lend its output. It is killed when the reader leaves, or after `TIMEOUT_S`."""
        with tempfile.NamedTemporaryFile("w", suffix=".attributes") as attributes:
            attributes.write(_ATTRIBUTES)
            attributes.flush()
            process = self._start(["-c", f"core.attributesFile={attributes.name}", *args])
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(TIMEOUT_S, stop)
            timer.daemon = True
            timer.start()
            out = process.stdout
            assert out is not None  # noqa: S101 - for the type checker
            try:
                _feed(process, stdin)
                yield out
                if read_to_the_end := not out.read(1):
                    process.wait()
            finally:
                timer.cancel()
                process.kill()
                out.close()
                code = process.wait()
        if late.is_set():
            detail = f"git took longer than {TIMEOUT_S:.0f} s"
            raise AdapterError(self.system, Reason.TIMEOUT, detail)
        if read_to_the_end and code and not may_fail:
            detail = f"git could not read {self.path}; run git fsck in it"
            raise AdapterError(self.system, Reason.BAD_RESPONSE, detail)

    def _start(self, args: Sequence[str]) -> subprocess.Popen[bytes]:
        location = self._git_dir()
        safe = ["-c", f"safe.directory={location}", f"--git-dir={location}"]
        try:
            return subprocess.Popen(  # noqa: S603 - the arguments are ours, revisions are checked
                ["git", *safe, *_SAFE, *args],  # noqa: S607 - PATH is fixed in _ENV
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENV,
                cwd="/",
            )
        except OSError:
            raise AdapterError(self.system, Reason.UNAVAILABLE, "git is not installed") from None

    def _git_dir(self) -> Path:
        path = self.path
        try:
            if not path.is_dir():
                raise AdapterError(self.system, Reason.NOT_FOUND, f"there is no folder {path}")
            if (path / ".git").exists():
                return (path / ".git").resolve()
            if (path / "HEAD").is_file() and (path / "objects").is_dir():
                return path.resolve()
        except OSError:
            raise AdapterError(self.system, Reason.AUTH, f"{path} may not be read") from None
        raise AdapterError(
            self.system,
            Reason.NOT_FOUND,
            f"{path} is not a git repository; give its top folder, or a bare clone",
        )


def _feed(process: subprocess.Popen[bytes], lines: Sequence[str]) -> None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    with suppress(BrokenPipeError):
        process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        process.stdin.close()


def split(out: IO[bytes], word: bytes, limit: int) -> Iterator[tuple[bytes, bool]]:
    """Split a stream at a word, in bounded memory: what is too long loses its end."""
    buffer = b""
    held = b""
    while chunk := out.read(1 << 18):
        *whole, buffer = (buffer + chunk).split(word)
        for piece in whole:
            yield (held, True) if held else (piece, False)
            held = b""
        if len(buffer) > limit:
            held = held or buffer
            buffer = buffer[-len(word) :]
    yield (held, True) if held else (buffer, False)
