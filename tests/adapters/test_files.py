"""Log files as they lie about: rotated, packed, sparse, unreadable, linked, huge."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.files import TYPES, Adapter, Settings
from adapters.kit.capabilities import Checkable, LogQuery, LogSource
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.records import LogBatch, Window

T0 = datetime(2026, 11, 21, 3, tzinfo=UTC)
HOUR = Window(since=T0, until=T0 + timedelta(hours=1))


def line(at: datetime, text: str, level: str = "INFO", service: str = "shop") -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z web-1 {service}[7]: {level} {text}\n"


def minutes(count: int, text: str = "tick", start: datetime = T0) -> str:
    return "".join(line(start + timedelta(minutes=n), f"{text} {n}") for n in range(count))


def batches(path: Path | str, query: LogQuery | None = None, **settings: object) -> list[LogBatch]:
    adapter = Adapter("files", Settings.model_validate({"path": str(path), **settings}))
    return list(adapter.logs(query or LogQuery(window=HOUR)))


def texts(found: Sequence[LogBatch]) -> list[str]:
    return [text for batch in found for text in batch.frame.get_column("text")]


def notes(found: Sequence[LogBatch]) -> str:
    return " ".join(note for batch in found for note in batch.notes)


def test_the_module_says_what_it_serves() -> None:
    adapter = Adapter("files", Settings(path="/nowhere"))
    assert isinstance(adapter, LogSource)
    assert isinstance(adapter, Checkable)
    assert TYPES == {"log_sources": ("files", "local")}


def test_the_window_is_half_open(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(minutes(90))
    window = Window(since=T0 + timedelta(minutes=10), until=T0 + timedelta(minutes=12))
    found = batches(tmp_path, LogQuery(window=window))
    assert texts(found) == ["tick 10", "tick 11"]
    assert found[0].frame.get_column("line").to_list() == [11, 12]
    assert found[0].frame.get_column("origin").to_list() == ["app.log", "app.log"]
    assert found[0].url == (tmp_path / "app.log").as_uri()


def test_a_window_without_lines_is_an_empty_answer_that_says_where_the_lines_are(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.log").write_text(minutes(10, start=T0 - timedelta(days=1)))
    (only,) = batches(tmp_path)
    assert len(only) == 0
    assert "2026-11-20" in only.notes[0]


def test_a_log_without_times_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("starting\nERROR: no disk\n")
    found = batches(tmp_path)
    assert texts(found) == ["starting", "no disk"]
    assert found[0].frame.get_column("level").to_list() == [None, "error"]


def test_lines_without_a_time_go_with_their_neighbours(tmp_path: Path) -> None:
    text = '{"msg":"before"}\n{"ts":"2026-11-21T02:59:00Z","msg":"early"}\n{"msg":"still early"}\n{"ts":"2026-11-21T03:01:00Z","msg":"in"}\n{"msg":"in too"}\n'
    (tmp_path / "app.log").write_text(text)
    assert texts(batches(tmp_path)) == ["in", "in too"]


def test_rotated_siblings_come_oldest_first(tmp_path: Path) -> None:
    for age, name in enumerate(["app.log", "app.log.1", "app.log.2.gz", "app.log.10.gz"]):
        data = line(T0 + timedelta(minutes=30 - age), name).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    for day in ("20261120", "20261119"):
        (tmp_path / f"zed.log-{day}").write_text(line(T0, day))
    order = ["app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log", "20261119", "20261120"]
    assert texts(batches(tmp_path)) == order


def test_gzip_of_several_members_is_read_through(tmp_path: Path) -> None:
    packed = gzip.compress(line(T0, "one").encode()) + gzip.compress(line(T0, "two").encode())
    (tmp_path / "app.log").write_bytes(packed)  # by its content, not by its name
    assert texts(batches(tmp_path)) == ["one", "two"]


def test_a_gzip_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(5_000).hex().encode() + b"\n" + minutes(5).encode())
    (tmp_path / "app.log.gz").write_bytes(gzip.compress(minutes(5).encode()) + packed[:2_000])
    found = batches(tmp_path)
    assert texts(found)[:4] == [f"tick {n}" for n in range(4)]
    assert "cut off or damaged" in notes(found)


def test_a_gzip_bomb_is_not_unpacked_to_the_end(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "app.log.gz", "wb", compresslevel=5) as bomb:
        for _ in range(90):
            bomb.write(b"A" * (1 << 20))
    found = batches(tmp_path)
    assert "times its size" in notes(found)


def test_a_sparse_log_of_two_gibibytes_is_no_work(tmp_path: Path) -> None:
    with (tmp_path / "app.log").open("wb") as file:
        file.truncate(2 << 30)
    found = batches(tmp_path)
    assert texts(found) == []
    assert "no text in its 2,147,483,648 bytes" in notes(found)


def test_what_stands_behind_a_hole_is_read(tmp_path: Path) -> None:
    with (tmp_path / "app.log").open("wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 30)
        file.write(minutes(3).encode())
    assert texts(batches(tmp_path)) == ["tick 0", "tick 1", "tick 2"]


def test_a_binary_file_is_skipped_and_said(tmp_path: Path) -> None:
    (tmp_path / "core").write_bytes(b"\x7fELF" + os.urandom(5000))
    (tmp_path / "app.log").write_text(minutes(2))
    found = batches(tmp_path)
    assert texts(found) == ["tick 0", "tick 1"]
    assert "core: skipped" in notes(found)


def test_only_a_binary_file_is_an_empty_answer_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "core").write_bytes(b"\x7fELF" + os.urandom(5000))
    (found,) = batches(tmp_path)
    assert len(found) == 0
    assert "core: skipped, it begins like a program" in found.notes[0]


@pytest.mark.parametrize("path", ["missing", "missing/*.log", "x" * 300, "nul\0"])
def test_a_place_that_does_not_exist_says_what_to_do(tmp_path: Path, path: str) -> None:
    with pytest.raises(AdapterError, match="correct `path`") as caught:
        batches(tmp_path / path)
    assert caught.value.reason is Reason.NOT_FOUND
    assert str(tmp_path) not in caught.value.detail


def test_a_folder_without_matching_files_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("hello")
    with pytest.raises(AdapterError, match="`include`"):
        batches(tmp_path, include=["*.log"])


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, so it is nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_without_permission_is_an_error_of_permission() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "app.log"
        path.write_text(minutes(2))
        path.chmod(0)
        with without_privileges(), pytest.raises(AdapterError) as caught:
            batches(folder)
    assert caught.value.reason is Reason.AUTH
    assert folder not in caught.value.detail


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text(line(T0, "secret"))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "link.log").symlink_to(secret)
    (logs / "up").symlink_to(tmp_path)
    (logs / "app.log").write_text(line(T0, "mine"))
    (logs / "current.log").symlink_to(logs / "app.log")
    assert texts(batches(logs)) == ["mine"]
    assert texts(batches(logs / "*.log")) == ["mine"]


def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "app.log").write_text(line(T0, "mine"))
    assert texts(batches(tmp_path)) == ["mine"]
    assert "pipe" not in notes(batches(tmp_path))


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "log").write_text(line(T0, "hidden"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "app.log").write_text(line(T0, "seen"))
    assert texts(batches(tmp_path)) == ["seen"]


def test_the_service_of_the_question_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(line(T0, "a", service="Cart") + line(T0, "b", service="pay"))
    assert texts(batches(tmp_path, LogQuery(window=HOUR, service="cart"))) == ["a", "b"]


def test_the_selector_of_the_catalogue_restricts(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(line(T0, "a", service="Cart") + line(T0, "b", service="pay"))
    assert texts(batches(tmp_path, LogQuery(window=HOUR, selector={"service": "cart"}))) == ["a"]
    with pytest.raises(AdapterError, match="it may name") as caught:
        batches(tmp_path, LogQuery(window=HOUR, selector={"namespace": "cart"}))
    assert caught.value.reason is Reason.BAD_REQUEST


def test_the_service_may_be_fixed_or_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "cart.log.1").write_text("2026-11-21 03:04:05,000 ERROR boom\n")
    assert batches(tmp_path, service="shop")[0].frame.get_column("service").to_list() == ["shop"]
    assert batches(tmp_path, service="{file}")[0].frame.get_column("service").to_list() == ["cart"]


def test_words_and_levels_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(
        line(T0, "a [x]", "INFO") + line(T0, "b [x]", "WARN") + line(T0, "c", "ERROR")
    )
    assert texts(batches(tmp_path, LogQuery(window=HOUR, contains=("[x]",)))) == ["a [x]", "b [x]"]
    assert texts(batches(tmp_path, LogQuery(window=HOUR, min_level="warn"))) == ["b [x]", "c"]


def test_the_limit_is_kept_and_said(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(minutes(50))
    found = batches(tmp_path, LogQuery(window=HOUR, limit=20))
    assert len(texts(found)) == 20
    assert "limit" in found[-1].truncated


def test_times_without_a_zone_are_in_the_configured_one(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("2026-11-21 04:30:00,000 ERROR boom\n")
    found = batches(tmp_path, timezone="Europe/Berlin")
    assert found[0].frame.get_column("time").to_list() == [T0 + timedelta(minutes=30)]


@pytest.mark.parametrize(
    "settings",
    [
        {"path": ""},
        {"path": "x", "include": ["/etc/*"]},
        {"path": "/var/**log"},
        {"path": "x", "timezone": "Mars/Olympus"},
        {"path": "x", "pathh": 1},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)


def test_a_small_window_of_a_big_file_is_found_by_bisection(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    step, padding = timedelta(milliseconds=500), "x" * 500
    with path.open("w") as file:
        for number in range(70_000):
            at = T0 + number * step
            file.write(
                f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z web-1 shop[7]: INFO {number} {padding}\n"
            )
    assert path.stat().st_size > 32 << 20
    since = T0 + 40_000 * step
    window = Window(since=since, until=since + timedelta(seconds=10))
    (found,) = batches(path, LogQuery(window=window))
    assert [text.split()[0] for text in texts([found])] == [str(n) for n in range(40_000, 40_020)]
    assert found.frame.get_column("line").to_list() == list(range(40_001, 40_021))


def test_a_big_file_out_of_order_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    padding = "x" * 5_000
    with path.open("w") as file:
        for number in range(7_000):
            at = T0 + timedelta(seconds=number * 7919 % 86_400)
            file.write(line(at, f"{number} {padding}"))
    found = batches(path)
    expected = [str(n) for n in range(7_000) if n * 7919 % 86_400 < 3_600]
    assert [text.split()[0] for text in texts(found)] == expected


def test_check_says_how_much_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "b.log").write_text("x\n")
    check = Adapter("files", Settings(path=str(tmp_path))).check()
    assert check.ok
    assert "2 files" in check.detail
    with pytest.raises(AdapterError):
        Adapter("files", Settings(path=str(tmp_path / "missing"))).check()
