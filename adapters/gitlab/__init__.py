"""GitLab, gitlab.com or self-managed: commits, merge requests, deployments, and the logs of pipeline jobs.

https://docs.gitlab.com/api/rest/
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.gitlab.changes import Adapter, Settings
from adapters.gitlab.jobs import JobAdapter, JobSettings

TYPES: Mapping[str, tuple[str, ...]] = {
    "git_sources": ("gitlab",),
    "log_sources": ("gitlab",),
    "deploy_sources": ("gitlab",),
}
TESTED = "recorded responses, contract"
SCOPES = "personal, group or project access token with scope read_api, role Reporter (job logs: Developer where they are restricted)"
CLASSES = {"log_sources": (JobSettings, JobAdapter)}

__all__ = [
    "CLASSES",
    "SCOPES",
    "TESTED",
    "TYPES",
    "Adapter",
    "JobAdapter",
    "JobSettings",
    "Settings",
]
