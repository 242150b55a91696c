"""GitHub: commits, deployments and releases, logs of GitHub Actions, and the failures that it posts to Slack.

https://docs.github.com/en/rest
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.github.actions import ActionsAdapter, ActionsSettings
from adapters.github.changes import Adapter, Settings
from adapters.github.posts import SIGNS, recognise

TYPES: Mapping[str, tuple[str, ...]] = {
    "git_sources": ("github",),
    "log_sources": ("github-actions",),
    "deploy_sources": ("github",),
}
CLASSES = {"log_sources": (ActionsSettings, ActionsAdapter)}
TESTED = "recorded responses, contract (OpenAPI of GitHub)"
SCOPES = (
    "fine-grained token or GitHub App: Contents, Pull requests, Deployments, Actions and Checks: read "
    "(Metadata comes with them); classic token: repo"
)

__all__ = [
    "CLASSES",
    "SCOPES",
    "SIGNS",
    "TESTED",
    "TYPES",
    "ActionsAdapter",
    "ActionsSettings",
    "Adapter",
    "Settings",
    "recognise",
]
