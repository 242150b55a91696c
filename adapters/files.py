"""Log files of this machine: a file, a folder or a glob; plain or gzip; rotated siblings in their order.

There is no API: the formats are those of `adapters/kit/lines`, the file system's rules are in open(2), the
gzip format is RFC 1952 (https://www.rfc-editor.org/rfc/rfc1952).
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator

from adapters.kit.capabilities import Check, LogQuery
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.lines import BinaryContentError, Selection, Source, read
from adapters.kit.lines.seek import span
from adapters.kit.lines.select import SELECTABLE
from adapters.kit.lines.times import Calendar
from adapters.kit.records import LOG_SCHEMA, LogBatch
from adapters.kit.settings import AdapterSettings

TYPES: Mapping[str, tuple[str, ...]] = {"log_sources": ("files", "local")}

_MAX_FILES: Final = 5_000
_SEEK_FROM: Final = 32 << 20  # smaller files are read faster than searched
_COUNT_UP_TO: Final = 4 << 30  # lines are numbered when no more than this has to be read for it
_CHUNK: Final = 8 << 20
_GZIP_RATIO: Final = 300  # repetitive logs reach about 100, a zip bomb 1,000
_GZIP_FREE: Final = 64 << 20  # the ratio says nothing below this
_BREATH: Final = 8  # so many batches without a wanted line, and an empty one is given
_GZIP: Final = b"\x1f\x8b"
_GLOB: Final = re.compile(r"[*?\[]")
_ROTATED: Final = re.compile(r"^(?P<base>.*?)(?:[.-](?P<date>20\d{2}-?\d{2}-?\d{2}(?:[T_-]?\d{2,6})?))?(?:\.(?P<number>\d{1,4}))?(?P<gz>\.gz)?$")  # fmt: skip


class Settings(AdapterSettings):
    """Which files are logs."""

    path: str = Field(
        min_length=1, description="A folder, a file, or a glob such as /var/log/app/*.log"
    )
    include: tuple[str, ...] = Field(
        default=("**/*",), description="Globs within the folder; hidden files are left out"
    )
    service: str = Field(
        default="",
        description="Service of lines that name none; {file} stands for the file's name without its suffixes",
    )
    timezone: str = Field(
        default="UTC", description="Zone of times that name none, for example Europe/Berlin"
    )

    @field_validator("path", "include")
    @classmethod
    def _globbing(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for glob in (value,) if isinstance(value, str) else value:
            if any("**" in part and part != "**" for part in Path(glob).parts):
                msg = f"in {glob!r}, ** must stand alone between slashes"
                raise ValueError(msg)
            if value is not glob and (not glob or Path(glob).is_absolute()):
                msg = f"{glob!r} must be a pattern within the folder, such as *.log"
                raise ValueError(msg)
        return value

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            msg = f"{name!r} is no time zone; write one like Europe/Berlin or UTC"
            raise ValueError(msg) from None
        return name


@dataclass(slots=True)
class _Budget:
    """How many more events may be read, what has to be said with the next batch, and what was outside."""

    left: int
    notes: list[str]
    kept: int = 0
    skipped: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def outside(self, frame: pl.DataFrame) -> None:
        """Remember the span of what was read, to tell people where the lines are when none is in the window."""
        first, last = frame["time"].min(), frame["time"].max()
        if isinstance(first, datetime) and isinstance(last, datetime):
            self.first = min(first, self.first or first)
            self.last = max(last, self.last or last)


class Adapter:
    """Reads the lines of a window from files; within a file in its order, file after file."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    def logs(self, query: LogQuery) -> Iterator[LogBatch]:
        """Read the events of the window.

        What could not be read (a binary, a file without permission) is in the notes of a batch, which is empty
        when nothing else came. A file whose lines have no times at all is read whole.

        Raises:
            AdapterError: nothing is there, or nothing of it may be read.
        """
        unknown = sorted(set(query.selector) - set(SELECTABLE))
        if unknown:
            raise AdapterError(
                self.name,
                Reason.BAD_REQUEST,
                f"The selector names {unknown[0]}; it may name {', '.join(SELECTABLE)}.",
            )
        files = self._files()
        budget = _Budget(query.limit, [])
        if len(files) > _MAX_FILES:
            budget.notes.append(
                f"Only {_MAX_FILES:,} of {len(files):,} files were read; narrow `path` or `include`."
            )
            del files[_MAX_FILES:]
        refused = 0
        for path in files:
            try:
                yield from self._read(path, query, budget)
            except PermissionError:
                refused += 1
                budget.notes.append(f"{path.name}: no permission to read it.")
            except OSError as error:
                budget.notes.append(f"{path.name}: {error.strerror or 'unreadable'}.")
            if budget.left <= 0:
                break
        if refused == len(files):
            raise AdapterError(
                self.name,
                Reason.AUTH,
                f"No permission to read {self._shown()}; grant it to the bot's user.",
            )
        if not budget.kept and budget.first and budget.last:
            budget.notes.append(
                f"No line of {self._shown()} is in the window; those that were read are from "
                f"{budget.first:%Y-%m-%d %H:%M} to {budget.last:%Y-%m-%d %H:%M} UTC."
            )
        if budget.notes:
            yield LogBatch(self.name, pl.DataFrame(schema=LOG_SCHEMA), notes=tuple(budget.notes))

    def check(self) -> Check:
        """Whether there are files, and the newest of them can be read.

        Raises:
            AdapterError: as `logs`.
        """
        files = self._files()
        newest = max(files, key=lambda path: path.stat().st_mtime)
        try:
            os.close(_open(newest))
        except PermissionError:
            raise AdapterError(
                self.name, Reason.AUTH, f"No permission to read {newest.name}."
            ) from None
        changed = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
        return Check(
            ok=True, detail=f"{len(files)} files, the newest changed {changed:%Y-%m-%d %H:%M} UTC"
        )

    def _files(self) -> list[Path]:
        """The files that the settings mean, resolved, none of them outside of the configured folder."""
        configured = Path(self._settings.path).expanduser()
        try:
            found = _matching(configured, self._settings.include)
        except PermissionError:
            raise AdapterError(
                self.name,
                Reason.AUTH,
                f"No permission to list {self._shown()}; grant it to the bot's user.",
            ) from None
        except OSError:  # a name that no file system takes, or links in a circle
            found = None
        if found is None:
            detail = f"{self._shown()} does not exist on this machine; correct `path` of this source or mount it."
            raise AdapterError(self.name, Reason.NOT_FOUND, detail)
        if not found:
            detail = (
                f"No files in {self._shown()} match; correct `path` or `include` of this source."
            )
            raise AdapterError(self.name, Reason.NOT_FOUND, detail)
        return sorted(found, key=_age_order)

    def _shown(self) -> str:
        """The configured place, without the folders that lead to it."""
        return f"`{Path(self._settings.path).name or self._settings.path}`"

    def _read(self, path: Path, query: LogQuery, budget: _Budget) -> Iterator[LogBatch]:
        calendar = Calendar(query.window.until, self._settings.timezone)
        service = self._settings.service.replace(
            "{file}", _rotation(path)["base"].partition(".")[0]
        )
        source = Source(self.name, calendar, path.name, service, path.as_uri())
        selection = Selection(query)
        empty = True
        with os.fdopen(_open(path), "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            chunks, first = (
                (_unpacked(file, path.name, budget.notes), 1)
                if os.pread(file.fileno(), 2, 0) == _GZIP
                else _plain(file.fileno(), size, query, calendar)
            )
            try:
                for batch in read(chunks, source, first_line=first):
                    empty = False
                    budget.notes.extend(batch.notes)
                    yield from self._kept(batch, selection, budget)
                    if budget.left <= 0:
                        return
            except BinaryContentError as error:
                budget.notes.append(f"{path.name}: skipped, {error}.")
                return
        if empty and size:
            budget.notes.append(f"{path.name}: no text in its {size:,} bytes.")

    def _kept(self, batch: LogBatch, selection: Selection, budget: _Budget) -> Iterator[LogBatch]:
        frame = selection.apply(batch.frame).head(budget.left)
        budget.outside(batch.frame)
        if frame.is_empty():
            budget.skipped += 1
            if budget.skipped % _BREATH == 0:  # whoever reads may want to stop meanwhile
                yield LogBatch(batch.source, frame)
            return
        budget.kept += frame.height
        budget.left -= frame.height
        truncated = "" if budget.left > 0 else "The limit of events was reached; there are more."
        notes, budget.notes = tuple(budget.notes), []
        yield LogBatch(batch.source, frame, batch.url, truncated, notes)


