"""What people wrote in Slack channels around the incident: each message that began a thread, with its replies.

Slack serves one page of 15 messages a minute to apps that are sold outside of its marketplace; an app that a company makes
for itself is not limited so. Asked through the kit's transport, which knows deadlines, circuit breaker and cache.

https://docs.slack.dev/reference/methods/conversations.history and
https://docs.slack.dev/reference/methods/conversations.replies
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import Field, SecretStr, field_validator

from adapters.kit.access import web_address
from adapters.kit.capabilities import Check, EventQuery
from adapters.kit.entries import micros
from adapters.kit.errors import AdapterError, Reason
from adapters.kit.http import Http
from adapters.kit.records import Page, Ticket, Window
from adapters.kit.settings import AdapterSettings
from adapters.kit.shape import Json, listed, mapping, objects, word

TYPES: Mapping[str, tuple[str, ...]] = {"ticket_sources": ("slack_history", "slack")}
SCOPES = "Bot token with channels:history (groups:history for private channels); the app must be in the channels."
TESTED = "A server that answers as Slack documents, the conformance suite."

PAGE: Final = "200"
MAX_PAGES: Final = 25
_TS: Final = re.compile(r"\d{1,10}\.\d{1,6}")
_SILENT: Final = frozenset(
    {"channel_join", "channel_leave", "channel_topic", "channel_purpose", "bot_message"}
)
_REASONS: Final = {
    Reason.AUTH: (
        "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "no_permission",
        "missing_scope", "not_in_channel", "access_denied", "org_login_required", "ekm_access_denied",
        "not_allowed_token_type",
    ),
    Reason.NOT_FOUND: ("channel_not_found", "thread_not_found"),
    Reason.RATE_LIMITED: ("ratelimited", "rate_limited"),
    Reason.UNAVAILABLE: ("service_unavailable", "fatal_error", "internal_error", "request_timeout", "team_added_to_org"),
}  # fmt: skip
_SAID: Final = {
    Reason.AUTH: "Slack refuses to show the channel: grant channels:history and invite the app into the channel",
    Reason.NOT_FOUND: "Slack knows no such channel: use its id (C...), and invite the app",
    Reason.RATE_LIMITED: "Slack asks us to slow down",
    Reason.UNAVAILABLE: "Slack is not well",
    Reason.BAD_REQUEST: "Slack refused the query",
}


class Settings(AdapterSettings):
    """Which channels."""

    token: SecretStr = Field(
        description="Bot token (xoxb-...)", json_schema_extra={"env": "SLACK_BOT_TOKEN"}
    )
    channels: tuple[str, ...] = Field(
        min_length=1, description="Ids of channels, for example C0123456789"
    )
    url: str = Field(
        default="https://slack.com/api", description="https://slack-gov.com/api for GovSlack"
    )
    workspace_url: str = Field(
        default="https://slack.com", description="For links, for example https://acme.slack.com"
    )
    threads: int = Field(
        default=20, ge=0, le=200, description="Of how many threads the replies are read"
    )
    bots: bool = Field(default=False, description="Whether messages of other apps count")

    @field_validator("url", "workspace_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)

    @field_validator("channels")
    @classmethod
    def _ids(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        for channel in channels:
            if not re.fullmatch(r"[CGD][A-Z0-9]{5,20}", channel):
                msg = f"{channel!r} is no id of a channel; it stands at the end of the channel's details"
                raise ValueError(msg)
        return channels


class Adapter:
    """Reads channels."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._http = Http(
            name,
            settings.url,
            headers={"Authorization": SecretStr(f"Bearer {settings.token.get_secret_value()}")},
            advice="grant channels:history and invite the app into the channel",
        )

    def tickets(self, query: EventQuery) -> Iterator[Page[Ticket]]:
        """List what was written within the window, channel after channel, each in the order of time.

        Raises:
            AdapterError: no answer, or a channel that may not be read.
        """
        left, threads = query.limit, self._settings.threads
        for channel in self._settings.channels:
            messages, cut = self._messages(
                "conversations.history", {"channel": channel}, query.window
            )
            wanted = [one for one in messages if self._counts(one)]
            if len(wanted) > left:
                cut = f"Only {query.limit} messages are shown."
            items: list[Ticket] = []
            for one in wanted[:left]:
                replies: list[Json] = []
                if threads > 0 and word(one, "reply_count", limit=6) not in {"", "0"}:
                    threads -= 1
                    asked = {"channel": channel, "ts": word(one, "ts", limit=20)}
                    replies, _ = self._messages("conversations.replies", asked, query.window)
                items.append(self._parse(channel, one, replies))
            left -= len(items)
            yield Page(tuple(items), cut)
            if left <= 0 and cut:
                return

    def check(self) -> Check:
        """Ask whose token it is."""
        body = self._asked("auth.test", {})
        return Check(ok=True, detail=f"Slack knows the app in {word(body, 'team', limit=80)}")

    def _counts(self, one: Json) -> bool:
        silent = word(one, "subtype", limit=60) in _SILENT or (
            bool(word(one, "bot_id")) and not self._settings.bots
        )
        return bool(word(one, "text").strip()) and (self._settings.bots or not silent)

    def _messages(
        self, method: str, asked: Mapping[str, str], window: Window
    ) -> tuple[list[Json], str]:
        """Messages of the window in the order of time, each once, and why some are missing."""
        span = {
            "oldest": _ts(window.since),
            "latest": _ts(window.until),
            "inclusive": "true",
            "limit": PAGE,
        }
        found: dict[str, Json] = {}
        cursor = ""
        cut = ""
        for number in range(1, MAX_PAGES + 1):
            body = self._asked(method, {**asked, **span, **({"cursor": cursor} if cursor else {})})
            for one in objects(self.name, body.get("messages"), "messages"):
                at = _moment(word(one, "ts", limit=20))
                if at is not None and at in window:
                    found[word(one, "ts", limit=20)] = one
            following = word(body, "response_metadata", "next_cursor", limit=2_000)
            if not following or following == cursor:
                break
            if number == MAX_PAGES:
                cut = f"Only {len(found)} messages of a channel were read."
            cursor = following
        return [found[ts] for ts in sorted(found, key=_order)], cut

    def _asked(self, method: str, params: Mapping[str, str]) -> Json:
        body = mapping(self.name, self._http.get(method, params).json(), "ok")
        if body.get("ok") is True:
            return body
        error = word(body, "error", limit=60)
        if not error:
            raise AdapterError(
                self.name, Reason.BAD_RESPONSE, "answered with something that is not Slack's"
            )
        for reason, errors in _REASONS.items():
            if error in errors:
                raise AdapterError(self.name, reason, _SAID[reason])
        raise AdapterError(self.name, Reason.BAD_REQUEST, _SAID[Reason.BAD_REQUEST])

    def _parse(self, channel: str, one: Json, replies: list[Json]) -> Ticket:
        ts = word(one, "ts", limit=20)
        text = word(one, "text", limit=8_000)
        said = [
            f"{word(r, 'user', limit=20)}: {word(r, 'text', limit=2_000)}" for r in listed(replies)
        ]
        created = _moment(ts) or datetime(1970, 1, 1, tzinfo=UTC)
        return Ticket(
            source=self.name,
            key=f"{channel}/{ts}",
            title=text.strip().splitlines()[0][:200],
            text="\n".join([f"{word(one, 'user', limit=20)}: {text}", *said[1:]])[:20_000],
            created_at=created,
            url=f"{self._settings.workspace_url}/archives/{channel}/p{ts.replace('.', '')}",
        )


def _ts(at: datetime) -> str:
    seconds, rest = divmod(micros(at), 1_000_000)
    return f"{seconds}.{rest:06d}"


def _order(ts: str) -> tuple[int, int]:
    seconds, _, rest = ts.partition(".")
    return int(seconds), int(rest.ljust(6, "0"))


def _moment(ts: str) -> datetime | None:
    """A message's id is its time to the microsecond; as a float it would lose the last digit."""
    if not _TS.fullmatch(ts):
        return None
    seconds, rest = _order(ts)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest)
