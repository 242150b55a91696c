"""`incident-responder bench`: figures from real workloads. Each prints its table; `--json` prints one object."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table as RichTable

from bot import logs as logging_setup
from bot.bench.tables import Table

app = typer.Typer(
    name="bench",
    help="Measure: figures from real workloads. docs/benchmarks.md has the tables and their limits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the predictions, one JSON a line.")]
Cases = Annotated[Path, typer.Argument(help="The cases, one JSON object a line.")]


def _print(result: BaseModel | Mapping[str, object], *, as_json: bool) -> None:
    data = result.model_dump(mode="json") if isinstance(result, BaseModel) else dict(result)
    if as_json:
        sys.stdout.write(json.dumps(data) + "\n")
        return
    tables = getattr(result, "tables", None)
    if callable(tables):
        for table in tables():
            _draw(table)
        return
    width = max((len(name) for name in data), default=0)
    for name, value in data.items():
        shown = (
            f"{value:,}"
            if isinstance(value, int | float) and not isinstance(value, bool)
            else value
        )
        sys.stdout.write(f"{name:<{width}}  {shown}\n")


def _draw(table: Table) -> None:
    drawn = RichTable(title=table.title, title_justify="left")
    for column in table.columns:
        drawn.add_column(column)
    for row in table.rows:
        drawn.add_row(*row)
    Console().print(drawn)


@app.callback()
def _quiet() -> None:
    logging_setup.configure("error")


@app.command()
def suspects(
    cases: Cases,
    repos: Annotated[Path, typer.Option("--repos", help="Folder of <owner>+<name> clones.")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Which change did it: accuracy, abstention and calibration beside simple baselines."""
    from bot.bench import suspects as bench

    with Console(stderr=True).status("Ranking ..."):
        result = bench.run(cases, repos, out)
    _print(result, as_json=as_json)


@app.command()
def logs(
    cases: Cases,
    data: Annotated[
        Path, typer.Option("--data", help="Folder that the cases' paths are relative to.")
    ],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Which log patterns show the fault, and which service is at fault."""
    from bot.bench import logs as bench

    with Console(stderr=True).status("Reading ..."):
        result = bench.run(cases, data, out)
    _print(result, as_json=as_json)


@app.command()
def templates(
    file: Annotated[
        Path | None,
        typer.Argument(help="A log file or a Loghub checkout; made-up lines without it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Log templating: lines per CPU-second beside drain3, and grouping accuracy on Loghub."""
    from bot.bench import templates as bench

    with Console(stderr=True).status("Templating ..."):
        result = bench.run(file)
    _print(result, as_json=as_json)


@app.command()
def report(
    lines: Annotated[int, typer.Option(help="Log lines of the made-up incident.")] = 1_000_000,
    commits: Annotated[int, typer.Option(help="Commits of its repository.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed, another incident.")] = 7,
    as_json: Json = False,
) -> None:
    """A whole report on a made-up incident: seconds and memory."""
    from bot.bench import report as bench

    with Console(stderr=True).status("Writing and investigating an incident ..."):
        result = bench.run(lines, commits, seed)
    _print(result, as_json=as_json)


@app.command()
def storage(
    url: Annotated[str, typer.Option(help="Database to measure; an SQLite file without it.")] = "",
    as_json: Json = False,
) -> None:
    """Submits, progress events and claims per second."""
    from bot.bench import storage as bench

    with Console(stderr=True).status("Writing ..."):
        result = bench.run(url)
    _print(result, as_json=as_json)


@app.command()
def slack(
    url: Annotated[str, typer.Option(help="Database to measure; an SQLite file without it.")] = "",
    seconds: Annotated[float, typer.Option(help="Length of the steady part.")] = 30.0,
    as_json: Json = False,
) -> None:
    """How soon Slack's events are acknowledged, each stored before its ack."""
    from bot.bench import slack as bench

    with Console(stderr=True).status("Sending ..."):
        result = bench.run(seconds=seconds, url=url)
    _print(result, as_json=as_json)


@app.command()
def memory(
    url: Annotated[str, typer.Option(help="Database to measure; an SQLite file without it.")] = "",
    reports: Annotated[int, typer.Option(help="Made-up reports to search.")] = 100_000,
    as_json: Json = False,
) -> None:
    """Search over many reports, and this process's memory over many investigations."""
    from bot.bench import remembering as bench

    with Console(stderr=True).status("Remembering ..."):
        result = bench.run(url, reports)
    _print(result, as_json=as_json)


@app.command()
def redaction(as_json: Json = False) -> None:
    """How fast secrets are taken out of log text."""
    from bot.bench import redaction as bench

    _print(bench.run(), as_json=as_json)


@app.command()
def crew(
    runs: Annotated[int, typer.Option(help="Runs alone, and as many side by side.")] = 20,
    as_json: Json = False,
) -> None:
    """What the agents' framework costs with a model that answers at once."""
    from bot.bench import crew as bench

    with Console(stderr=True).status("Running the crew ..."):
        result = bench.run(runs)
    _print(result, as_json=as_json)


@app.command(name="all")
def everything(
    cases: Annotated[
        Path | None,
        typer.Option("--cases", help="Folder of suspects.open.jsonl and logs.open.jsonl."),
    ] = None,
    repos: Annotated[Path | None, typer.Option("--repos", help="Folder of clones.")] = None,
    as_json: Json = False,
) -> None:
    """Everything that can be measured with what is here."""
    from bot.bench import crew as crew_bench
    from bot.bench import logs as logs_bench
    from bot.bench import redaction as redaction_bench
    from bot.bench import remembering as memory_bench
    from bot.bench import report as report_bench
    from bot.bench import slack as slack_bench
    from bot.bench import storage as storage_bench
    from bot.bench import suspects as suspects_bench
    from bot.bench import templates as templates_bench

    results: dict[str, BaseModel | Mapping[str, object]] = {
        "templates": templates_bench.run(),
        "report": report_bench.run(),
        "storage": storage_bench.run(),
        "memory": memory_bench.run(),
        "slack": slack_bench.run(),
        "redaction": redaction_bench.run(),
        "crew": crew_bench.run(),
    }
    if cases is not None:
        results["logs"] = logs_bench.run(cases / "logs.open.jsonl", cases)
        if repos is not None:
            results["suspects"] = suspects_bench.run(cases / "suspects.open.jsonl", repos)
    if as_json:
        plain = {
            name: r.model_dump(mode="json") if isinstance(r, BaseModel) else dict(r)
            for name, r in results.items()
        }
        sys.stdout.write(json.dumps(plain) + "\n")
        return
    for name, result in results.items():
        sys.stdout.write(f"\n== {name}\n")
        _print(result, as_json=False)
