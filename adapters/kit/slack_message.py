"""What a Slack message says, whatever shape its sender gave it.

Monitoring tools put their text into `text`, `blocks`, `attachments[]` or `attachments[].blocks`, and half of
them leave `text` empty. `extract` reads all of these into one `Message` that the recognisers look at. It never
raises and is bounded: the message comes from outside, may be huge, nested or wrongly typed.

https://docs.slack.dev/reference/events/message and https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.kit.slack_text import MAX_PAIRS, Link, Walk, clean, dicts, plain, word

_UNFURLS = (
    "original_url",
    "from_url",
    "is_msg_unfurl",
    "is_app_unfurl",
    "is_share",
    "is_thread_root_unfurl",
)


@dataclass(frozen=True, slots=True)
class Signs:
    """How to tell which vendor posted a message; each recognising module has one as `SIGNS`.

    Signs only decide which recogniser is asked first. None of them is proof: webhooks rename themselves,
    self-hosted products live on any host.

    Attributes:
        app_ids: the vendor's app in Slack's directory.
        names: words in the author's name, lower case.
        urls: what the vendor's own links look like.
        footers: beginnings of an attachment's footer, lower case.
        actions: beginnings of the action ids of its buttons.
    """

    app_ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: re.Pattern[str] | None = None
    footers: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a recogniser sees it: text without Slack's markup, links and `name: value` pairs apart.

    Attributes:
        name: name of the app or webhook that posted it.
        at: when it was posted, from its `ts`; None where that is missing or senseless.
        from_person: a human wrote it.
        edited: it came as an edit (`message_changed`).
        text: the top-level text only.
        body: everything a person reads, in order, at most `MAX_TEXT` characters.
        titles: what may be its headline, best first, each with the link behind it.
        pairs: every `name: value` found in fields, bold keys, bullets and lines; names as written.
        fields: the same by lower-case name, words parted by one space; the first value wins.
        colors: of the attachments, lower case, without `#`.
        images: alternative texts of images, where some vendors hide the priority.
    """

    name: str = ""
    user: str = ""
    bot_id: str = ""
    app_id: str = ""
    subtype: str = ""
    channel: str = ""
    ts: str = ""
    thread_ts: str = ""
    at: datetime | None = None
    from_person: bool = False
    edited: bool = False
    text: str = ""
    body: str = ""
    titles: tuple[Link, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    colors: tuple[str, ...] = ()
    footers: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    block_ids: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The best headline, or an empty text."""
        return self.titles[0].label if self.titles else ""

    @property
    def lines(self) -> list[str]:
        """The lines of `body` that hold something."""
        return [line.strip() for line in self.body.split("\n") if line.strip()]

    def is_reply(self) -> bool:
        """Whether it stands in a thread only; a reply that is also sent to the channel does not count."""
        in_thread = bool(self.thread_ts) and self.thread_ts != self.ts
        return in_thread and self.subtype != "thread_broadcast"

    def value(self, *names: str) -> str:
        """The first non-empty field of these names (lower case)."""
        return next((self.fields[name] for name in names if self.fields.get(name)), "")

    def link(self, pattern: re.Pattern[str]) -> str:
        """The first URL that the pattern is found in, or an empty text."""
        return next((link.url for link in self.links if pattern.search(link.url)), "")

    def strength(self, signs: Signs) -> int:
        """How much speaks for this vendor having posted the message: app, then name, then links."""
        name = self.name.casefold()
        if self.app_id and self.app_id in signs.app_ids:
            return 5
        if name and any(word in name for word in signs.names):
            return 4
        footers = any(f.startswith(sign) for f in self.footers for sign in signs.footers)
        if footers or any(a.startswith(sign) for a in self.actions for sign in signs.actions):
            return 3
        if signs.urls is None:
            return 0
        if any(link.url and signs.urls.search(link.url) for link in self.titles):
            return 3
        return 1 if self.link(signs.urls) else 0


def effective(event: Mapping[str, object]) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """The message that an event is about now, and the one that it was before (empty unless it is an edit).

    An edit arrives as `message_changed`, with the real message inside and `hidden: true` outside; the
    channel stands outside only.
    """
    if event.get("subtype") != "message_changed":
        return event, {}
    now, before = event.get("message"), event.get("previous_message")
    channel = event.get("channel")
    message = {"channel": channel, **now} if isinstance(now, Mapping) else {}
    return message, before if isinstance(before, Mapping) else {}


def extract(event: Mapping[str, object]) -> Message:
    """Read a message event, or the message of an edit. Never raises; what makes no sense is left out."""
    message, _before = effective(event)
    walk = Walk()
    walk.text(message.get("text"), title_rank=2)
    walk.blocks(message.get("blocks"))
    own = [a for a in dicts(message.get("attachments")) if not any(a.get(key) for key in _UNFURLS)]
    if not own and not walk.lines and (message.get("title") or message.get("fallback")):
        own = [message]  # incoming webhooks may write their one attachment into the message itself
    for attachment in own:
        walk.attachment(attachment)
    for file in dicts(message.get("files"))[:3]:
        if file.get("filetype") == "email":  # mail that is forwarded into the channel
            walk.text(file.get("subject") or file.get("title"), title_rank=2)
            walk.text(file.get("plain_text") or file.get("preview_plain_text"))
    profile = message.get("bot_profile")
    profile = profile if isinstance(profile, Mapping) else {}
    user, bot_id = word(message.get("user")), word(message.get("bot_id"))
    subtype = word(message.get("subtype"))
    app_id = word(message.get("app_id")) or word(profile.get("app_id"))
    signed = bot_id or app_id or profile or message.get("username") or user == "USLACKBOT"
    is_bot = bool(signed or own or subtype == "bot_message")
    ts = word(message.get("ts"))
    return Message(
        name=word(profile.get("name")) or word(message.get("username")),
        user=user,
        bot_id=bot_id,
        app_id=app_id,
        subtype=subtype,
        channel=word(message.get("channel")),
        ts=ts,
        thread_ts=word(message.get("thread_ts")),
        at=_moment(ts),
        from_person=bool(user or message.get("client_msg_id")) and not is_bot,
        edited=message is not event,
        text=plain(clean(message.get("text")))[0],
        body="\n".join(walk.lines),
        titles=walk.ranked(),
        pairs=tuple(walk.pairs[:MAX_PAIRS]),
        fields=_fields(walk.pairs[:MAX_PAIRS]),
        links=tuple(walk.links),
        colors=tuple(walk.colors),
        footers=tuple(walk.footers),
        actions=tuple(walk.actions),
        block_ids=tuple(walk.block_ids),
        images=tuple(walk.images),
    )


def _moment(ts: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(" ".join(name.replace("_", " ").casefold().split()), value)
    return found
