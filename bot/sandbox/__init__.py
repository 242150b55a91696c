"""A local Slack: the workspace that the demo and the tests talk to. Start with `server.LocalSlack`."""

from __future__ import annotations

from bot.sandbox.errors import DriverError
from bot.sandbox.server import LocalSlack

__all__ = ["DriverError", "LocalSlack"]
