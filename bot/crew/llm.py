# ruff: noqa: ANN401 - the signatures are crewai's
"""The governed model: a thin crewai LLM around crewai's own, which adds what it lacks or gets wrong.

The real context window (crewai assumes 8k for a model it does not know, and then summarises evidence away); a timeout
of what is left of the run; one place that retries, which honours `Retry-After` and can be interrupted; a budget; and a
circuit breaker a provider. Import it only after `bot.crew.framework.load`.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
from crewai import LLM
from crewai.hooks.dispatch import HookAborted
from crewai.llms.base_llm import BaseLLM
from crewai.llms.providers.openai.completion import OpenAICompletion
from pydantic import PrivateAttr
from typing_extensions import override

from adapters.kit.breaker import Breaker
from bot.crew.budget import Budget
from bot.crew.failures import Failure, ModelError, failure_of
from bot.crew.models import Model

LONGEST_ANSWER = 120_000
"""Characters of one answer; a report needs a few thousand."""
TRIES = 3
LONGEST_PAUSE_S = 30.0
_FIRST_PAUSE_S = 0.25
_LEAST_TIMEOUT_S = 0.2
_CHARS_A_TOKEN = 4

_FENCED = re.compile(r"\s*```(?:json)?\s*(\{.*\})\s*```\s*", re.DOTALL)

_breakers: dict[str, Breaker] = {}
_breakers_lock = threading.Lock()


def breaker(provider: str) -> Breaker:
    """The breaker of a provider, shared by all runs of this process."""
    with _breakers_lock:
        return _breakers.setdefault(provider, Breaker(threshold=6, rest_s=20.0))


def forget_breakers() -> None:
    """Begin anew: for a changed configuration, and for tests."""
    with _breakers_lock:
        _breakers.clear()


class GovernedLLM(BaseLLM):
    """One agent's model in one run. Build it with `governed`."""

    llm_type: str = "governed"
    _model: Model = PrivateAttr()
    _role: str = PrivateAttr()
    _budget: Budget = PrivateAttr()
    _inner: BaseLLM = PrivateAttr()
    _timeout: float = PrivateAttr(default=0.0)
    _chars: int = PrivateAttr(default=0)

    def supports_function_calling(self) -> bool:
        return True

    @override
    def supports_stop_words(self) -> bool:
        return False

    @override
    def get_context_window_size(self) -> int:
        """What crewai may fill: the real window, with room for the answer."""
        return int(self._model.context_tokens * 0.85)

    @override
    def get_input_tokens_count(
        self, messages: Any, tools: Any = None, response_model: Any = None
    ) -> int:
        """An estimate without asking the provider, which crewai would do before each call."""
        return _chars_of(messages) // _CHARS_A_TOKEN

    @override
    def get_token_usage_summary(self) -> Any:
        return self._inner.get_token_usage_summary()

    def heard(self, chunk: str) -> None:
        """A piece of a streamed answer; cuts the stream when the run is over or the answer is too long.

        Raises:
            HookAborted: crewai lets nothing else through.
        """
        self._chars += len(chunk)
        reason = self._budget.refusal(self._role) if self._late() else ""
        if self._chars > LONGEST_ANSWER:
            reason = "its answer was too long"
        if reason:
            raise HookAborted(reason, source="governed-llm")

    def _late(self) -> bool:
        """Only what cannot wait ends an answer that is under way: Stop and time, not a spent budget."""
        return self._budget.stop.is_set() or self._budget.left() <= 0

    @override
    def call(
        self,
        messages: Any,
        tools: Any = None,
        callbacks: Any = None,
        available_functions: Any = None,
        from_task: Any = None,
        from_agent: Any = None,
        response_model: Any = None,
    ) -> Any:
        """One answer of the model, after at most `TRIES` requests.

        Raises:
            HookAborted: the run is over.
            ModelError: the model gave no answer; its words may be shown.
        """

        def ask() -> Any:
            return self._inner.call(
                said,
                tools=tools,
                callbacks=callbacks,
                available_functions=available_functions,
                from_task=from_task,
                from_agent=from_agent,
                response_model=form,
            )

        said, form = messages, response_model
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._once(ask, _chars_of(said))
            except Failure as failure:
                if failure.unreadable and form is not None and attempt < TRIES:
                    said, form = _in_words(messages, form), None
                    continue
                self._pause(failure, attempt)
            else:
                if len(str(answer)) > LONGEST_ANSWER:
                    raise ModelError("its answer was too long")
                return _bare(answer)
        raise ModelError("it gave no answer")

    def _once(self, ask: Callable[[], Any], chars: int) -> Any:
        """One request.

        Raises:
            Failure: the provider's own; others pass.
        """
        reason = self._budget.refusal(self._role)
        if reason:
            raise HookAborted(reason, source="governed-llm")
        gate = breaker(self._model.provider)
        if not gate.allows():
            raise ModelError("its provider has been failing; it is asked again later")
        self._prepare()
        self._budget.called(self._role)
        before = self._counted()
        try:
            answer = ask()
        except HookAborted:
            gate.given_back()
            self._account(before, chars, self._chars)
            raise
        except Exception as error:  # noqa: BLE001 - every SDK has its own; `failure_of` sorts them
            failure = failure_of(error)
            (gate.failed if failure.unwell else gate.succeeded)()
            self._account(before, chars, self._chars)
            raise failure from None
        gate.succeeded()
        self._account(before, chars, len(str(answer)))
        return answer

    def _prepare(self) -> None:
        """Give the call what is left of the time. The client is rebuilt only when that is less than the cap."""
        self._chars = 0
        cap = self._budget.models.limits.call_seconds
        timeout = max(_LEAST_TIMEOUT_S, min(cap, self._budget.left()))
        if timeout != self._timeout and hasattr(self._inner, "timeout"):
            self._inner.timeout = timeout
            self._inner._client = None  # noqa: SLF001 - the OpenAI family builds it again when it is needed
        self._timeout = timeout

    def _pause(self, failure: Failure, attempt: int) -> None:
        """Wait before the next try, or say that there is none."""
        pause = failure.retry_after_s
        if pause is None:
            pause = _FIRST_PAUSE_S * 2 ** (attempt - 1)
        worth_it = pause <= LONGEST_PAUSE_S and pause + 1.0 < self._budget.left()
        if not failure.retryable or attempt == TRIES or not worth_it:
            raise ModelError(failure.words) from None
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            self._budget.stop.wait(min(left, 0.25))
            reason = self._budget.refusal(self._role)
            if reason:
                raise HookAborted(reason, source="governed-llm")

    def close(self) -> None:
        """Give back the connections; the model is of no use any more."""
        params = getattr(self._inner, "client_params", None) or {}
        for client in (getattr(self._inner, "_client", None), params.get("http_client")):
            if client is not None and hasattr(client, "close"):
                client.close()

    def _counted(self) -> tuple[int, int]:
        used = self._inner.get_token_usage_summary()
        return int(used.prompt_tokens), int(used.completion_tokens)

    def _account(self, before: tuple[int, int], sent: int, got: int) -> None:
        """Count tokens; an estimate where the server tells none."""
        now = self._counted()
        prompt, completion = now[0] - before[0], now[1] - before[1]
        if prompt <= 0:
            prompt, completion = sent // _CHARS_A_TOKEN, got // _CHARS_A_TOKEN
        self._budget.used(self._role, prompt, completion)


