"""Azure DevOps, Services or Server: commits of Azure Repos, builds of Azure Pipelines as deploys, and their logs.

https://learn.microsoft.com/en-us/rest/api/azure/devops/ (version 7.1)

Azure gives no patches through its interface: changes have names of files only.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.azure_devops.project import Adapter
from adapters.azure_devops.settings import BuildSettings, Settings

TYPES: Mapping[str, tuple[str, ...]] = {
    "git_sources": ("azure_devops",),
    "log_sources": ("azure_devops",),
    "deploy_sources": ("azure_devops",),
}
TESTED = "recorded responses, contract (Microsoft's API specification)"
SCOPES = "personal access token with Code: read and Build: read"
CLASSES = {"log_sources": (BuildSettings, Adapter)}

__all__ = ["CLASSES", "SCOPES", "TESTED", "TYPES", "Adapter", "BuildSettings", "Settings"]
