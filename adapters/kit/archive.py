"""Text files out of a zip that somebody else packed: bounded in number, size and ratio; paths are names, nothing more."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from adapters.kit.errors import AdapterError, Reason

MAX_PACKED = 256 << 20
MAX_ENTRIES = 2_000
MAX_UNPACKED = 1 << 30
_RATIO = 300  # repetitive logs reach about 100, a zip bomb 1,000
_RATIO_FREE = 64 << 20  # the ratio says nothing below this
_CHUNK = 1 << 20


@dataclass(slots=True)
class Archive:
    """A zip, spooled to disk where it is large. Close it after use.

    Attributes:
        notes: what was not read, and why.
    """

    file: IO[bytes]
    packed: int
    notes: list[str] = field(default_factory=list)
    _left: int = MAX_UNPACKED

    @classmethod
    def of(cls, pieces: Iterable[bytes]) -> Archive:
        """Keep a download, at most `MAX_PACKED` of it."""
        file = tempfile.SpooledTemporaryFile(8 << 20)  # noqa: SIM115 - closed by `close`
        size = 0
        for piece in pieces:
            size += len(piece)
            file.write(piece)
        return cls(file, size)

    def close(self) -> None:
        self.file.close()

    def entries(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Name and content of each text file, in the order of the archive.

        Raises:
            zipfile.BadZipFile: it is none, or damaged at its end.
        """
        with zipfile.ZipFile(self.file) as packed:
            infos = [info for info in packed.infolist() if not info.is_dir()]
            if len(infos) > MAX_ENTRIES:
                self.notes.append(f"Only {MAX_ENTRIES:,} of {len(infos):,} files were read.")
            for info in infos[:MAX_ENTRIES]:
                if info.flag_bits & 1:
                    self.notes.append("A file in the archive is encrypted and was skipped.")
                    continue
                yield info.filename, self._content(packed, info)

    def _content(self, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
        total = 0
        try:
            with packed.open(info) as entry:
                while piece := entry.read(_CHUNK):
                    total += len(piece)
                    self._left -= len(piece)
                    bomb = total > _RATIO_FREE and total > max(info.compress_size, 1) * _RATIO
                    if bomb or self._left < 0:
                        self.notes.append(
                            "The archive unpacks to far more than logs do; cut there."
                        )
                        return
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
            self.notes.append("A file in the archive is damaged; read up to there.")


@contextmanager
def reading(system: str) -> Iterator[None]:
    """Read an archive that a system sent.

    Raises:
        AdapterError: BAD_RESPONSE, where it is none.
    """
    try:
        yield
    except zipfile.BadZipFile:
        detail = "sent an archive that cannot be opened"
        raise AdapterError(system, Reason.BAD_RESPONSE, detail) from None
