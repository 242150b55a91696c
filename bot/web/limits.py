"""How often one key or one address may ask (docs/api.md); shared by replicas when the counters are in Redis."""

from __future__ import annotations

import hashlib
import time
from typing import Annotated, cast

from fastapi import Depends, Request, Response
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from bot.web.identity import COOKIE
from bot.web.problems import ProblemError
from bot.web.settings import WebSettings

PER_ADDRESS = 5
SIGN_INS = 10


class Gate:
    """Counts; knows nobody by name."""

    def __init__(self, settings: WebSettings) -> None:
        self._counting = SlidingWindowCounterRateLimiter(storage_from_string(settings.rate_store))
        self._caller = RateLimitItemPerMinute(settings.rate_per_minute, namespace="caller")
        self._address = RateLimitItemPerMinute(
            settings.rate_per_minute * PER_ADDRESS, namespace="address"
        )
        self._sign_in = RateLimitItemPerMinute(SIGN_INS, namespace="signin")

    def pass_by(self, request: Request) -> dict[str, str]:
        """Count one request of its caller; the headers that say how many are left.

        Raises:
            ProblemError: 429.
        """
        address = request.client.host if request.client else ""
        self._hit(self._address, address)
        said = request.headers.get("authorization") or request.cookies.get(COOKIE) or ""
        caller = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest() if said else address
        return self._hit(self._caller, caller)

    def sign_in(self, request: Request) -> None:
        """Count one attempt to sign in.

        Raises:
            ProblemError: 429.
        """
        self._hit(self._sign_in, request.client.host if request.client else "")

    def _hit(self, item: RateLimitItem, who: str) -> dict[str, str]:
        passes = self._counting.hit(item, who)
        stats = self._counting.get_window_stats(item, who)
        reset = max(1, round(stats.reset_time - time.time()))
        headers = {
            "RateLimit-Policy": f'"{item.namespace}";q={item.amount};w=60',
            "RateLimit": f'"{item.namespace}";r={max(0, stats.remaining)};t={reset}',
        }
        if not passes:
            headers["Retry-After"] = str(reset)
            raise ProblemError(429, f"Too many requests; try again in {reset} s.", headers=headers)
        return headers


def gate_of(request: Request) -> Gate:
    return cast("Gate", request.app.state.gate)


def _limited(request: Request, response: Response) -> None:
    response.headers.update(gate_of(request).pass_by(request))


Limited = Depends(_limited)
GateOf = Annotated[Gate, Depends(gate_of)]
