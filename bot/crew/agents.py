"""One agent of crewai, for one answer: built anew each time, under the run's gate, with the evidence as its tools.

Import it only after `bot.crew.framework.load`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from crewai import Agent
from crewai.tools import BaseTool
from pydantic import BaseModel, PrivateAttr
from typing_extensions import override

from bot.crew.answers import Answer
from bot.crew.budget import Budget
from bot.crew.failures import ModelError
from bot.crew.framework import scope
from bot.crew.llm import governed
from bot.crew.roles import Role, parts, prompt
from bot.crew.toolbox import SPECS, Toolbox, doing
from bot.crew.untrusted import for_prompt

Said = TypeVar("Said", bound=Answer)
MOST_STEPS = 8


class EvidenceTool(BaseTool):
    """A tool as crewai wants it; all that it does is in `bot.crew.toolbox`."""

    name: str
    description: str
    args_schema: type[BaseModel]
    _toolbox: Toolbox = PrivateAttr()

    @override
    def _run(self, **arguments: Any) -> str:
        return self._toolbox.call(self.name, arguments)


def run_agent(
    role: Role,
    task: str,
    schema: type[Said],
    toolbox: Toolbox,
    budget: Budget,
    tell: Callable[[str], None],
) -> Said:
    """Let one agent answer.

    Args:
        task: what it is to do, evidence included (fenced).
        tell: told in people's words what it does; must not block.

    Raises:
        HookAborted: the run is over.
        ModelError: the model gave no answer that can be used.
    """
    goal, backstory, doing_what = parts(role.prompt)
    if schema.form:
        doing_what += f" Your last words are one JSON object and nothing else: {schema.form}"
    llm = governed(budget.models.of(role.name), role.name, budget)

    def sink(kind: str, event: Any) -> None:  # noqa: ANN401 - each kind has a class of its own
        if kind == "llm_stream_chunk":
            llm.heard(str(event.chunk or ""))
        elif kind == "tool_usage_started":
            tell(doing(str(event.tool_name), _arguments(event.tool_args)))

    with closing(llm), scope(lambda: budget.refusal(role.name), sink):
        agent = Agent(
            role=role.name,
            goal=goal,
            backstory=f"{backstory}\n\n{for_prompt(prompt('rules'))}",
            llm=llm,
            tools=[_tool(name, toolbox) for name in role.tools],
            max_iter=MOST_STEPS,
            allow_delegation=False,
            max_retry_limit=0,
            verbose=False,
            use_better_compaction=False,  # tools cap their answers themselves
        )
        said = agent.kickoff(for_prompt(f"{doing_what}\n\n{task}"), response_format=schema)
    answer = getattr(said, "pydantic", None)
    if not isinstance(answer, schema):
        raise ModelError("its answer could not be read")
    return answer


def _tool(name: str, toolbox: Toolbox) -> BaseTool:
    spec = SPECS[name]
    tool = EvidenceTool(name=name, description=spec.about, args_schema=spec.args)
    tool._toolbox = toolbox  # noqa: SLF001 - the framework's models take no other arguments
    return tool


def _arguments(told: object) -> Mapping[str, object]:
    """The arguments of a tool call, which crewai tells as a mapping or as JSON."""
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except ValueError:
            return {}
    return told if isinstance(told, Mapping) else {}
