"""The Web API methods that the local Slack answers; any other one is `unknown_method`."""

from __future__ import annotations

from bot.sandbox.methods import chat, conversations, people, views
from bot.sandbox.methods.desk import Method

METHODS: dict[str, Method] = {
    **chat.METHODS,
    **conversations.METHODS,
    **people.METHODS,
    **views.METHODS,
}
