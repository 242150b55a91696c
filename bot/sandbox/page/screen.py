"""What one person sees: sidebar, channel, thread, Home, modal."""

from __future__ import annotations

from html import escape

from bot.sandbox import state
from bot.sandbox.errors import Json
from bot.sandbox.modals import Modals
from bot.sandbox.page.blocks import blocks
from bot.sandbox.page.controls import text
from bot.sandbox.page.icons import icon
from bot.sandbox.page.messages import Messages, Piece, names_of
from bot.sandbox.state import Channel, User
from bot.sandbox.workspace import Workspace

HOME = "home"
"""The pseudo channel of the app's Home tab."""


class Screen:
    """Draws the page's parts for one viewer."""

    def __init__(self, workspace: Workspace, modals: Modals, viewer: User) -> None:
        self._workspace = workspace
        self._modals = modals
        self._viewer = viewer
        self._messages = Messages(workspace, viewer)

    def parts(self, channel: Channel | None, thread_ts: str) -> Json:
        """Everything; `channel` None is the Home tab."""
        here = channel.id if channel else HOME
        stack = self._modals.stack(self._viewer.id)
        return {
            "channel": here,
            "sidebar": self._sidebar(here),
            "head": _head(channel),
            "main": self._messages.channel(channel) if channel else self._home(),
            "thread": self._messages.thread(channel, thread_ts) if channel and thread_ts else [],
            "prompts": self._prompts(channel) if channel else "",
            "modal_key": f"{stack[-1]['id']} {stack[-1]['hash']}" if stack else "",
            "modal": self._modal(stack[-1]) if stack else "",
            "writable": bool(
                channel and not channel.archived and self._viewer.id in channel.members
            ),
            "placeholder": f"Message {_title(channel)}" if channel else "",
            "commands": [
                {"name": one.name, "about": one.description, "hint": one.usage_hint}
                for one in self._workspace.app.commands
            ],
            "people": [
                one.name for one in self._workspace.users.values() if one.id != state.SLACKBOT
            ],
            "channels": [one.name for one in self._workspace.channels.values() if one.kind != "im"],
        }

    def _sidebar(self, here: str) -> str:
        mine = [one for one in self._workspace.channels.values() if self._viewer.id in one.members]
        channels = [
            _entry(one.id, _sign(one), one.name, here, off=one.archived)
            for one in mine
            if one.kind != "im"
        ]
        direct = self._workspace.direct(self._viewer)
        people = "".join(
            f'<option value="{escape(one.name)}"{" selected" if one is self._viewer else ""}>{escape(one.real_name)}</option>'
            for one in self._workspace.users.values()
            if not one.is_bot
        )
        globals_ = "".join(
            f'<button type="button" class="entry" data-act="global" data-callback="{escape(one.callback_id)}">'
            f"<span>⚡</span>{escape(one.name)}</button>"
            for one in self._workspace.app.shortcuts
            if one.kind == "global"
        )
        return (
            f'<div class="team">Local Slack</div>'
            f'<label class="who">You are <select data-act="who">{people}</select></label>'
            f'<div class="heading">Channels</div>{"".join(channels)}'
            f'<div class="heading">Incident Responder</div>'
            f"{_entry(HOME, icon('home'), 'Home', here)}{_entry(direct.id, '●', 'Messages', here)}"
            f'<div class="heading">Shortcuts</div>{globals_}'
        )

    def _home(self) -> list[Piece]:
        view = self._workspace.homes.get(self._viewer.id)
        if view is None:
            return [
                (
                    "none",
                    '<div class="empty">The app has not published a Home tab for you yet.</div>',
                )
            ]
        names = names_of(self._workspace)
        return [
            (
                view["hash"],
                f'<div class="home" data-surface="home">{blocks(view["blocks"], names)}</div>',
            )
        ]

    def _prompts(self, channel: Channel) -> str:
        found = [
            given for (where, _), given in self._workspace.prompts.items() if where == channel.id
        ]
        if not found:
            return ""
        buttons = "".join(
            f'<button type="button" class="button" data-act="prompt" data-text="{escape(str(one["message"]))}">'
            f"{text(one['title'])}</button>"
            for one in found[-1]["prompts"]
        )
        return f'<span class="small">{text(found[-1]["title"])}</span>{buttons}'

    def _modal(self, view: Json) -> str:
        submit = (
            f'<button type="submit" class="button primary">{text(view["submit"])}</button>'
            if view.get("submit")
            else ""
        )
        close = text(view.get("close")) or "Close"
        return (
            f'<form class="sheet" data-surface="modal"><header><h2>{text(view.get("title"))}</h2>'
            f'<button type="button" class="icon" data-act="close-modal" title="Close">✕</button></header>'
            f'<div class="fill">{blocks(view["blocks"], names_of(self._workspace))}</div>'
            f'<footer><span class="wrong"></span>'
            f'<button type="button" class="button" data-act="close-modal">{close}</button>{submit}</footer></form>'
        )


def _entry(target: str, sign: str, name: str, here: str, *, off: bool = False) -> str:
    css = "entry here" if target == here else "entry off" if off else "entry"
    return (
        f'<button type="button" class="{css}" data-act="go" data-target="{escape(target)}">'
        f"<span>{sign}</span>{escape(name)}</button>"
    )


def _sign(channel: Channel) -> str:
    if channel.kind == "group":
        return icon("lock")
    return icon("archive") if channel.archived else "⇄" if channel.shared else "#"


def _title(channel: Channel) -> str:
    return "Incident Responder" if channel.kind == "im" else f"#{channel.name}"


def _head(channel: Channel | None) -> str:
    if channel is None:
        return '<h1>Incident Responder</h1><span class="small">Home</span>'
    notes = [channel.topic] if channel.topic else []
    notes += ["archived"] if channel.archived else []
    notes += [] if state.BOT_USER_ID in channel.members else ["the bot is not in this channel"]
    bar = " · ".join(notes)
    return f'<h1>{escape(_title(channel))}</h1><span class="small">{escape(bar)}</span>'