def _matching(configured: Path, include: tuple[str, ...]) -> list[Path] | None:
    """Regular files below the configured place; None when there is no such place."""
    pattern = str(configured)
    if _GLOB.search(pattern):
        fixed = Path(*(part for part in _before_glob(configured)))
        if not fixed.is_dir():
            return None
        return _contained(fixed, fixed.glob(str(configured.relative_to(fixed))))
    if configured.is_dir():
        found = (path for glob in include for path in configured.glob(glob))
        return _contained(configured, found)
    return [configured.resolve()] if configured.exists() else None


def _before_glob(path: Path) -> Iterator[str]:
    for part in path.parts:
        if _GLOB.search(part):
            return
        yield part


def _contained(root: Path, paths: Iterator[Path]) -> list[Path]:
    """Regular files among the paths that are below the root once all links are followed; each once."""
    base = root.resolve()
    found: dict[Path, None] = {}
    for path in paths:
        real = path.resolve()
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and real.is_relative_to(base) and real.is_file():
            found[real] = None
    return list(found)


def _rotation(path: Path) -> Mapping[str, str]:
    match = _ROTATED.match(path.name)
    return (
        match.groupdict(default="")
        if match and match["base"]
        else {"base": path.name, "date": "", "number": ""}
    )


def _age_order(path: Path) -> tuple[str, str, bool, str, int]:
    """Sorts `app.log.2.gz`, `app.log.1`, `app.log`, and `app-20261120.log` before `app-20261121.log`."""
    parts = _rotation(path)
    current = not (parts["date"] or parts["number"])
    return str(path.parent), parts["base"], current, parts["date"], -int(parts["number"] or 0)


