"""What an HTTP status means, and how long a system wants us to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from adapters.kit.errors import Reason

Reset = Callable[[httpx.Headers, float], float | None]
"""Reads a vendor's own rate-limit headers: (headers, epoch seconds now) -> seconds to wait, or None."""

_MEANING: dict[int, tuple[Reason, str]] = {
    401: (Reason.AUTH, "does not accept the credentials"),
    403: (Reason.AUTH, "refuses to show this"),
    404: (Reason.NOT_FOUND, "knows nothing at this address: check the names in the configuration"),
    408: (Reason.TIMEOUT, "took too long"),
    410: (Reason.NOT_FOUND, "has removed what was asked for"),
    429: (Reason.RATE_LIMITED, "asks us to slow down"),
}


def reason_of(status: int, advice: str = "") -> tuple[Reason, str]:
    """The reason behind an HTTP status that is not 2xx, and a sentence for people.

    Args:
        advice: what to grant when the credentials are refused.
    """
    if status in _MEANING:
        reason, text = _MEANING[status]
    elif 300 <= status < 400:
        reason, text = Reason.AUTH, "redirects to another address, often a sign-in page"
    elif 400 <= status < 500:
        reason, text = Reason.BAD_REQUEST, "refused the query"
    elif status >= 500:
        reason, text = Reason.UNAVAILABLE, "is not well"
    else:
        reason, text = Reason.BAD_RESPONSE, "answered with an unexpected status"
    if reason is Reason.AUTH:
        text += f": {advice or 'check the credentials and what they may read'}"
    elif status == 404 and advice:  # many hosts hide what one may not read
        text += f", or {advice}"
    return reason, text


def retry_after_s(headers: httpx.Headers, reset: Reset | None = None) -> float | None:
    """Seconds to wait: `Retry-After` as seconds or HTTP date (RFC 9110), else the vendor's own header."""
    value = headers.get("retry-after", "").strip()
    if value:
        try:
            return max(0.0, float(value))
        except ValueError:
            pass
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    return reset(headers, time.time()) if reset else None


def clock_skew_s(headers: httpx.Headers) -> float | None:
    """How far the system's clock is ahead of ours, by its `Date` header (whole seconds); None where it has none."""
    try:
        then = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return round((then - datetime.now(UTC)).total_seconds(), 1)
