"""Commands, clicks, shortcuts and submitted views: the payloads, and what the app's answers do."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox import elements, state
from bot.sandbox.delivery import Delivery, Reply
from bot.sandbox.errors import DriverError, Json, SlackError
from bot.sandbox.events import VERIFICATION_TOKEN
from bot.sandbox.limits import check_message
from bot.sandbox.methods.chat import bot_author
from bot.sandbox.modals import Modals
from bot.sandbox.state import Channel, Message, User
from bot.sandbox.triggers import ResponseTarget, Triggers
from bot.sandbox.wording import attachment, normalised
from bot.sandbox.workspace import Workspace


class Interactions:
    """Sends interactions to the app and applies what it answers."""

    def __init__(
        self, workspace: Workspace, triggers: Triggers, modals: Modals, delivery: Delivery
    ) -> None:
        self._workspace = workspace
        self._triggers = triggers
        self._modals = modals
        self._delivery = delivery

    async def command(self, channel: Channel, user: User, command: str, text: str) -> list[Json]:
        """Run a slash command; returns what its ack showed to the person alone."""
        if not self._workspace.app.takes_command(command):
            return [self._slackbot(channel, user, f"{command} is not a valid command.")]
        target = ResponseTarget(channel.id, user.id, "", "", ephemeral=True)
        payload = {
            "token": VERIFICATION_TOKEN,
            "team_id": state.TEAM_ID,
            "team_domain": state.TEAM_DOMAIN,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.kind == "im" else channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": state.APP_ID,
            "is_enterprise_install": "false",
            "response_url": self._respond_at(target),
            "trigger_id": self._triggers.issue(user.id),
        }
        reply = await self._delivery.send_once("slash_commands", payload)
        if reply.failed:
            code = "operation_timeout" if "timeout" in reply.failed else "dispatch_failed"
            return [
                self._slackbot(
                    channel, user, f'{command} failed with the error "{code}"', error=code
                )
            ]
        shown = self.respond(target, reply.body) if reply.body else None
        return [shown] if shown else []

    async def click(
        self, channel: Channel, user: User, body: Json, action_id: str, value: object
    ) -> Reply:
        """Use an element of a message, an ephemeral one included; `body` is the message as shown."""
        block, element = elements.find(body, action_id)
        ephemeral = bool(body.get("is_ephemeral"))
        thread_ts = str(body.get("thread_ts", ""))
        target = ResponseTarget(channel.id, user.id, body["ts"], thread_ts, ephemeral=ephemeral)
        container = {
            "type": "message",
            "message_ts": body["ts"],
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        payload = self._interaction("block_actions", user) | {
            "container": container | ({"thread_ts": thread_ts} if thread_ts else {}),
            "channel": {"id": channel.id, "name": channel.name},
            "state": {"values": {}},
            "response_url": self._respond_at(target),
            "actions": [self._action(block, element, value)],
        }
        if not ephemeral:
            payload["message"] = body
        return await self._delivery.send_once("interactive", payload)

    async def click_view(self, user: User, view: Json, action_id: str, value: object) -> Reply:
        """Use an element of an open modal or of the Home tab."""
        block, element = elements.find(view, action_id)
        payload = self._interaction("block_actions", user) | {
            "container": {"type": "view", "view_id": view["id"]},
            "view": view,
            "state": view["state"],
            "actions": [self._action(block, element, value)],
        }
        return await self._delivery.send_once("interactive", payload)

    async def submit(self, user: User, values: Mapping[str, object]) -> Json:
        """Submit the top view; returns `{"errors": {...}}` when it stays open, else `{}`."""
        view = self._top(user)
        view["state"] = {"values": _filled(view, values)}
        blank = _left_blank(view)
        if blank:
            return {"errors": blank}
        payload = self._interaction("view_submission", user) | {"view": view, "response_urls": []}
        reply = await self._delivery.send_once("interactive", payload)
        if reply.failed:
            return {"errors": {"": "We had some trouble connecting. Try again?"}}
        action = reply.body if isinstance(reply.body, dict) else {}
        try:
            self._modals.answer(user.id, action)
        except SlackError as refused:
            raise DriverError(
                f"the app answered the submission with a bad view: {refused.answer()}"
            ) from refused
        return {"errors": action["errors"]} if action.get("response_action") == "errors" else {}

    async def dismiss(self, user: User) -> Reply:
        """Close the top view; the app hears of it if it asked to (`notify_on_close`)."""
        view = self._top(user)
        self._modals.close(user.id)
        if not view.get("notify_on_close"):
            return Reply()
        payload = self._interaction("view_closed", user) | {"view": view, "is_cleared": False}
        del payload["trigger_id"]
        return await self._delivery.send_once("interactive", payload)

    async def shortcut(self, user: User, callback_id: str, message: Message | None) -> Reply:
        """Run a global shortcut, or with a message a message shortcut."""
        if not self._workspace.app.takes_shortcut(callback_id):
            raise DriverError(f"the manifest has no shortcut {callback_id!r}")
        payload = self._interaction("message_action" if message else "shortcut", user)
        payload |= {"callback_id": callback_id, "action_ts": self._workspace.next_ts()}
        if message is not None:
            target = ResponseTarget(
                message.channel, user.id, message.ts, message.thread_ts, ephemeral=False
            )
            payload |= {
                "channel": {
                    "id": message.channel,
                    "name": self._workspace.channels[message.channel].name,
                },
                "message": self._workspace.shown(message),
                "message_ts": message.ts,
                "response_url": self._respond_at(target),
            }
        return await self._delivery.send_once("interactive", payload)

    def respond(self, target: ResponseTarget, given: Json | str) -> Json | None:
        """Show what the app sent to a response URL or with its ack; returns an ephemeral answer.

        Raises:
            SlackError: the message is not one that Slack would show.
        """
        answer: Json = {"text": given} if isinstance(given, str) else given
        check_message(answer)
        body: Json = {"text": normalised(str(answer.get("text") or ""))}
        if answer.get("blocks") is not None:
            body["blocks"] = answer["blocks"]
        if answer.get("attachments"):
            body["attachments"] = [
                attachment(at, one) for at, one in enumerate(answer["attachments"])
            ]
        channel = self._workspace.channels[target.channel]
        if (answer.get("replace_original") or answer.get("delete_original")) and target.message_ts:
            self._replace(target, body, delete=bool(answer.get("delete_original")))
            return None
        thread_ts = str(answer.get("thread_ts") or "")
        if answer.get("response_type") == "in_channel":
            self._workspace.post(channel, state.BOT_ID, body | bot_author(), thread_ts=thread_ts)
            return None
        if not (body["text"] or body.get("blocks") or body.get("attachments")):
            return None
        return self._workspace.whisper(
            channel, target.user, body | bot_author(), thread_ts=thread_ts
        )

    def _replace(self, target: ResponseTarget, body: Json, *, delete: bool) -> None:
        if target.ephemeral:
            self._workspace.ephemerals = [
                one | body if one["ts"] == target.message_ts else one
                for one in self._workspace.ephemerals
                if not (delete and one["ts"] == target.message_ts)
            ]
            self._workspace.changed()
            return
        message = self._workspace.message(
            self._workspace.channels[target.channel], target.message_ts
        )
        if delete:
            self._workspace.delete(message)
        else:
            self._workspace.edit(
                message, {"blocks": None, "attachments": None, **body}, by=state.BOT_USER_ID
            )

    def _top(self, user: User) -> Json:
        stack = self._modals.stack(user.id)
        if not stack:
            raise DriverError(f"{user.name} has no modal open")
        return stack[-1]

    def _interaction(self, kind: str, user: User) -> Json:
        return {
            "type": kind,
            "token": VERIFICATION_TOKEN,
            "team": {"id": state.TEAM_ID, "domain": state.TEAM_DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": state.TEAM_ID,
            },
            "api_app_id": state.APP_ID,
            "trigger_id": self._triggers.issue(user.id),
        }

    def _action(self, block: Json, element: Json, value: object) -> Json:
        return {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block.get("block_id", ""),
            "action_ts": self._workspace.next_ts(),
            **elements.chosen(element, value),
        }

    def _respond_at(self, target: ResponseTarget) -> str:
        return self._workspace.origin + self._triggers.respond_at(target)

    def _slackbot(self, channel: Channel, user: User, text: str, *, error: str = "") -> Json:
        body: Json = {"user": state.SLACKBOT, "text": text} | ({"error": error} if error else {})
        return self._workspace.whisper(channel, user.id, body)


def _filled(view: Json, values: Mapping[str, object]) -> Json:
    filled: Json = {}
    for block, element in elements.interactive(view):
        if block.get("type") not in ("input", "section", "actions") or element["type"] in (
            "button",
            "overflow",
        ):
            continue
        name, action_id = block["block_id"], element["action_id"]
        value = values.get(action_id, values.get(name))
        filled.setdefault(name, {})[action_id] = {
            "type": element["type"],
            **elements.chosen(element, value),
        }
    return filled


def _left_blank(view: Json) -> dict[str, str]:
    blank: dict[str, str] = {}
    for block in view["blocks"]:
        if block.get("type") != "input" or block.get("optional"):
            continue
        for choice in view["state"]["values"].get(block["block_id"], {}).values():
            if elements.is_empty({key: value for key, value in choice.items() if key != "type"}):
                blank[block["block_id"]] = "Please complete this required field."
    return blank
