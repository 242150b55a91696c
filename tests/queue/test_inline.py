"""The stages of a command that keeps nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.queue import Context, InterruptedJob
from bot.queue.inline import InlineContext
from tests.queue.test_run import Note, message


def story(context: Context) -> str:
    context.emit("progress", {"step": "look"}, [message("plan")])
    return context.stage(
        "look", lambda: Note(text="seen"), Note, lambda _: [message("report")]
    ).text


def test_stages_run_at_once_and_progress_is_told() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    assert story(InlineContext(lambda kind, payload: told.append((kind, payload)))) == "seen"
    assert told == [("progress", {"step": "look"})]


def test_an_interrupted_command_begins_nothing_new() -> None:
    context = InlineContext(lambda kind, payload: None)
    context.cancelled.set()
    with pytest.raises(InterruptedJob):
        context.stage("look", lambda: Note(text=""), Note)
    with pytest.raises(InterruptedJob):
        context.emit("progress", {})