def _open(path: Path) -> int:
    """Open a regular file for reading; a link that took its place since it was resolved is refused."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        msg = "is no regular file"
        raise OSError(0, msg)
    return file


def _plain(
    file: int, size: int, query: LogQuery, calendar: Calendar
) -> tuple[Iterator[bytes], int | None]:
    """The bytes that can hold lines of the window, and the number of the first line among them."""
    begin, end = 0, size
    if size >= _SEEK_FROM:
        begin, end = span(
            lambda offset, count: os.pread(file, count, offset), size, query.window, calendar
        )
    if begin == 0:
        return _pieces(file, 0, end), 1
    if begin > _COUNT_UP_TO:
        return _pieces(file, begin, end), None
    before = sum(piece.count(b"\n") for piece in _pieces(file, 0, begin))
    return _pieces(file, begin, end), before + 1


def _pieces(file: int, begin: int, end: int) -> Iterator[bytes]:
    """The bytes of a range; the holes of a sparse file, which read as NULs, are stepped over."""
    at = begin
    while at < end:
        try:
            at = max(at, os.lseek(file, at, os.SEEK_DATA))
        except OSError:  # ENXIO: nothing but a hole up to the end
            return
        piece = os.pread(file, min(_CHUNK, end - at), at)
        if not piece:
            return
        yield piece
        at += len(piece)


def _unpacked(file: BinaryIO, name: str, notes: list[str]) -> Iterator[bytes]:
    """The content of a gzip file of one or more members, as far as it is sound and no bomb."""
    total = 0
    packed = os.fstat(file.fileno()).st_size
    with gzip.GzipFile(fileobj=file) as unpacked:
        while True:
            try:
                piece = unpacked.read1(_CHUNK)  # `read` loses what came before a fault
            except (EOFError, zlib.error, gzip.BadGzipFile):
                notes.append(f"{name}: the gzip file is cut off or damaged; read up to there.")
                return
            if not piece:
                return
            total += len(piece)
            if total > _GZIP_FREE and total > packed * _GZIP_RATIO:
                notes.append(
                    f"{name}: unpacks to more than {_GZIP_RATIO} times its size; not read further."
                )
                return
            yield piece
