"""Streams that are long, broken, coloured, foreign or no text at all."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from adapters.kit.lines import BinaryContentError, Source, chunks_of, looks_binary, read
from adapters.kit.lines.blocks import BLOCK_LINES, LINE_BYTES, blocks
from adapters.kit.lines.times import Calendar
from tests.adapters.lines.reading import NOON, events_of, frame_of, texts_of


def lines_of(data: bytes) -> list[str]:
    return [line for block in blocks([data]) for line in block.lines.to_list()]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"\n", [""]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"progress 1\rprogress 2\n", ["progress 1\rprogress 2"]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07x\n", ["red x"]),
        (b"caf\xe9 ol\xc3\xa9\n", ["caf\ufffd ol\u00e9"]),
        (b"a\0\0b\n", ["ab"]),
        ("Größe\n".encode("utf-16"), ["Größe"]),
    ],
)
def test_a_stream_is_cut_at_line_feeds_and_cleaned(data: bytes, lines: list[str]) -> None:
    assert lines_of(data) == lines


def test_a_line_of_ten_megabytes_is_cut_and_said() -> None:
    stream = io.BytesIO(b"first\n" + b"x" * (10 << 20) + b"\nlast\n")
    batches = list(read(chunks_of(stream), Source("a", Calendar(NOON), "app.log")))
    texts = [text for batch in batches for text in batch.frame.get_column("text")]
    assert (texts[0], texts[-1]) == ("first", "last")
    assert LINE_BYTES <= len(texts[1]) < LINE_BYTES + 20
    assert any("1 over-long line" in note for batch in batches for note in batch.notes)
    assert batches[-1].frame.get_column("line")[-1] == 3


def test_memory_does_not_grow_with_a_line_that_never_ends() -> None:
    def endless() -> Iterator[bytes]:
        yield b"start\n"
        for _ in range(64):
            yield b"y" * (1 << 20)

    tracemalloc.start()
    texts = [block.lines.to_list() for block in blocks(endless())]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(line) for line in texts[0]] == [5, LINE_BYTES + len(" [...]")]
    assert peak < 16 << 20


def test_blocks_and_batches_are_bounded() -> None:
    count = BLOCK_LINES * 2 + 10
    found = list(blocks([b"x\n" * count]))
    assert [block.lines.len() for block in found] == [BLOCK_LINES, BLOCK_LINES, 10]
    assert [block.first for block in found] == [1, BLOCK_LINES + 1, BLOCK_LINES * 2 + 1]
    batches = list(read([b"x\n" * count], Source("a", Calendar(NOON))))
    assert sum(len(batch) for batch in batches) == count
    assert max(len(batch) for batch in batches) <= BLOCK_LINES + 1_000


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(200),
        b"PK\x03\x04abc",
        b"\x89PNG\r\n",
        bytes(range(32)) * 50,
        b"\xff\xd8\xff" + b"\x80\x9f" * 500,
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(data: bytes) -> None:
    assert looks_binary(data)
    with pytest.raises(BinaryContentError, match=r"it |bytes"):
        list(read([data], Source("a", Calendar(NOON))))


def test_a_log_that_was_truncated_under_its_writer_begins_with_nuls() -> None:
    data = bytes(100_000) + b"2026-11-21 03:04:05,000 ERROR shop: boom\n"
    assert texts_of(data) == ["shop: boom"]


def test_latin_letters_do_not_make_a_file_binary() -> None:
    assert not looks_binary("Fehler: Größe ungültig, Prüfung übersprungen\n".encode("latin-1") * 20)


def test_blank_lines_count_but_are_no_events() -> None:
    events = events_of("one\n\n   \ntwo\n")
    assert [(event["line"], event["text"]) for event in events] == [(1, "one"), (4, "two")]


def test_lines_are_numbered_over_a_whole_file() -> None:
    text = "".join(f"2026-11-21T03:04:05.123Z h s[1]: INFO number {n}\n" for n in range(1, 200_001))
    frame = frame_of(text)
    assert frame.get_column("line").to_list() == list(range(1, 200_001))
    assert frame.get_column("text")[150_000] == "number 150001"
