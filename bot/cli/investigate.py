"""`incident-responder investigate`: the same story as in Slack, printed once."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer
from rich.console import Console

from adapters.kit.capabilities import Dated
from adapters.kit.errors import AdapterError
from adapters.kit.records import Window
from bot import ask as words
from bot import logs
from bot.cli import flags
from bot.collect import Ask
from bot.config import Settings, environment, load_settings
from bot.errors import ConfigError, UserError
from bot.report import Report
from bot.report.markdown import markdown
from bot.report.text import text
from bot.sources import Sources, load
from bot.wiring import investigate_now

DEFAULT_SPAN = timedelta(hours=1)
EXIT_NO_SOURCE = 3

NO_SOURCE = (
    "no source to ask: give --git local --git-path REPOSITORY and --logs files --log-path FOLDER, "
    "or set BOT_SOURCES to a sources.yaml"
)

Format = Literal["text", "markdown", "json"]


def _investigate(
    question: Annotated[str, typer.Argument(help="What is wrong, in your words.")],
    *,
    since: Annotated[
        str,
        typer.Option(
            help="Evidence from here: 30m, 14:00 or ISO. Default: an hour before --until."
        ),
    ] = "",
    until: Annotated[str, typer.Option(help="Evidence until here. Default: now.")] = "",
    service: Annotated[str, typer.Option(help="The service that the question is about.")] = "",
    head: Annotated[
        str,
        typer.Option(
            help="Revision that was deployed; changes are looked for before it. Default: HEAD."
        ),
    ] = "",
    repo: Annotated[str, typer.Option(help="Only changes of this repository.")] = "",
    tz: Annotated[str, typer.Option(help="Zone of times without one, e.g. Europe/Berlin.")] = "UTC",
    format: Annotated[Format, typer.Option("--format", help="How the report is printed.")] = "text",  # noqa: A002
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Do not ask a language model.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress on standard error.")
    ] = False,
    **sources: object,
) -> None:
    settings = load_settings()
    logs.configure("error", as_json=settings.log_json)
    asked = _ask(question, since=since, until=until, service=service, head=head, repo=repo, tz=tz)
    own = {"--repo": repo, "--service": service, "--since": since, "--until": until, "--head": head}
    where = flags.sources_from(sources, own, environment()) or _configured(settings)
    if not since and not until:
        asked = _dated(asked, where)
    console = Console(stderr=True, quiet=quiet)
    with console.status("Investigating ...", spinner="dots"):
        report, blind = investigate_now(
            asked,
            where,
            settings,
            told=lambda line: console.print(line, highlight=False),
            model=not no_model,
        )
    sys.stdout.write(_printed(report, format))
    if blind:
        console.print("Every source failed; the report holds only what could not be seen.")
    raise typer.Exit(EXIT_NO_SOURCE if blind else 0)


def _ask(
    question: str, *, since: str, until: str, service: str, head: str, repo: str, tz: str
) -> Ask:
    now = datetime.now(UTC)
    zone = words.parse_zone(tz)
    end = words.parse_moment(until, tz=zone, now=now) if until else now
    begin = words.parse_moment(since, tz=zone, now=now) if since else end - DEFAULT_SPAN
    if begin >= end:
        raise UserError(
            f"--since ({begin:%Y-%m-%d %H:%M:%S}Z) is not before --until ({end:%Y-%m-%d %H:%M:%S}Z); "
            "try for example --since 2h"
        )
    if not question.strip():
        raise UserError('Say what is wrong, for example: investigate "checkout returns 500"')
    return Ask(
        question=question.strip()[:2000],
        window=Window(since=begin, until=end),
        as_of=end,
        service=service.strip(),
        repo=repo,
        head=head,
    )


def _dated(asked: Ask, sources: Sources) -> Ask:
    """Where a source reads one thing only, such as a run of a pipeline, the question is about when that was."""
    for source in sources.sources:
        if isinstance(source.adapter, Dated):
            try:
                span = source.adapter.span()
            except AdapterError:
                continue  # the report will say it
            if span is not None:
                return replace(asked, window=span, as_of=span.until)
    return asked


def _configured(settings: Settings) -> Sources:
    if settings.sources is None:
        raise ConfigError([NO_SOURCE])
    sources = load(settings.sources, environment())
    if not sources.sources:
        raise ConfigError(
            [f"{settings.sources.name}: names no enabled source, so nothing can be asked"]
        )
    return sources


def _printed(report: Report, format_: Format) -> str:
    if format_ == "json":
        return report.model_dump_json(indent=2) + "\n"
    if format_ == "markdown":
        return markdown(report) + "\n"
    return text(report) + "\n"


def _signature() -> inspect.Signature:
    own = inspect.signature(_investigate, eval_str=True)
    static = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    taken = {p.name for p in static}
    return own.replace(
        parameters=[*static, *(p for p in flags.parameters() if p.name not in taken)]
    )


def command(*args: object, **kwargs: object) -> None:
    """Investigate now and print one report; no Slack and no server needed.

    For example: incident-responder investigate "checkout returns 500" --since 2h --git local --git-path ~/shop
    --logs files --log-path /var/log/shop. Exit codes: 0 report, 2 bad input or configuration, 3 every source
    failed, 130 interrupted.
    """
    _investigate(*args, **kwargs)  # type: ignore[arg-type]


command.__signature__ = _signature()  # type: ignore[attr-defined]
