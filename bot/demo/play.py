"""`make demo`: a local Slack, the real bot connected to it, a realistic incident, and the thread as it comes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot import logs
from bot.config import Settings
from bot.demo import shop
from bot.report import Report
from bot.sandbox import LocalSlack
from bot.sandbox.transcript import as_text
from bot.sources import load
from bot.wiring import SlackBot, until_stopped
from storage import investigations, outbox
from storage.models import InvestigationState, OutboxState

CHANNEL = "alerts"
PATIENCE_S = 60.0
QUESTION = "Which change did it, and why do you think so?"

SOURCES = """\
git_sources:
  - type: local
    enabled: true
    config: {{path: "{repository}"}}
log_sources:
  - type: files
    enabled: true
    config: {{path: "{logs}", service: "{{file}}"}}
services:
  - name: checkout
    git: [local]
    logs: [files]
    channels: [alerts]
"""


def play(*, keep: bool, port: int) -> int:
    """Show a whole investigation; returns 0 when the report names the guilty commit, 1 when not."""
    logs.configure("error")
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="incident-responder-demo-") as folder:
        return asyncio.run(_play(Path(folder), console, keep=keep, port=port))


async def _play(folder: Path, console: Console, *, keep: bool, port: int) -> int:
    begun = time.monotonic()
    now = datetime.now(UTC)
    world = await asyncio.to_thread(shop.build, folder, now)
    console.print(
        f"A shop's repository ({world.commits} commits) and its logs ({world.lines:,} lines) are in {folder}"
    )
    path = folder / "sources.yaml"
    path.write_text(SOURCES.format(repository=world.repository, logs=world.logs))
    async with LocalSlack(port=port if keep else 0) as slack:
        settings = Settings(
            data_dir=folder / "data",
            slack_bot_token=SecretStr(slack.bot_token),
            slack_app_token=SecretStr(slack.app_token),
            slack_api_url=slack.base_url,
            log_level="error",
        )
        async with SlackBot(settings, load(path, {})) as bot:
            console.print(f"The bot is connected to the local Slack at {slack.page_url}\n")
            report = await _incident(slack, bot, console, now)
            named = _verdict(report, world, console, time.monotonic() - begun)
            if keep:
                await _stay(slack, console)
    return 0 if named else 1


async def _incident(
    slack: LocalSlack, bot: SlackBot, console: Console, now: datetime
) -> Report | None:
    ts = await slack.post_as_bot(CHANNEL, shop.alert(now), name="Alertmanager")
    shown = _Shown(slack, console)
    shown.show()
    report = await _until_told(slack, bot, shown)
    if report is not None:
        await slack.post(CHANNEL, QUESTION, user="alice", thread_ts=ts)
        await _until_answered(slack, shown, ts)
    return report


async def _until_told(slack: LocalSlack, bot: SlackBot, shown: _Shown) -> Report | None:
    """Show the thread until the report stands in it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        await slack.change_within(0.2)
        shown.show()
        report = await asyncio.to_thread(_told, bot)
        if report is not None:
            shown.show()
            return report
    return None


def _told(bot: SlackBot) -> Report | None:
    """The first investigation's report, once every message of it is in Slack."""
    with bot.db.read() as session:
        case = investigations.get(session, 1)
        if case is None or case.state != InvestigationState.DONE or case.report is None:
            return None
        if any(row.state == OutboxState.PENDING for row in outbox.all_for(session, case.id)):
            return None
        return Report.model_validate(case.report)


async def _until_answered(slack: LocalSlack, shown: _Shown, ts: str) -> None:
    replies = len(slack.messages(CHANNEL, ts))
    end = time.monotonic() + PATIENCE_S
    while len(slack.messages(CHANNEL, ts)) <= replies and time.monotonic() < end:
        await slack.change_within(0.2)
    shown.show()


@dataclass(slots=True)
class _Shown:
    """Prints what is new in the channel: whole messages once, of an edited one only the new lines."""

    slack: LocalSlack
    console: Console
    seen: dict[str, str] = field(default_factory=dict)

    def show(self) -> None:
        for root in self.slack.messages(CHANNEL):
            self._message(root, reply=False)
            for reply in self.slack.messages(CHANNEL, str(root["ts"])):
                if reply["ts"] != root["ts"]:
                    self._message(reply, reply=True)

    def _message(self, message: dict[str, object], *, reply: bool) -> None:
        ts, text = str(message["ts"]), as_text(self.slack.workspace, message)
        before = self.seen.get(ts)
        if text == before:
            return
        self.seen[ts] = text
        moment = datetime.fromtimestamp(float(ts), UTC).strftime("%H:%M:%S")
        who = str(message.get("username") or message.get("user") or "")
        name = self.slack.workspace.users[who].name if who in self.slack.workspace.users else who
        if before is not None:
            for line in _new_lines(before, text):
                self.console.print(Text(f"    {line}", style="dim"))
            return
        self.console.print(
            Panel(Text(text), title=f"{name}  {moment}", title_align="left", padding=(0, 1))
            if not reply or len(text.splitlines()) > 3
            else Text(f"  {name}  {moment}  {text}")
        )


def _new_lines(before: str, after: str) -> Iterator[str]:
    old = set(before.splitlines())
    return (line for line in after.splitlines() if line not in old and line.strip())


def _verdict(report: Report | None, world: shop.Shop, console: Console, seconds: float) -> bool:
    named = bool(report and report.suspects and report.suspects[0].sha == world.guilty_sha)
    if report is None:
        console.print("\n[bold red]No report came.[/]")
    elif named:
        console.print(
            f"\n[bold green]The report names the guilty commit {world.guilty_sha[:10]}.[/] ({seconds:.1f} s)"
        )
    else:
        console.print(
            f"\n[bold red]The guilty commit was {world.guilty_sha[:10]}, which the report does not name first.[/]"
        )
    return named


async def _stay(slack: LocalSlack, console: Console) -> None:
    console.print(
        f"\nThe channel is at {slack.page_url} - type [bold]/investigate ...[/] there. Ctrl-C ends it."
    )
    await until_stopped()
