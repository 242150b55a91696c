"""Free questions in the thread: answered by one agent from the evidence, checked, and never worse than the plain answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.crew.answering import Asked, CrewAnswerer, Reply
from bot.crew.budget import Day
from bot.crew.models import Price
from bot.followup import is_command
from bot.report import texts
from bot.report.build import build
from bot.report.evidence import numbered, records_of
from bot.verify import verify
from tests.crew import stage
from tests.crew.characters import ARGUMENTS, always, said
from tests.crew.conftest import CREWAI_WARNS
from tests.crew.scripted import Body, Call, Character, ScriptedModel, has_used_tools, scripted
from tests.crew.scripted import Reply as Told

pytestmark = [pytest.mark.timeout(60), *CREWAI_WARNS]


def answering(
    *statements: dict[str, object], not_known: str = "", tool: str = "show_change"
) -> Character:
    text = json.dumps({"statements": list(statements), "not_known": not_known})

    def character(body: Body) -> Told:
        if body.get("tools") and not has_used_tools(body):
            return Told(calls=[Call(tool, ARGUMENTS[tool])])
        return Told(text)

    return character


def evidence() -> Mapping[str, Mapping[str, Any]]:
    return {key: record.model_dump(mode="json") for key, record in numbered(stage.RECORDS)}


def ask(
    character: Character, folder: Path, asked: Asked, *, seconds: float = 10.0
) -> tuple[Reply | None, ScriptedModel]:
    from bot.crew.offline import OfflineNarrator

    narrative = OfflineNarrator().narrate("why?", stage.FINDINGS, stage.RECORDS)
    checked = verify(narrative, texts(stage.FINDINGS, stage.RECORDS))
    report = build("1", "why?", stage.FINDINGS, checked, stage.RECORDS, timings={})
    with scripted(character) as model:
        answerer = CrewAnswerer(stage.means(model.url, folder))
        records = records_of(evidence())
        reply = answerer.answer(asked, report, records, seconds=seconds, desk=stage.desk())
    return reply, model


QUESTION = Asked(
    "who wrote the line that fails?", [("person", "is it C1?"), ("bot", "Most likely.")]
)


def test_a_question_is_answered_with_what_the_evidence_carries(crew_folder: Path) -> None:
    true = said("C1 reads the currency from the order.", ["C1"])
    false = said("It was mallory in deadbeef99.", ["C1"])
    reply, model = ask(answering(true, false), crew_folder, QUESTION)
    assert reply is not None
    assert "C1 reads the currency from the order. [C1]" in reply.text
    assert "deadbeef99" not in reply.text
    assert "Left out: 1 statement that the evidence does not carry." in reply.text
    assert reply.cites == ("C1",)
    assert reply.usage.llm_calls == 2
    assert "is it C1?" in model.everything
    assert "who wrote the line that fails?" in model.everything


def test_what_is_not_known_is_said_unless_it_asserts_something(crew_folder: Path) -> None:
    true = said("C1 is the change.", ["C1"])
    reply, _ = ask(
        answering(true, not_known="Who is on call is not in the evidence."), crew_folder, QUESTION
    )
    assert reply is not None
    assert reply.text.endswith("Who is on call is not in the evidence.")
    reply, _ = ask(
        answering(true, not_known="Only that 99,999 cards leaked."), crew_folder, QUESTION
    )
    assert reply is not None
    assert "99,999" not in reply.text


def test_no_answer_is_better_than_an_invented_one(crew_folder: Path) -> None:
    assert ask(answering(said("It was deadbeef99.", ["C1"])), crew_folder, QUESTION)[0] is None
    assert ask(always(Told(status=401)), crew_folder, QUESTION)[0] is None
    assert ask(always(Told("late", pause_s=30)), crew_folder, QUESTION, seconds=1.0)[0] is None


def test_what_earlier_questions_found_keeps_its_id(crew_folder: Path) -> None:
    known = {**evidence(), "L9": {"title": "lines", "text": "the disk of db-7 is full"}}
    asked = Asked("which disk?", evidence=known)
    reply, _ = ask(answering(said("The disk of db-7 is full.", ["L9"])), crew_folder, asked)
    assert reply is not None
    assert reply.cites == ("L9",)


def test_the_cost_of_answers_counts_for_the_day(crew_folder: Path) -> None:
    day = Day(lambda: 1.0)
    with scripted(answering(said("C1 is it.", ["C1"]))) as model:
        used = stage.priced(stage.means(model.url, crew_folder), Price(1_000.0, 1_000.0))
        answerer = CrewAnswerer(replace(used, day=day))
        from bot.crew.offline import OfflineNarrator

        checked = verify(
            OfflineNarrator().narrate("", stage.FINDINGS, stage.RECORDS),
            texts(stage.FINDINGS, stage.RECORDS),
        )
        report = build("1", "why?", stage.FINDINGS, checked, stage.RECORDS, timings={})
        answerer.answer(QUESTION, report, stage.RECORDS, seconds=10, desk=stage.desk())
    assert day.spent() == pytest.approx(1.0 + 0.24)


@pytest.mark.parametrize(
    "question",
    ["timeline", "show C3", "lines L2", "around L2", "help", "rerun since 13:40", "C1",
     "compare 13:00-13:30 14:00-14:30", "show me the diff of C3", "<@U1> suspects"],
)  # fmt: skip
def test_plain_commands_need_no_model(question: str) -> None:
    assert is_command(question)


@pytest.mark.parametrize(
    "question", ["who should I page?", "what about payments?", "why C3 and not C4?", "is it over?"]
)
def test_free_questions_may_be_asked_of_a_model(question: str) -> None:
    assert not is_command(question)


def test_records_come_back_under_their_ids() -> None:
    back = records_of(evidence())
    assert list(numbered(back)) == list(numbered(stage.RECORDS))
    assert back.commits[0].committed_at - stage.RECORDS.commits[0].committed_at == timedelta()
