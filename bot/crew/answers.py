"""What the agents must answer with: the schemas that are sent to the model, and read back with bounds.

Every field has a default, so that a half-finished answer of a weak model is still of use, and text is cut rather than
refused: an answer is judged by what the evidence carries, not by its form.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_TEXT = 1_500
MOST = 24


def _cut(value: object) -> object:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _first(value: object) -> object:
    return value[:MOST] if isinstance(value, list) else value


def _share(value: object) -> object:
    """A share between 0 and 1, also when it was written as a percentage."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) / 100 if 1 < float(value) <= 100 else float(value)
        return min(1.0, max(0.0, number))
    return value


Text = Annotated[str, BeforeValidator(_cut)]
Share = Annotated[float, BeforeValidator(_share)]


class Answer(BaseModel):
    """Base of what an agent answers with; unknown members are ignored.

    Attributes:
        form: an example for agents with tools: their last words are read as JSON, because the schema is sent
            to the model only after the tools are put away, without what they showed.
    """

    form: ClassVar[str] = ""

    model_config = ConfigDict(extra="ignore")


class Statement(Answer):
    """One statement with the ids of the evidence that it rests on."""

    text: Text = Field(
        description="One sentence. Numbers, names and times exactly as in the evidence."
    )
    cites: Annotated[list[str], BeforeValidator(_first)] = Field(
        default_factory=list, description="Evidence ids such as L1, C3, M2."
    )
    quote: Text | None = Field(
        default=None, description="Words copied exactly from one cited record, or null."
    )
    cause: bool = Field(default=False, description="True when it says what caused the incident.")


_STATEMENT = (
    '{"text": "one sentence", "cites": ["L1"], "quote": "copied words or null", "cause": false}'
)


class Finding(Answer):
    """What one specialist found."""

    form: ClassVar[str] = (
        f'{{"summary": "two sentences", "statements": [{_STATEMENT}], '
        '"suspect": "C1 or empty", "confidence": 0.5}'
    )

    summary: Text = Field(default="", description="Two sentences.")
    statements: Annotated[list[Statement], BeforeValidator(_first)] = Field(default_factory=list)
    suspect: Text = Field(default="", description="Id of the change that did it, or empty.")
    confidence: Share = 0.5


class Verdict(Answer):
    """What the Commander makes of the specialists' findings."""

    conclusion: Literal["confirmed", "likely", "inconclusive", "not_an_incident"] = "inconclusive"
    confidence: Share = 0.5
    summary: Text = Field(default="", description="Two to four sentences for the on-call engineer.")
    culprit: Text = Field(
        default="", description="Id of the change that caused it; empty when none is known."
    )
    claims: Annotated[list[Statement], BeforeValidator(_first)] = Field(default_factory=list)
    ruled_out: Annotated[list[Text], BeforeValidator(_first)] = Field(default_factory=list)
    next_steps: Annotated[list[Text], BeforeValidator(_first)] = Field(default_factory=list)


class Reply(Answer):
    """The answer to a question in the thread."""

    form: ClassVar[str] = f'{{"statements": [{_STATEMENT}], "not_known": "one sentence or empty"}}'

    statements: Annotated[list[Statement], BeforeValidator(_first)] = Field(default_factory=list)
    not_known: Text = Field(
        default="", description="What the evidence does not say, in one sentence; or empty."
    )