def governed(model: Model, role: str, budget: Budget) -> GovernedLLM:
    """A new model for one agent in one run: agents that share one would count each other's tokens.

    Raises:
        ImportError: the provider's packages are not installed.
    """
    found = GovernedLLM(model=model.name)
    found._model, found._role, found._budget = model, role, budget  # noqa: SLF001
    found._inner = _inner(model, budget)  # noqa: SLF001
    return found


def _inner(model: Model, budget: Budget) -> BaseLLM:
    options: dict[str, Any] = {"temperature": 0.0} if _takes_temperature(model.name) else {}
    lazy = model.name.startswith("openai/")
    if model.base_url or lazy:
        # Named, because crewai sends OpenAI's models that are newer than itself elsewhere.
        options["base_url"] = model.base_url or "https://api.openai.com/v1"
    cap = budget.models.limits.call_seconds
    key = model.api_key or "none"
    # Without a key crewai builds no clients yet: a second, asynchronous one that nobody uses, and certificates
    # that are read anew for each agent, were a third of a run's CPU time.
    built = LLM(
        model=model.name,
        api_key=None if lazy else key,
        timeout=cap,
        max_retries=0,
        stream=model.stream,
        **options,
    )
    if not isinstance(built, BaseLLM):
        msg = f"crewai has no native provider for {model.name}"
        raise ImportError(msg)  # noqa: TRY004 - a package is missing, not a type wrong
    if isinstance(built, OpenAICompletion) and lazy:
        built.api_key = key
        client = httpx.Client(verify=_certificates(), follow_redirects=True)
        built.client_params = {"http_client": client}
        built._client = None  # noqa: SLF001 - built already where OPENAI_API_KEY is set
    return built


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _in_words(messages: Any, form: Any) -> Any:
    """The same request for servers that know no schemas: the form is described in the last message."""
    schema = json.dumps(form.model_json_schema())
    hint = f"Answer with one JSON object of this schema and nothing else: {schema}"
    if isinstance(messages, str):
        return f"{messages}\n\n{hint}"
    return [*messages, {"role": "user", "content": hint}]


def _bare(answer: Any) -> Any:
    """JSON without the Markdown fence that many models put around it; crewai would ask once more for it."""
    found = _FENCED.fullmatch(answer) if isinstance(answer, str) else None
    return found[1] if found else answer


def _takes_temperature(name: str) -> bool:
    """OpenAI's reasoning models refuse a temperature."""
    bare = name.rpartition("/")[2].lower()
    return not bare.startswith(("o1", "o3", "o4", "gpt-5"))


def _chars_of(messages: Any) -> int:
    if isinstance(messages, str):
        return len(messages)
    return sum(len(str(message.get("content") or "")) for message in messages)
