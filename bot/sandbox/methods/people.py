"""Who is who: `auth.*`, `users.*`, `usergroups.*`, `bots.*`, `team.*`, and opening a socket."""

from __future__ import annotations

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.methods.desk import Args, Desk, Method, page


def _auth_test(desk: Desk, args: Args) -> Json:
    return {
        "url": f"{desk.workspace.origin}/",
        "team": "Local Slack",
        "user": state.BOT_NAME,
        "team_id": args.team,
        "user_id": state.BOT_USER_ID,
        "bot_id": state.BOT_ID,
        "app_id": state.APP_ID,
        "is_enterprise_install": False,
    }


def _user(desk: Desk, args: Args) -> Json:
    user = desk.workspace.users.get(args.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user.shown()}


def _users(desk: Desk, args: Args) -> Json:
    everybody = [one.shown() for one in desk.workspace.users.values()]
    items, cursor = page(everybody, args, default=1_000, most=1_000)
    return {"members": items, "response_metadata": {"next_cursor": cursor}}


def _by_email(desk: Desk, args: Args) -> Json:
    for user in desk.workspace.users.values():
        if user.shown()["profile"].get("email") == args.text("email"):
            return {"user": user.shown()}
    raise SlackError("users_not_found")


def _groups(desk: Desk, args: Args) -> Json:
    with_users = args.flag("include_users")
    return {
        "usergroups": [
            {key: value for key, value in group.items() if with_users or key != "users"}
            for group in desk.workspace.groups.values()
        ]
    }


def _group_members(desk: Desk, args: Args) -> Json:
    group = desk.workspace.groups.get(args.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": group["users"]}


def _bot(desk: Desk, args: Args) -> Json:
    for user in desk.workspace.users.values():
        if user.is_bot and user.bot_id == args.text("bot"):
            bot = {
                "id": user.bot_id,
                "deleted": False,
                "name": user.real_name,
                "app_id": user.app_id,
            }
            return {"bot": bot | {"user_id": user.id, "updated": 0}}
    raise SlackError("bot_not_found")


def _team(_desk: Desk, args: Args) -> Json:
    return {
        "team": {
            "id": args.team,
            "name": "Local Slack",
            "domain": state.TEAM_DOMAIN,
            "email_domain": "",
        }
    }


def _api_test(_desk: Desk, args: Args) -> Json:
    if args.text("error"):
        raise SlackError(args.text("error"))
    return {"args": dict(args.given)}


def _open_socket(desk: Desk, _args: Args) -> Json:
    return {"url": f"ws{desk.workspace.origin.removeprefix('http')}{desk.socket.open_path()}"}


def _oauth(desk: Desk, args: Args) -> Json:
    return desk.installs.exchange(dict(args.given)) | {
        "scope": ",".join(sorted(desk.workspace.app.scopes))
    }


def _revoke(desk: Desk, args: Args) -> Json:
    desk.installs.revoke(args.token)
    return {"revoked": True}


METHODS = {
    "oauth.v2.access": Method(_oauth, 100, anonymous=True),
    "auth.revoke": Method(_revoke, 50),
    "api.test": Method(_api_test, 100),
    "auth.test": Method(_auth_test, 0),
    "apps.connections.open": Method(_open_socket, 50, app_token=True),
    "users.info": Method(_user, 100, "users:read", ("user",)),
    "users.list": Method(_users, 20, "users:read"),
    "users.lookupByEmail": Method(_by_email, 50, "users:read.email", ("email",)),
    "usergroups.list": Method(_groups, 20, "usergroups:read"),
    "usergroups.users.list": Method(_group_members, 20, "usergroups:read", ("usergroup",)),
    "bots.info": Method(_bot, 50, "users:read"),
    "team.info": Method(_team, 50, "team:read"),
}
