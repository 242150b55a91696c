from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.slack import subcommands
from bot.slack.listeners import happenings, shortcuts

ROOT = Path(__file__).resolve().parents[2]
METHODS = {  # what each Web API method that we call needs; from its page under docs.slack.dev/reference/methods
    "agents_sessions_setStatus": {"chat:write"},
    "apps_connections_open": set(),  # by the app-level token
    "auth_test": set(),
    "assistant_threads_setSuggestedPrompts": {"assistant:write"},
    "canvases_create": {"canvases:write"},
    "chat_delete": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_upload_v2": {"files:write"},
    "functions_completeError": set(),
    "functions_completeSuccess": set(),
    "reactions_add": {"reactions:write"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
}
EVENTS = {
    "agent_session_stopped": set(),
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "function_executed": set(),
    "member_joined_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "reaction_added": {"reactions:read"},
}


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))


def test_the_manifest_is_valid_against_slacks_schema(manifest, shared_data):
    schema = shared_data / "slack" / "manifest" / "manifest.schema.2.0.0.json"
    if not schema.is_file():
        pytest.skip("Slack's manifest schema is not in the data pack (SHARED_DATA)")
    jsonschema.validate(manifest, json.loads(schema.read_text(encoding="utf-8")))


def test_every_command_and_shortcut_in_code_is_in_the_manifest_and_the_reverse(manifest):
    features = manifest["features"]
    assert {one["command"] for one in features["slash_commands"]} == {subcommands.COMMAND}
    assert {(one["type"], one["callback_id"]) for one in features["shortcuts"]} == {
        ("message", shortcuts.INVESTIGATE_MESSAGE),
        ("global", shortcuts.INVESTIGATE_NEW),
    }
    assert set(manifest["functions"]) == {happenings.FUNCTION}


def test_every_event_in_code_is_subscribed_and_the_reverse(manifest):
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert {name.split(".")[0] for name in subscribed} == set(happenings.SUBSCRIBED)
    assert set(subscribed) == set(EVENTS)


def test_scopes_are_exactly_those_that_the_code_uses(manifest):
    called = set()
    for path in (ROOT / "bot" / "slack").rglob("*.py"):
        called |= set(re.findall(r"client\.(\w+_\w+)\(", path.read_text(encoding="utf-8")))
    assert called == set(METHODS)
    needed = set().union({"commands"}, *METHODS.values(), *EVENTS.values())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_every_scope_says_why(manifest):
    text = (ROOT / "manifest.yml").read_text(encoding="utf-8")
    for scope in manifest["oauth_config"]["scopes"]["bot"]:
        assert re.search(rf"- {re.escape(scope)} # \S", text)
