"""The one way in which an adapter says "this system gave no answer".

`AdapterError(system, reason, detail)`: the reason decides what happens next (retry, gap, advice), the
detail is one sentence a person can act on. It never holds a secret, a header or a response body.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Reason(StrEnum):
    """Why a system gave no answer; also the label of the metric and of the gap in the report."""

    AUTH = "auth"  #: The credentials are wrong, expired or lack a permission
    RATE_LIMITED = "rate_limited"  #: The system asked us to slow down for longer than we may wait
    TIMEOUT = "timeout"  #: No answer within the deadline
    UNAVAILABLE = "unavailable"  #: Refused, unreachable, or 5xx
    NOT_FOUND = "not_found"  #: The repository, folder, index or id does not exist
    BAD_REQUEST = "bad_request"  #: The system refused our query
    BAD_RESPONSE = "bad_response"  #: The answer is not what the system documents

    @property
    def retryable(self) -> bool:
        """Whether asking again later, unchanged, can help."""
        return self in {Reason.RATE_LIMITED, Reason.TIMEOUT, Reason.UNAVAILABLE}


class AdapterError(Exception):
    """A system gave no answer.

    Args:
        system: name of the configured source, for example `loki` or `grafana-eu`.
        reason: why.
        detail: one sentence that says what to grant, change or check; safe to show.
    """

    def __init__(self, system: str, reason: Reason, detail: str) -> None:
        super().__init__(f"{system}: {reason}: {detail}")
        self.system = system
        self.reason = reason
        self.detail = detail


@contextmanager
def documented(system: str) -> Iterator[None]:
    """Read an answer as its documentation describes it; one that lacks a field or has another form is BAD_RESPONSE.

    Raises:
        AdapterError: what is done inside stumbled over the answer's form.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        detail = "answered in a form that it does not document; is the URL that of its API?"
        raise AdapterError(system, Reason.BAD_RESPONSE, detail) from None
