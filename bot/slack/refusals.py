"""What Slack refuses, and what we do about it: the one table.

Codes: https://docs.slack.dev/reference/methods (the error lists of `chat.postMessage`, `chat.update`,
`chat.postEphemeral`, `reactions.add`, `conversations.replies`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse


class Then(StrEnum):
    """What follows a refusal."""

    DONE = "done"  # Slack already shows what we wanted
    LATER = "later"  # it may work in a while
    PLAIN = "plain"  # say it without blocks: better short than not at all
    DROP = "drop"  # what it was about is gone; nobody misses it
    TELL = "tell"  # it will not work until somebody changes something: say so to the requester
    BROKEN = "broken"  # nothing can be said in this workspace: only the operator can help


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as we understand it.

    Attributes:
        code: Slack's error.
        advice: what the requester (or operator) can do, a whole sentence.
        wait_s: how long Slack wants us to wait; None where it does not say.
    """

    code: str
    then: Then
    advice: str = ""
    wait_s: float | None = None


_INVITE = "Invite me there with /invite and start again."
_ARCHIVED = "The channel is archived: unarchive it or start again in another one."
_RESTRICTED = (
    "The workspace's settings keep me from posting there: ask an admin, or use another channel."
)
_SCOPE = "I lack a permission: whoever runs me must reinstall the app from its manifest."
_TOKEN = "Slack refuses my token: set SLACK_BOT_TOKEN to the app's current bot token and restart."  # noqa: S105 - words, no token

_TABLE: dict[Then, dict[str, str]] = {
    Then.DONE: dict.fromkeys(("already_reacted", "no_reaction"), ""),
    Then.LATER: dict.fromkeys(
        (
            "ratelimited",
            "rate_limited",
            "message_limit_exceeded",
            "internal_error",
            "fatal_error",
            "service_unavailable",
            "request_timeout",
            "team_added_to_org",
            "external_channel_migrating",
            "accesslimited",
        ),
        "",
    ),
    Then.PLAIN: dict.fromkeys(
        (
            "invalid_blocks",
            "invalid_blocks_format",
            "msg_blocks_too_long",
            "msg_blocks_too_many",
            "msg_too_long",
            "block_mismatch",
            "too_many_attachments",
        ),
        "",
    ),
    Then.DROP: dict.fromkeys(
        (
            "message_not_found",
            "bad_timestamp",
            "no_item_specified",
            "too_many_reactions",
            "too_many_emoji",
            "thread_locked",
            "user_not_in_channel",
            "cant_update_message",
            "edit_window_closed",
            "is_inactive",
            "not_reactable",
            "feature_disabled",
            "not_authorized",
            "unknown_method",
            "invalid_status",
            "thread_ts_required",
            "channel_type_not_supported",
        ),
        "",
    ),
    Then.TELL: {
        "channel_not_found": _INVITE,
        "not_in_channel": _INVITE,
        "is_archived": _ARCHIVED,
        "restricted_action": _RESTRICTED,
        "restricted_action_read_only_channel": _RESTRICTED,
        "restricted_action_thread_locked": _RESTRICTED,
        "restricted_action_thread_only_channel": _RESTRICTED,
        "restricted_action_non_threadable_channel": _RESTRICTED,
        "cannot_reply_to_message": "Messages of that kind take no replies: start in the channel itself.",
        "channel_is_limited_access": _RESTRICTED,
        "no_permission": _SCOPE,
        "missing_scope": _SCOPE,
        "not_allowed_token_type": _SCOPE,
        "messages_tab_disabled": "",
        "cannot_dm_bot": "",
    },
    Then.BROKEN: dict.fromkeys(
        (
            "invalid_auth",
            "not_authed",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "org_login_required",
            "ekm_access_denied",
            "access_denied",
            "team_access_not_granted",
        ),
        _TOKEN,
    ),
}
_BY_CODE = {
    code: (then, advice) for then, codes in _TABLE.items() for code, advice in codes.items()
}


def understood(error: SlackApiError) -> Refusal:
    """Look a refusal up. What is not in the table may be new, so it is tried again within the budget."""
    response = error.response
    data = response.data if isinstance(response, AsyncSlackResponse) else response
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    status = response.status_code if isinstance(response, AsyncSlackResponse) else 200
    headers = response.headers if isinstance(response, AsyncSlackResponse) else {}
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return Refusal("ratelimited", Then.LATER, wait_s=_seconds(headers.get("Retry-After")))
    then, advice = _BY_CODE.get(code, (Then.LATER, ""))
    return Refusal(code or f"http_{status}", then, advice)


def _seconds(value: str | None) -> float:
    """`Retry-After` in seconds; a minute where Slack says none that can be read, an hour at most."""
    try:
        return min(max(float(value or 60), 1.0), 3_600.0)
    except ValueError:
        return 60.0
