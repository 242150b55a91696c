"""GitHub's webhooks: a failed deployment or workflow on a default branch is an alert, everything else is none.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.kit.alert_identity import fingerprint
from adapters.kit.records import Alert
from adapters.kit.shape import Json, inner, moment, word
from adapters.kit.webhook import by_hmac

verify = by_hmac("X-Hub-Signature-256", "sha256=")


def read(body: Json) -> Iterator[Alert]:
    """The failure, if it is one."""
    repository = inner(body, "repository")
    repo, main = word(repository, "full_name"), word(repository, "default_branch")
    run = inner(body, "workflow_run")
    if (
        run
        and word(run, "conclusion") in {"failure", "timed_out"}
        and word(run, "head_branch") == main
    ):
        name = word(run, "name")
        yield Alert(
            source="github",
            title=f"Workflow {name} failed on {main} of {repo}",
            severity="error",
            fingerprint=fingerprint("github", repo, name, main),
            started_at=moment(run.get("run_started_at")),
            labels={"repository": repo, "workflow": name, "sha": word(run, "head_sha")},
            url=word(run, "html_url", limit=1_000),
            text=word(run, "display_title"),
        )
    status, deployment = inner(body, "deployment_status"), inner(body, "deployment")
    if status and word(status, "state") in {"failure", "error"}:
        place = word(deployment, "environment")
        yield Alert(
            source="github",
            title=f"Deployment of {repo} to {place} failed",
            severity="error",
            fingerprint=fingerprint("github", repo, "deployment", place),
            started_at=moment(status.get("created_at")),
            labels={"repository": repo, "environment": place, "sha": word(deployment, "sha")},
            url=word(status, "target_url", limit=1_000),
            text=word(status, "description"),
        )
