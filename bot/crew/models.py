"""Which model answers for which role, what it costs, and whether the configuration can work: all before crewai is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from bot.config import Settings
from bot.errors import ConfigError

COMMANDER = "Commander"

_NEEDS: Mapping[str, tuple[str, str]] = {
    "azure": ("azure.ai.inference", "azure"),
    "anthropic": ("anthropic", "anthropic"),
    "bedrock": ("boto3", "bedrock"),
    "gemini": ("google.genai", "gemini"),
}
"""Provider -> the module that crewai needs for it, and our extra that installs it."""
_KEYLESS = frozenset({"ollama", "bedrock", "hosted_vllm"})
_KNOWN = ("openai", "azure", "anthropic", "bedrock", "gemini", "ollama", "openrouter", "deepseek")
_KNOWN_TOO = frozenset({"cerebras", "dashscope", "deepinfra", "hosted_vllm"})


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    prompt: float
    completion: float

    def of(self, prompt: int, completion: int) -> float:
        """US dollars for these tokens."""
        return (prompt * self.prompt + completion * self.completion) / 1e6


@dataclass(frozen=True, slots=True)
class Model:
    """One model as it is called.

    Attributes:
        name: `provider/model`.
        context_tokens: its real context window; a framework's guess for an unknown model is far too small.
    """

    name: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    context_tokens: int = 128_000
    stream: bool = True
    price: Price | None = None

    @property
    def provider(self) -> str:
        """What its circuit breaker is kept for."""
        return self.base_url or self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one investigation may spend; money is in US dollars, 0 means no limit."""

    calls: int = 40
    tokens: int = 400_000
    cost: float = 0.0
    cost_per_day: float = 0.0
    call_seconds: float = 45.0


@dataclass(frozen=True, slots=True)
class Models:
    """The models of the crew."""

    specialist: Model
    commander: Model
    limits: Limits = Limits()

    def of(self, role: str) -> Model:
        """The model that answers for a role."""
        return self.commander if role == COMMANDER else self.specialist


def models(settings: Settings) -> Models | None:
    """The configured models; None when `BOT_LLM_MODEL` is empty.

    Raises:
        ConfigError: naming every variable that cannot work and what to do.
    """
    if not settings.llm_model:
        return None
    names = {
        "BOT_LLM_MODEL": settings.llm_model,
        "BOT_LLM_SPECIALIST_MODEL": settings.llm_specialist_model,
        "BOT_LLM_COMMANDER_MODEL": settings.llm_commander_model,
    }
    problems = [
        problem for variable, name in names.items() if name for problem in _faults(variable, name)
    ]
    problems += [*_endpoint_faults(settings), *_price_faults(settings)]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    limits = Limits(
        calls=settings.llm_max_calls,
        tokens=settings.llm_max_tokens,
        cost=settings.llm_max_cost,
        cost_per_day=settings.llm_max_cost_per_day,
        call_seconds=settings.llm_timeout_seconds,
    )
    return Models(
        specialist=_model(settings, settings.llm_specialist_model or settings.llm_model),
        commander=_model(settings, settings.llm_commander_model or settings.llm_model),
        limits=limits,
    )


def _model(settings: Settings, name: str) -> Model:
    prices = {known.casefold(): pair for known, pair in settings.llm_prices.items()}
    pair = prices.get(name.casefold())
    return Model(
        name=name,
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value(),
        context_tokens=settings.llm_context_tokens,
        stream=settings.llm_stream,
        price=Price(*pair) if pair else None,
    )


def _faults(variable: str, name: str) -> list[str]:
    provider, slash, rest = name.partition("/")
    if not slash or not rest or provider != provider.lower():
        return [
            f"{variable}: {name!r} names no provider: write provider/model, for example openai/gpt-4.1"
        ]
    if provider in _NEEDS:
        module, extra = _NEEDS[provider]
        if not _installed(module):
            return [
                f"{variable}: {provider}/ needs more packages: pip install 'incident-responder[{extra}]'"
            ]
        return []
    if provider not in _KNOWN and provider not in _KNOWN_TOO:
        known = ", ".join(_KNOWN)
        hint = "for anything OpenAI-compatible write openai/<model> and set BOT_LLM_BASE_URL"
        return [f"{variable}: unknown provider {provider!r}; known: {known}; {hint}"]
    return []


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _used(settings: Settings) -> list[str]:
    """The models of both parts of the crew."""
    own = (settings.llm_specialist_model, settings.llm_commander_model)
    return list(dict.fromkeys(name or settings.llm_model for name in own))


def _price_faults(settings: Settings) -> list[str]:
    """A limit in money that nothing can hold would be worse than none."""
    if not (settings.llm_max_cost or settings.llm_max_cost_per_day):
        return []
    known = {name.casefold() for name in settings.llm_prices}
    return [
        f"BOT_LLM_PRICES: has no price for {name}, which a limit of cost needs"
        for name in _used(settings)
        if name.casefold() not in known
    ]


def _endpoint_faults(settings: Settings) -> list[str]:
    problems = []
    url = urlsplit(settings.llm_base_url)
    if settings.llm_base_url and (url.scheme not in {"http", "https"} or not url.hostname):
        problems.append("BOT_LLM_BASE_URL: must be a URL such as https://models.example.com/v1")
    provider = settings.llm_model.partition("/")[0]
    keyless = provider in _KEYLESS or bool(settings.llm_base_url)
    if not keyless and not settings.llm_api_key.get_secret_value():
        problems.append(f"BOT_LLM_API_KEY: is not set, and {provider} needs a key")
    if provider == "azure" and not settings.llm_base_url:
        problems.append("BOT_LLM_BASE_URL: set it to the endpoint of your Azure deployment")
    return problems
