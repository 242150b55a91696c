"""`views.*`: modals and the Home tab."""

from __future__ import annotations

from bot.sandbox.errors import Json, SlackError
from bot.sandbox.methods.desk import Args, Desk, Method


def _trigger(desk: Desk, args: Args) -> str:
    return desk.triggers.redeem(args.text("trigger_id") or args.text("interactivity_pointer"))


def _open(desk: Desk, args: Args) -> Json:
    return {"view": desk.modals.open(_trigger(desk, args), args.given["view"])}


def _push(desk: Desk, args: Args) -> Json:
    return {"view": desk.modals.push(_trigger(desk, args), args.given["view"])}


def _update(desk: Desk, args: Args) -> Json:
    view = desk.modals.update(
        args.given["view"],
        view_id=args.text("view_id"),
        external_id=args.text("external_id"),
        seen=args.text("hash"),
    )
    return {"view": view}


def _publish(desk: Desk, args: Args) -> Json:
    user = args.text("user_id")
    if user not in desk.workspace.users:
        raise SlackError("user_not_found")
    return {"view": desk.modals.publish(user, args.given["view"], seen=args.text("hash"))}


METHODS = {
    "views.open": Method(_open, 100, "", ("view",)),
    "views.push": Method(_push, 100, "", ("view",)),
    "views.update": Method(_update, 100, "", ("view",)),
    "views.publish": Method(_publish, 100, "", ("user_id", "view")),
}
