"""The Web API methods that the local Slack answers; any other one is `unknown_method`."""

from __future__ import annotations

from bot.sandbox.methods import agents, chat, conversations, files, people, streams, views
from bot.sandbox.methods.desk import Method

METHODS: dict[str, Method] = {
    **agents.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **people.METHODS,
    **streams.METHODS,
    **views.METHODS,
}
