"""What operators run beside the bot: `migrate`, `doctor`, `schema`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from adapters.kit.capabilities import Checkable
from adapters.kit.errors import AdapterError
from bot import logs
from bot.config import Settings, environment, load_settings, require_slack
from bot.errors import ConfigError, UserError
from bot.report import Report
from bot.slack.app import build_client
from bot.slack.tokens import check_tokens
from bot.sources import Source, Sources, load
from bot.wiring import build_database, database_answers

CHECK_S = 15.0


def migrate() -> int:
    """Bring the database to the newest schema.

    Raises:
        ConfigError: the database cannot be reached or is misconfigured.
    """
    db = build_database(load_settings())
    try:
        with database_answers():
            before = db.revision()
            db.migrate()
            after = db.revision()
    finally:
        db.close()
    sys.stdout.write(
        f"The database is at revision {after}"
        + (" (it was already).\n" if before == after else ".\n")
    )
    return 0


def schema(what: str) -> int:
    """Print the JSON schema of a public document.

    Raises:
        UserError: there is no such document.
    """
    if what != "report":
        raise UserError(f"There is no schema of {what!r}; try: incident-responder schema report")
    sys.stdout.write(json.dumps(Report.model_json_schema(), indent=2) + "\n")
    return 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table."""

    what: str
    ok: bool
    detail: str
    latency_ms: int | None = None


def doctor(*, as_json: bool) -> int:
    """Check everything that can be checked; 0 when all is well, 1 when something is to be changed."""
    logs.configure("error")
    findings = list(_findings())
    if as_json:
        sys.stdout.write(json.dumps({"findings": [asdict(f) for f in findings]}, indent=2) + "\n")
    else:
        _show(findings)
    return 0 if all(f.ok for f in findings) else 1


def _findings() -> Iterator[Finding]:
    try:
        settings = load_settings()
    except ConfigError as error:
        yield from (Finding("settings", ok=False, detail=p) for p in error.problems)
        return
    yield Finding("settings", ok=True, detail="read")
    yield _timed("database", lambda: _database(settings))
    yield _timed("Slack", lambda: _slack(settings))
    if settings.sources is None:
        yield Finding("sources", ok=False, detail="BOT_SOURCES is not set: nothing can be asked")
        return
    try:
        sources = load(settings.sources, environment())
    except ConfigError as error:
        yield from (Finding("sources", ok=False, detail=p) for p in error.problems)
        return
    yield from _checked(sources)


def _timed(what: str, check: Callable[[], str]) -> Finding:
    started = time.monotonic()
    try:
        detail, ok = check(), True
    except ConfigError as error:
        detail, ok = "; ".join(error.problems), False
    except AdapterError as error:
        detail, ok = error.detail, False
    return Finding(what, ok, detail, round((time.monotonic() - started) * 1000))


def _database(settings: Settings) -> str:
    db = build_database(settings)
    try:
        with database_answers():
            revision, head = db.revision(), db.head()
    finally:
        db.close()
    if revision is None:
        return "empty; `run` and `migrate` create the schema"
    if revision != head:
        raise ConfigError(
            [f"the schema is at {revision}, this release wants {head}: run `migrate`"]
        )
    return f"{db.dialect}, schema {revision}"


def _slack(settings: Settings) -> str:
    require_slack(settings)
    client = build_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    return asyncio.run(check_tokens(client, settings.slack_app_token.get_secret_value()))


def _checked(sources: Sources) -> Iterator[Finding]:
    """Ask all sources at once; one that hangs is reported as such."""
    pool = ThreadPoolExecutor(max_workers=8)
    futures = [(source, pool.submit(_source, source)) for source in sources.sources]
    for source, future in futures:
        try:
            yield future.result(timeout=CHECK_S)
        except TimeoutError:
            yield Finding(_name(source), ok=False, detail=f"no answer within {CHECK_S:.0f} s")
    pool.shutdown(wait=False, cancel_futures=True)


def _source(source: Source) -> Finding:
    adapter = source.adapter
    if not isinstance(adapter, Checkable):
        return Finding(_name(source), ok=True, detail="configured")

    def check() -> str:
        found = adapter.check()
        if not found.ok:
            raise ConfigError([found.detail])
        return f"{found.detail} {found.version}".strip()

    return _timed(_name(source), check)


def _name(source: Source) -> str:
    return f"{source.group}: {source.name}"


def _show(findings: list[Finding]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for column in ("", "what", "detail", "ms"):
        table.add_column(column, overflow="fold")
    for f in findings:
        mark = "[green]ok[/]" if f.ok else "[red]!![/]"
        table.add_row(mark, f.what, f.detail, "" if f.latency_ms is None else str(f.latency_ms))
    Console().print(table)
