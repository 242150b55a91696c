"""`incident-responder recognise`: what the bot would see in a Slack message, so that users can check theirs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from adapters.kit import recognise as kit
from bot.errors import UserError


def recognise(file: Path | None, self_ids: str) -> int:
    """Write one JSON object for each line of `file` (standard input without it).

    Raises:
        UserError: the file cannot be read.
    """
    ids = tuple(part.strip() for part in self_ids.split(",") if part.strip())
    if file is None:
        _write(sys.stdin.buffer, ids)
        return 0
    try:
        with file.open("rb") as stream:
            _write(stream, ids)
    except OSError:
        raise UserError(f"{file} cannot be read; give a file with one JSON object a line") from None
    return 0


def _write(stream: BinaryIO, ids: tuple[str, ...]) -> None:
    for answer in kit.lines(_decoded(stream), ids):
        sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _decoded(stream: BinaryIO) -> Iterator[str]:
    for raw in stream:
        yield raw.decode("utf-8", errors="replace")
