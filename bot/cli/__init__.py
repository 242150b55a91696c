"""The command line. Each command's module is imported only when that command runs, so that `--help` is instant."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import ConfigError, UserError

EXIT_OK, EXIT_FAILED, EXIT_BAD_INPUT, EXIT_NO_SOURCE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

EXAMPLES = """
Examples:

  incident-responder demo

  incident-responder investigate "checkout returns 500" --git local --git-path . --logs files --log-path /var/log/app --since 2h

  incident-responder doctor
"""


def _app(argv: Sequence[str]) -> typer.Typer:
    app = typer.Typer(
        name="incident-responder",
        help="Investigates production incidents: what broke, since when, and which change most likely did it.",
        epilog=EXAMPLES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        add_completion=False,
    )
    app.command()(run)
    app.command()(worker)
    app.command()(serve)
    app.command()(demo)
    app.command()(sandbox)
    _investigate(app, argv)
    app.command()(migrate)
    app.command(name="export")(_export)
    app.command(name="backup")(_backup)
    app.command()(restore)
    app.command()(doctor)
    app.command()(recognise)
    app.command()(schema)
    if next((word for word in argv if not word.startswith("-")), "") == "bench":
        from bot.cli.bench import app as bench_app

        app.add_typer(bench_app, name="bench")
    else:
        app.command(name="bench", help="Measure: figures from real workloads.")(lambda: None)
    return app


def _investigate(app: typer.Typer, argv: Sequence[str]) -> None:
    """The flags of `investigate` come from the adapters' settings; only that command pays for reading them."""
    text = "Investigate now and print one report; no Slack and no server needed."
    context = {"help_option_names": ["--help", "-h"]}
    if next((word for word in argv if not word.startswith("-")), "") == "investigate":
        from bot.cli.investigate import command

        app.command(name="investigate", help=command.__doc__, context_settings=context)(command)
    else:
        app.command(name="investigate", help=text, context_settings=context)(lambda: None)


def run(
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Investigate in this process, too.")
    ] = True,
) -> None:
    """Run the bot: Slack by Socket Mode, workers and database in one process.

    Needs SLACK_BOT_TOKEN and SLACK_APP_TOKEN; BOT_SOURCES names the sources.yaml. Stop it with Ctrl-C or SIGTERM.
    """
    from bot.cli.run import run as run_bot

    raise typer.Exit(run_bot(works=worker))


def worker() -> None:
    """Investigate what `run --no-worker` takes in; any number of these may run.

    Needs the same BOT_DATABASE_URL and BOT_SOURCES, no Slack tokens. Stop it with Ctrl-C or SIGTERM.
    """
    from bot.cli.worker import worker as run_worker

    raise typer.Exit(run_worker())


def serve(
    host: Annotated[str, typer.Option(help="Address; default: BOT_WEB_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port; default: BOT_WEB_PORT, else 8080.")] = 0,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Investigate in this process, too.")
    ] = True,
) -> None:
    """Serve the web: HTTP API, webhooks, dashboard, health and metrics; no Slack tokens needed.

    Nobody has to sign in on 127.0.0.1; any other address needs BOT_WEB_ADMIN_TOKEN or BOT_WEB_OIDC_ISSUER.
    """
    from bot.cli.serve import serve as run_serve

    raise typer.Exit(run_serve(host, port, works=worker))


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Stay up and serve the channel as a web page.")
    ] = False,
    port: Annotated[
        int, typer.Option(help="Port of the page with --keep; 0 takes a free one.")
    ] = 8095,
) -> None:
    """See a whole investigation in a local Slack: no account, key or server needed.

    Exits 0 when the report names the guilty commit, 1 when not.
    """
    from bot.demo.play import play

    raise typer.Exit(play(keep=keep, port=port))


def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8095,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Folder that keeps the workspace across restarts."),
    ] = None,
) -> None:
    """Run the local Slack alone and print the variables that `run` needs."""
    from bot.cli.sandbox import sandbox as run_sandbox

    raise typer.Exit(run_sandbox(port, state))


def migrate() -> None:
    """Bring the database to the newest schema; safe to run from several processes at once."""
    from bot.cli.admin import migrate as run_migrate

    raise typer.Exit(run_migrate())


def _export(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Investigations; all of them without any.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", "-f", help="markdown, html (with the picture), json or csv.")
    ] = "markdown",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write to.")] = None,
) -> None:
    """Write stored reports as files.

    Example: incident-responder export 12 --format html --out reports
    """
    from bot.cli.export import export as run_export

    raise typer.Exit(run_export(numbers or [], form, out))


def _backup(
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Copy the SQLite database while the bot runs, checked."""
    from bot.cli.backup import backup as run_backup

    raise typer.Exit(run_backup(target, force=force))


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
) -> None:
    """Put a backup in the database's place; the bot must be stopped. What was there is kept."""
    from bot.cli.backup import restore as run_restore

    raise typer.Exit(run_restore(source))


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
    alive: Annotated[
        bool, typer.Option("--alive", help="Only: is a running bot on this data folder alive?")
    ] = False,
) -> None:
    """Check settings, database, Slack and every configured source, and say what to change."""
    if alive:
        from bot.cli.alive import alive as is_alive

        raise typer.Exit(is_alive())
    from bot.cli.admin import doctor as run_doctor

    raise typer.Exit(run_doctor(as_json=as_json))


def recognise(
    file: Annotated[
        Path | None,
        typer.Argument(help="File with one Slack message event a line; standard input without it."),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a line (the default).")
    ] = True,
    self_ids: Annotated[
        str, typer.Option("--self", metavar="ID,...", help="User, bot or app ids of our own bot.")
    ] = "",
) -> None:
    """Print the normalised alert of each Slack message event, one JSON object a line.

    Example: incident-responder recognise events.jsonl
    """
    from bot.cli.recognise import recognise as run_recognise

    del jsonl
    raise typer.Exit(run_recognise(file, self_ids))


def schema(
    what: Annotated[str, typer.Argument(help="report")] = "report",
) -> None:
    """Print the JSON schema of a public document."""
    from bot.cli.admin import schema as run_schema

    raise typer.Exit(run_schema(what))


def main(argv: Sequence[str] | None = None) -> int:
    """The console script.

    Returns:
        0 done, 1 failed, 2 bad input or configuration, 3 every source failed, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    code = _run(words)
    if argv is None and any(t.name.startswith("collect") for t in threading.enumerate()):
        # A source's call that was abandoned at the deadline or by Ctrl-C must not keep the process alive.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _run(words: Sequence[str]) -> int:
    try:
        result = _app(words)(
            args=list(words), standalone_mode=False, prog_name="incident-responder"
        )
    except (ConfigError, UserError) as error:
        for line in str(error).splitlines():
            typer.echo(f"incident-responder: {line}", err=True)
        return EXIT_BAD_INPUT
    except typer.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - usage errors are told apart below, bugs are raised again
        return _usage_or_raise(error)
    return int(result or 0)


def _usage_or_raise(error: Exception) -> int:
    show = getattr(
        error, "show", None
    )  # the command-line library's own usage errors know how to show themselves
    if show is None:
        raise error
    show()
    return int(getattr(error, "exit_code", EXIT_BAD_INPUT))
