"""What a vendor posts to us: how it is proven to come from them, and how it becomes the alert that Slack shows too.

A vendor tells of one alert by webhook and by a post in Slack. Both must be one alert to us, so a webhook's payload
is first written down as the vendor's own default post and then read by the same `recognise`: the fingerprints are
equal because they are made by the same function. What the payload says more exactly is put on top.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.kit.recognise import recognised
from adapters.kit.records import Alert
from adapters.kit.shape import Json, word

FRESH = timedelta(minutes=5)


class RefusedError(Exception):
    """The request is not proven to come from the vendor. The text names no secret."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request.

    Attributes:
        headers: names in lower case.
        secrets: those configured for this source; several while one is being replaced.
        now: aware.
        fetch: reads a URL of the vendor's, for certificates and confirmations.
    """

    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...]
    now: datetime
    fetch: Callable[[str], bytes]

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


Verify = Callable[[Delivery], None]
Read = Callable[[Json], Iterator[Alert]]


def by_bearer(delivery: Delivery) -> None:
    """A shared token, for vendors that sign nothing: `Authorization: Bearer ...`, or the password of Basic.

    Raises:
        RefusedError: it is missing or wrong.
    """
    kind, _, value = delivery.header("authorization").partition(" ")
    if kind.lower() != "bearer" or not _any_equal(value.strip(), delivery.secrets):
        raise RefusedError("The bearer token is missing or wrong.")


def by_hmac(
    header: str, prefix: str = "", *, of: Callable[[Delivery], bytes] | None = None
) -> Verify:
    """HMAC-SHA256 of the raw body as hex in a header, which may list several, parted by commas.

    Args:
        of: the bytes that are signed, where they are not the body alone.
    """

    def verify(delivery: Delivery) -> None:
        said = [part.strip() for part in delivery.header(header).split(",")[:8]]
        signed = delivery.body if of is None else of(delivery)
        for secret in delivery.secrets:
            right = prefix + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            if _any_equal(right, said):
                return
        raise RefusedError(f"The signature in {header} is missing or wrong.")

    return verify


def fresh(delivery: Delivery, seconds: str) -> None:
    """Refuse what was signed more than five minutes ago or ahead.

    Raises:
        RefusedError: too old, or no time.
    """
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 13):
        raise RefusedError("The signature has no time.")
    if abs(delivery.now.timestamp() - int(seconds)) > FRESH.total_seconds():
        raise RefusedError("The signature is too old.")


def first(body: Json, *keys: str, limit: int = 20_000) -> str:
    """The first text or number under one of the keys."""
    return next((found for key in keys if (found := word(body, key, limit=limit))), "")


def _any_equal(value: str, known: Sequence[str]) -> bool:
    wanted = value.encode("utf-8", "replace")
    return any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in known if one)


def posted(
    name: str,
    title: str,
    *,
    link: str = "",
    text: str = "",
    fields: Mapping[str, str] | None = None,
    color: str = "",
) -> Alert | None:
    """The alert that the vendor's default post in Slack would be taken for.

    Args:
        name: the name under which the vendor posts.
    """
    attachment: dict[str, object] = {
        "title": title[:1_000],
        "title_link": link[:2_000],
        "text": text[:8_000],
        "color": color,
        "fallback": title[:1_000],
        "fields": [
            {"title": key[:200], "value": value[:1_000], "short": True}
            for key, value in list((fields or {}).items())[:60]
        ],
    }
    event = {
        "type": "message",
        "subtype": "bot_message",
        "username": name,
        "text": "",
        "attachments": [attachment],
    }
    return recognised(event).alert
