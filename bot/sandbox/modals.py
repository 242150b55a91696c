"""Modals: a stack of at most three views for each person, with hashes that detect lost updates."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.limits import check_blocks
from bot.sandbox.workspace import Workspace

DEEPEST = 3
LARGEST_BYTES = 250_000
_TITLES = {"title": 24, "close": 24, "submit": 24}


class Modals:
    """Opens, replaces and stacks views; a Home view is published per person."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stacks: dict[str, list[Json]] = {}

    def stack(self, user: str) -> list[Json]:
        """What the person has open, the lowest view first."""
        return self._stacks.get(user, [])

    def open(self, user: str, view: Json) -> Json:
        """Start a new stack; whatever was open is gone."""
        made = self._made(view, "modal")
        made |= {"root_view_id": made["id"], "previous_view_id": None}
        self._stacks[user] = [made]
        self._workspace.changed()
        return made

    def push(self, user: str, view: Json) -> Json:
        """Put a view on top. Raises: SlackError: `not_found`, `push_limit_reached`."""
        stack = self.stack(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= DEEPEST:
            raise SlackError("push_limit_reached")
        made = self._made(view, "modal")
        made |= {"root_view_id": stack[0]["id"], "previous_view_id": stack[-1]["id"]}
        stack.append(made)
        self._workspace.changed()
        return made

    def update(
        self, view: Json, *, view_id: str = "", external_id: str = "", seen: str = ""
    ) -> Json:
        """Replace a view. Raises: SlackError: `not_found`, `hash_conflict`."""
        old = self.find(view_id=view_id, external_id=external_id)
        if seen and seen != old["hash"]:
            raise SlackError("hash_conflict")
        kept = {
            key: old[key]
            for key in ("id", "root_view_id", "previous_view_id", "state")
            if key in old
        }
        made = self._made(view, old["type"]) | kept
        old.clear()
        old.update(made)
        self._workspace.changed()
        return made

    def find(self, *, view_id: str = "", external_id: str = "") -> Json:
        """Raises: SlackError: `not_found`."""
        for view in [
            *(one for stack in self._stacks.values() for one in stack),
            *self._workspace.homes.values(),
        ]:
            if (view_id and view["id"] == view_id) or (
                external_id and view.get("external_id") == external_id
            ):
                return view
        raise SlackError("not_found")

    def publish(self, user: str, view: Json, *, seen: str = "") -> Json:
        """Set what the person sees on the app's Home tab. Raises: SlackError: `hash_conflict`."""
        homes = self._workspace.homes
        if seen and user in homes and homes[user]["hash"] != seen:
            raise SlackError("hash_conflict")
        made = self._made(view, "home")
        if user in homes:
            made["id"] = homes[user]["id"]
        made |= {"root_view_id": made["id"], "previous_view_id": None}
        homes[user] = made
        self._workspace.changed("home", user, made)
        return made

    def close(self, user: str, *, everything: bool = False) -> list[Json]:
        """Take the top view away, or all of them; returns what was taken."""
        stack = self._stacks.pop(user, [])
        taken = stack if everything else stack[-1:]
        if not everything and len(stack) > 1:
            self._stacks[user] = stack[:-1]
        self._workspace.changed()
        return taken

    def answer(self, user: str, action: Json) -> None:
        """Do what a `response_action` of a submitted view says."""
        what = action.get("response_action")
        if what == "clear":
            self.close(user, everything=True)
        elif what == "update":
            self.update(action["view"], view_id=self.stack(user)[-1]["id"])
        elif what == "push":
            self.push(user, action["view"])
        elif what != "errors":
            self.close(user)

    def _made(self, view: object, kind: str) -> Json:
        if not isinstance(view, dict) or view.get("type") != kind:
            raise SlackError(
                "invalid_arguments",
                messages=[f"view must be of type {kind} [json-pointer:/view/type]"],
            )
        if len(json.dumps(view)) > LARGEST_BYTES:
            raise SlackError("view_too_large")
        _check_members(view, kind)
        check_blocks(view.get("blocks"), kind, "/view/blocks")
        made: Json = json.loads(json.dumps(view))
        for block in made["blocks"]:
            block.setdefault("block_id", self._workspace.next_id("b"))
        return made | {
            "id": self._workspace.next_id("V"),
            "hash": self._workspace.next_id("h"),
            "team_id": state.TEAM_ID,
            "app_id": state.APP_ID,
            "bot_id": state.BOT_ID,
            "state": {"values": {}},
            "callback_id": view.get("callback_id", ""),
            "private_metadata": view.get("private_metadata", ""),
            "external_id": view.get("external_id", ""),
        }


def _check_members(view: dict[str, Any], kind: str) -> None:
    problems = []
    for name, most in _TITLES.items() if kind == "modal" else ():
        value = view.get(name)
        text = value.get("text") if isinstance(value, dict) else None
        if name == "title" and not isinstance(text, str):
            problems.append("missing required field: title [json-pointer:/view]")
        if isinstance(text, str) and len(text) > most:
            problems.append(
                f"must be less than {most + 1} characters [json-pointer:/view/{name}/text]"
            )
    for name, most in (("private_metadata", 3_000), ("callback_id", 255), ("external_id", 255)):
        if len(str(view.get(name) or "")) > most:
            problems.append(f"must be less than {most + 1} characters [json-pointer:/view/{name}]")
    if not isinstance(view.get("blocks"), list):
        problems.append("missing required field: blocks [json-pointer:/view]")
    needs_submit = any(
        isinstance(one, dict) and one.get("type") == "input" for one in view.get("blocks") or []
    )
    if kind == "modal" and needs_submit and not view.get("submit"):
        problems.append("missing required field: submit [json-pointer:/view]")
    if problems:
        raise SlackError("invalid_arguments", messages=problems)
