"""Log lines of any format, as a stream of bytes or of messages, to bounded columnar batches.

`read` takes a stream (a file, a download) to `LogBatch`es: lines cut out, formats detected, envelopes taken
off, times and levels made one, continuation lines joined to their event. `read_messages` does the same for
sources that hand over separate messages with fields of their own.
"""

from __future__ import annotations

from adapters.kit.lines.blocks import BinaryContentError, chunks_of, looks_binary
from adapters.kit.lines.read import Source, read, read_messages
from adapters.kit.lines.select import Selection

__all__ = [
    "BinaryContentError",
    "Selection",
    "Source",
    "chunks_of",
    "looks_binary",
    "read",
    "read_messages",
]
