"""The one way in which a delivery is refused."""

from __future__ import annotations


class NotStoredError(Exception):
    """Nothing was stored in time. Slack must not hear an acknowledgement."""
