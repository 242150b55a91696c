"""One limiter for everything that one workspace is sent, so that many investigations share Slack's limits.

Slack's limits: about one post a second and channel with short bursts allowed, and tier 3 (50 a minute) for
`chat.update` and `reactions.add`, counted by workspace: https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

KEPT = 1_000
"""Buckets are forgotten, fullest first, beyond this many: channels come and go."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second on average, and so many at once after a silence."""

    per_s: float
    burst: float


POSTS = Rate(per_s=1.0, burst=3)
TIER_2 = Rate(per_s=20 / 60, burst=4)
TIER_3 = Rate(per_s=50 / 60, burst=8)
TIER_4 = Rate(per_s=100 / 60, burst=15)
ONE_MESSAGE = Rate(per_s=0.5, burst=2)
"""Edits of one message: nobody reads faster, and each one folds the plan up again for its readers."""


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    tokens: float
    at: float
    paused_until: float = 0.0


class Limiter:
    """Token buckets by key.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def wait_s(self, *wanted: tuple[tuple[str, ...], Rate]) -> float:
        """Take one token from every bucket and return 0, or take none and return the seconds to wait."""
        now = self._clock()
        buckets = [self._bucket(key, rate, now) for key, rate in wanted]
        wait = max((_wait(bucket, now) for bucket in buckets), default=0.0)
        if wait <= 0:
            for bucket in buckets:
                bucket.tokens -= 1
        return wait

    def pause(self, key: tuple[str, ...], rate: Rate, seconds: float) -> None:
        """Slack said `Retry-After`: nothing more by this key until then."""
        now = self._clock()
        bucket = self._bucket(key, rate, now)
        bucket.paused_until = max(bucket.paused_until, now + seconds)

    def _bucket(self, key: tuple[str, ...], rate: Rate, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= KEPT:
                self._forget(now)
            bucket = self._buckets[key] = _Bucket(rate, rate.burst, now)
        bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.at) * rate.per_s)
        bucket.at = now
        return bucket

    def _forget(self, now: float) -> None:
        """Drop the half that has been silent longest; none of them is paused or empty by then."""
        oldest = sorted(
            (key for key, one in self._buckets.items() if one.paused_until <= now),
            key=lambda key: self._buckets[key].at,
        )
        for key in oldest[: KEPT // 2]:
            del self._buckets[key]


def _wait(bucket: _Bucket, now: float) -> float:
    missing = max(0.0, 1 - bucket.tokens) / bucket.rate.per_s
    return max(missing if missing > 1e-9 else 0.0, bucket.paused_until - now)
