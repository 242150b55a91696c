"""Why a model gave no answer, in words for people; never the provider's own text, which may quote what was sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class ModelError(Exception):
    """The model gave no answer; the text may be shown."""


class Failure(Exception):  # noqa: N818 - one failed request; whether it becomes an error is decided by the retry
    """One request that failed.

    Attributes:
        retryable: asking again, unchanged, can help.
        unwell: it says that the provider is not well, which its breaker counts.
        unreadable: there was an answer, but not in the form that was asked for.
        retry_after_s: how long the provider asks us to wait; None when it does not say.
    """

    def __init__(
        self,
        words: str,
        *,
        retryable: bool = False,
        unwell: bool = False,
        unreadable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.retryable = retryable
        self.unwell = unwell
        self.unreadable = unreadable
        self.retry_after_s = retry_after_s


_SAID = {
    400: "it refused the request",
    401: "it does not accept the key",
    402: "its account has no credit",
    403: "the key may not use it",
    404: "there is no such model at this address",
    413: "the request was too large for it",
    422: "it refused the request",
}


def failure_of(error: BaseException) -> Failure:
    """Sort any SDK's exception by the HTTP status in its chain, or by what kind of error it is."""
    chain = list(_chain(error))
    for link in chain:
        status = _status(link)
        if status == 429:
            if "insufficient_quota" in str(getattr(link, "code", "") or ""):
                return Failure("its account has no credit")
            after = _retry_after(link)
            return Failure("it asked us to slow down", retryable=True, retry_after_s=after)
        if status is not None and status >= 500:
            return Failure(
                "it is not well", retryable=True, unwell=True, retry_after_s=_retry_after(link)
            )
        if status is not None and status >= 400:
            return Failure(_SAID.get(status, "it refused the request"))
    names = " ".join(type(link).__name__ for link in chain)
    if (
        any(isinstance(link, TimeoutError) for link in chain)
        or "Timeout" in names
        or "timed out" in str(error)
    ):
        return Failure("it did not answer in time", unwell=True)
    if any(isinstance(link, ConnectionError | OSError) for link in chain) or _dropped(names):
        return Failure("the connection to it broke", retryable=True, unwell=True)
    if "ContextLength" in names:
        return Failure("the request was too large for it")
    return Failure("its answer could not be read", unreadable=True)


def _dropped(names: str) -> bool:
    return any(
        word in names for word in ("APIConnection", "RemoteProtocol", "ReadError", "ConnectError")
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _status(error: BaseException) -> int | None:
    found = getattr(error, "status_code", None)
    if found is None:
        found = getattr(getattr(error, "response", None), "status_code", None)
    return found if isinstance(found, int) else None


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    said = str(headers.get("retry-after-ms") or "")
    if said:
        with contextlib.suppress(ValueError):
            return max(0.0, float(said) / 1000)
    said = str(headers.get("retry-after") or "")
    with contextlib.suppress(ValueError):
        return max(0.0, float(said))
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
