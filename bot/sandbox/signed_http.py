"""Signed HTTP delivery: the Request URL of events, commands and interactivity.

Signature: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from urllib.parse import urlencode, urlsplit

import aiohttp

from bot.sandbox.delivery import ACK_WITHIN_S, Reply, Try
from bot.sandbox.errors import DriverError, Json
from bot.sandbox.timers import Timers

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of `X-Slack-Signature`."""
    signed = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return f"v0={signed.hexdigest()}"


class SignedHttp:
    """Posts payloads to one URL on this machine.

    Raises:
        DriverError: the URL is not on loopback; nothing of a local workspace leaves the machine.
    """

    def __init__(self, url: str, secret: str, timers: Timers) -> None:
        if urlsplit(url).hostname not in LOOPBACK:
            raise DriverError(f"requests are delivered to this machine only, not to {url}")
        self.url = url
        self._secret = secret
        self._timers = timers
        self._session = aiohttp.ClientSession()

    async def attempt(self, one: Try) -> Reply:
        """Post one payload and wait for the answer."""
        body, content_type = _encoded(one)
        timestamp = int(self._timers.now())
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": str(timestamp),
            "X-Slack-Signature": signature(self._secret, timestamp, body),
        }
        if one.attempt:
            headers |= {"X-Slack-Retry-Num": str(one.attempt), "X-Slack-Retry-Reason": one.reason}
        posting = asyncio.ensure_future(self._post(body, headers))
        if await self._timers.within(posting, ACK_WITHIN_S):
            return posting.result()
        posting.cancel()
        return Reply(failed="http_timeout")

    async def verify(self) -> None:
        """The challenge with which Slack checks a Request URL.

        Raises:
            DriverError: the app did not answer with the challenge.
        """
        challenge = "local-slack-challenge"
        payload: Json = {"type": "url_verification", "token": "unused", "challenge": challenge}
        reply = await self.attempt(Try("events_api", payload))
        answered = reply.body.get("challenge") if isinstance(reply.body, dict) else reply.body
        if reply.failed or answered != challenge:
            raise DriverError(
                f"{self.url} did not answer the challenge ({reply.failed or 'wrong answer'})"
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _post(self, body: bytes, headers: dict[str, str]) -> Reply:
        try:
            async with self._session.post(self.url, data=body, headers=headers) as answer:
                raw = await answer.content.read(1_000_000)
                no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
                if answer.status != 200:
                    return Reply(failed="http_error", no_retry=no_retry)
                return Reply(_decoded(raw), no_retry=no_retry)
        except (aiohttp.ClientError, OSError):
            return Reply(failed="connection_failed")


def _encoded(one: Try) -> tuple[bytes, str]:
    form = "application/x-www-form-urlencoded"
    if one.kind == "slash_commands":
        return urlencode(one.payload, errors="replace").encode(), form
    if one.kind == "interactive":
        return urlencode({"payload": json.dumps(one.payload)}).encode(), form
    return json.dumps(one.payload).encode(), "application/json"


def _decoded(raw: bytes) -> Json | str | None:
    text = raw.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except ValueError:
        return text or None
    return value if isinstance(value, dict) else text
