"""The agent surface: status, sessions, suggested prompts; and steps of workflows."""

from __future__ import annotations

from bot.sandbox.errors import Json, SlackError
from bot.sandbox.methods.desk import Args, Desk, Method
from bot.sandbox.state import Channel

SESSION_STATES = frozenset({"processing", "active", "suspended", "closed"})


def _agent_channel(desk: Desk, args: Args, refusal: str) -> Channel:
    if not desk.workspace.app.agent:
        raise SlackError(refusal)
    return desk.writable(args, "channel_id")


def _threads_status(desk: Desk, args: Args) -> Json:
    channel = desk.writable(args, "channel_id")
    messages = args.given.get("loading_messages") or []
    if isinstance(messages, str):
        messages = [messages]
    if len(messages) > 10:
        raise SlackError(
            "invalid_arguments",
            messages=["no more than 10 items allowed [json-pointer:/loading_messages]"],
        )
    key = (channel.id, args.text("thread_ts"))
    if args.text("status"):
        desk.workspace.statuses[key] = {
            "status": args.text("status"),
            "messages": messages,
            "at": desk.workspace.now(),
        }
    else:
        desk.workspace.statuses.pop(key, None)
    desk.workspace.changed()
    return {}


def _threads_title(desk: Desk, args: Args) -> Json:
    channel = _agent_channel(desk, args, "not_agent_app")
    desk.workspace.sessions.setdefault((channel.id, args.text("thread_ts")), {})["title"] = (
        args.text("title")
    )
    desk.workspace.changed()
    return {}


def _threads_prompts(desk: Desk, args: Args) -> Json:
    channel = _agent_channel(desk, args, "not_agent_app")
    prompts = args.objects("prompts") or []
    if not 1 <= len(prompts) <= 4 or not all(
        one.get("title") and one.get("message") for one in prompts
    ):
        raise SlackError(
            "invalid_arguments",
            messages=["1 to 4 prompts with title and message [json-pointer:/prompts]"],
        )
    given = {"title": args.text("title"), "prompts": prompts}
    desk.workspace.prompts[(channel.id, args.text("thread_ts"))] = given
    desk.workspace.changed()
    return {}


def _session_status(desk: Desk, args: Args) -> Json:
    channel = _agent_channel(desk, args, "feature_disabled")
    if channel.kind != "im" and not args.text("thread_ts"):
        raise SlackError("thread_ts_required")
    if args.text("status") not in SESSION_STATES:
        raise SlackError("invalid_status")
    initiator = args.text("initiator_user_id")
    if initiator and initiator not in desk.workspace.users:
        raise SlackError("user_not_found")
    session = desk.workspace.sessions.setdefault((channel.id, args.text("thread_ts")), {})
    session["status"] = args.text("status")
    if args.text("title"):
        session["title"] = args.text("title")
    desk.workspace.changed()
    if (
        session["status"] == "processing"
        and "agent_session_stopped" not in desk.workspace.app.events
    ):
        missing = "not_subscribed_to_agent_session_stopped"
        return {"warning": missing, "response_metadata": {"warnings": [missing]}}
    return {}


def _session_rename(desk: Desk, args: Args) -> Json:
    channel = _agent_channel(desk, args, "feature_disabled")
    session = desk.workspace.sessions.get((channel.id, args.text("thread_ts")))
    if session is None:
        raise SlackError("session_not_found")
    if not 1 <= len(args.text("title")) <= 200:
        raise SlackError("invalid_name")
    session["title"] = args.text("title")
    desk.workspace.changed()
    return {}


def _finish(desk: Desk, args: Args, outcome: Json) -> Json:
    execution = desk.workspace.functions.get(args.text("function_execution_id"))
    if execution is None:
        raise SlackError("function_execution_not_found")
    if execution["status"] != "running":
        raise SlackError("execution_not_in_running_state")
    execution.update(outcome)
    desk.workspace.changed()
    return {}


def _complete(desk: Desk, args: Args) -> Json:
    return _finish(desk, args, {"status": "completed", "outputs": args.given["outputs"]})


def _fail(desk: Desk, args: Args) -> Json:
    return _finish(desk, args, {"status": "failed", "error": args.text("error")})


METHODS = {
    "assistant.threads.setStatus": Method(
        _threads_status, 0, "chat:write", ("channel_id", "thread_ts")
    ),
    "assistant.threads.setTitle": Method(
        _threads_title, 100, "assistant:write", ("channel_id", "thread_ts", "title")
    ),
    "assistant.threads.setSuggestedPrompts": Method(
        _threads_prompts, 100, "assistant:write", ("channel_id", "prompts")
    ),
    "agents.sessions.setStatus": Method(
        _session_status, 50, "chat:write", ("channel_id", "status")
    ),
    "agents.sessions.rename": Method(_session_rename, 50, "chat:write", ("channel_id", "title")),
    "functions.completeSuccess": Method(_complete, 50, "", ("function_execution_id", "outputs")),
    "functions.completeError": Method(_fail, 50, "", ("function_execution_id", "error")),
}
